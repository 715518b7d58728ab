"""What a body shows of its lengths while it stands upright and faces the camera: then its trunk is equally far away.

Lengths across the line of sight are as right as the keypoints are, whatever the lifter makes of depth.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

TRUNK_AND_LEGS = tuple(f"{side}_{part}" for part in ("shoulder", "hip", "knee", "ankle") for side in ("left", "right"))
"""The points without which a standing body cannot be measured."""

_LIMBS = tuple(f"{side}_{part}" for part in ("elbow", "wrist", "knee", "ankle") for side in ("left", "right"))
_FACING = 0.5  # sine of the turn to the side; more, and widths are guesses
_UPRIGHT = 0.85  # cosine of how far trunk, thighs and shanks may lean: about 32 degrees


def faces_upright(joints: Joints3D, pitch_rad: float) -> bool:
    """Whether the body stands upright, knees straight, and faces the camera, as far as the lifter can tell."""
    xyz = _upright(joints.xyz_m.astype(np.float64), pitch_rad)
    for part in ("shoulder", "hip"):
        leftward = _point(xyz, joints, f"left_{part}") - _point(xyz, joints, f"right_{part}")
        if leftward[0] <= 0 or abs(leftward[2]) > _FACING * np.linalg.norm(leftward):
            return False
    rises = [_middle(xyz, joints, "shoulder") - _middle(xyz, joints, "hip")]
    for side in ("left", "right"):
        hip, knee, ankle = (_point(xyz, joints, f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        rises += [hip - knee, knee - ankle]
    return all(rise[1] > _UPRIGHT * np.linalg.norm(rise) for rise in rises)


def flat_joints(
    keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, joints: Joints3D, body: BodyDimensions, pitch_rad: float
) -> Joints3D:
    """The keypoints on an upright plane, at the distance at which the body from ankles to ears is as tall as `body`.

    Of arms, which seldom hang quite straight, and of knees and ankles the lifted depth is kept.

    Args:
        keypoints: Of a body that `faces_upright`, each of TRUNK_AND_LEGS seen.
        intrinsics: The camera that saw them.
        joints: The same points as they were lifted.
        body: How long its parts are expected to be; only their sum is used.
        pitch_rad: How far the camera looks down.
    """
    xy = (keypoints.xy_px.astype(np.float64) - (intrinsics.cx, intrinsics.cy)) / (intrinsics.fx, -intrinsics.fy)
    rays = _upright(np.column_stack((xy, np.full(len(xy), -1.0))), pitch_rad)
    flat = rays / np.minimum(rays[:, 2:], -1e-3) * -1.0  # z = -1: how much a distance of 1 m shows
    chain = [_middle(flat, keypoints, part) for part in ("ankle", "knee", "hip", "shoulder")]
    whole_m = body.shank + body.thigh + body.torso
    ears = [keypoints.score[keypoints.layout.index[f"{side}_ear"]] for side in ("left", "right")]
    if min(ears) > 0:
        chain.append(_middle(flat, keypoints, "ear"))
        whole_m += body.head_height
    shown = sum(float(np.linalg.norm(b - a)) for a, b in pairwise(chain))
    distance_m = whole_m / max(shown, 1e-6)
    root = chain[2] * distance_m
    away_m = np.full((len(flat), 1), distance_m)
    limbs = keypoints.layout.rows(_LIMBS)
    away_m[limbs, 0] -= _upright(joints.xyz_m.astype(np.float64), pitch_rad)[limbs, 2]
    xyz = flat * away_m - root
    return Joints3D(
        keypoints.layout,
        as_float32(xyz),
        as_float32(root),
        as_float32(keypoints.score),
        keypoints.track_id,
        keypoints.time_ns,
    )


def seen_by(keypoints: PersonKeypoints, threshold: float) -> PersonKeypoints:
    """The keypoints as a lifter gets them: what lies below the threshold counts as not seen."""
    trusted = as_float32(keypoints.score * (keypoints.score >= threshold))
    return replace(keypoints, score=trusted).in_layout(keypoints.layout.lifts_as)


def _upright(xyz: Float64, pitch_rad: float) -> Float64:
    """Points (..., 3) of a camera that looks down, as a level one at its place would have them."""
    return rot.rotate(rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-pitch_rad)), xyz) if pitch_rad else xyz


def _point(xyz: Float64, points: Joints3D | PersonKeypoints, name: str) -> Float64:
    return np.asarray(xyz[points.layout.index[name]])


def _middle(xyz: Float64, points: Joints3D | PersonKeypoints, part: str) -> Float64:
    return (_point(xyz, points, f"left_{part}") + _point(xyz, points, f"right_{part}")) / 2
