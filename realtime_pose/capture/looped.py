"""Endless playback of a file: a source that restarts it at its end."""

from collections.abc import Callable
from dataclasses import replace

from realtime_pose.capture.base import FrameSource
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream

_ASSUMED_FPS = 30.0


class Looped:
    """The frames of a file in a loop, with continuous indices and times.

    Args:
        open_source: Opens the file; called again for each pass.
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
        """Always 0: a file waits for its reader."""
        return 0

    def read(self) -> Frame | None:
        """The next frame; after the last one, the first again.

        Raises:
            EndOfStream: The source was closed, or has no frames.
            CaptureError: The file is broken.
        """
        try:
            frame = self._source.read()
        except EndOfStream:
            if self._closed or not self._next_index:
                raise
            frame = self._restart()
        if frame is None:
            return None
        self._last_ns = frame.time_ns + self._shift_ns
        frame = replace(frame, index=self._next_index, time_ns=self._last_ns)
        self._next_index += 1
        return frame

    def close(self) -> None:
        """Release the file. Safe to repeat."""
        self._closed = True
        self._source.close()

    def _restart(self) -> Frame | None:
        self._source.close()
        self._source = self._open()
        frame = self._source.read()
        if frame is not None:
            self._shift_ns = self._last_ns + round(1e9 / (self.fps or _ASSUMED_FPS)) - frame.time_ns
        return frame
