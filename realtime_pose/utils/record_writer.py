"""Append-only writer of whole records, so that the file on disk can be read at any time."""

import io
from pathlib import Path

from realtime_pose.errors import RecordingError


class RecordWriter:
    """Appends records to a new file; a record that cannot be written completely leaves the file as it was.

    A tail may follow the last record, e.g. the brackets that close a JSON document; the next record overwrites it.

    Args:
        path: The file; an existing one is replaced.

    Raises:
        RecordingError: The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: io.FileIO | None = None
        self._end, self._tail = 0, b""
        try:
            path.write_bytes(b"")
        except OSError as exc:
            raise write_error(path, exc) from exc

    def append(self, record: bytes, tail: bytes = b"") -> None:
        """Write a record after the last one, then the tail.

        Raises:
            RecordingError: It cannot be written, e.g. as the disk is full.
        """
        try:
            self._write_at(self._end, record + tail)
            if self._file is not None and len(record) + len(tail) < len(self._tail):
                self._file.truncate()
        except OSError as exc:
            self._undo()
            raise write_error(self._path, exc) from exc
        self._end, self._tail = self._end + len(record), tail

    def overwrite(self, at: int, data: bytes) -> None:
        """Overwrite bytes that were written before, from offset `at` on.

        Raises:
            RecordingError: They cannot be written.
        """
        try:
            self._write_at(at, data)
        except OSError as exc:
            raise write_error(self._path, exc) from exc

    def close(self) -> None:
        """Close the file; a later `append` opens it again. Safe to call twice."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _write_at(self, at: int, data: bytes) -> None:
        if self._file is None:
            # unbuffered: what `append` has written survives a crash of this process
            self._file = io.FileIO(self._path, "r+")
        self._file.seek(at)
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]

    def _undo(self) -> None:
        if self._file is not None:
            self._write_at(self._end, self._tail)  # needs no more disk space than it had
            self._file.truncate()


def write_error(where: Path | str, exc: Exception) -> RecordingError:
    """The error for what cannot be written to the disk: a path, or "into" a folder."""
    reason = getattr(exc, "strerror", None) or str(exc)
    return RecordingError(f"cannot write {where}: {reason}; free some space there, or choose another folder")
