"""Readers of motion capture files: Acclaim's ASF and AMC (the CMU database), DeepMimic's clips, and joint positions.

CMU's data (mocap.cs.cmu.edu, funded by NSF EIA-0196217) and DeepMimic's (MIT licence) are not part of this program.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_pose.errors import RealtimePoseError
from realtime_pose.training.joint_clips import INDEX, read_joint_clips
from realtime_pose.training.motions import FRAME_RATE_HZ, Motion, motion_from_positions
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_AMC_RATE_HZ = 120.0


def read_motions(folder: Path) -> dict[str, Motion]:
    """All clips below `folder` by name: *.amc with the subject's .asf, humanoid3d_*.txt, and those of clips.json.

    Raises:
        RealtimePoseError: There are none, or a file cannot be read.
    """
    skeletons: dict[str, dict[str, _Bone]] = {}
    for path in sorted(folder.rglob("*.asf")):
        with _reading(path):
            skeletons[path.stem] = read_asf(path)
    found: dict[str, Motion] = {}
    for path in sorted(folder.rglob("*.amc")):
        subject = path.stem.partition("_")[0]
        if subject not in skeletons:
            raise RealtimePoseError(f"{path.name} needs its skeleton {subject}.asf, which is missing below {folder}")
        with _reading(path):
            found[path.stem] = read_amc(path, skeletons[subject])
    for path in sorted(folder.rglob("humanoid3d_*.txt")):
        with _reading(path):
            found[path.stem] = read_deepmimic(path)
    for path in sorted(folder.rglob(INDEX)):
        found |= read_joint_clips(path)
    if not found:
        raise RealtimePoseError(
            f"there is no motion capture below {folder}; give a folder with .asf and .amc files, "
            f"humanoid3d_*.txt, or joint positions with a {INDEX}"
        )
    return found


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn any error of a damaged or foreign file into a RealtimePoseError."""
    try:
        yield
    except (KeyError, IndexError, ValueError, TypeError, OSError, RecursionError) as exc:
        raise RealtimePoseError(f"cannot read the motion {path}: {type(exc).__name__}, {exc}") from exc


@dataclass(frozen=True)
class _Bone:
    """One bone of an ASF skeleton."""

    parent: str
    direction: Float64  # in the world at rest, scaled by the bone's length
    frame_xyzw: Float64  # the bone's own axes, about which its angles rotate
    angles: tuple[str, ...]


def read_asf(path: Path) -> dict[str, _Bone]:
    """The bones of an Acclaim skeleton by name, parents before children, without "root".

    Source of the format: Acclaim's skeleton and motion files as described by M. Schafer, "ASF specification" (1994).
    """
    text = path.read_text(encoding="latin-1")
    bones: dict[str, dict[str, list[str]]] = {}
    for block in text.partition(":bonedata")[2].partition(":hierarchy")[0].split("begin")[1:]:
        entries = [line.split() for line in block.split("end")[0].splitlines() if line.strip()]
        entry = {words[0]: words[1:] for words in entries}
        bones[entry["name"][0]] = entry
    skeleton: dict[str, _Bone] = {}
    for line in text.partition(":hierarchy")[2].splitlines():
        parent, *children = line.split() or [""]
        for child in children if parent not in ("begin", "end") else []:
            entry = bones[child]
            direction = np.array(entry["direction"], dtype=float) * float(entry["length"][0])
            angles = tuple(entry.get("dof", []))
            skeleton[child] = _Bone(parent, direction, _euler(np.radians(np.array(entry["axis"][:3], float))), angles)
    return skeleton


def _euler(angles_rad: Float64) -> Float64:
    """Rotation (..., 4) about the fixed axes X, then Y, then Z: the order in ASF and AMC files."""
    x, y, z = (rot.from_axis_angle(np.eye(3)[i], angles_rad[..., i]) for i in range(3))
    return rot.multiply(z, rot.multiply(y, x))


def read_amc(path: Path, skeleton: dict[str, _Bone]) -> Motion:
    """The motion of an AMC file: every second of its 120 frames per second."""
    frames: list[dict[str, list[float]]] = []
    for line in path.read_text(encoding="latin-1").splitlines():
        words = line.split()
        if not words or words[0][0] in "#:":
            continue
        if words[0].isdigit():
            frames.append({})
        else:
            frames[-1][words[0]] = [float(word) for word in words[1:]]
    frames = frames[:: round(_AMC_RATE_HZ / FRAME_RATE_HZ)]
    root = np.array([frame["root"] for frame in frames])
    rotations = {"root": _euler(np.radians(root[:, 3:]))}
    end = {"root": root[:, :3]}
    for name, bone in skeleton.items():
        angles = np.zeros((len(frames), 3))
        for column, axis in enumerate(bone.angles):
            angles[:, "xyz".index(axis[1])] = np.radians([frame[name][column] for frame in frames])
        own = rot.multiply(bone.frame_xyzw, rot.multiply(_euler(angles), rot.inverse(bone.frame_xyzw)))
        rotations[name] = rot.multiply(rotations[bone.parent], own)
        end[name] = end[bone.parent] + rot.rotate(rotations[name], bone.direction)
    bones = {"shoulder": "clavicle", "elbow": "humerus", "wrist": "radius", "hip": "hipjoint", "knee": "femur"}
    bones["ankle"] = "tibia"
    places = {f"{side}_{joint}": end[f"{side[0]}{bone}"] for joint, bone in bones.items() for side in ("left", "right")}
    height = sum(float(np.linalg.norm(skeleton[f"l{bone}"].direction)) for bone in ("femur", "tibia")) / _LEG_SHARE
    hands = np.stack([rotations["lhand"], rotations["rhand"]], axis=1)
    feet = np.stack([rotations["lfoot"], rotations["rfoot"]], axis=1)
    return motion_from_positions(places, rotations["head"], hands, feet, height)


