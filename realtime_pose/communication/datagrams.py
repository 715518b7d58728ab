"""What all sinks over UDP have in common: one socket, never blocking, and counts of what went and what did not."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from realtime_pose.communication.targets import open_socket, parse_target
from realtime_pose.datatypes import FrameResult


class DatagramSink(ABC):
    """Sends results as datagrams to one address.

    It never blocks, and a receiver that is not there is no error. The socket is left unconnected: a connected one
    would skip a datagram after each "nobody listens" that comes back.

    Attributes:
        target_text: The target as the user wrote it.
        packets_sent: Poses handed to the network.
        datagrams_sent: Datagrams of all kinds handed to the network.
        lost: Datagrams that the system refused (no route, full buffer); what is lost on the way, nobody here can see.

    Args:
        target: "host:port[,person=ID]".

    Raises:
        ConfigError: The target is none, or its host is not known.
    """

    name: ClassVar[str]
    usual_port: ClassVar[int | None] = None

    def __init__(self, target: str) -> None:
        parsed = parse_target(target, self.usual_port)
        self.target_text = target
        self.person = parsed.person
        self._socket: socket.socket | None
        self._socket, self._address = open_socket(parsed.host, parsed.port)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)  # so a whole network can be the target
        self.packets_sent = 0
        self.datagrams_sent = 0
        self.lost = 0

    def send(self, result: FrameResult) -> None:
        """Send what there is to say of one frame; after `close`, do nothing."""
        if self._socket is not None:
            self._send_all(self._socket, self.datagrams_of(only(result, self.person)))

    def close(self) -> None:
        """Say the last words and give the socket back. Safe to repeat."""
        sock, self._socket = self._socket, None
        if sock is not None:
            self._send_all(sock, self.last_datagrams())
            sock.close()

    def trouble(self) -> str:
        """One sentence on what was refused; empty if nothing was."""
        if not self.lost:
            return ""
        return (
            f"{self.lost} datagrams to {self.target_text} were refused by this machine's network; "
            "check the address and the connection"
        )

    @abstractmethod
    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """The frame's datagrams in order, each with whether it completes a pose."""

    def last_datagrams(self) -> Iterable[tuple[bytes, bool]]:
        """What is said at the end."""
        return ()

    def _send_all(self, sock: socket.socket, datagrams: Iterable[tuple[bytes, bool]]) -> None:
        for datagram, completes_pose in datagrams:
            try:
                sock.sendto(datagram, self._address)
            except OSError:  # a full buffer, no route, an old "nobody listens": late is worse than lost
                self.lost += 1
            else:
                self.datagrams_sent += 1
                self.packets_sent += completes_pose


def only(result: FrameResult, person: int | None) -> FrameResult:
    """The result with this person alone; everyone if None."""
    if person is None:
        return result
    return replace(result, people=tuple(p for p in result.people if p.keypoints.track_id == person))
