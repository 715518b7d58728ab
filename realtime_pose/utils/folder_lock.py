"""Folder lock: one writer at a time, also between processes; a crash releases it."""

import contextlib
import errno
import os
from pathlib import Path
from typing import IO

LOCK_FILE = ".realtime-pose.lock"
_TRIES = 20  # how often the holder before may remove the file at that very moment
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


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
        for _ in range(_TRIES):
            file = self._path.open("a")
            try:
                _lock(file)
                if self._is_in_place(file):
                    self._file = file
                    return
            except OSError as exc:
                if exc.errno in _NO_LOCKS:  # a network file system without locks: then nothing is locked
                    self._path.unlink(missing_ok=True)
                    return
                raise
            finally:
                if self._file is None:
                    file.close()
        # Never in place: the file system has no stable file numbers, so nothing is locked there either.

    def _is_in_place(self, file: IO[str]) -> bool:
        """Whether the locked file still has its name: the holder before may have removed it after it was opened."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(file.fileno()))
        except FileNotFoundError:
            return False

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
