"""Suppression of stderr output by native libraries, which write to the file descriptor past `sys.stderr`."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_blocks = 0  # active `with` blocks of all threads: the first redirects stderr, the last restores it
_saved_fd = -1


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Redirect the process's stderr, native code's included, to the null device for the `with` block.

    It affects all threads, so keep the block short.
    """
    _redirect()
    try:
        yield
    finally:
        _restore()


def _redirect() -> None:
    global _blocks, _saved_fd
    with _lock:
        _blocks += 1
        if _blocks == 1:
            sys.stderr.flush()
            _saved_fd, null_fd = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            os.dup2(null_fd, 2)
            os.close(null_fd)


def _restore() -> None:
    global _blocks
    with _lock:
        _blocks -= 1
        if _blocks == 0:
            os.dup2(_saved_fd, 2)
            os.close(_saved_fd)
