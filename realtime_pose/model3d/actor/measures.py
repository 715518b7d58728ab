"""The actor's own measures: bone lengths, and the points of its surface that the keypoints stand for.

The actor is HUMANOID in its directions only. Its lengths are another adult's (1.76 m, legs 2 % longer and arms 3 %
shorter than HUMANOID scaled to that height), so that a lifter that assumes HUMANOID's proportions has to prove itself.
"""

import numpy as np

from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.arrays import Float64

HEIGHT_M = 1.76
"""Soles to crown."""

ANKLE_HEIGHT_M = 0.078
"""From the sole to the ankle's joint centre."""

_LENGTH_M = {
    "spine": 0.100,
    "chest": 0.168,
    "neck": 0.247,
    "head": 0.092,
    "UpperArm": 0.287,
    "LowerArm": 0.293,
    "Hand": 0.249,
    "UpperLeg": 0.100,
    "LowerLeg": 0.443,
    "Foot": 0.433,
}


def _bone_lengths() -> Float64:
    length = [_LENGTH_M.get(name.removeprefix("left").removeprefix("right"), 0.0) for name in HUMANOID.joints]
    out = np.array(length)
    out.flags.writeable = False
    return out


BONE_M = _bone_lengths()
"""(J,) length from parent to joint, HUMANOID's order; 0 for the root."""


def _rest_joints() -> Float64:
    out = np.zeros((len(HUMANOID.joints), 3))
    out[0, 1] = ANKLE_HEIGHT_M + _LENGTH_M["LowerLeg"] + _LENGTH_M["Foot"]
    for joint, parent in enumerate(HUMANOID.parents):
        if parent >= 0:
            out[joint] = out[parent] + HUMANOID.rest_direction[joint] * BONE_M[joint]
    out.flags.writeable = False
    return out


REST_JOINTS_M = _rest_joints()
"""(J, 3) joints of the T-pose, soles at y = 0."""

REST_HIPS_M: Float64 = REST_JOINTS_M[0]
"""(3,) the hips of the T-pose."""


def rest_joint(name: str) -> Float64:
    """(3,) where the joint is in the T-pose."""
    return REST_JOINTS_M[HUMANOID.index[name]]


# keypoint -> (joint that carries it, where it is in the T-pose relative to that joint), the left side's for pairs.
_KEYPOINT_ROWS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "nose": ("head", (0.0, 0.056, 0.113)),
    "eye": ("head", (0.031, 0.091, 0.082)),
    "ear": ("head", (0.071, 0.083, 0.002)),
    "shoulder": ("leftUpperArm", (0.0, 0.0, 0.0)),
    "elbow": ("leftLowerArm", (0.0, 0.0, 0.0)),
    "wrist": ("leftHand", (0.0, 0.0, 0.0)),
    "hip": ("leftUpperLeg", (0.0, 0.0, 0.0)),
    "knee": ("leftLowerLeg", (0.0, 0.0, 0.0)),
    "ankle": ("leftFoot", (0.0, 0.0, 0.0)),
    "heel": ("leftFoot", (0.0, -0.050, -0.055)),
    "toe": ("leftFoot", (0.006, -0.050, 0.165)),
    "pinky": ("leftHand", (0.083, -0.004, -0.034)),
    "index": ("leftHand", (0.092, -0.004, 0.026)),
    "thumb": ("leftHand", (0.062, -0.010, 0.052)),
}


def _keypoint_anchors() -> tuple[tuple[int, ...], Float64]:
    joints, offsets = [], []
    for name in COCO17_FEET_HANDS.names:
        side, _, rest = name.rpartition("_")
        joint, offset = _KEYPOINT_ROWS[rest]
        sign = -1.0 if side == "right" else 1.0
        joints.append(HUMANOID.index[joint.replace("left", "right") if side == "right" else joint])
        offsets.append((sign * offset[0], offset[1], offset[2]))
    return tuple(joints), np.array(offsets)


KEYPOINT_JOINT, KEYPOINT_OFFSET_M = _keypoint_anchors()
"""For each of COCO17_FEET_HANDS: the row of the joint that carries it, and (K, 3) its place relative to it at rest."""
