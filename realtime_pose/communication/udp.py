"""PosePackets over UDP: a sink that never blocks, and a receiver that believes nothing."""

import socket
from typing import Any

from realtime_pose.communication.packet import Packet, PosePacket, decode, encode
from realtime_pose.communication.stream import PacketStream
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, PacketError

DEFAULT_TARGET = "127.0.0.1:5005"
_MAX_UDP_BYTES = 65_535


def parse_target(text: str, *, lowest_port: int = 1) -> tuple[str, int]:
    """Host and port of "host:port"; an IPv6 address stands in brackets.

    Raises:
        ConfigError: It is anything else.
    """
    host, colon, port = text.rpartition(":")
    if not text.isprintable() or " " in text or "/" in text:
        raise ConfigError(
            f"address {text!r} holds a space, a slash or a control character; write it like {DEFAULT_TARGET}"
        )
    if not colon or "]" in port:
        raise ConfigError(f"address {text!r} has no port; write it like {DEFAULT_TARGET}")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ConfigError(f"address {text!r} looks like IPv6; write it in brackets, like [::1]:5005")
    host = host[1:-1] if bracketed else host
    if not host:
        raise ConfigError(f"address {text!r} has no host; write it like {DEFAULT_TARGET}")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and lowest_port <= int(port) <= 65_535):
        raise ConfigError(f"address {text!r} has port {port!r}; a port is a number from {lowest_port} to 65535")
    return host, int(port)


def _open(text: str, *, lowest_port: int = 1) -> tuple[socket.socket, Any]:
    """A UDP socket fit for "host:port", and that address as sockets want it; asks the name service once."""
    host, port = parse_target(text, lowest_port=lowest_port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        # IPv4 first: "localhost" should mean what the defaults of both ends mean, 127.0.0.1
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        return socket.socket(family, socket.SOCK_DGRAM), address
    except (OSError, UnicodeError) as exc:
        raise ConfigError(f"host {host!r} is not known here; check the name, or give the IP address") from exc


class UdpSink:
    """Sends each person of each frame as datagrams to one address, and a `hello` once a second.

    One socket for its life; it never blocks, and a receiver that is not there is no error. The socket is left
    unconnected: a connected one would skip a datagram after each "nobody listens" that comes back.

    Attributes:
        packets_sent: `pose` packets handed to the network.
        datagrams_sent: Datagrams of all types handed to the network.
        lost: Datagrams that the system refused (no route, full buffer); what is lost on the way, nobody here can see.

    Args:
        target: "host:port".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        stream: Number of the stream; drawn at random if None.
        wall_offset_ns: Unix time minus monotonic clock; measured now if None.

    Raises:
        ConfigError: The target is no address, or its host is not known.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        mirror: bool = False,
        stream: int | None = None,
        wall_offset_ns: int | None = None,
    ) -> None:
        self._socket: socket.socket | None
        self._socket, self._address = _open(target)
        self._packets = PacketStream(mirror=mirror, stream=stream, wall_offset_ns=wall_offset_ns)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # so a whole network can be the target
        self.packets_sent = 0
        self.datagrams_sent = 0
        self.lost = 0

    def send(self, result: FrameResult) -> None:
        """Send the packets of one frame; after `close`, do nothing."""
        if self._socket is not None:
            for packet in self._packets.packets_of(result):
                self._send_packet(self._socket, packet)

    def close(self) -> None:
        """Send a last `hello` and give the socket back. Safe to repeat."""
        sock, self._socket = self._socket, None
        if sock is not None:
            for packet in self._packets.last_words():
                self._send_packet(sock, packet)
            sock.close()

    def _send_packet(self, sock: socket.socket, packet: Packet) -> None:
        try:
            sock.sendto(encode(packet), self._address)
        except OSError:  # a full buffer, no route, an old "nobody listens": late is worse than lost
            self.lost += 1
            return
        self.datagrams_sent += 1
        self.packets_sent += isinstance(packet, PosePacket)


class UdpReceiver:
    """Takes packets off one local address.

    Attributes:
        address: "host:port" that it listens on, with the real port if 0 was asked for.
        malformed: Datagrams so far that were no packets.
        why_malformed: The sentence on the last of them; empty if there was none.

    Args:
        bind: "host:port" of this machine; port 0 takes a free one. Use 0.0.0.0 to hear other machines.

    Raises:
        ConfigError: That is no address of this machine, or the port is taken.
    """

    def __init__(self, bind: str = DEFAULT_TARGET) -> None:
        self._socket, address = _open(bind, lowest_port=0)
        try:
            self._socket.bind(address)
        except OSError as exc:
            self._socket.close()
            raise ConfigError(
                f"cannot listen on {bind}: {exc.strerror}; close the program that listens there, or choose another port"
            ) from exc
        host, port = self._socket.getsockname()[:2]
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.malformed = 0
        self.why_malformed = ""

    def receive(self, timeout_s: float | None = None) -> Packet | None:
        """The next datagram's packet, waiting for one; None if the time is over or the datagram was malformed."""
        self._socket.settimeout(timeout_s)
        try:
            return decode(self._socket.recv(_MAX_UDP_BYTES))
        except (TimeoutError, BlockingIOError):  # the second when the timeout is 0
            return None
        except PacketError as exc:
            self.malformed += 1
            self.why_malformed = str(exc)
            return None

    def close(self) -> None:
        """Give the port back. Safe to repeat."""
        self._socket.close()
