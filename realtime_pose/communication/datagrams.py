"""Base class of the sinks over UDP: one non-blocking socket, with counts of sent and refused datagrams."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, NamedTuple

from realtime_pose.communication.destinations import open_socket, parse_destination
from realtime_pose.datatypes import FrameResult


class Datagram(NamedTuple):
    """One datagram.

    Attributes:
        data: What is sent.
        completes_pose: Whether it completes a person's pose, and so counts as a sent pose.
    """

    data: bytes
    completes_pose: bool


class DatagramSink(ABC):
    """Sends results as datagrams to one address.

    It never blocks, and a missing receiver is no error. The socket stays unconnected: a connected one would skip a
    datagram after each ICMP "port unreachable".

    Attributes:
        destination: The address as the user wrote it.
        packets_sent: Poses handed to the network.
        datagrams_sent: Datagrams of all kinds handed to the network.
        lost: Datagrams that the system refused (no route, full buffer). Losses on the way are not visible here.

    Args:
        destination: "host:port[,person=ID]".

    Raises:
        ConfigError: The destination is not valid, or its host is unknown.
    """

    name: ClassVar[str]
    default_port: ClassVar[int | None] = None

    def __init__(self, destination: str, *, options: tuple[str, ...] = ("person",)) -> None:
        parsed = parse_destination(destination, self.default_port, options=options)
        self.destination = destination
        self.person, self.only = parsed.person, parsed.only
        self._socket: socket.socket | None
        self._socket, self._address = open_socket(parsed.host, parsed.port)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # allows a broadcast address
        self.packets_sent = 0
        self.datagrams_sent = 0
        self.lost = 0

    def send(self, result: FrameResult) -> None:
        """Send one frame's datagrams; does nothing after `close`."""
        if self._socket is not None:
            self._send_all(self._socket, self.datagrams_of(only_person(result, self.person)))

    def close(self) -> None:
        """Send the closing datagrams and release the socket. Safe to repeat."""
        sock, self._socket = self._socket, None
        if sock is not None:
            self._send_all(sock, self.closing_datagrams())
            sock.close()

    def warning(self) -> str:
        """One sentence on refused datagrams; empty if none were."""
        if not self.lost:
            return ""
        return (
            f"{self.lost} datagrams to {self.destination} were refused by this machine's network; "
            "check the address and the connection"
        )

    @abstractmethod
    def datagrams_of(self, result: FrameResult) -> Iterable[Datagram]:
        """The frame's datagrams in order."""

    def closing_datagrams(self) -> Iterable[Datagram]:
        """Datagrams to send on `close`."""
        return ()

    def _send_all(self, sock: socket.socket, datagrams: Iterable[Datagram]) -> None:
        for data, completes_pose in datagrams:
            try:
                sock.sendto(data, self._address)
            except OSError:  # full buffer, no route, port unreachable: never retried, as a late pose is worse than none
                self.lost += 1
            else:
                self.datagrams_sent += 1
                self.packets_sent += completes_pose


def only_person(result: FrameResult, person: int | None) -> FrameResult:
    """The result with only this person in it; unchanged if `person` is None."""
    if person is None:
        return result
    return replace(result, people=tuple(p for p in result.people if p.keypoints.track_id == person))
