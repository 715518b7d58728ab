"""A file that begins again when it is over, as if it had no end."""

from collections.abc import Callable
from dataclasses import replace

from realtime_pose.capture.base import FrameSource
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream

_USUAL_FPS = 30.0


class Looped:
    """Frames of a file over and over, numbered and timed as one stream without an end.

    Args:
        open_source: Opens the file; called again for each round.
    """

    live = False
    frame_count: int | None = None

    def __init__(self, open_source: Callable[[], FrameSource]) -> None:
        self._open, self._source = open_source, open_source()
        self.fps, self.notices = self._source.fps, self._source.notices
        self._next_index, self._last_ns, self._shift_ns = 0, 0, 0
        self._closed = False

    @property
    def dropped(self) -> int:
        """None are: a file waits."""
        return 0

    def read(self) -> Frame | None:
        """The next frame; the first one again after the last.

        Raises:
            EndOfStream: The source was closed, or holds no frame.
            CaptureError: The file is broken.
        """
        try:
            frame = self._source.read()
        except EndOfStream:
            if self._closed or not self._next_index:
                raise
            frame = self._begin_again()
        if frame is None:
            return None
        self._last_ns = frame.time_ns + self._shift_ns
        frame = replace(frame, index=self._next_index, time_ns=self._last_ns)
        self._next_index += 1
        return frame

    def close(self) -> None:
        """Give the file back. Safe to repeat."""
        self._closed = True
        self._source.close()

    def _begin_again(self) -> Frame | None:
        self._source.close()
        self._source = self._open()
        frame = self._source.read()
        if frame is not None:
            self._shift_ns = self._last_ns + round(1e9 / (self.fps or _USUAL_FPS)) - frame.time_ns
        return frame
