"""Paths of shipped data and of the user's folders, in a checkout and in an installed wheel alike."""

import os
import re
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent


def data_path(relative: str) -> Path:
    """The absolute path of a shipped file, e.g. "resources/videos/default.mp4"; it may not exist."""
    in_wheel = _PACKAGE / "_data"  # only in a wheel; the folder above an installed package is site-packages
    return (in_wheel if in_wheel.is_dir() else _CHECKOUT) / relative


def cache_folder() -> Path:
    """The user's cache for files that can be downloaded or made again: weights, exported models, timings."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "realtime_pose"


def user_folder() -> Path:
    """The user's data folder for files that cannot be made again: body profiles."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "realtime_pose"


def is_on_network(path: str) -> bool:
    r"""Whether a path names another computer or a device, as \\host or //host: opening it contacts that host.

    Asked of paths out of files that may be a stranger's, on every system, before one touches the disk.
    """
    return re.match(r"[\\/](\?\?|[\\/])", path.strip()) is not None
