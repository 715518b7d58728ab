"""Silence for foreign native code that writes to the terminal past Python."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_blocks = 0  # under way now, in all threads: the first one shuts stderr, the last one opens it again
_kept = -1


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Send the process's stderr (also what C++ writes) nowhere for the `with` block: keep the block short."""
    _shut()
    try:
        yield
    finally:
        _open()


def _shut() -> None:
    global _blocks, _kept
    with _lock:
        _blocks += 1
        if _blocks == 1:
            sys.stderr.flush()
            _kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            os.close(nowhere)


def _open() -> None:
    global _blocks
    with _lock:
        _blocks -= 1
        if _blocks == 0:
            os.dup2(_kept, 2)
            os.close(_kept)
