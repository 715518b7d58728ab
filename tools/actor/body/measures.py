"""Measures of the actors: bone lengths, girths, and the positions of the keypoints.

An actor has HUMANOID's directions and other lengths, so that the clips also test lifters that assume HUMANOID's
proportions. The first actor (1.76 m, legs 2 % longer and arms 3 % shorter than HUMANOID scaled to that height) is the
one that `body` models; the second is that body with each part stretched to its own measures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.arrays import Float64

_FIRST_LENGTH_M = {
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
# The far end of the bone along each joint's surface; the others (head, hands, feet) end at their tips.
_ALONG = {
    "hips": "spine", "spine": "chest", "chest": "neck", "neck": "head", "UpperArm": "LowerArm", "LowerArm": "Hand",
    "UpperLeg": "LowerLeg", "LowerLeg": "Foot",
}  # fmt: skip


def _bare(joint: str) -> str:
    """The joint's name without its side."""
    return joint.removeprefix("left").removeprefix("right")


@dataclass(frozen=True, eq=False)
class Measures:
    """One body's measures.

    Attributes:
        height_m: Soles to crown.
        ankle_height_m: Sole to ankle joint centre.
        length_m: Bone lengths, parent to joint, by the joint's name without its side.
        girth: By the same names, the scale (x, y, z at rest) of the surface relative to the first actor's; along a
            bone the scale follows from the bone's length.
    """

    height_m: float
    ankle_height_m: float
    length_m: Mapping[str, float]
    girth: Mapping[str, tuple[float, float, float]]

    @cached_property
    def bone_m(self) -> Float64:
        """(J,) length from parent to joint, HUMANOID's order; 0 for the root."""
        return _read_only(np.array([self.length_m.get(_bare(name), 0.0) for name in HUMANOID.joints]))

    @property
    def thigh_m(self) -> float:
        """From hip to knee."""
        return self.length_m["LowerLeg"]

    @property
    def shank_m(self) -> float:
        """From knee to ankle."""
        return self.length_m["Foot"]

    @cached_property
    def rest_joints_m(self) -> Float64:
        """(J, 3) joints of the T-pose, soles at y = 0."""
        out = np.zeros((len(HUMANOID.joints), 3))
        out[0, 1] = self.ankle_height_m + self.shank_m + self.thigh_m
        for joint, parent in enumerate(HUMANOID.parents):
            if parent >= 0:
                out[joint] = out[parent] + HUMANOID.rest_direction[joint] * self.bone_m[joint]
        return _read_only(out)

    @cached_property
    def surface_scale(self) -> Float64:
        """(J, 3) scale of each joint's part of the surface relative to the first actor's, at rest."""
        out = np.ones((len(HUMANOID.joints), 3))
        for row, name in enumerate(HUMANOID.joints):
            part = _bare(name)
            out[row] = self.girth.get(part, (1.0, 1.0, 1.0))
            if part in _ALONG:
                axis = 0 if "Arm" in part else 1
                out[row, axis] = self.length_m[_ALONG[part]] / _FIRST_LENGTH_M[_ALONG[part]]
        return _read_only(out)

    @cached_property
    def keypoint_offset_m(self) -> Float64:
        """(K, 3) each of COCO17_FEET_HANDS at rest, relative to its joint."""
        return _read_only(_KEYPOINT_OFFSET_M * self.surface_scale[list(KEYPOINT_JOINT)])

    def rest_joint(self, name: str) -> Float64:
        """(3,) position of the joint in the T-pose."""
        return self.rest_joints_m[HUMANOID.index[name]]


def _read_only(values: Float64) -> Float64:
    values.flags.writeable = False
    return values


# keypoint -> (its joint, its offset from the joint in the first actor's T-pose), the left one of pairs
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


KEYPOINT_JOINT, _KEYPOINT_OFFSET_M = _keypoint_anchors()
"""For each of COCO17_FEET_HANDS: the row of its joint."""

FIRST = Measures(height_m=1.76, ankle_height_m=0.078, length_m=_FIRST_LENGTH_M, girth={})
"""The actor that `body` models."""

SECOND = Measures(
    height_m=1.62,
    ankle_height_m=0.072,
    length_m={
        "spine": 0.106, "chest": 0.174, "neck": 0.236, "head": 0.088, "UpperArm": 0.252, "LowerArm": 0.292,
        "Hand": 0.252, "UpperLeg": 0.112, "LowerLeg": 0.376, "Foot": 0.378,
    },
    girth={
        "hips": (1.12, 1.0, 1.08), "spine": (0.98, 1.0, 1.00), "chest": (0.88, 1.0, 0.97), "neck": (0.86, 1.0, 0.88),
        "head": (0.95, 0.95, 0.95), "UpperArm": (1.0, 0.92, 0.92), "LowerArm": (1.0, 0.90, 0.90),
        "Hand": (0.91, 0.91, 0.91), "UpperLeg": (1.08, 1.0, 1.06), "LowerLeg": (0.98, 1.0, 0.98),
        "Foot": (0.93, 0.072 / 0.078, 0.92),
    },
)  # fmt: skip
"""Legs 5 % shorter and arms 6 % longer than HUMANOID at that height, wider hips, narrower shoulders."""
