"""A sink that gets its results once what comes after them is known."""

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult
from realtime_pose.filters.look_ahead import LookAhead


class LookAheadSink:
    """Stands before another sink, and hands it every result a little later, with smoothed poses; none is left out.

    Args:
        sink: Closed with this one.
        look_ahead: Used by nobody else.
    """

    def __init__(self, sink: PoseSink, look_ahead: LookAhead) -> None:
        self._sink, self._ahead = sink, look_ahead

    def send(self, result: FrameResult) -> None:
        """Take one result."""
        for ready in self._ahead.feed(result):
            self._sink.send(ready)

    def close(self) -> None:
        """Hand over what still waits, and close the other sink. Safe to repeat."""
        try:
            for ready in self._ahead.finish():
                self._sink.send(ready)
        finally:
            self._sink.close()
