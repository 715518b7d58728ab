"""Artefacts of a model (exports, int8 models, engines) in the user's cache folder: each made once, atomically."""

import errno
import tempfile
from collections.abc import Callable
from pathlib import Path

from realtime_pose.errors import CheckpointError
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.utils.paths import cache_folder


def artefact_folder(source: SourceModel, name: str) -> Path:
    """Folder of the model's artefact `name`, e.g. "openvino-fp32"; it may not exist."""
    return cache_folder() / "models" / f"{source.name}-{source.key[:16]}" / name


def find_or_make(source: SourceModel, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of the artefact `name`; if it is missing, `make` fills an empty folder, which is then moved there.

    Raises:
        CheckpointError: The disk is full or the cache folder is not writable.
    """
    folder = artefact_folder(source, name)
    if not folder.is_dir():
        put_artefact(folder, make)
    return folder


def put_artefact(folder: Path, make: Callable[[Path], None]) -> None:
    """Fill a new folder with `make` and replace `folder` by it; a failure leaves the old one unchanged.

    Raises:
        CheckpointError: The disk is full or the folder is not writable.
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
            return  # another process has put an equal one there in the meantime
        raise CheckpointError(
            f"cannot write {folder} ({exc.strerror or exc}); free some space, or set XDG_CACHE_HOME to another folder"
        ) from exc
