"""Table of the live sinks, and how they are opened; each is imported only when chosen."""

from collections.abc import Mapping
from contextlib import ExitStack

from realtime_pose.communication.base import LiveSink
from realtime_pose.communication.destinations import parse_destination, parse_server_address
from realtime_pose.utils.choices import load_choice

SINKS = {
    "udp": "realtime_pose.communication.udp:UdpSink",
    "vmc": "realtime_pose.communication.vmc:VmcSink",
    "livelink": "realtime_pose.communication.livelink:LiveLinkSink",
    "websocket": "realtime_pose.communication.websocket:WebSocketSink",
    "osc_trackers": "realtime_pose.communication.osc_trackers:OscTrackerSink",
}


def check_destinations(destinations: Mapping[str, str]) -> None:
    """Check the form of all destinations without opening anything.

    Args:
        destinations: Name in SINKS -> its destinations, separated by spaces; empty for none.

    Raises:
        ConfigError: One is not valid.
    """
    for name, listed in destinations.items():
        for destination in filter(None, listed.split(" ")):
            (parse_server_address if name == "websocket" else parse_destination)(destination)


def open_sinks(destinations: Mapping[str, str], *, mirror: bool = False, udp_format: str = "json") -> list[LiveSink]:
    """Opens one sink per destination.

    Args:
        destinations: Name in SINKS -> its destinations, separated by spaces; empty for none.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        udp_format: "json" or "binary", for UDP only.

    Raises:
        ConfigError: A sink cannot be opened; those opened before it are closed again.
    """
    with ExitStack() as undo:
        sinks: list[LiveSink] = []
        for name, listed in destinations.items():
            choice = {"udp_format": udp_format} if name == "udp" else {}
            for destination in filter(None, listed.split(" ")):
                sink = load_choice("sink", name, SINKS)(destination, mirror=mirror, **choice)
                undo.callback(sink.close)
                sinks.append(sink)
        undo.pop_all()
        return sinks
