"""Any frame of a session at once, for whoever moves about in it."""

from typing import BinaryIO

from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.session.format import Contents, Session


class SessionIndex:
    """Where each frame of a session is in its file; the frames themselves stay there until they are asked for.

    Attributes:
        times_ns: Each frame's media time, in order.
        captured_ns: The first frame's monotonic clock.
        people: The most at once.
        damage: What is missing of the session, in a sentence; empty if nothing is.

    Raises:
        RecordingError: The file cannot be read, or has no whole frame.
    """

    def __init__(self, session: Session) -> None:
        self._path, self._contents = session.path, Contents(session.path)
        self.times_ns: list[int] = []
        self.captured_ns, self.people = 0, 0
        self.damage = ""
        self._spans: list[tuple[int, int]] = []
        try:
            for at, payload in session.records():
                glance = self._contents.glance(payload)
                if glance is None:
                    self._contents.take(payload)
                    continue
                if not self._spans:
                    self.captured_ns = glance.captured_ns
                self.people = max(self.people, glance.people)
                self.times_ns.append(glance.time_ns)
                self._spans.append((at, len(payload)))
        except RecordingError as exc:
            if not self.times_ns:
                raise
            self.damage = str(exc)
        if not self.times_ns:
            raise RecordingError(f"{session.path} holds no whole frame; record it anew")
        if session.cut:
            self.damage = f"The end of {session.path} is missing; it is there up to its last whole frame."
        self._file: BinaryIO | None = None

    def result(self, row: int) -> FrameResult:
        """The frame of this row, as `Session.frames` gives it.

        Raises:
            RecordingError: The file is gone, or was changed since.
        """
        at, size = self._spans[row]
        try:
            if self._file is None:
                self._file = self._path.open("rb")
            self._file.seek(at)
            result = self._contents.take(self._file.read(size))
        except (OSError, ValueError) as exc:
            raise RecordingError(f"{self._path} cannot be read any more; check the disk") from exc
        if result is None or result.frame.time_ns != self.times_ns[row]:
            raise RecordingError(f"{self._path} was replaced meanwhile; play it again")
        return result

    def close(self) -> None:
        """Give the file back; a later `result` opens it again. Safe to repeat."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
