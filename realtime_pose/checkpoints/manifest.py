"""Manifest of known checkpoints (checkpoints/manifest.json), and the lookup of local files."""

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
    """Published weights: of a detector, or (see CheckpointEntry) of a ViTPose.

    Attributes:
        name: Name on the command line and of the local file, e.g. "vitpose-s".
        repo: Repository on the model hub; of the source code where `url` or `page` is given.
        revision: Branch, tag or commit there.
        file: The file's name there.
        url: Address of the file, if it is not on the model hub; else empty.
        page: Web page for a manual download, if no other is possible; else empty.
        ap: Published AP on its evaluation set; None if none was found.
        licence: SPDX identifier.
        sha256: Of the file, or its first digits; None if not recorded.
        note: Remarks.
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
    """One published ViTPose; its AP is on the evaluation set of its first data set.

    Attributes:
        family: Naming of its tensors: "huggingface", "original" or "mmpose"; or "onnx".
        size: "s", "b", "l" or "h".
        decoder: "classic" or "simple".
        datasets: Data sets that it has a head for; the first is the default of --dataset.
    """

    family: str
    size: str
    decoder: str
    datasets: tuple[str, ...]

    @property
    def layout(self) -> KeypointLayout:
        """The keypoints of its default data set."""
        return LAYOUT_OF[self.datasets[0]]

    @property
    def auto(self) -> bool:
        """Whether `auto` may choose it: it finds COCO's body keypoints, which lifting needs."""
        return self.datasets[0] == "coco"


@cache
def read_manifest() -> dict[str, CheckpointEntry]:
    """Name -> entry of every known ViTPose, smallest model first."""
    rows = _read_table()["checkpoints"]
    return {row["name"]: CheckpointEntry(**row | {"datasets": tuple(row["datasets"])}) for row in rows}


@cache
def read_detectors() -> dict[str, PublishedFile]:
    """Name -> weights of every person detector with downloads; AP is over all classes of COCO val."""
    return {row["name"]: PublishedFile(**row) for row in _read_table()["detectors"]}


def _read_table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(data_path("checkpoints/manifest.json").read_text("utf-8"))
    return table


def find_entry(name: str) -> PublishedFile:
    """The manifest's entry for `name`, which may be a detector's.

    Raises:
        UnknownChoiceError: There is none; the message lists the valid names.
    """
    manifest: dict[str, PublishedFile] = {**read_manifest(), **read_detectors()}
    if name not in manifest:
        raise UnknownChoiceError("checkpoint", name, manifest)
    return manifest[name]


def folders() -> tuple[Path, ...]:
    """The folders of checkpoints: the program's own, then the user's, where downloads go."""
    return data_path("checkpoints"), cache_folder() / "checkpoints"


def find_local(name: str) -> Path | None:
    """The file of the named checkpoint on this machine, NAME.safetensors, .pth or .onnx; None if there is none.

    Raises:
        UnknownChoiceError: The manifest has no such name.
    """
    find_entry(name)
    candidates = (folder / f"{name}{suffix}" for folder in folders() for suffix in _SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)
