"""Folder lock: one writer at a time, also between processes; a crash releases it."""

import contextlib
import os
from pathlib import Path
from typing import IO

LOCK_FILE = ".realtime-pose.lock"


class FolderLock:
    """A lock that this process holds on a folder until `release`.

    Args:
        folder: An existing folder.

    Raises:
        BlockingIOError: Another process (or another lock of this one) holds it.
        OSError: The folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_FILE
        self._file: IO[str] | None = None
        while self._file is None:
            file = self._path.open("a")
            try:
                _lock(file)
                # Between opening and locking, the holder before may have removed the file: then it locks nothing.
                if os.path.exists(self._path) and os.path.samestat(os.stat(self._path), os.fstat(file.fileno())):
                    self._file = file
            finally:
                if self._file is None:
                    file.close()

    def release(self) -> None:
        """Give the folder free. Safe to repeat."""
        file, self._file = self._file, None
        if file is None:
            return
        if os.name == "nt":  # Windows removes no open file
            file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        file.close()


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as exc:
            raise BlockingIOError(*exc.args) from exc
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
