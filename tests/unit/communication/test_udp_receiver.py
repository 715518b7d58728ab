"""UDP receiver over a real socket: both formats, malformed datagrams, addresses in use."""

import socket

import pytest
from support.people import make_clip, make_result

from realtime_pose.communication.destinations import parse_address
from realtime_pose.communication.packets.pose_packet import HelloPacket
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.errors import ConfigError, PacketError

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


def test_malformed_datagrams_are_counted_and_the_next_packet_still_comes(receiver):
    host, port = parse_address(receiver.address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_program:
        for datagram in (b"", b"hello", b"{}", b"x" * 9000):
            other_program.sendto(datagram, (host, port))
    for count in range(1, 5):
        assert receiver.receive(GIVE_UP_S) is None
        assert receiver.malformed == count
    assert "at most 1472 bytes" in receiver.why_malformed
    sink = UdpSink(receiver.address)
    sink.send(make_result())
    assert isinstance(receiver.receive(GIVE_UP_S), HelloPacket)
    sink.close()


def test_a_receiver_releases_its_port_and_reports_one_in_use(receiver):
    with pytest.raises(ConfigError, match=r"cannot listen on .*close the program that listens there"):
        UdpReceiver(receiver.address)
    address = receiver.address
    receiver.close()
    UdpReceiver(address).close()


def test_a_receiver_listens_on_this_machine_only_by_default(receiver):
    assert receiver.address.startswith("127.0.0.1:")
    with pytest.raises(ConfigError, match="cannot listen on"):
        UdpReceiver("203.0.113.7:0")  # reserved for documentation


@pytest.mark.parametrize("udp_format", ["json", "binary"])
def test_a_receiver_accepts_both_formats(receiver, udp_format):
    sink = UdpSink(receiver.address, udp_format=udp_format, stream=3)
    sink.send(make_clip(1)[0])
    sink.close()
    packets = receive(receiver, 5)
    assert [packet.type for packet in packets] == ["hello", "pose", "part", "part", "hello"]
    assert [packet.seq for packet in packets] == [0, 0, 0, 0, 1]
    assert (receiver.datagrams, receiver.malformed) == (5, 0)


def test_a_check_can_refuse_a_valid_packet():
    def refuse(datagram):
        raise PacketError(f"{len(datagram)} bytes are too many")

    receiver = UdpReceiver("127.0.0.1:0", refuse)
    sink = UdpSink(receiver.address)
    sink.send(make_result())
    assert receiver.receive(GIVE_UP_S) is None
    assert (receiver.datagrams, receiver.malformed) == (1, 1)
    assert receiver.why_malformed.endswith("bytes are too many")
    sink.close()
    receiver.close()
