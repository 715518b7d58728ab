"""Session index: random access to the frames of a session, for seeking."""

from dataclasses import replace
from typing import BinaryIO

from realtime_pose.datatypes import FrameResult, SceneCamera
from realtime_pose.errors import RecordingError
from realtime_pose.session.reader import Session
from realtime_pose.session.records import RecordDecoder


class SessionIndex:
    """Positions of a session's frames in its file; a frame is read when it is requested.

    Attributes:
        times_ns: Each frame's media time, in order.
        captured_ns: The first frame's monotonic time of capture.
        people: The most people in one frame.
        damage: One sentence on what is missing of the session; empty if it is complete.

    Raises:
        RecordingError: The file cannot be read, or has no whole frame.
    """

    def __init__(self, session: Session) -> None:
        self._path, self._decoder = session.path, RecordDecoder(session.path)
        self.times_ns: list[int] = []
        self.captured_ns, self.people = 0, 0
        self.damage = ""
        self._spans: list[tuple[int, int]] = []
        self._cameras: list[SceneCamera | None] = []
        try:
            for start, payload in session.records():
                summary = self._decoder.summary(payload)
                if summary is None:
                    self._decoder.decode(payload)
                    continue
                if not self._spans:
                    self.captured_ns = summary.captured_ns
                self.people = max(self.people, summary.people)
                self.times_ns.append(summary.time_ns)
                self._spans.append((start, len(payload)))
                self._cameras.append(self._decoder.camera)
        except RecordingError as exc:
            if not self.times_ns:
                raise
            self.damage = str(exc)
        if not self.times_ns:
            raise RecordingError(f"{session.path} has no whole frame; record it again")
        if session.truncated:
            self.damage = f"The end of {session.path} is missing; it can be used up to its last whole frame."
        self._file: BinaryIO | None = None

    def result(self, row: int) -> FrameResult:
        """The frame of this row, as `Session.frames` yields it.

        Raises:
            RecordingError: The file is gone, or has changed since.
        """
        start, size = self._spans[row]
        try:
            if self._file is None:
                self._file = self._path.open("rb")
            self._file.seek(start)
            result = self._decoder.decode(self._file.read(size))
        except (OSError, ValueError) as exc:
            raise RecordingError(f"{self._path} can no longer be read; check the disk") from exc
        if result is None or result.frame.time_ns != self.times_ns[row]:
            raise RecordingError(f"{self._path} was replaced in the meantime; play it again")
        return replace(result, camera=self._cameras[row])

    def close(self) -> None:
        """Close the file; a later `result` opens it again. Safe to repeat."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
