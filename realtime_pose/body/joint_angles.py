"""Anatomical joint angles from joint rotations, with OpenSim's names, axes and signs.

The model is OpenSim's full-body model (Rajagopal et al., "Full-Body Musculoskeletal Model for
Muscle-Driven Simulation of Human Gait", 2016): in OpenSim's axes a joint rotates about Z (flexion), then X (adduction),
then Y (rotation), each in the frame rotated by the ones before; the left side mirrors X and Y. With all angles 0 the
body stands upright, arms hanging, palms to the front.
"""

from typing import NamedTuple

import numpy as np

from realtime_pose.axes import OPENSIM
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.rotations import euler_zxy_deg


class _Joint(NamedTuple):
    """One joint of the model.

    Attributes:
        of: HUMANOID's joints whose rotations make it up, in order.
        names: Name and sign of its angles about z, x and y.
        arm_part: "upper" or "lower" for an arm, whose zero is hanging, not the T-pose.
        side: "left" or "right", for an arm.
    """

    of: tuple[str, ...]
    names: tuple[tuple[str, int], ...]
    arm_part: str = ""
    side: str = ""


def _of_side(side: str) -> list[_Joint]:
    end, mirror = f"_{side[0]}", 1 if side == "right" else -1
    return [
        _Joint(
            (f"{side}UpperLeg",),
            ((f"hip_flexion{end}", 1), (f"hip_adduction{end}", mirror), (f"hip_rotation{end}", mirror)),
        ),
        _Joint((f"{side}LowerLeg",), ((f"knee_angle{end}", -1),)),
        _Joint((f"{side}Foot",), ((f"ankle_angle{end}", 1),)),
        _Joint(
            (f"{side}UpperArm",),
            ((f"arm_flex{end}", 1), (f"arm_add{end}", mirror), (f"arm_rot{end}", mirror)),
            "upper",
            side,
        ),
        _Joint((f"{side}LowerArm",), ((f"elbow_flex{end}", 1),), "lower", side),
    ]


_JOINTS = (
    _Joint(("hips",), (("pelvis_tilt", 1), ("pelvis_list", 1), ("pelvis_rotation", 1))),
    *_of_side("right"),
    *_of_side("left"),
    _Joint(("spine", "chest"), (("lumbar_extension", 1), ("lumbar_bending", 1), ("lumbar_rotation", 1))),
    _Joint(("neck", "head"), (("neck_extension", 1), ("neck_bending", 1), ("neck_rotation", 1))),
)
ANGLES = tuple(name for joint in _JOINTS for name, _ in joint.names)
"""The angles' names, in order."""

JOINTS_OF = {name: joint.of for joint in _JOINTS for name, _ in joint.names}
"""HUMANOID's joints that an angle is computed from, by the angle's name."""

_HANGING = {
    side: rot.from_axis_angle((0.0, 0.0, 1.0), np.array(sign * np.pi / 2))
    for side, sign in (("right", 1.0), ("left", -1.0))
}
_SIGNS = [np.array([sign for _, sign in joint.names]) for joint in _JOINTS]


class BodyAngles:
    """One person's angles over time, continuous beyond 180 degrees."""

    def __init__(self) -> None:
        self._before: Float64 | None = None

    def of(self, local_xyzw: Float64) -> Float64:
        """The angles (A,) in degrees, in the order of ANGLES, from HUMANOID's local rotations (J, 4)."""
        rotations = OPENSIM.rotations(np.stack([_rotation(joint, local_xyzw) for joint in _JOINTS]))
        self._before = euler_zxy_deg(rotations, self._before)
        return np.concatenate(
            [angles[: len(signs)] * signs for angles, signs in zip(self._before, _SIGNS, strict=True)]
        )


def angles_over_time(local_xyzw: Float64, score: Float64) -> Float64:
    """The angles (T, A) in degrees from HUMANOID's local rotations (T, J, 4); NaN where a joint's score (T, J) is 0.

    Rows of rotations with NaN are frames without the person.
    """
    angles, person = np.full((len(local_xyzw), len(ANGLES)), np.nan), BodyAngles()
    for row in np.flatnonzero(np.isfinite(local_xyzw).all(axis=(1, 2))):
        angles[row] = person.of(local_xyzw[row])
    for column, name in enumerate(ANGLES):
        unseen = (score[:, [HUMANOID.index[joint] for joint in JOINTS_OF[name]]] == 0).any(axis=1)
        angles[unseen, column] = np.nan
    return angles


def _rotation(joint: _Joint, local_xyzw: Float64) -> Float64:
    """The joint's rotation (4,) in canonical axes, relative to a body that stands with hanging arms."""
    rotation = local_xyzw[HUMANOID.index[joint.of[0]]]
    for name in joint.of[1:]:
        rotation = rot.multiply(rotation, local_xyzw[HUMANOID.index[name]])
    if joint.arm_part:
        hanging = _HANGING[joint.side]
        if joint.arm_part == "lower":
            rotation = rot.multiply(hanging, rotation)
        rotation = rot.multiply(rotation, rot.inverse(hanging))
    return rotation
