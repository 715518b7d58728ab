"""What every sink promises."""

from typing import Protocol

from realtime_pose.datatypes import FrameResult


class PoseSink(Protocol):
    """Where results go: a socket, a file."""

    def send(self, result: FrameResult) -> None:
        """Take one result, also an empty one. A live sink never blocks, and a lost receiver is no error."""
        ...

    def close(self) -> None:
        """Finish and give the socket or file back. Safe to repeat."""
        ...
