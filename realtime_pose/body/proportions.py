"""How long the parts of a body are: the one place where lifting and IK take lengths from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils.arrays import Float64

LENGTHS = ("torso", "shoulder_width", "hip_width", "upper_arm", "forearm", "thigh", "shank")
"""The lengths that one person differs in from another, and that the points of a body show: fields of BodyDimensions."""

_ROW = HUMANOID.index
_HEAD_HEIGHT = 0.21  # of a body of REST_HEIGHT_M
_NECK_RISE = float(HUMANOID.rest_offset_m[_ROW["neck"], 1] - HUMANOID.rest_offset_m[_ROW["leftUpperArm"], 1])
_SHORTEST_TRUNK = (
    0.3  # of the torso: what wide shoulders, which hang on the chest at a fixed angle, leave of it at least
)


@dataclass(frozen=True)
class BodyDimensions:
    """Lengths in metres; a side's left and right are equal."""

    torso: float  # middle of the hips to middle of the shoulders
    shoulder_width: float
    hip_width: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    head_height: float  # middle of the shoulders to middle of the ears
    hip_height: float  # middle of the hips over the soles when standing

    @classmethod
    def of_height(cls, height_m: float) -> "BodyDimensions":
        """The dimensions of a body that is `height_m` tall and has HUMANOID's proportions."""
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
            head_height=_HEAD_HEIGHT * scale,
            hip_height=float(rest["hips"][1]),
        )

    @property
    def lengths(self) -> Float64:
        """The person's own lengths (7,) in metres, in the order of LENGTHS."""
        return np.array([getattr(self, name) for name in LENGTHS])

    def with_lengths(self, lengths_m: Mapping[str, float]) -> "BodyDimensions":
        """The same body with those of LENGTHS that are given; it stands as much higher as its legs are longer."""
        longer = sum(lengths_m.get(leg, getattr(self, leg)) - getattr(self, leg) for leg in ("thigh", "shank"))
        return replace(self, **lengths_m, hip_height=self.hip_height + longer)

    @property
    def bone_m(self) -> Float64:
        """The bones (17,) in metres, from parent to joint in HUMANOID's order, 0 for the root.

        A skeleton's bones keep their directions at rest, so the chest's bones to the shoulders are as long as the
        shoulders are wide, and the spine has what they leave of the torso. Neck and head go by the height.
        """
        size = self.head_height / _HEAD_HEIGHT
        to_shoulder = self.shoulder_width / 2 / HUMANOID.rest_direction[_ROW["leftUpperArm"], 0]
        rise = to_shoulder * HUMANOID.rest_direction[_ROW["leftUpperArm"], 1]
        trunk = max(self.torso - rise, _SHORTEST_TRUNK * self.torso)
        lower, upper = HUMANOID.rest_bone_m[[_ROW["spine"], _ROW["chest"]]]
        bones = HUMANOID.rest_bone_m * size
        one = {
            "spine": trunk * lower / (lower + upper),
            "chest": trunk * upper / (lower + upper),
            "neck": rise + _NECK_RISE * size,
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
