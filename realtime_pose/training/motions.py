"""Body motion without size: rotations of trunk, head, hands and feet, and directions of the limbs' bones."""

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

import numpy as np

from realtime_pose.skeletons import REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

FRAME_RATE_HZ = 60.0
"""Frame rate of every motion."""

FOOT_M = {"heel": (0.0, -0.065, -0.05), "toe": (0.0, -0.065, 0.16)}
"""Points of a flat foot relative to its ankle, in metres of a body of REST_HEIGHT_M."""

_STEP_FRAMES = 2  # speeds are measured from so many frames before to so many after
STILL_HZ = 0.17
"""Speed below which a foot stands, in body heights per second: 0.3 m/s of an adult."""
RAISED = 0.035
"""Height over the lowest point of the feet from which a point does not stand, in body heights: 6 cm of an adult."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Frames of a motion with any leading axes (...). Sides are (left, right); canonical axes, rest = T-pose.

    Attributes:
        pelvis_xyzw: (..., 4) rotation of the pelvis in the world, +Y up.
        chest_xyzw: (..., 4) rotation of the chest relative to the pelvis.
        head_xyzw: (..., 4) rotation of the head relative to the chest.
        arms: (..., 2, 2, 3) unit directions of upper arm and forearm in the chest's axes.
        legs: (..., 2, 2, 3) unit directions of thigh and shank in the pelvis's axes.
        hands_xyzw: (..., 2, 4) rotations of the hands relative to the chest.
        feet_xyzw: (..., 2, 4) rotations of the feet relative to the pelvis.
        root: (..., 3) middle of the hips in the world, in body heights, any origin.
        contacts: (..., 2, 2) 1 where heel and toe of the foot stand, 0 where not, NaN where unknown.
    """

    pelvis_xyzw: Float64
    chest_xyzw: Float64
    head_xyzw: Float64
    arms: Float64
    legs: Float64
    hands_xyzw: Float64
    feet_xyzw: Float64
    root: Float64
    contacts: Float64

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, rows: object) -> Self:
        """The frames at `rows` of the first axes."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concatenate(cls, motions: list[Self]) -> Self:
        """The motions concatenated along the first axis."""
        return cls(*(np.concatenate([getattr(m, field.name) for m in motions]) for field in fields(cls)))

    def mirrored(self) -> Self:
        """The mirror image: X is reflected, left and right are swapped."""
        flip_x, flip_xyzw = np.array([-1.0, 1.0, 1.0]), np.array([1.0, -1.0, -1.0, 1.0])
        return type(self)(
            self.pelvis_xyzw * flip_xyzw,
            self.chest_xyzw * flip_xyzw,
            self.head_xyzw * flip_xyzw,
            self.arms[..., ::-1, :, :] * flip_x,
            self.legs[..., ::-1, :, :] * flip_x,
            self.hands_xyzw[..., ::-1, :] * flip_xyzw,
            self.feet_xyzw[..., ::-1, :] * flip_xyzw,
            self.root * flip_x,
            self.contacts[..., ::-1, :],
        )

    def with_lower_body_of(self, other: Self) -> Self:
        """This motion's chest, head and arms on the other's pelvis, legs and root path."""
        return type(self)(
            other.pelvis_xyzw,
            self.chest_xyzw,
            self.head_xyzw,
            self.arms,
            other.legs,
            self.hands_xyzw,
            other.feet_xyzw,
            other.root,
            other.contacts,
        )


def motion_from_positions(
    places: dict[str, Float64], head_xyzw: Float64, hands_xyzw: Float64, feet_xyzw: Float64, height: float
) -> Motion:
    """The motion of captured joints.

    Args:
        places: (T, 3) world positions, +Y up, of left_ and right_ shoulder, elbow, wrist, hip, knee, ankle; any unit.
        head_xyzw: (T, 4) rotation of the head in the world; identity looks along +Z.
        hands_xyzw: (T, 2, 4) rotations of the hands in the world; identity = T-pose, palms down.
        feet_xyzw: (T, 2, 4) rotations of the feet in the world; identity = flat, toes along +Z.
        height: Body height in the unit of the positions.
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
        foot_contacts(places, feet_xyzw, height),
    )


def foot_contacts(places: dict[str, Float64], feet_xyzw: Float64, height: float) -> Float64:
    """(T, 2, 2) contacts of heel and toe of the left and the right foot: 1 where they stand.

    A point stands where it is still and no other point of the feet is much lower, so that blocks, stairs and slopes
    count as floors. Still points as labels: Shin et al., "WHAM" (CVPR 2024), section 3.3.

    Args:
        places: As in `motion_from_positions`.
        feet_xyzw: (T, 2, 4) rotations of the feet in the world.
        height: Body height in the unit of the positions.
    """
    points = np.stack(
        [
            np.stack(
                [
                    places[f"{side}_ankle"] / height
                    + rot.rotate(feet_xyzw[:, i], np.array(FOOT_M[name]) / REST_HEIGHT_M)
                    for name in ("heel", "toe")
                ],
                axis=1,
            )
            for i, side in enumerate(("left", "right"))
        ],
        axis=1,
    )  # (T, 2, 2, 3)
    over = np.arange(len(points))
    ends = np.clip(over[:, None] + (-_STEP_FRAMES, _STEP_FRAMES), 0, len(points) - 1)
    speed = np.linalg.norm(points[ends[:, 1]] - points[ends[:, 0]], axis=-1)
    speed *= FRAME_RATE_HZ / np.maximum(ends[:, 1] - ends[:, 0], 1)[:, None, None]
    raised = points[..., 1] - points[..., 1].min(axis=(1, 2), keepdims=True)
    return ((speed < STILL_HZ) & (raised < RAISED)).astype(np.float64)


def _trunk(leftward: Float64, up: Float64) -> Float64:
    """Rotations (T, 4) whose X points leftward, and Y as close to `up` as possible."""
    x = rot.unit(leftward)
    y = rot.unit(up - (up * x).sum(-1, keepdims=True) * x)
    return rot.from_matrix(np.stack((x, y, rot.cross(x, y)), axis=-1))
