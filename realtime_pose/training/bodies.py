"""Keypoints of moving bodies: a motion with random body proportions becomes the points that an estimator marks."""

import numpy as np

from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M
from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.skeletons import COCO17_FEET_HANDS, REST_HEIGHT_M
from realtime_pose.training.motions import FOOT_M, Motion
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

LAYOUT = COCO17_FEET_HANDS
"""The points of a body."""

_AVERAGE = BodyDimensions.of_height(1.0)
# Lowest and highest share of the average. Wider than people differ, because definitions of hip and shoulder differ too:
# annotators mark hips high and shoulders inward, and every motion capture has its own joint centres.
_RANGES = {
    "torso": (0.78, 1.10),
    "shoulder_width": (0.82, 1.20),
    "hip_width": (0.80, 1.45),
    "upper_arm": (0.82, 1.12),
    "forearm": (0.85, 1.12),
    "thigh": (0.91, 1.09),
    "shank": (0.91, 1.09),
    "head_height": (0.85, 1.15),
    "head": (0.87, 1.15),
    "shrug": (0.0, 1.0),
}
_SHRUG = 0.045  # how far a shoulder rises with a raised arm, in body heights
# Points of the left hand relative to its wrist, in metres of a body of REST_HEIGHT_M.
_HAND_M = {"pinky": (0.085, -0.005, -0.035), "index": (0.095, -0.005, 0.025), "thumb": (0.055, -0.02, 0.045)}
_ACROSS = np.array([-1.0, 1.0, 1.0])


def draw_proportions(rng: np.random.Generator, count: int) -> dict[str, Float64]:
    """Lengths (N,) in body heights of the parts of N random bodies; limb lengths are correlated."""
    common = rng.random(count)
    drawn = {}
    for part, (low, high) in _RANGES.items():
        share = 0.3 * common + 0.7 * rng.random(count) if part in ("thigh", "shank", "forearm") else rng.random(count)
        drawn[part] = low + (high - low) * share
    return {part: drawn[part] * getattr(_AVERAGE, part, 1.0) for part in drawn}


def body_points(motion: Motion, proportions: dict[str, Float64]) -> Float64:
    """The points (N, W, K, 3) of LAYOUT in the world, in body heights, for a motion (N, W)."""
    p = {part: length[:, None, None] for part, length in proportions.items()}
    pelvis = motion.pelvis_xyzw
    chest = rot.multiply(pelvis, motion.chest_xyzw)
    head = rot.multiply(chest, motion.head_xyzw)
    y = np.array([0.0, 1.0, 0.0])
    spine = rot.rotate(pelvis, y) + rot.rotate(chest, y)
    neck = motion.root + spine / np.linalg.norm(spine, axis=-1, keepdims=True) * p["torso"]
    point: dict[str, Float64] = {}
    for i, (side, sign) in enumerate((("left", 1.0), ("right", -1.0))):
        x = np.array([sign, 0.0, 0.0])
        hip = motion.root + rot.rotate(pelvis, x) * p["hip_width"] / 2
        upper, fore = (rot.rotate(chest, motion.arms[:, :, i, bone]) for bone in range(2))
        rise = _SHRUG * p["shrug"] * np.maximum(motion.arms[:, :, i, 0, 1:2], 0.0)
        shoulder = neck + rot.rotate(chest, x) * p["shoulder_width"] / 2 + rot.rotate(chest, y) * rise
        thigh, shank = (rot.rotate(pelvis, motion.legs[:, :, i, bone]) for bone in range(2))
        point[f"{side}_shoulder"], point[f"{side}_hip"] = shoulder, hip
        point[f"{side}_elbow"] = shoulder + upper * p["upper_arm"]
        point[f"{side}_wrist"] = point[f"{side}_elbow"] + fore * p["forearm"]
        point[f"{side}_knee"] = hip + thigh * p["thigh"]
        point[f"{side}_ankle"] = point[f"{side}_knee"] + shank * p["shank"]
        ends = (
            ("wrist", rot.multiply(chest, motion.hands_xyzw[:, :, i]), _HAND_M),
            ("ankle", rot.multiply(pelvis, motion.feet_xyzw[:, :, i]), FOOT_M),
        )
        for start, rotation, offsets in ends:
            for name, offset in offsets.items():
                own = np.array(offset) / REST_HEIGHT_M * (1.0 if sign > 0 else _ACROSS)
                point[f"{side}_{name}"] = point[f"{side}_{start}"] + rot.rotate(rotation, own)
    stem = rot.rotate(chest, y) + rot.rotate(head, y)
    ears = neck + stem / np.linalg.norm(stem, axis=-1, keepdims=True) * p["head_height"]
    for name, offset in zip(FACE_NAMES, FACE_TEMPLATE_M, strict=True):
        point[name] = ears + rot.rotate(head, offset / REST_HEIGHT_M) * p["head"]
    return np.stack([point[name] for name in LAYOUT.names], axis=-2)
