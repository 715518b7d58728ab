"""Table of the file formats of a take, as `--format` of `run`, `process` and `export` names them.

A new format is one module with a function `open_...(path, take) -> PoseSink`, and one line here. Every sink receives
results one by one and writes as it goes, so memory does not grow with the length of a take.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from realtime_pose.communication.base import PoseSink
from realtime_pose.session.images import FRAMES_FILE
from realtime_pose.utils.choices import check_choice, load_attribute


@dataclass(frozen=True)
class TakeInfo:
    """Facts about a take that are known before its first frame.

    Attributes:
        fps: The source's nominal rate, used by files with a fixed rate; 0 if unknown.
        settings: The settings of the run, for the session; any JSON.
        sound: A media file with the sound of the take; None if there is none.
        character: The .glb or .vrm that "glb" and "fbx" animate; None for the built-in one.
        bones: A file that maps bones to its node names; None finds them by name.
        score_threshold: Keypoints with a lower score are not drawn.
    """

    fps: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    sound: Path | None = None
    character: Path | None = None
    bones: Path | None = None
    score_threshold: float = 0.3


class Exporter(NamedTuple):
    """One file format.

    Attributes:
        file: Its name in the take's folder; with a file per person, those after the first add _<id> to the stem.
        opens: "module:function" that opens it, imported only when chosen.
        what: A short description.
        needs_images: Whether it shows the frames themselves, which a session alone does not have.
    """

    file: str
    opens: str
    what: str
    needs_images: bool = False


_HERE = "realtime_pose.exporters"
EXPORTERS: dict[str, Exporter] = {
    "overlay": Exporter(
        "overlay.mp4", f"{_HERE}.overlay:open_overlay", "the video with the people drawn on it", needs_images=True
    ),
    "frames": Exporter(FRAMES_FILE, f"{_HERE}.overlay:open_frames", "the video as it came in", needs_images=True),
    "bvh": Exporter("motion.bvh", f"{_HERE}.bvh:open_bvh", "joint rotations for Blender, Maya and engines"),
    "easy-vitpose": Exporter("keypoints.json", f"{_HERE}.keypoints_json:open_keypoints_json", "easy_ViTPose's JSON"),
    "coco": Exporter("coco.json", f"{_HERE}.coco:open_coco", "keypoints as COCO results, for pycocotools"),
    "csv": Exporter("joints.csv", f"{_HERE}.joint_tables:open_csv", "joints and angles, one row per frame"),
    "parquet": Exporter("joints.parquet", f"{_HERE}.joint_tables:open_parquet", "the same table for pandas and Arrow"),
    "trc": Exporter("markers.trc", f"{_HERE}.opensim:open_trc", "joints as markers for OpenSim"),
    "mot": Exporter("angles.mot", f"{_HERE}.opensim:open_mot", "angles for OpenSim's full-body model"),
    "glb": Exporter("motion.glb", f"{_HERE}.gltf.glb:open_glb", "an animated character for engines and Blender"),
    "vrma": Exporter("motion.vrma", f"{_HERE}.gltf.vrma:open_vrma", "the motion for any VRM avatar"),
    "fbx": Exporter("motion.fbx", f"{_HERE}.gltf.fbx:open_fbx", "the same character as FBX; needs Blender"),
}

DEFAULT_FORMATS = "overlay,bvh,glb,easy-vitpose,csv"
"""Files of a take beside its session, by default."""


def parse_formats(text: str) -> tuple[str, ...]:
    """The names in "bvh,csv", in any case, each once, in the table's order; empty for empty text.

    Raises:
        UnknownChoiceError: There is no such format; the message lists all of them.
    """
    wanted = {name.strip().lower() for name in text.split(",") if name.strip()}
    for name in sorted(wanted):
        check_choice("format", name, EXPORTERS)
    return tuple(name for name in EXPORTERS if name in wanted)


def is_file_of_format(path: Path, formats: Iterable[str]) -> bool:
    """Whether a file name is one that these formats write, for the first person or another one."""
    files = (Path(EXPORTERS[name].file) for name in formats)
    return any(re.fullmatch(rf"{re.escape(f.stem)}(_-?\d+)?{re.escape(f.suffix)}", path.name) for f in files)


def open_exporters(formats: Sequence[str], folder: Path, take: TakeInfo) -> list[PoseSink]:
    """A sink for each format, writing into the folder.

    Raises:
        UnknownChoiceError: There is no such format.
        RecordingError: A file cannot be created, or its format needs a package that is not installed.
    """
    sinks: list[PoseSink] = []
    try:
        for name in formats:
            check_choice("format", name, EXPORTERS)
            sinks.append(load_attribute(EXPORTERS[name].opens)(folder / EXPORTERS[name].file, take))
    except BaseException:
        for sink in sinks:
            sink.close()
        raise
    return sinks
