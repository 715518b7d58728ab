"""The two forms of a packet on the wire, and which one a datagram has."""

from collections.abc import Callable

from realtime_pose.communication.packets import binary
from realtime_pose.communication.packets.pose_packet import Packet, decode, encode
from realtime_pose.utils.choices import check_choice

ENCODERS: dict[str, Callable[[Packet], bytes]] = {"json": encode, "binary": binary.encode_binary}


def encoder(udp_format: str) -> Callable[[Packet], bytes]:
    """What writes packets in this form.

    Raises:
        UnknownChoiceError: There is no such form.
    """
    check_choice("output.udp_format", udp_format, ENCODERS)
    return ENCODERS[udp_format]


def decode_any(datagram: bytes) -> Packet:
    """The packet in a datagram of either form.

    Raises:
        PacketError: It is anything else than a whole packet of version 1.
    """
    return binary.decode_binary(datagram) if datagram.startswith(binary.MAGIC) else decode(datagram)
