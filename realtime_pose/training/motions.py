"""How a body moves, without its size: turns of trunk, head, hands and feet, directions of the limbs' bones."""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

FRAME_RATE_HZ = 60.0
"""Frames a second of every motion here."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Moments of a motion; the leading axes (...) are any. Sides are (left, right); canonical axes, rest = T-pose.

    Attributes:
        pelvis_xyzw: (..., 4) turn of the pelvis in the world, +Y up.
        chest_xyzw: (..., 4) turn of the chest from the pelvis.
        head_xyzw: (..., 4) turn of the head from the chest.
        arms: (..., 2, 2, 3) unit directions of upper arm and forearm, seen from the chest.
        legs: (..., 2, 2, 3) unit directions of thigh and shank, seen from the pelvis.
        hands_xyzw: (..., 2, 4) turns of the hands from the chest.
        feet_xyzw: (..., 2, 4) turns of the feet from the pelvis.
        root: (..., 3) the middle of the hips in the world, in body heights, any origin.
    """

    pelvis_xyzw: Float64
    chest_xyzw: Float64
    head_xyzw: Float64
    arms: Float64
    legs: Float64
    hands_xyzw: Float64
    feet_xyzw: Float64
    root: Float64

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, rows: object) -> Self:
        """The moments at `rows` of the first axes."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def joined(cls, motions: list[Self]) -> Self:
        """All of them, one after the other along the first axis."""
        return cls(*(np.concatenate([getattr(m, field.name) for m in motions]) for field in fields(cls)))

    def mirrored(self) -> Self:
        """The same as a mirror shows it: X is reflected, left and right change places."""
        across, turn = np.array([-1.0, 1.0, 1.0]), np.array([1.0, -1.0, -1.0, 1.0])
        return type(self)(
            self.pelvis_xyzw * turn,
            self.chest_xyzw * turn,
            self.head_xyzw * turn,
            self.arms[..., ::-1, :, :] * across,
            self.legs[..., ::-1, :, :] * across,
            self.hands_xyzw[..., ::-1, :] * turn,
            self.feet_xyzw[..., ::-1, :] * turn,
            self.root * across,
        )

    def with_lower_body_of(self, other: Self) -> Self:
        """This one's trunk bend, head and arms on the other's pelvis, legs and way through the room."""
        return type(self)(
            other.pelvis_xyzw,
            self.chest_xyzw,
            self.head_xyzw,
            self.arms,
            other.legs,
            self.hands_xyzw,
            other.feet_xyzw,
            other.root,
        )


def motion_of_places(
    places: dict[str, Float64], head_xyzw: Float64, hands_xyzw: Float64, feet_xyzw: Float64, height: float
) -> Motion:
    """The motion of captured joints.

    Args:
        places: (T, 3) world places, +Y up, of left_ and right_ shoulder, elbow, wrist, hip, knee and ankle, any unit.
        head_xyzw: (T, 4) turn of the head in the world; identity looks along +Z.
        hands_xyzw: (T, 2, 4) turns of the hands in the world; identity = T-pose, palms down.
        feet_xyzw: (T, 2, 4) likewise; identity = flat, toes along +Z.
        height: Body height in the unit of the places.
    """
    hips = (places["left_hip"] + places["right_hip"]) / 2
    up = rot.unit((places["left_shoulder"] + places["right_shoulder"]) / 2 - hips)
    pelvis = _trunk(places["left_hip"] - places["right_hip"], up)
    chest = _trunk(places["left_shoulder"] - places["right_shoulder"], up)

    def bones(parts: tuple[str, str, str], base_xyzw: Float64) -> Float64:
        both = [
            np.stack([places[f"{side}_{b}"] - places[f"{side}_{a}"] for a, b in pairwise(parts)], 1)
            for side in ("left", "right")
        ]
        return rot.rotate(rot.inverse(base_xyzw)[:, None, None], rot.unit(np.stack(both, axis=1)))

    return Motion(
        pelvis,
        rot.multiply(rot.inverse(pelvis), chest),
        rot.multiply(rot.inverse(chest), head_xyzw),
        bones(("shoulder", "elbow", "wrist"), chest),
        bones(("hip", "knee", "ankle"), pelvis),
        rot.multiply(rot.inverse(chest)[:, None], hands_xyzw),
        rot.multiply(rot.inverse(pelvis)[:, None], feet_xyzw),
        hips / height,
    )


def _trunk(leftward: Float64, up: Float64) -> Float64:
    """Turns (T, 4) whose X points leftward, and Y as near to `up` as that allows."""
    x = rot.unit(leftward)
    y = rot.unit(up - (up * x).sum(-1, keepdims=True) * x)
    return rot.from_matrix(np.stack((x, y, rot.cross(x, y)), axis=-1))
