"""Protocols of the sinks: `PoseSink` for any output, `LiveSink` for those over the network."""

from typing import ClassVar, Protocol

from realtime_pose.datatypes import FrameResult


class PoseSink(Protocol):
    """A destination of results: a socket, a file."""

    def send(self, result: FrameResult) -> None:
        """Send one result; called for empty frames too. A live sink never blocks, and a lost receiver is no error."""
        ...

    def close(self) -> None:
        """Finish and release the socket or file. Safe to repeat."""
        ...


class LiveSink(PoseSink, Protocol):
    """A sink that sends to other programs, built from a destination: `Sink("127.0.0.1:5005", mirror=True)`.

    Attributes:
        name: Its name in `sinks.SINKS`.
        destination: The address as the user wrote it.
        packets_sent: Poses handed to the network, counted once per client.
        lost: Datagrams that this machine's network refused, or messages dropped for a client that is too slow.
    """

    name: ClassVar[str]
    destination: str
    packets_sent: int
    lost: int

    def warning(self) -> str:
        """One sentence on what was lost and what to do next; empty if nothing was lost."""
        ...
