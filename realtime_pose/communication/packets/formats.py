"""The two packet formats, JSON and binary: encoders by name, and a decoder that recognises either."""

from collections.abc import Callable

from realtime_pose.communication.packets import binary
from realtime_pose.communication.packets.pose_packet import Packet, decode, encode
from realtime_pose.utils.choices import check_choice

ENCODERS: dict[str, Callable[[Packet], bytes]] = {"json": encode, "binary": binary.encode_binary}


def encoder(udp_format: str) -> Callable[[Packet], bytes]:
    """The function that encodes packets in this format.

    Raises:
        UnknownChoiceError: There is no such format.
    """
    check_choice("output.udp_format", udp_format, ENCODERS)
    return ENCODERS[udp_format]


def decode_any(datagram: bytes) -> Packet:
    """The packet in a datagram of either format.

    Raises:
        PacketError: It is not a complete packet of version 1.
    """
    return binary.decode_binary(datagram) if datagram.startswith(binary.MAGIC) else decode(datagram)
