"""The table of known checkpoints (checkpoints/manifest.json), and which of them lie on this machine."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from realtime_pose.errors import UnknownChoiceError
from realtime_pose.utils.paths import data_path

_SUFFIXES = (".safetensors", ".pth")


@dataclass(frozen=True)
class CheckpointEntry:
    """One checkpoint that can be had.

    Attributes:
        name: What the command line and the local file call it, e.g. "vitpose-s".
        repo: Repository on the model hub.
        revision: Branch, tag or commit there.
        file: The file's name there.
        family: Naming of its tensors: "huggingface", "original" or "mmpose".
        size: "s", "b", "l" or "h".
        decoder: "classic" or "simple".
        layout: Name of its keypoint layout.
        licence: SPDX identifier.
        sha256: Of the file; None while nobody has recorded it.
        note: What else one should know.
    """

    name: str
    repo: str
    revision: str
    file: str
    family: str
    size: str
    decoder: str
    layout: str
    licence: str
    sha256: str | None
    note: str


@cache
def read_manifest() -> dict[str, CheckpointEntry]:
    """Name -> entry of every known checkpoint, smallest model first."""
    table: dict[str, Any] = json.loads(data_path("checkpoints/manifest.json").read_text("utf-8"))
    return {row["name"]: CheckpointEntry(**row) for row in table["checkpoints"]}


def find_entry(name: str) -> CheckpointEntry:
    """The manifest's entry for `name`.

    Raises:
        UnknownChoiceError: There is none; the message lists the names there are.
    """
    manifest = read_manifest()
    if name not in manifest:
        raise UnknownChoiceError("checkpoint", name, manifest)
    return manifest[name]


def folders() -> tuple[Path, ...]:
    """Where checkpoints are looked for: the program's own folder, then the user's, which downloads go to."""
    return data_path("checkpoints"), Path.home() / ".cache" / "realtime_pose" / "checkpoints"


def find_local(name: str) -> Path | None:
    """The file of the named checkpoint on this machine, NAME.safetensors or NAME.pth; None if there is none.

    Raises:
        UnknownChoiceError: The manifest has no such name.
    """
    find_entry(name)
    candidates = (folder / f"{name}{suffix}" for folder in folders() for suffix in _SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)
