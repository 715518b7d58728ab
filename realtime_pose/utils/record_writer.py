"""A file that grows by whole records, so that what lies on disk can be read at any moment."""

import io
from pathlib import Path

from realtime_pose.errors import RecordingError


class RecordWriter:
    """Appends whole records to a new file; one that cannot be written whole leaves the file as it was.

    A tail may follow the last record, e.g. the brackets that close a JSON document: the next record takes its place.

    Args:
        path: The file; one that is there already is replaced.

    Raises:
        RecordingError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._end, self._tail = 0, b""
        try:
            path.write_bytes(b"")
        except OSError as exc:
            raise _translated(path, exc) from exc

    def append(self, record: bytes, tail: bytes = b"") -> None:
        """Write a record after the last one, and the tail after it.

        Raises:
            RecordingError: The disk is full or gone.
        """
        try:
            self._write_at(self._end, record + tail)
            if self._file is not None and len(record) + len(tail) < len(self._tail):
                self._file.truncate()
        except OSError as exc:
            self._undo()
            raise _translated(self._path, exc) from exc
        self._end, self._tail = self._end + len(record), tail

    def overwrite(self, at: int, data: bytes) -> None:
        """Replace bytes inside what was written before.

        Raises:
            RecordingError: The disk is gone.
        """
        try:
            self._write_at(at, data)
        except OSError as exc:
            raise _translated(self._path, exc) from exc

    def close(self) -> None:
        """Give the file back for now; a later `append` opens it again. Safe to repeat."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _write_at(self, at: int, data: bytes) -> None:
        if self._file is None:
            # unbuffered: what `append` has written is in the system's hands even if this process dies
            self._file = io.FileIO(self._path, "r+")
        self._file.seek(at)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def _undo(self) -> None:
        if self._file is not None:
            self._write_at(self._end, self._tail)  # its room on the disk is still there
            self._file.truncate()


def _translated(path: Path, exc: OSError) -> RecordingError:
    return RecordingError(f"cannot write {path}: {exc.strerror}; free some space there, or choose another folder")
