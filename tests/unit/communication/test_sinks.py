"""Several sinks at once: each has its own destination, none delays another, none is left open after an error."""

import inspect
import socket

import pytest
from support.people import make_clip, make_person, make_result
from support.sockets import PATIENCE_S, Ear
from websockets.sync.client import connect

from realtime_pose.cli import options
from realtime_pose.cli.commands.process import process
from realtime_pose.cli.commands.run import run
from realtime_pose.communication.destinations import parse_address
from realtime_pose.communication.packets.pose_packet import decode
from realtime_pose.communication.sinks import SINKS, open_sinks
from realtime_pose.config import AppConfig, OutputConfig
from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.utils.choices import load_choice


def test_every_sink_has_a_setting_and_an_option_of_run_and_process():
    several = [option.settings[0].key for option in options.OPTIONS if option.settings[0].info.several]
    assert [*OutputConfig().destinations] == [*SINKS] == several
    for command in (run, process):
        assert {*SINKS} <= {*inspect.signature(command).parameters}


def test_several_destinations_are_one_setting():
    given = {"udp": ["127.0.0.1:1", "127.0.0.1:2,person=3"], "vmc": ["localhost"], "udp_format": "binary"}
    output = options.parse_given(given).settings().output
    assert (output.udp, output.vmc, output.udp_format) == ("127.0.0.1:1 127.0.0.1:2,person=3", "localhost", "binary")
    assert {name for name, listed in output.destinations.items() if listed} == {"udp", "vmc"}


def test_by_default_nothing_is_sent():
    assert open_sinks(AppConfig().output.destinations) == []


def test_sinks_of_one_kind_have_their_own_destinations_and_people():
    ears = [Ear(), Ear()]
    people = [make_person(1, track_id=1), make_person(2, track_id=2)]
    sinks = open_sinks({"vmc": " ".join(f"{ear.address},person={i}" for i, ear in enumerate(ears, 1))}, mirror=True)
    for sink in sinks:
        sink.send(make_result(people))
        sink.close()
    hips = [b"".join(ear.datagrams(2)) for ear in ears]
    assert hips[0] != hips[1]
    assert [(sink.name, sink.packets_sent) for sink in sinks] == [("vmc", 1), ("vmc", 1)]
    for ear in ears:
        ear.close()


def test_a_refusing_network_and_a_slow_client_do_not_affect_other_sinks(ear):
    """A client that connects and then reads nothing, a network that refuses, and a working receiver."""
    slow, refusing, live = open_sinks({"websocket": "127.0.0.1:0", "vmc": "127.0.0.1:9", "udp": ear.address})
    refusing._socket.close()
    refusing._socket = RefusingSocket()
    slow.send(make_result())
    with connect(f"ws://{slow.address}", proxy=None, close_timeout=0.1) as page:
        page.recv(PATIENCE_S)
        for i, result in enumerate(make_clip(90)):
            for sink in (slow, refusing, live):
                sink.send(result)
            kinds = [decode(datagram).type for datagram in ear.datagrams(4 if i % 30 == 0 else 3)]
            assert kinds[-3:] == ["pose", "part", "part"]
    for sink in (slow, refusing, live):
        sink.close()
    assert (live.packets_sent, live.lost) == (90, 0)
    assert (refusing.packets_sent, refusing.lost) == (0, 180)


class RefusingSocket:
    """A network that is down."""

    def sendto(self, datagram, address):
        raise OSError(101, "Network is unreachable")

    def close(self):
        pass


def test_the_udp_format_is_for_udp_only(ear):
    (sink,) = open_sinks({"udp": ear.address}, udp_format="binary")
    sink.send(make_result([make_person(1)]))
    sink.close()
    assert [datagram[:4] for datagram in ear.datagrams(5)] == [b'{"ve', b"RTPB", b"RTPB", b"RTPB", b'{"ve']
    open_sinks({"vmc": "127.0.0.1"}, udp_format="binary")[0].close()
    with pytest.raises(UnknownChoiceError, match=r"output\.udp_format='yaml' is not one of: binary, json"):
        open_sinks({"udp": ear.address}, udp_format="yaml")


def test_after_an_error_no_sink_is_left_open():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(ConfigError, match="is not known here"):
        open_sinks({"websocket": address, "udp": "no-such-host.invalid:1"})
    open_sinks({"websocket": address})[0].close()  # the port is free again


@pytest.mark.parametrize(
    "destinations", ["127.0.0.1:1\n127.0.0.1:2", "127.0.0.1:1\t", "127.0.0.1:1\x00", "127.0.0.1:1\x1b[0m"]
)
@pytest.mark.parametrize("name", SINKS)
def test_control_characters_in_a_destination_get_a_plain_sentence(name, destinations):
    with pytest.raises(ConfigError, match="control character") as caught:
        open_sinks({name: destinations})
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", SINKS)
def test_an_unknown_host_gets_a_plain_sentence(name):
    with pytest.raises(ConfigError, match=r"'no-such-host\.invalid' is not known here; check the name"):
        open_sinks({name: "no-such-host.invalid:5005"})


@pytest.mark.parametrize("name", SINKS)
def test_the_default_destination_is_this_machine(name):
    default = inspect.signature(load_choice("sink", name, SINKS)).parameters["destination"].default
    assert parse_address(default, default_port=1)[0] == "127.0.0.1"
