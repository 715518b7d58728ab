"""Where the files that belong to the program lie, the same in a checkout and in an installed wheel."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_CHECKOUT = _PACKAGE.parent


def data_path(relative: str) -> Path:
    """The full path of a shipped file such as "resources/videos/default.mp4"; it may not exist."""
    in_wheel = _PACKAGE / "_data"  # which only a wheel has; whatever lies beside an installed package is not ours
    return (in_wheel if in_wheel.is_dir() else _CHECKOUT) / relative


def cache_folder() -> Path:
    """The user's folder for what can be fetched or made again: weights, exported models, timings."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "realtime_pose"


def user_folder() -> Path:
    """The user's folder for what only they have and nothing can make again: profiles of their bodies."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "realtime_pose"
