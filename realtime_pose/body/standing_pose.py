"""Limb lengths from a frontal standing pose, for calibration.

In this pose the trunk is parallel to the image plane, so lengths are as accurate as the keypoints, whatever depth was
lifted.
"""

from itertools import pairwise

import numpy as np

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

TRUNK_AND_LEGS = tuple(f"{side}_{part}" for part in ("shoulder", "hip", "knee", "ankle") for side in ("left", "right"))
"""Points that must be visible for measuring a standing body."""

_LIMBS = tuple(f"{side}_{part}" for part in ("elbow", "wrist", "knee", "ankle") for side in ("left", "right"))
_MAX_YAW_SIN = 0.5  # of shoulders and hips; beyond, widths are guesses
_MIN_UPRIGHT_COS = 0.85  # of the lean of trunk, thighs and shanks: about 32 degrees


def faces_upright(joints: Joints3D, pitch_rad: float) -> bool:
    """Whether the lifted body stands upright with straight knees and faces the camera.

    `pitch_rad` is the camera's pitch, positive down.
    """
    xyz = _level(joints.xyz_m.astype(np.float64), pitch_rad)
    for part in ("shoulder", "hip"):
        leftward = _point(xyz, joints, f"left_{part}") - _point(xyz, joints, f"right_{part}")
        if leftward[0] <= 0 or abs(leftward[2]) > _MAX_YAW_SIN * np.linalg.norm(leftward):
            return False
    rises = [_middle(xyz, joints, "shoulder") - _middle(xyz, joints, "hip")]
    for side in ("left", "right"):
        hip, knee, ankle = (_point(xyz, joints, f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        rises += [hip - knee, knee - ankle]
    return all(rise[1] > _MIN_UPRIGHT_COS * np.linalg.norm(rise) for rise in rises)


def flat_joints(
    keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, joints: Joints3D, body: BodyDimensions, pitch_rad: float
) -> Joints3D:
    """The keypoints in 3D on a vertical plane, at the distance where the body from ankles to ears is as tall as `body`.

    Arms, which seldom hang straight, knees and ankles keep their lifted depth.

    Args:
        keypoints: Of a body that `faces_upright`, with all of TRUNK_AND_LEGS visible.
        intrinsics: The camera's.
        joints: The lifted points.
        body: The expected dimensions; only their sum is used.
        pitch_rad: The camera's pitch, positive down.
    """
    xy = (keypoints.xy_px.astype(np.float64) - (intrinsics.cx, intrinsics.cy)) / (intrinsics.fx, -intrinsics.fy)
    rays = _level(np.column_stack((xy, np.full(len(xy), -1.0))), pitch_rad)
    flat = rays / np.minimum(rays[:, 2:], -1e-3) * -1.0  # on the plane z = -1
    chain = [_middle(flat, keypoints, part) for part in ("ankle", "knee", "hip", "shoulder")]
    whole_m = body.shank + body.thigh + body.torso
    ears = [keypoints.score[keypoints.layout.index[f"{side}_ear"]] for side in ("left", "right")]
    if min(ears) > 0:
        chain.append(_middle(flat, keypoints, "ear"))
        whole_m += body.head_height
    projected = sum(float(np.linalg.norm(b - a)) for a, b in pairwise(chain))
    distance_m = whole_m / max(projected, 1e-6)
    root = chain[2] * distance_m
    depth_m = np.full((len(flat), 1), distance_m)
    limbs = keypoints.layout.rows(_LIMBS)
    depth_m[limbs, 0] -= _level(joints.xyz_m.astype(np.float64), pitch_rad)[limbs, 2]
    xyz = flat * depth_m - root
    return Joints3D(
        keypoints.layout,
        as_float32(xyz),
        as_float32(root),
        as_float32(keypoints.score),
        keypoints.track_id,
        keypoints.time_ns,
    )


def _level(xyz: Float64, pitch_rad: float) -> Float64:
    """Points (..., 3) of a pitched camera in the axes of a level one at the same position."""
    return rot.rotate(rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-pitch_rad)), xyz) if pitch_rad else xyz


def _point(xyz: Float64, points: Joints3D | PersonKeypoints, name: str) -> Float64:
    return np.asarray(xyz[points.layout.index[name]])


def _middle(xyz: Float64, points: Joints3D | PersonKeypoints, part: str) -> Float64:
    return (_point(xyz, points, f"left_{part}") + _point(xyz, points, f"right_{part}")) / 2
