"""UDP output: each person of each frame as packets to one address."""

from collections.abc import Iterable
from typing import ClassVar

from realtime_pose.communication.datagrams import Datagram, DatagramSink
from realtime_pose.communication.packets.formats import encoder
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import Packet, PosePacket
from realtime_pose.datatypes import FrameResult

DEFAULT_DESTINATION = "127.0.0.1:5005"


class UdpSink(DatagramSink):
    """Sends each person of each frame as datagrams to one address, and a `hello` once a second.

    Args:
        destination: "host[:port][,person=ID]".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        udp_format: Encoding of the packets, a name in `formats.ENCODERS`.
        stream: Number of the stream; drawn at random if None.
        wall_offset_ns: Unix time minus monotonic clock; measured now if None.

    Raises:
        ConfigError: The destination is not valid, its host is unknown, or there is no such format.
    """

    name: ClassVar[str] = "udp"
    default_port: ClassVar[int | None] = 5005

    def __init__(
        self,
        destination: str = DEFAULT_DESTINATION,
        *,
        mirror: bool = False,
        udp_format: str = "json",
        stream: int | None = None,
        wall_offset_ns: int | None = None,
    ) -> None:
        self._encode = encoder(udp_format)
        super().__init__(destination)
        self._packets = PacketStream(mirror=mirror, stream=stream, wall_offset_ns=wall_offset_ns)

    def datagrams_of(self, result: FrameResult) -> Iterable[Datagram]:
        """A `hello` if one is due, then each person's `pose` and `part` packets."""
        return self._encoded(self._packets.packets_of(result))

    def closing_datagrams(self) -> Iterable[Datagram]:
        """A final `hello`."""
        return self._encoded(self._packets.closing_packets())

    def _encoded(self, packets: Iterable[Packet]) -> Iterable[Datagram]:
        for packet in packets:
            yield Datagram(self._encode(packet), completes_pose=isinstance(packet, PosePacket))
