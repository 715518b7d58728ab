"""The table of known checkpoints (checkpoints/manifest.json), and which of them lie on this machine."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from realtime_pose.checkpoints.datasets import LAYOUT_OF
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.paths import cache_folder, data_path

_SUFFIXES = (".safetensors", ".pth", ".onnx")


@dataclass(frozen=True)
class PublishedFile:
    """Weights that can be had: of a detector, or (see CheckpointEntry) of a ViTPose.

    Attributes:
        name: What the command line and the local file call it, e.g. "vitpose-s".
        repo: Repository on the model hub; of the source code where `url` or `page` is given.
        revision: Branch, tag or commit there.
        file: The file's name there.
        url: Where the file lies, when that is not the model hub; else empty.
        page: Where a person finds it, when no program can fetch it; else empty.
        ap: Published AP on the set that it is judged by; None where none was found.
        licence: SPDX identifier.
        sha256: Of the file, or its first digits; None while nobody has recorded it.
        note: What else one should know.
    """

    name: str
    repo: str
    revision: str
    file: str
    url: str
    page: str
    ap: float | None
    licence: str
    sha256: str | None
    note: str


@dataclass(frozen=True)
class CheckpointEntry(PublishedFile):
    """One ViTPose that can be had; its AP is on the set that its first data set is judged by.

    Attributes:
        family: Naming of its tensors: "huggingface", "original" or "mmpose"; or "onnx".
        size: "s", "b", "l" or "h".
        decoder: "classic" or "simple".
        datasets: Whose keypoints it has a head for; the first is what it gives unless --dataset says otherwise.
    """

    family: str
    size: str
    decoder: str
    datasets: tuple[str, ...]

    @property
    def layout(self) -> KeypointLayout:
        """The keypoints that it finds unless --dataset says otherwise."""
        return LAYOUT_OF[self.datasets[0]]

    @property
    def auto(self) -> bool:
        """Whether it may be chosen for a user who named none: it finds the body that a pose is made of."""
        return self.datasets[0] == "coco"


@cache
def read_manifest() -> dict[str, CheckpointEntry]:
    """Name -> entry of every known ViTPose, smallest model first."""
    rows = _read_table()["checkpoints"]
    return {row["name"]: CheckpointEntry(**row | {"datasets": tuple(row["datasets"])}) for row in rows}


@cache
def read_detectors() -> dict[str, PublishedFile]:
    """Name -> weights of every person detector that has any to fetch; its AP is on all of COCO val's classes."""
    return {row["name"]: PublishedFile(**row) for row in _read_table()["detectors"]}


def _read_table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(data_path("checkpoints/manifest.json").read_text("utf-8"))
    return table


def find_entry(name: str) -> PublishedFile:
    """The manifest's entry for `name`, which may be a detector's.

    Raises:
        UnknownChoiceError: There is none; the message lists the names there are.
    """
    manifest: dict[str, PublishedFile] = {**read_manifest(), **read_detectors()}
    if name not in manifest:
        raise UnknownChoiceError("checkpoint", name, manifest)
    return manifest[name]


def folders() -> tuple[Path, ...]:
    """Where checkpoints are looked for: the program's own folder, then the user's, which downloads go to."""
    return data_path("checkpoints"), cache_folder() / "checkpoints"


def find_local(name: str) -> Path | None:
    """The file of the named checkpoint on this machine, NAME.safetensors, .pth or .onnx; None if there is none.

    Raises:
        UnknownChoiceError: The manifest has no such name.
    """
    find_entry(name)
    candidates = (folder / f"{name}{suffix}" for folder in folders() for suffix in _SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)
