"""Output of `listen`: lines for a pipe, a table for a terminal, and invalid datagrams."""

import io
import threading

import pytest
from rich.console import Console
from support.people import make_clip, make_person, make_result
from support.sockets import PATIENCE_S

from realtime_pose.cli.listening import listen_to
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import encode
from realtime_pose.communication.packets.schema_check import SchemaCheck
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver


class Screen(io.StringIO):
    """Records the output, and sets an event once it listens."""

    def __init__(self):
        super().__init__()
        self.address = ""
        self.listening = threading.Event()

    def write(self, text):
        if "listening on " in text:
            self.address = text.split()[2].rstrip(";")
            self.listening.set()
        return super().write(text)


def listened(send, count, *, terminal=False, check=None):
    """The output and the result of listening, when `send` is called with the address."""
    screen, ended = Screen(), []
    console = Console(file=screen, force_terminal=terminal, width=160, highlight=False, legacy_windows=False)
    thread = threading.Thread(target=lambda: ended.append(listen_to("127.0.0.1:0", count, console, check)))
    thread.start()
    assert screen.listening.wait(PATIENCE_S)
    send(screen.address)
    thread.join(PATIENCE_S)
    return screen.getvalue(), ended[0]


def a_clip(address):
    sink = UdpSink(address, stream=77)
    for result in make_clip(4, track_id=3):
        sink.send(result)
    sink.close()


def test_a_pipe_gets_lines():
    shown, heard = listened(a_clip, 14)
    assert (heard.interrupted, heard.datagrams, heard.malformed) == (False, 14, 0)
    assert "stream 77: frames of 640x480 px" in shown
    assert "people 3" in shown
    for word in ("frames/s", "latency", "jitter", "lost 0 (0.0%)", "hips at -0.04, +0.94"):
        assert word in shown
    assert "\x1b" not in shown


def test_a_terminal_gets_a_table():
    shown, _ = listened(a_clip, 14, terminal=True)
    for word in ("stream", "people", "frames/s", "lost", "jitter", "latency", "p95", "77", "640x480", "0 (0.0%)"):
        assert word in shown


def nonsense_and_a_clip(address):
    sink = UdpSink(address)
    host, port = address.split(":")
    sink._socket.sendto(b"\x1b[31mnonsense [bold]", (host, int(port)))
    a_clip(address)
    sink.close()


@pytest.mark.parametrize("terminal", [False, True])
def test_malformed_datagrams_are_counted_and_reported_once(terminal):
    shown, heard = listened(nonsense_and_a_clip, 15, terminal=terminal)
    assert heard.malformed == 1
    assert "malformed 1: a datagram is not JSON in UTF-8" in shown
    assert "nonsense" not in shown + heard.why_malformed


def test_every_datagram_is_validated_against_the_schema():
    def bad_score(address):
        packets = PacketStream().packets_of(make_result([make_person(1)]))
        sink = UdpSink(address)
        for datagram in map(encode, packets):
            sink._socket.sendto(datagram.replace(b'"scores":[0', b'"scores":[7'), sink._address)
        sink.close()

    _, heard = listened(bad_score, 4, check=SchemaCheck())
    assert (heard.datagrams, heard.malformed) == (4, 3)  # pose, feet and hands
    assert heard.why_malformed == "the schema refuses a packet at scores/0: it breaks 'maximum'"


def test_the_port_is_released_afterwards():
    shown, _ = listened(a_clip, 14)
    UdpReceiver(shown.split()[2].rstrip(";")).close()
