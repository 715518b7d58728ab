"""PosePackets over UDP: a sink that never blocks, and a receiver that believes nothing."""

from collections.abc import Callable, Iterable
from typing import ClassVar

from realtime_pose.communication.datagrams import DatagramSink
from realtime_pose.communication.packets.formats import decode_any, encoder
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import Packet, PosePacket
from realtime_pose.communication.targets import address_text, open_socket, parse_address
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, PacketError

DEFAULT_TARGET = "127.0.0.1:5005"
_MAX_UDP_BYTES = 65_535


class UdpSink(DatagramSink):
    """Sends each person of each frame as datagrams to one address, and a `hello` once a second.

    Args:
        target: "host:port[,person=ID]".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        udp_format: How packets are written: a name in `formats.ENCODERS`.
        stream: Number of the stream; drawn at random if None.
        wall_offset_ns: Unix time minus monotonic clock; measured now if None.

    Raises:
        ConfigError: The target is no address, its host is not known, or there is no such format.
    """

    name: ClassVar[str] = "udp"

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        mirror: bool = False,
        udp_format: str = "json",
        stream: int | None = None,
        wall_offset_ns: int | None = None,
    ) -> None:
        self._encode = encoder(udp_format)
        super().__init__(target)
        self._packets = PacketStream(mirror=mirror, stream=stream, wall_offset_ns=wall_offset_ns)

    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """A `hello` if one is due, then each person's `pose` and `part` packets."""
        return self._encoded(self._packets.packets_of(result))

    def last_datagrams(self) -> Iterable[tuple[bytes, bool]]:
        """A last `hello`."""
        return self._encoded(self._packets.last_words())

    def _encoded(self, packets: Iterable[Packet]) -> Iterable[tuple[bytes, bool]]:
        for packet in packets:
            yield self._encode(packet), isinstance(packet, PosePacket)


class UdpReceiver:
    """Takes packets of either form off one local address.

    Attributes:
        address: "host:port" that it listens on, with the real port if 0 was asked for.
        datagrams: Datagrams so far, packets or not.
        malformed: Those of them that were no packets.
        why_malformed: The sentence on the last of those; empty if there was none.

    Args:
        bind: "host:port" of this machine; port 0 takes a free one. Use 0.0.0.0 to hear other machines.
        check: Called with each datagram first; a PacketError from it makes the datagram malformed.

    Raises:
        ConfigError: That is no address of this machine, or the port is taken.
    """

    def __init__(self, bind: str = DEFAULT_TARGET, check: Callable[[bytes], object] | None = None) -> None:
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
        """The next datagram's packet, waiting for one; None if the time is over or the datagram was malformed."""
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
        """Give the port back. Safe to repeat."""
        self._socket.close()