_LEG_SHARE = 0.491  # thigh and shank over body height (Winter 2009, fig. 4.1)

# The DeepMimic humanoid's joints: parent, offset from it (x forward, y up, z right), and numbers per rotation.
_DEEPMIMIC = {
    "chest": ("root", (0.0, 0.236151, 0.0), 4),
    "neck": ("chest", (0.0, 0.223894, 0.0), 4),
    "right_hip": ("root", (0.0, 0.0, 0.084887), 4),
    "right_knee": ("right_hip", (0.0, -0.421546, 0.0), 1),
    "right_ankle": ("right_knee", (0.0, -0.40987, 0.0), 4),
    "right_shoulder": ("chest", (-0.02405, 0.2435, 0.18311), 4),
    "right_elbow": ("right_shoulder", (0.0, -0.274788, 0.0), 1),
    "left_hip": ("root", (0.0, 0.0, -0.084887), 4),
    "left_knee": ("left_hip", (0.0, -0.421546, 0.0), 1),
    "left_ankle": ("left_knee", (0.0, -0.40987, 0.0), 4),
    "left_shoulder": ("chest", (-0.02405, 0.2435, -0.18311), 4),
    "left_elbow": ("left_shoulder", (0.0, -0.274788, 0.0), 1),
}
_DEEPMIMIC_WRIST = (0.0, -0.258947, 0.0)
_DEEPMIMIC_HEIGHT_M = 1.62
_FRONT_FROM_X = np.array([0.0, -np.sqrt(0.5), 0.0, np.sqrt(0.5)])  # a quarter turn from +X to +Z


def read_deepmimic(path: Path) -> Motion:
    """The motion of a DeepMimic clip, resampled to the common frame rate.

    Source of format and skeleton: Peng et al., "DeepMimic" (2018), and the data of its repository.
    """
    frames = np.array(json.loads(path.read_text(encoding="utf-8"))["Frames"], dtype=float)
    start_s = np.concatenate(([0.0], np.cumsum(frames[:-1, 0])))
    moments_s = np.arange(0.0, start_s[-1], 1 / FRAME_RATE_HZ)
    before = np.clip(np.searchsorted(start_s, moments_s, side="right") - 1, 0, len(frames) - 2)
    share = (moments_s - start_s[before]) / np.maximum(start_s[before + 1] - start_s[before], 1e-6)

    def rotation_of(columns: slice) -> Float64:
        wxyz = frames[:, columns]
        xyzw = rot.unit(np.roll(wxyz, -1, axis=1))
        return rot.slerp(xyzw[before], xyzw[before + 1], share)

    def between(columns: slice) -> Float64:
        return frames[before, columns] * (1 - share[:, None]) + frames[before + 1, columns] * share[:, None]

    rotations, place = {"root": rotation_of(slice(4, 8))}, {"root": between(slice(1, 4))}
    column = 8
    for name, (parent, at, size) in _DEEPMIMIC.items():
        columns = slice(column, column + size)
        own = rotation_of(columns) if size == 4 else rot.from_axis_angle((0.0, 0.0, 1.0), between(columns)[:, 0])
        place[name] = place[parent] + rot.rotate(rotations[parent], np.array(at))
        rotations[name] = rot.multiply(rotations[parent], own)
        column += size
    for side in ("left", "right"):
        place[f"{side}_wrist"] = place[f"{side}_elbow"] + rot.rotate(
            rotations[f"{side}_elbow"], np.array(_DEEPMIMIC_WRIST)
        )

    def fronted(xyzw: Float64) -> Float64:
        return rot.multiply(_FRONT_FROM_X, rot.multiply(xyzw, rot.inverse(_FRONT_FROM_X)))

    places = {name: rot.rotate(_FRONT_FROM_X, at) for name, at in place.items() if "_" in name}
    # DeepMimic's arms hang at rest; ours point sideways.
    raised = [rot.from_axis_angle((0.0, 0.0, 1.0), np.array(angle)) for angle in (-np.pi / 2, np.pi / 2)]
    hands = np.stack(
        [rot.multiply(fronted(rotations[f"{s}_elbow"]), raised[i]) for i, s in enumerate(("left", "right"))], axis=1
    )
    feet = np.stack([fronted(rotations[f"{side}_ankle"]) for side in ("left", "right")], axis=1)
    return motion_from_positions(places, fronted(rotations["neck"]), hands, feet, _DEEPMIMIC_HEIGHT_M)
