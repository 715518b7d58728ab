"""The files of a take in independent readers, compared with the session: one table.

    python benchmarks/verify_exports.py [INPUT] [--out DIR] [--estimator NAME]

Processes INPUT (the packaged clip) into every format, unless DIR has its take already, and reads each file with
an independent program. Exits with 1 if a difference is larger than allowed.
"""

import argparse
import contextlib
import csv
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import bvh
import numpy as np
from pycocotools.coco import COCO
from rich.console import Console
from rich.table import Table
from scipy.spatial.transform import Rotation

from realtime_pose.app.replay import recorded_settings
from realtime_pose.app.take import SESSION
from realtime_pose.axes import OPENSIM
from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.exporters.table import EXPORTERS
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.two_passes import poses_of_clip
from realtime_pose.utils.paths import data_path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
JOINT_MM, TABLE_MM, PIXEL, MS, DEGREES = 5.0, 0.1, 0.01, 0.1, 0.01


class Finding(NamedTuple):
    """One reader's error and its limit; None where the reader is missing."""

    file: str
    reader: str
    what: str
    error: float | None
    bound: float
    unit: str


class Truth:
    """The session: its frames, and the first person's joints at their times."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = read_session(folder / SESSION)
        self.frames: list[FrameResult] = list(self.session.frames())
        first = next(p.keypoints.track_id for r in self.frames for p in r.people if p.pose is not None)
        self.poses: dict[int, SkeletonPose] = {}
        for number, result in enumerate(self.frames):
            for person in result.people:
                if person.keypoints.track_id == first and person.pose is not None:
                    self.poses[number] = person.pose
        begin_ns = self.frames[0].frame.time_ns
        self.times_s = np.array([(self.frames[n].frame.time_ns - begin_ns) / 1e9 for n in self.poses])
        self.joints_m = np.array([forward_kinematics(pose) for pose in self.poses.values()])

    def worst_mm(self, times_s: Any, joints_m: Any) -> float:  # noqa: ANN401 - arrays
        """The largest error of joints (T, J, 3) at these times, where a person was visible."""
        times, joints = np.asarray(times_s), np.asarray(joints_m)
        there = (times >= self.times_s[0]) & (times <= self.times_s[-1])
        after = np.clip(np.searchsorted(self.times_s, times), 1, len(self.times_s) - 1)
        there &= self.times_s[after] - self.times_s[after - 1] < 0.2  # without a visible person a pose is held
        flat = self.joints_m.reshape(len(self.times_s), -1)
        wanted = np.stack([np.interp(times, self.times_s, column) for column in flat.T], axis=1).reshape(joints.shape)
        return float(np.linalg.norm(joints - wanted, axis=-1)[there].max() * 1e3)


def of_session(truth: Truth) -> Iterator[Finding]:
    """The recomputed take is identical to the byte."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = SessionRecorder(Path(folder) / SESSION, truth.session.settings)
        for result in poses_of_clip(truth.session.frames, recorded_settings(truth.session)):
            recorder.send(result)
        recorder.close()
        ours, theirs = ((f / SESSION).read_bytes() for f in (Path(folder), truth.folder))
    differ = sum(a != b for a, b in zip(ours, theirs, strict=False))
    yield Finding(SESSION, "recomputed", "bytes that differ", differ, 0, "")
    minutes = (truth.frames[-1].frame.time_ns - truth.frames[0].frame.time_ns) / 60e9
    yield Finding(SESSION, "stat", "size of ten minutes", len(theirs) / 1e6 / minutes * 10, 30, "MB")


def of_bvh(truth: Truth) -> Iterator[Finding]:
    """The bvh package's numbers through SciPy's rotations; and Blender's bones."""
    path = truth.folder / "motion.bvh"
    motion = bvh.Bvh(path.read_text())
    values = np.array(motion.frames, dtype=float)
    names = motion.get_joints_names()
    turned: dict[str, Rotation] = {}
    places: dict[str, Any] = {}
    at = 0
    for name in names:
        count = len(motion.joint_channels(name))
        numbers, at = values[:, at : at + count], at + count
        own = Rotation.from_euler("ZXY", numbers[:, -3:], degrees=True)
        parent = motion.joint_parent(name)
        offset = np.array(motion.joint_offset(name))
        if parent is None:
            places[name], turned[name] = numbers[:, :3] + offset, own
        else:
            places[name] = places[parent.name] + turned[parent.name].apply(offset)
            turned[name] = turned[parent.name] * own
    joints = np.stack([places[name] for name in HUMANOID.joints], axis=1) / 100
    times = np.arange(motion.nframes) * motion.frame_time
    yield Finding(path.name, "bvh, scipy", "joints, at most", truth.worst_mm(times, joints), JOINT_MM, "mm")
    yield of_blender(truth, path, motion.nframes, motion.frame_time)


