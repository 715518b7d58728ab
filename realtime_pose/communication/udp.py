"""PosePackets over UDP: a non-blocking sink, and a receiver that validates every datagram."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from realtime_pose.communication.datagrams import DatagramSink
from realtime_pose.communication.destinations import address_text, open_socket, parse_address
from realtime_pose.communication.packets.formats import decode_any, encoder
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import Packet, PosePacket
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, PacketError

DEFAULT_DESTINATION = "127.0.0.1:5005"
_MAX_UDP_BYTES = 65_535


class UdpSink(DatagramSink):
    """Sends each person of each frame as datagrams to one address, and a `hello` once a second.

    Args:
        destination: "host:port[,person=ID]".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        udp_format: Encoding of the packets, a name in `formats.ENCODERS`.
        stream: Number of the stream; drawn at random if None.
        wall_offset_ns: Unix time minus monotonic clock; measured now if None.

    Raises:
        ConfigError: The destination is not valid, its host is unknown, or there is no such format.
    """

    name: ClassVar[str] = "udp"

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

    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """A `hello` if one is due, then each person's `pose` and `part` packets."""
        return self._encoded(self._packets.packets_of(result))

    def closing_datagrams(self) -> Iterable[tuple[bytes, bool]]:
        """A final `hello`."""
        return self._encoded(self._packets.closing_packets())

    def _encoded(self, packets: Iterable[Packet]) -> Iterable[tuple[bytes, bool]]:
        for packet in packets:
            yield self._encode(packet), isinstance(packet, PosePacket)


class UdpReceiver:
    """Receives packets of either format on one local address.

    Attributes:
        address: "host:port" that it listens on, with the real port if 0 was asked for.
        datagrams: Datagrams received so far, valid or not.
        malformed: Datagrams that were not valid packets.
        why_malformed: The error message of the last malformed datagram; empty if there was none.

    Args:
        bind: "host:port" of this machine; port 0 is any free one, and host 0.0.0.0 accepts from other machines.
        check: Called with each datagram first; a PacketError from it makes the datagram malformed.

    Raises:
        ConfigError: It is not an address of this machine, or the port is in use.
    """

    def __init__(self, bind: str = DEFAULT_DESTINATION, check: Callable[[bytes], object] | None = None) -> None:
        self._check = check
        self._socket, address = open_socket(*parse_address(bind, lowest_port=0))
        try:
            self._socket.bind(address)
        except OSError as exc:
            self._socket.close()
            raise ConfigError(
                f"cannot listen on {bind}: {exc.strerror}; close the program that listens there, or choose another port"
            ) from exc
        self.address = address_text(self._socket.getsockname())
        self.datagrams = 0
        self.malformed = 0
        self.why_malformed = ""

    def receive(self, timeout_s: float | None = None) -> Packet | None:
        """Waits for the next datagram and returns its packet; None after the timeout or if it was malformed."""
        self._socket.settimeout(timeout_s)
        try:
            datagram = self._socket.recv(_MAX_UDP_BYTES)
        except (TimeoutError, BlockingIOError):  # the second when the timeout is 0
            return None
        self.datagrams += 1
        try:
            if self._check is not None:
                self._check(datagram)
            return decode_any(datagram)
        except PacketError as exc:
            self.malformed += 1
            self.why_malformed = str(exc)
            return None

    def close(self) -> None:
        """Release the port. Safe to repeat."""
        self._socket.close()
