"""What every sink promises."""

from typing import ClassVar, Protocol

from realtime_pose.datatypes import FrameResult


class PoseSink(Protocol):
    """Where results go: a socket, a file."""

    def send(self, result: FrameResult) -> None:
        """Take one result, also an empty one. A live sink never blocks, and a lost receiver is no error."""
        ...

    def close(self) -> None:
        """Finish and give the socket or file back. Safe to repeat."""
        ...


class LiveSink(PoseSink, Protocol):
    """A sink that feeds another program now; built from a target alone, `Sink("127.0.0.1:5005", mirror=True)`.

    Attributes:
        name: Its name in `sinks.SINKS`.
        target_text: The target as the user wrote it.
        packets_sent: Poses handed to the network (to each client, where there are several).
        lost: What was not handed over: refused by this machine's network, or left out for a client that is too slow.
    """

    name: ClassVar[str]
    target_text: str
    packets_sent: int
    lost: int

    def trouble(self) -> str:
        """One sentence on what was lost and what to do; empty if nothing was."""
        ...
