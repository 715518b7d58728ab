"""The two packet formats: encoders by name, and recognition of a datagram's format."""

import pytest
from golden.make_binary_packets import says, valid_datagrams_in_binary
from golden.make_packets import valid_datagrams

from realtime_pose.communication.packets.binary import MAGIC, decode_binary
from realtime_pose.communication.packets.formats import ENCODERS, decode_any, encoder
from realtime_pose.communication.packets.pose_packet import HelloPacket, decode
from realtime_pose.errors import PacketError, UnknownChoiceError


def fields(packet):
    return repr(packet) if isinstance(packet, HelloPacket) else says(packet)


def test_a_datagram_of_either_format_is_recognised():
    for datagram in valid_datagrams():
        assert fields(decode_any(datagram)) == fields(decode(datagram))
    for datagram in valid_datagrams_in_binary():
        assert fields(decode_any(datagram)) == fields(decode_binary(datagram))


@pytest.mark.parametrize("datagram", [b"", MAGIC, b"\x00", b"RTP"])
def test_other_datagrams_are_refused(datagram):
    with pytest.raises(PacketError):
        decode_any(datagram)


def test_an_unknown_format_lists_the_valid_ones():
    assert [*ENCODERS] == ["json", "binary"]
    with pytest.raises(UnknownChoiceError, match=r"output\.udp_format='yaml' is not one of: binary, json"):
        encoder("yaml")
