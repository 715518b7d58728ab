"""UDP receiver: packets of either format from one local address, each datagram validated."""

from collections.abc import Callable

from realtime_pose.communication.destinations import address_text, open_socket, parse_address
from realtime_pose.communication.packets.formats import decode_any
from realtime_pose.communication.packets.pose_packet import Packet
from realtime_pose.communication.udp import DEFAULT_DESTINATION
from realtime_pose.errors import ConfigError, PacketError

_MAX_UDP_BYTES = 65_535


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
