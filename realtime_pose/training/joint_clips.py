"""Reader of motion clips given as joint positions: `clips.json` beside npz files, of skeletons with common joint names.

`clips.json` has `fps`, `skeletons` (name: {"joints": [names]}) and `clips`, each with `file`, `skeleton`, `source`,
`kind` and `height_m`. Each npz has `xyz_m` (T, J, 3) relative to the hips joint, +Y up, and `root_m` (T, 3), the hips
in the room. A person who faces +Z has the left side at +X.
"""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from realtime_pose.errors import RealtimePoseError
from realtime_pose.training.motions import FRAME_RATE_HZ, RAISED, STILL_HZ, Motion, motion_from_positions
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64, read_npz

INDEX = "clips.json"

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_SIDES = (("left", "l_", 1.0), ("right", "r_", -1.0))
# The first joint that a skeleton has is used.
_TOE = ("toe_end", "foot")
_FINGERS = ("middle1", "knuckle", "middle_end", "finger_end", "hand")
_THUMB = ("index1", "thumb1", "thumb_end")
_LITTLE = ("pinky1", "wrist")
_CROWN = ("head_top", "head_end")
_ALONG_COS = 0.7  # of the angle between neck and head: less is no crown
_USUAL_DROP_RAD = np.radians(22.0)  # of the line from ankle to toe
_UNCLEAR = ("movebox", "rocketbox", "mass")  # sources whose licence is doubtful
_Y, _Z = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def read_joint_clips(index: Path) -> dict[str, Motion]:
    """The motions of an index file, by name "SOURCE/KIND/NAME"; clips of skeletons without feet are left out.

    Raises:
        RealtimePoseError: The index or a clip cannot be read.
    """
    try:
        listing = json.loads(index.read_text(encoding="utf-8"))
        skeletons = {name: list(entry["joints"]) for name, entry in listing["skeletons"].items()}
        clips: dict[str, list[tuple[str, Path, float]]] = defaultdict(list)
        for entry in listing["clips"]:
            if entry["source"] in _UNCLEAR:
                continue
            name = f"{entry['source']}/{entry['kind']}/{Path(entry['file']).stem}"
            clips[entry["skeleton"]].append((name, index.parent / entry["file"], float(entry["height_m"])))
        rate_hz = float(listing["fps"])
        motions: dict[str, Motion] = {}
        for skeleton, of_skeleton in clips.items():
            if any(f"l_{toe}" in skeletons[skeleton] for toe in _TOE):
                motions |= _read_skeleton(skeletons[skeleton], of_skeleton, rate_hz)
    except (LookupError, ValueError, TypeError, AttributeError, OSError, RecursionError) as exc:
        raise RealtimePoseError(f"cannot read the motion clips of {index}: {type(exc).__name__}, {exc}") from exc
    return motions


def _read_skeleton(joints: list[str], clips: list[tuple[str, Path, float]], rate_hz: float) -> dict[str, Motion]:
    """The motions of all clips with this skeleton.

    Joint positions do not tell how a head or a foot is held at rest; that follows from all clips of the skeleton: the
    median head is upright, and the median foot that stands still is flat.
    """
    at = [_places(joints, path, rate_hz) for _, path, _ in clips]
    chests = [_chest(places) for places in at]
    heads = [_head(places, chest) for places, chest in zip(at, chests, strict=True)]
    feet = [np.stack([_foot(places, side, prefix) for side, prefix, _ in _SIDES], axis=1) for places in at]
    upright = np.concatenate([rot.multiply(rot.inverse(c), head) for c, head in zip(chests, heads, strict=True)])
    y, z = (np.median(rot.rotate(upright, axis), axis=0) * (0.0, 1.0, 1.0) for axis in (_Y, _Z))
    head_rest = rot.inverse(_frame(z, y))
    standing = [_standing(places, height_m) for places, (_, _, height_m) in zip(at, clips, strict=True)]
    slope = np.concatenate([rot.rotate(foot, _Z)[..., 1][stands] for foot, stands in zip(feet, standing, strict=True)])
    # A foot's Z points from the ankle to the toe, so that of a flat foot points downwards.
    drop_rad = np.arcsin(np.median(slope)) if len(slope) else -_USUAL_DROP_RAD
    foot_rest = rot.from_axis_angle((1.0, 0.0, 0.0), drop_rad)
    motions = {}
    for places, head, foot, (name, _, height_m) in zip(at, heads, feet, clips, strict=True):
        hands = np.stack([_hand(places, side, prefix, sign) for side, prefix, sign in _SIDES], axis=1)
        motions[name] = motion_from_positions(
            {f"{side}_{limb}": places[f"{side}_{limb}"] for side, _, _ in _SIDES for limb in _LIMBS},
            rot.multiply(head, head_rest),
            hands,
            rot.multiply(foot, foot_rest),
            height_m,
        )
    return motions


