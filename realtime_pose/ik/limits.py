"""What joints of a human can do: a cone for the bone's direction, a range for its spin, a range for the hinge below.

Ranges: American Academy of Orthopaedic Surgeons, "Joint Motion: Method of Measuring and Recording" (1965). Shoulder:
flexion 180, extension 60, abduction 180, rotation 70 in and 90 out; elbow 0 to 150; hip: flexion 120, extension 30,
abduction 45, rotation 45 both ways; knee 0 to 135. They are opened a little, since a camera sees more than a clinic's
average (a dancer's hip, a sitter's knee) and since HUMANOID has no shoulder blade and no forearm twist.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


@dataclass(frozen=True, eq=False)
class LimbLimits:
    """Limits of a ball joint and of the hinge at the bone's end; axes are the rest pose's, in the parent's space.

    Attributes:
        bone_axis: (3,) unit direction of the bone at rest.
        hinge_axis: (3,) unit axis about which the hinge bends, positive.
        cone_axis: (3,) unit middle of the directions the bone can take.
        cone_rad: Largest angle between the bone and `cone_axis`.
        twist_rad: Largest spin about the bone, both ways, against the shortest way from rest.
        hinge_rad: Largest bend of the hinge; the smallest is 0.
    """

    bone_axis: Float64
    hinge_axis: Float64
    cone_axis: Float64
    cone_rad: float
    twist_rad: float
    hinge_rad: float

    @cached_property
    def rest_frame(self) -> Float64:
        """(3, 3) columns: bone axis, hinge axis, and the axis that completes them."""
        return np.column_stack((self.bone_axis, self.hinge_axis, np.cross(self.bone_axis, self.hinge_axis)))

    def swing(self, direction: Float64) -> Float64:
        """The shortest turn (4,) that takes the bone from rest to a unit direction in the parent's space."""
        return rot.shortest_arc(self.bone_axis, direction)

    def split(self, local_xyzw: Float64) -> tuple[Float64, float]:
        """The bone's direction (3,) and its spin in rad: local = swing(direction) * spin about the bone."""
        direction = rot.rotate(local_xyzw, self.bone_axis)
        twist = rot.to_rotvec(rot.twist_about(local_xyzw, self.bone_axis))
        return direction, float(twist @ self.bone_axis)

    def offence_rad(self, local_xyzw: Float64, hinge_rad: float) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        return self.offence_of_parts_rad(*self.split(local_xyzw), hinge_rad)

    def offence_of_parts_rad(self, direction: Float64, twist_rad: float, hinge_rad: float) -> float:
        """The same for a rotation that `split` has taken apart."""
        off_axis = self._off_axis_rad(direction)
        return max(off_axis - self.cone_rad, abs(twist_rad) - self.twist_rad, hinge_rad - self.hinge_rad, -hinge_rad)

    def clamped(self, local_xyzw: Float64, hinge_rad: float) -> tuple[Float64, float]:
        """The nearest rotation and bend inside the limits: direction, spin and bend each drawn to its edge."""
        direction, twist = self.split(local_xyzw)
        excess = self._off_axis_rad(direction) - self.cone_rad
        if excess > 0:
            # The shortest arc has an axis also for a bone that points exactly away from the cone.
            back = rot.unit(rot.to_rotvec(rot.shortest_arc(direction, self.cone_axis)))
            direction = rot.rotate(rot.from_axis_angle(back, np.array(excess)), direction)
        spin = rot.from_axis_angle(self.bone_axis, np.array(min(max(twist, -self.twist_rad), self.twist_rad)))
        return rot.multiply(self.swing(direction), spin), min(max(hinge_rad, 0.0), self.hinge_rad)

    def _off_axis_rad(self, direction: Float64) -> float:
        return math.acos(min(max(float(direction @ self.cone_axis), -1.0), 1.0))


def _limits(
    bone: tuple[float, float, float],
    hinge: tuple[float, float, float],
    cone: tuple[float, float, float],
    cone_deg: float,
    twist_deg: float,
    hinge_deg: float,
) -> LimbLimits:
    return LimbLimits(
        np.array(bone),
        np.array(hinge),
        rot.unit(cone),
        *(float(np.radians(d)) for d in (cone_deg, twist_deg, hinge_deg)),
    )


LIMB_LIMITS = {
    # An arm points anywhere but behind the back and across the far shoulder blade.
    "leftUpperArm": _limits((1, 0, 0), (0, -1, 0), (0.75, 0.0, 0.66), 125, 100, 155),
    "rightUpperArm": _limits((-1, 0, 0), (0, 1, 0), (-0.75, 0.0, 0.66), 125, 100, 155),
    # A thigh's cone reaches 125 degrees to the front and 30 to the back.
    "leftUpperLeg": _limits((0, -1, 0), (1, 0, 0), (0.10, -0.67, 0.74), 78, 65, 155),
    "rightUpperLeg": _limits((0, -1, 0), (1, 0, 0), (-0.10, -0.67, 0.74), 78, 65, 155),
}
"""Limits by the joint that starts the limb; its hinge is the joint below."""

SPINE_LIMIT_RAD = float(np.radians(60.0))
"""Largest turn of the chest against the hips."""

NECK_LIMIT_RAD = float(np.radians(80.0))
"""Largest turn of the head against the chest."""
