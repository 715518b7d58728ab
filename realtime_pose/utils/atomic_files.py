"""Atomic file writing: a file changes only when its new content is complete."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, which exists once the `with` block has written it.

    At the end of the block it takes the name `path`; if the block fails it is removed, and a file that was at `path`
    stays as it was. The temporary name has the suffix of `path`, for libraries that choose a format by it.

    Raises:
        OSError: The file cannot take its name.
    """
    path = path.resolve()  # a link stays, and what it points to is replaced
    part = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(3)}.part{path.suffix}")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists() and not path.is_file():  # a pipe or a device, such as /dev/stdout
        path.write_bytes(content)
        return
    with replacing(path) as part:
        part.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, in UTF-8.

    Raises:
        OSError: It cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))
