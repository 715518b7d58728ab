"""Body dimensions, shared by lifting and IK."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils.arrays import Float64

LENGTHS = ("torso", "shoulder_width", "hip_width", "upper_arm", "forearm", "thigh", "shank")
"""The individual lengths that can be measured from body keypoints: fields of BodyDimensions."""

_ROW = HUMANOID.index
_HEAD_HEIGHT_M = 0.21  # of a body of REST_HEIGHT_M
_NECK_RISE_M = float(HUMANOID.rest_offset_m[_ROW["neck"], 1] - HUMANOID.rest_offset_m[_ROW["leftUpperArm"], 1])
# Least share of the torso left for spine and chest: the shoulders' bones take the rest, at a fixed angle.
_MIN_TRUNK = 0.3


@dataclass(frozen=True)
class BodyDimensions:
    """Lengths in metres; left and right are equal."""

    torso: float  # midpoint of the hips to midpoint of the shoulders
    shoulder_width: float
    hip_width: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    head_height: float  # midpoint of the shoulders to midpoint of the ears
    hip_height: float  # midpoint of the hips over the soles when standing

    @classmethod
    def of_height(cls, height_m: float) -> "BodyDimensions":
        """The dimensions of a body `height_m` tall with HUMANOID's proportions."""
        scale = height_m / REST_HEIGHT_M
        rest = {joint: HUMANOID.rest_offset_m[row] * scale for joint, row in HUMANOID.index.items()}
        length = dict(zip(HUMANOID.joints, HUMANOID.rest_bone_m * scale, strict=True))
        shoulder = rest["leftUpperArm"]
        return cls(
            torso=float(rest["spine"][1] + rest["chest"][1] + shoulder[1]),
            shoulder_width=float(2 * shoulder[0]),
            hip_width=float(2 * rest["leftUpperLeg"][0]),
            upper_arm=float(length["leftLowerArm"]),
            forearm=float(length["leftHand"]),
            thigh=float(length["leftLowerLeg"]),
            shank=float(length["leftFoot"]),
            head_height=_HEAD_HEIGHT_M * scale,
            hip_height=float(rest["hips"][1]),
        )

    @property
    def lengths(self) -> Float64:
        """(7,) the individual lengths in metres, in the order of LENGTHS."""
        return np.array([getattr(self, name) for name in LENGTHS])

    def with_lengths(self, lengths_m: Mapping[str, float]) -> "BodyDimensions":
        """The body with the given ones of LENGTHS; its hip height changes with the legs."""
        longer = sum(lengths_m.get(leg, getattr(self, leg)) - getattr(self, leg) for leg in ("thigh", "shank"))
        return replace(self, **lengths_m, hip_height=self.hip_height + longer)

    @property
    def bone_m(self) -> Float64:
        """(17,) bone lengths in metres, from parent to joint in HUMANOID's order, 0 for the root.

        Bones keep their rest directions, so the chest's bones to the shoulders follow from the shoulder width, and
        spine and chest share what is left of the torso. Neck and head scale with the height.
        """
        size = self.head_height / _HEAD_HEIGHT_M
        to_shoulder = self.shoulder_width / 2 / HUMANOID.rest_direction[_ROW["leftUpperArm"], 0]
        rise = to_shoulder * HUMANOID.rest_direction[_ROW["leftUpperArm"], 1]
        trunk = max(self.torso - rise, _MIN_TRUNK * self.torso)
        lower, upper = HUMANOID.rest_bone_m[[_ROW["spine"], _ROW["chest"]]]
        bones = HUMANOID.rest_bone_m * size
        one = {
            "spine": trunk * lower / (lower + upper),
            "chest": trunk * upper / (lower + upper),
            "neck": rise + _NECK_RISE_M * size,
        }
        both = {
            "UpperArm": to_shoulder,
            "LowerArm": self.upper_arm,
            "Hand": self.forearm,
            "UpperLeg": self.hip_width / 2,
            "LowerLeg": self.thigh,
            "Foot": self.shank,
        }
        for joint, length in one.items() | {(s + j, v) for j, v in both.items() for s in ("left", "right")}:
            bones[_ROW[joint]] = length
        return bones
