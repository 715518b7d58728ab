"""The files that a take can be written as, by name: `--format` of `run`, `process` and `export` reads this table.

A new kind of file is one module with a function `open_...(path, take) -> PoseSink`, and one line here. Every sink takes
results one by one and writes as it goes, so an hour's take fills no memory.
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
    """What is known of a take before its first frame.

    Attributes:
        fps: The source's nominal rate, taken by files of an even rate; 0 if not known.
        settings: What made the take, for the session; any JSON.
        sound: A media file whose sound belongs to the take; None if there is none.
        character: The .glb or .vrm that performs in "glb" and "fbx"; None takes the program's own.
        bones: A file that says which of its nodes are bones; None finds them by their names.
    """

    fps: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    sound: Path | None = None
    character: Path | None = None
    bones: Path | None = None


class Exporter(NamedTuple):
    """One kind of file.

    Attributes:
        file: Its name in the take's folder; where each person has a file, those after the first add _<id> to the stem.
        opens: "module:function" of what opens it, imported only when chosen.
        what: What it is, in a few words.
        pictures: Whether it shows the frames themselves, which a session alone does not have.
    """

    file: str
    opens: str
    what: str
    pictures: bool = False


_HERE = "realtime_pose.exporters"
EXPORTERS: dict[str, Exporter] = {
    "overlay": Exporter(
        "overlay.mp4", f"{_HERE}.overlay:open_overlay", "the pictures with the people drawn on them", pictures=True
    ),
    "frames": Exporter(FRAMES_FILE, f"{_HERE}.overlay:open_frames", "the pictures as they came", pictures=True),
    "bvh": Exporter("motion.bvh", f"{_HERE}.bvh:open_bvh", "joint rotations for Blender, Maya and engines"),
    "easy-vitpose": Exporter("keypoints.json", f"{_HERE}.keypoints_json:open_keypoints_json", "easy_ViTPose's JSON"),
    "coco": Exporter("coco.json", f"{_HERE}.coco:open_coco", "keypoints as COCO results, for pycocotools"),
    "csv": Exporter("joints.csv", f"{_HERE}.joint_tables:open_csv", "joints and angles, a row a frame"),
    "parquet": Exporter("joints.parquet", f"{_HERE}.joint_tables:open_parquet", "the same for pandas and Arrow"),
    "trc": Exporter("markers.trc", f"{_HERE}.opensim:open_trc", "joints as markers for OpenSim"),
    "mot": Exporter("angles.mot", f"{_HERE}.opensim:open_mot", "angles for OpenSim's full-body model"),
    "glb": Exporter("motion.glb", f"{_HERE}.gltf.glb:open_glb", "a moving character for engines and Blender"),
    "vrma": Exporter("motion.vrma", f"{_HERE}.gltf.vrma:open_vrma", "the motion for any VRM avatar"),
    "fbx": Exporter("motion.fbx", f"{_HERE}.gltf.fbx:open_fbx", "the same character as FBX; needs Blender"),
}

DEFAULT_FORMATS = "overlay,bvh,glb,easy-vitpose,csv"
"""What a take holds beside its session when nobody says otherwise."""


def parse_formats(text: str) -> tuple[str, ...]:
    """The names in "bvh,csv", each once, in the table's order; empty for empty text.

    Raises:
        UnknownChoiceError: There is no such format; the message lists those there are.
    """
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    for name in sorted(wanted):
        check_choice("format", name, EXPORTERS)
    return tuple(name for name in EXPORTERS if name in wanted)


def is_of(path: Path, formats: Iterable[str]) -> bool:
    """Whether a file is, by its name, one that these formats write, for the first person or a further one."""
    files = (Path(EXPORTERS[name].file) for name in formats)
    return any(re.fullmatch(rf"{re.escape(f.stem)}(_-?\d+)?{re.escape(f.suffix)}", path.name) for f in files)


def open_exporters(formats: Sequence[str], folder: Path, take: TakeInfo) -> list[PoseSink]:
    """A sink for each format, which writes into the folder.

    Raises:
        UnknownChoiceError: There is no such format.
        RecordingError: A file cannot be made, or its format needs something that is not installed.
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
