"""What is made of a model for a runtime, kept in the user's cache folder: made once, whole or not at all."""

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

from realtime_pose.errors import CheckpointError
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.utils.paths import cache_folder


def artefact_folder(source: SourceModel, name: str) -> Path:
    """Where the artefact `name` of the model lies, e.g. "openvino-fp32"; it may not exist."""
    return cache_folder() / "models" / f"{source.name}-{source.key[:16]}" / name


def find_or_make(source: SourceModel, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of the artefact `name`; where it is missing `make` fills an empty folder, which then takes its place.

    Raises:
        CheckpointError: The disk is full or the cache folder may not be written.
    """
    folder = artefact_folder(source, name)
    if not folder.is_dir():
        put_artefact(folder, make)
    return folder


def put_artefact(folder: Path, make: Callable[[Path], None]) -> None:
    """Fill a new folder by `make` and put it at `folder`, in place of what was there; a failure leaves that alone.

    Raises:
        CheckpointError: The disk is full or the folder may not be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            made, old = Path(scratch) / "made", Path(scratch) / "old"
            made.mkdir()
            make(made)
            if folder.exists():
                folder.rename(old)
            made.rename(folder)
    except OSError as exc:
        if exc.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return  # another process put its own, equal one there in the meantime
        raise CheckpointError(
            f"cannot write {folder} ({exc.strerror or exc}); free some space there, or point XDG_CACHE_HOME elsewhere"
        ) from exc