def _places(joints: list[str], path: Path, rate_hz: float) -> dict[str, Float64]:
    """World positions (T, 3) of each joint at FRAME_RATE_HZ; the limbs' also under their full names."""
    file = read_npz(path)
    xyz_m = file["xyz_m"].astype(np.float64) + file["root_m"].astype(np.float64)[:, None]
    moments = np.arange(0.0, len(xyz_m) - 1, rate_hz / FRAME_RATE_HZ)
    before = moments.astype(int)
    share = (moments - before)[:, None, None]
    xyz_m = xyz_m[before] * (1 - share) + xyz_m[before + 1] * share
    places = {name: xyz_m[:, i] for i, name in enumerate(joints)}
    for side, prefix, _ in _SIDES:
        for limb in _LIMBS:
            places[f"{side}_{limb}"] = places[prefix + limb]
    return places


def _first(places: dict[str, Float64], prefix: str, names: tuple[str, ...]) -> Float64 | None:
    return next((places[prefix + name] for name in names if prefix + name in places), None)


def _frame(z: Float64, y: Float64) -> Float64:
    """Rotations (T, 4) whose Z is `z`, and Y as close to `y` as possible."""
    z = rot.unit(z)
    x = rot.unit(rot.cross(y, z))
    return rot.from_matrix(np.stack((x, rot.cross(z, x), z), axis=-1))


def _chest(places: dict[str, Float64]) -> Float64:
    shoulders = [places[f"{side}_shoulder"] for side, _, _ in _SIDES]
    hips = (places["left_hip"] + places["right_hip"]) / 2
    up = rot.unit((shoulders[0] + shoulders[1]) / 2 - hips)
    return _frame(rot.cross(shoulders[0] - shoulders[1], up), up)


def _standing(places: dict[str, Float64], height_m: float) -> Bool:
    """(T, 2) whether the left and the right ankle are still, and not higher than the other."""
    ankles = np.stack([places[f"{side}_ankle"] for side, _, _ in _SIDES], axis=1) / height_m
    speed_hz = np.linalg.norm(np.gradient(ankles, axis=0), axis=-1) * FRAME_RATE_HZ
    return np.asarray((speed_hz < STILL_HZ) & (ankles[..., 1] - ankles[..., 1].min(axis=1, keepdims=True) < RAISED))


def _head(places: dict[str, Float64], chest_xyzw: Float64) -> Float64:
    """Rotations (T, 4) of the head: its Y from the neck to the crown, its Z to the eyes, or as the chest's."""
    up = rot.unit(places["head"] - places["neck"])
    crown = _first(places, "", _CROWN)
    if crown is not None:
        along = rot.unit(crown - places["head"])
        if np.median((along * up).sum(-1)) > _ALONG_COS:  # else that joint is in the face
            up = along
    eyes = [places[name] for name in ("l_eye", "r_eye") if name in places]
    front = np.mean(eyes, axis=0) - places["head"] if len(eyes) == len(_SIDES) else rot.rotate(chest_xyzw, _Z)
    return _frame(front - (front * up).sum(-1, keepdims=True) * up, up)


def _foot(places: dict[str, Float64], side: str, prefix: str) -> Float64:
    """Rotations (T, 4) of a foot: its Z from ankle to toe, its Y as the shank's."""
    toe = _first(places, prefix, _TOE)
    assert toe is not None  # skeletons without feet are left out
    return _frame(toe - places[f"{side}_ankle"], places[f"{side}_knee"] - places[f"{side}_ankle"])


def _hand(places: dict[str, Float64], side: str, prefix: str, sign: float) -> Float64:
    """Rotations (T, 4) of a hand: X along the fingers (left) or against them (right), Z towards the thumb's side.

    Without fingers it continues the forearm, its palm turned by the elbow's hinge.
    """
    wrist, elbow = places[f"{side}_wrist"], places[f"{side}_elbow"]
    fingers = _first(places, prefix, _FINGERS)
    along = rot.unit(wrist - elbow if fingers is None else fingers - wrist)
    thumb = _first(places, prefix, _THUMB)
    if thumb is None:
        hinge = rot.cross(elbow - places[f"{side}_shoulder"], wrist - elbow) * -sign
        straight = np.linalg.norm(hinge, axis=-1, keepdims=True) < 0.01  # m2: nearly a straight arm
        across = rot.cross(along * sign, np.where(straight, rot.rotate(_chest(places), _Y), hinge))
    else:
        little = _first(places, prefix, _LITTLE)
        across = thumb - (wrist if little is None else little)
    x = along * sign
    z = rot.unit(across - (across * x).sum(-1, keepdims=True) * x)
    return rot.from_matrix(np.stack((x, rot.cross(z, x), z), axis=-1))
