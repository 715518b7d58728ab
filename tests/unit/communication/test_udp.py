"""UDP sink over a real socket: delivery, people, unknown hosts."""

import socket

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.communication.packets.pose_packet import HelloPacket, PosePacket
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.errors import ConfigError

GIVE_UP_S = 10.0


@pytest.fixture
def receiver():
    receiver = UdpReceiver("127.0.0.1:0")
    yield receiver
    receiver.close()


def receive(receiver, count):
    packets = [receiver.receive(GIVE_UP_S) for _ in range(count)]
    assert None not in packets
    return packets


def test_a_clip_arrives_whole_over_one_socket(receiver):
    sink = UdpSink(receiver.address, stream=9)
    clip = make_clip(5)
    seen = []
    for result in clip:
        sink.send(result)
        seen += receive(receiver, 4 if result is clip[0] else 3)
    sink.close()
    last = receiver.receive(GIVE_UP_S)
    poses = [packet for packet in seen if isinstance(packet, PosePacket)]
    assert [pose.seq for pose in poses] == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(
        poses[3].rotations, clip[3].people[0].pose.rotations.local_xyzw, rtol=0, atol=0.5e-4 + 1e-7
    )
    assert isinstance(last, HelloPacket)
    assert last.sent == 15
    assert (sink.packets_sent, sink.datagrams_sent, sink.lost, receiver.malformed) == (5, 17, 0, 0)


def test_a_destination_with_a_person_gets_only_that_person(receiver):
    people = [make_person(1, track_id=1), make_person(2, track_id=2)]
    sink = UdpSink(f"{receiver.address},person=2")
    sink.send(make_result(people))
    sink.send(make_result(people[:1], index=1))
    sink.close()
    packets = receive(receiver, 5)
    assert [packet.person for packet in packets if isinstance(packet, PosePacket)] == [2]
    assert {packet.person for packet in packets if not isinstance(packet, HelloPacket)} == {2}
    assert packets[-1].sent == 3  # other people's packets do not count as lost
    assert sink.packets_sent == 1


@pytest.mark.parametrize("host", ["no-such-host.invalid", "x" * 300, "a..b", "300.300.300.300"])
def test_an_unknown_host_is_an_error_at_the_start(host):
    with pytest.raises(ConfigError, match="is not known here"):
        UdpSink(f"{host}:5005")


def test_localhost_means_ipv4(receiver, monkeypatch):
    """Many systems list ::1 first, where a receiver on 127.0.0.1 gets nothing."""
    port = int(receiver.address.rpartition(":")[2])
    six = (socket.AF_INET6, socket.SOCK_DGRAM, 17, "", ("::1", port, 0, 0))
    four = (socket.AF_INET, socket.SOCK_DGRAM, 17, "", ("127.0.0.1", port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [six, four])
    sink = UdpSink(f"localhost:{port}")
    sink.send(make_result())
    assert isinstance(receiver.receive(GIVE_UP_S), HelloPacket)
    sink.close()


def test_a_host_alone_gets_the_default_port():
    sink = UdpSink("127.0.0.1,person=2")
    try:
        assert sink._address == ("127.0.0.1", 5005)
    finally:
        sink.close()
