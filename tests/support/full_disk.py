"""Full disks: a file whose disk becomes full, and a limit for all files."""

import contextlib

import pytest


class FullDisk:
    """A file on a disk that is full after so many bytes."""

    def __init__(self, file, room):
        self._file, self._room = file, room

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def write(self, data):
        self._room -= len(data)
        if self._room < 0:
            raise OSError(28, "No space left on device")
        return self._file.write(data)


@contextlib.contextmanager
def file_size_limit(size):
    """As if the disk were full as soon as a file has this many bytes."""
    resource = pytest.importorskip("resource", reason="only POSIX systems limit the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