def of_blender(truth: Truth, path: Path, frames: int, period_s: float) -> Finding:
    """Blender's own importer; it accepts whole frame rates only."""
    error = None
    if shutil.which("blender") is not None:
        asked = list(range(0, frames, max(1, frames // 60)))
        script = ROOT / "tests" / "support" / "blender_joints.py"
        command = ["blender", "-b", "--factory-startup", "-noaudio", "-P", script, "--"]
        command += [round(1 / period_s), ",".join(map(str, asked)), path]
        printed = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout
        found = json.loads(next(line for line in printed.splitlines() if line.startswith("JOINTS "))[7:])[0]["bones"]
        joints = np.array([found[joint] for joint in HUMANOID.joints]).swapaxes(0, 1)
        error = truth.worst_mm(np.array(asked) * period_s, joints)
    return Finding(path.name, "Blender, headless", "joints, at most", error, JOINT_MM, "mm")


def of_glb(truth: Truth) -> Iterator[Finding]:
    """The animation read by pygltflib, through plain matrices; and Khronos' validator."""
    from support.gltf_player import Player

    for name in ("motion.glb", "motion.vrma"):
        player = Player(truth.folder / name)
        keys = range(0, len(player.times), max(1, len(player.times) // 60))
        joints = []
        for key in keys:
            places = player.places(key)
            joints.append([places[joint] for joint in HUMANOID.joints])
        error = truth.worst_mm(player.times[list(keys)], joints)
        yield Finding(name, "pygltflib", "joints, at most", error, JOINT_MM, "mm")
        yield Finding(name, "Khronos' validator", "errors", _validated(truth.folder / name), 0, "")


def _validated(path: Path) -> float | None:
    node = ROOT / "tests" / "node"
    if shutil.which("node") is None or not (node / "node_modules").is_dir():
        return None
    done = subprocess.run(["node", node / "validate.mjs", path], capture_output=True, text=True, check=False)
    return None if done.returncode else float(json.loads(done.stdout)[str(path)]["numErrors"])


def of_tables(truth: Truth) -> Iterator[Finding]:
    """Positions and angles, by the csv module and pyarrow."""
    with (truth.folder / "joints.csv").open(newline="") as file:
        yield from _table(truth, "joints.csv", "csv", list(csv.DictReader(file)))
    try:
        import pyarrow.parquet
    except ImportError:
        yield Finding("joints.parquet", "pyarrow", "joints, at most", None, TABLE_MM, "mm")
    else:
        rows = pyarrow.parquet.read_table(truth.folder / "joints.parquet").to_pylist()
        yield from _table(truth, "joints.parquet", "pyarrow", rows)


def _table(truth: Truth, name: str, reader: str, rows: list[dict[str, Any]]) -> Iterator[Finding]:
    joints = np.array([[[float(r[f"{j}_{axis}_m"]) for axis in "xyz"] for j in HUMANOID.joints] for r in rows])
    times = np.array([float(row["time_s"]) for row in rows])
    yield Finding(
        name, reader, "joints, at most", truth.worst_mm(times - times[0] + truth.times_s[0], joints), 0.1, "mm"
    )
    turns = np.array([[[float(r[f"{j}_q{part}"]) for part in "xyzw"] for j in HUMANOID.joints] for r in rows])
    sent = np.array([pose.rotations.local_xyzw for pose in truth.poses.values()])
    apart = (Rotation.from_quat(turns.reshape(-1, 4)).inv() * Rotation.from_quat(sent.reshape(-1, 4))).magnitude()
    yield Finding(name, reader, "local rotations, at most", float(np.degrees(apart.max())), DEGREES, "deg")


def of_opensim(truth: Truth) -> Iterator[Finding]:
    """Markers, by trc-data-reader and by OpenSim; angles by OpenSim."""
    path = truth.folder / "markers.trc"
    wanted = "joints, at most"
    with contextlib.suppress(ImportError):
        from trc import TRCData

        data = TRCData()
        data.load(str(path))
        times = [data[n][0] for n in data["Frame#"]]
        places = np.array([data[n][1] for n in data["Frame#"]])
        yield Finding(path.name, "trc-data-reader", wanted, truth.worst_mm(times, _canonical(places)), TABLE_MM, "mm")
    try:
        import opensim
    except ImportError:
        yield Finding(path.name, "OpenSim", wanted, None, TABLE_MM, "mm")
        yield Finding("angles.mot", "OpenSim", "rows that lack", None, 0, "")
        return
    opensim.Logger.setLevelString("off")
    table = opensim.TimeSeriesTableVec3(str(path))
    rows, columns = range(table.getNumRows()), range(table.getNumColumns())
    at = [[table.getRowAtIndex(row).getElt(0, column) for column in columns] for row in rows]
    places = np.array([[[joint.get(axis) for axis in range(3)] for joint in row] for row in at])
    error = truth.worst_mm(np.array(table.getIndependentColumn()), _canonical(places))
    yield Finding(path.name, "OpenSim", wanted, error, TABLE_MM, "mm")
    count = opensim.Storage(str(truth.folder / "angles.mot")).getSize()
    yield Finding("angles.mot", "OpenSim", "rows that lack", abs(table.getNumRows() - count), 0, "")


def _canonical(places: Any) -> Any:  # noqa: ANN401 - arrays
    """Canonical axes from OpenSim's: their x is our z, their z our -x."""
    back = places[..., [2, 1, 0]] * [-1, 1, 1]
    assert np.allclose(OPENSIM.positions(back), places, equal_nan=True)
    return back


def of_keypoints(truth: Truth) -> Iterator[Finding]:
    """Pixels, by pycocotools and by easy_ViTPose's description of its file."""
    empty = COCO()
    empty.dataset = {"images": [{"id": r.frame.index} for r in truth.frames], "categories": [{"id": 1}], "info": {}}
    with contextlib.redirect_stdout(io.StringIO()):
        empty.createIndex()
        results = empty.loadRes(str(truth.folder / "coco.json"))
    worst = 0.0
    for result in truth.frames:
        entries = results.loadAnns(results.getAnnIds(imgIds=[result.frame.index]))
        assert len(entries) == len(result.people)
        for entry, person in zip(entries, result.people, strict=True):
            sent = person.keypoints.in_layout(COCO17)
            read = np.array(entry["keypoints"]).reshape(-1, 3)
            worst = max(worst, float(np.abs(read[:, :2] - sent.xy_px)[sent.score > 0].max()))
    yield Finding("coco.json", "pycocotools", "pixels, at most", worst, PIXEL, "px")
    document = json.loads((truth.folder / "keypoints.json").read_text())
    assert len(document["keypoints"]) == len(truth.frames)
    worst = 0.0
    for frame, result in zip(document["keypoints"], truth.frames, strict=True):
        for person in result.people:
            rows = np.array(frame[str(person.keypoints.track_id)])  # y, x, score
            worst = max(worst, float(np.abs(rows[:, [1, 0]] - person.keypoints.xy_px).max()))
    yield Finding("keypoints.json", "json", "pixels, at most", worst, PIXEL, "px")


def of_overlay(truth: Truth) -> Iterator[Finding]:
    """Frames and their times, by FFmpeg."""
    with av.open(str(truth.folder / "overlay.mp4")) as film:
        video = film.streams.video[0].codec_context
        playable = (video.name, video.pix_fmt) == ("h264", "yuv420p")
        times = np.array([float(frame.pts * frame.time_base) for frame in film.decode(video=0)])
    sent = np.array([(r.frame.time_ns - truth.frames[0].frame.time_ns) / 1e9 for r in truth.frames])
    yield Finding("overlay.mp4", "FFmpeg", "H.264, yuv420p: not", float(not playable), 0, "")
    yield Finding("overlay.mp4", "FFmpeg", "frames that lack", abs(len(times) - len(sent)), 0, "")
    error = float(np.abs(times - sent).max() * 1e3) if len(times) == len(sent) else None
    yield Finding("overlay.mp4", "FFmpeg", "a frame's time, at most", error, MS, "ms")


CHECKS: list[Callable[[Truth], Iterator[Finding]]] = [
    of_session, of_bvh, of_glb, of_tables, of_opensim, of_keypoints, of_overlay,
]  # fmt: skip


def main() -> int:
    """Process, read and print; 1 if a difference is larger than allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", nargs="?", default=str(data_path("resources/videos/default.mp4")))
    parser.add_argument("--out", type=Path, help="folder of the take; a temporary one if left out")
    parser.add_argument("--estimator", default="auto")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch)
        formats = ",".join(name for name in EXPORTERS if name not in ("frames", "fbx"))
        command = [sys.executable, "-m", "realtime_pose", "process", options.input, "--out", folder]
        command += ["--format", formats, "--estimator", options.estimator, "--no-download"]
        subprocess.run(list(map(str, command)), check=True)
        truth = Truth(folder)
        table = Table("file", "read by", "what", "error", "at most", "")
        wrong = 0
        for check in CHECKS:
            for finding in check(truth):
                error, unit = finding.error, finding.unit
                verdict = "not here" if error is None else "ok" if error <= finding.bound else "WRONG"
                wrong += verdict == "WRONG"
                shown = "-" if error is None else f"{error:.4g} {unit}"
                table.add_row(finding.file, finding.reader, finding.what, shown, f"{finding.bound:g} {unit}", verdict)
        console.print(table)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
