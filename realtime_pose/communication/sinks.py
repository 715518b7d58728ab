"""The live sinks by name; each is imported only when chosen."""

from collections.abc import Mapping
from contextlib import ExitStack

from realtime_pose.communication.base import LiveSink
from realtime_pose.communication.targets import parse_served, parse_target
from realtime_pose.utils.choices import load_choice

SINKS = {
    "udp": "realtime_pose.communication.udp:UdpSink",
    "vmc": "realtime_pose.communication.vmc:VmcSink",
    "livelink": "realtime_pose.communication.livelink:LiveLinkSink",
    "websocket": "realtime_pose.communication.websocket:WebSocketSink",
    "osc_trackers": "realtime_pose.communication.osc_trackers:OscTrackerSink",
}


def check_targets(targets: Mapping[str, str]) -> None:
    """Refuse what is no target, before anything is opened.

    Args:
        targets: Name in SINKS -> its targets with a space between; empty for none.

    Raises:
        ConfigError: One is none; the message says what is wrong with it.
    """
    for name, listed in targets.items():
        for target in filter(None, listed.split(" ")):
            (parse_served if name == "websocket" else parse_target)(target)


def open_sinks(targets: Mapping[str, str], *, mirror: bool = False, udp_format: str = "json") -> list[LiveSink]:
    """Every sink that was asked for, open.

    Args:
        targets: Name in SINKS -> its targets with a space between; empty for none.
        mirror: Send the pose as a mirror shows it.
        udp_format: "json" or "binary"; only UDP has a choice.

    Raises:
        ConfigError: A target cannot be had; none is left open.
    """
    with ExitStack() as undo:
        sinks: list[LiveSink] = []
        for name, listed in targets.items():
            choice = {"udp_format": udp_format} if name == "udp" else {}
            for target in filter(None, listed.split(" ")):
                sink = load_choice("sink", name, SINKS)(target, mirror=mirror, **choice)
                undo.callback(sink.close)
                sinks.append(sink)
        undo.pop_all()
        return sinks
