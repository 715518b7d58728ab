"""Human joint limits: swing cones, twist ranges and hinge ranges.

Sources of the ranges, which are given in degrees; docs/ik.md has them as a table. Limbs and trunk: American Academy of
Orthopaedic Surgeons, "Joint Motion: Method of Measuring and Recording" (1965). Neck: American Medical Association,
"Guides to the Evaluation of Permanent Impairment", 5th ed. (2001). Deep knee bends: Hemmerich et al., "Hip, knee, and
ankle kinematics of high range of motion activities of daily living" (2006). They are widened a little where HUMANOID
has fewer joints than a body: no shoulder blade, no collar bone, one line for the whole spine.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3


class JointLimits(Protocol):
    """Limits of one joint's local rotation (xyzw, identity = T-pose)."""

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        ...

    def clamp(self, local: Quat) -> Quat:
        """The rotation clamped to the limits; one inside them is returned as it is."""
        ...


@dataclass(frozen=True)
class BallLimits:
    """Limits of a ball joint: local = swing(direction) * twist about the bone.

    The bone's direction is limited to a cone around `cone_axis`, elliptical in each quadrant. Twist is measured
    relative to the shortest arc from the cone's axis, so that it is well defined for every direction in the cone. All
    axes are unit vectors in the parent's space.

    Attributes:
        bone_axis: Direction of the bone at rest.
        cone_axis: Axis of the cone.
        up_axis: Perpendicular to `cone_axis`; `cone_axis` x `up_axis` points to the side.
        reach_rad: Largest angle from the cone's axis towards up, away from up, towards the side, away from it.
        twist_rad: Largest twist, both ways.
        twist_center_rad: Twist, relative to the shortest arc from rest, that counts as 0.
    """

    bone_axis: Vec3
    cone_axis: Vec3
    up_axis: Vec3
    reach_rad: tuple[float, float, float, float]
    twist_rad: float
    twist_center_rad: float = 0.0

    @cached_property
    def _side_axis(self) -> Vec3:
        return vec.cross(self.cone_axis, self.up_axis)

    @cached_property
    def _zero(self) -> Quat:
        twist = vec.from_axis_angle(self.bone_axis, self.twist_center_rad)
        return vec.multiply(vec.shortest_arc(self.bone_axis, self.cone_axis, self.up_axis), twist)

    def swing(self, direction: Vec3) -> Quat:
        """The rotation that points the bone in a unit direction, with twist 0."""
        return vec.multiply(vec.shortest_arc(self.cone_axis, direction, self.up_axis), self._zero)

    def compose(self, direction: Vec3, twist_rad: float) -> Quat:
        """The rotation of that unit direction and twist."""
        return vec.multiply(self.swing(direction), vec.from_axis_angle(self.bone_axis, twist_rad))

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The bone's unit direction and its twist: the inverse of `compose`."""
        direction = vec.rotate(local, self.bone_axis)
        return direction, vec.twist_angle_rad(vec.multiply(vec.inverse(self.swing(direction)), local), self.bone_axis)

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        return self.parts_violation_rad(*self.decompose(local))

    def parts_violation_rad(self, direction: Vec3, twist_rad: float) -> float:
        """`violation_rad` of a rotation given by its parts."""
        angle, edge = self._polar(direction)[:2]
        return max(angle - edge, abs(twist_rad) - self.twist_rad)

    def clamp(self, local: Quat) -> Quat:
        """The rotation with direction and twist clamped."""
        direction, twist = self.decompose(local)
        if self.parts_violation_rad(direction, twist) <= 0:
            return local
        return self.compose(self.clamp_direction(direction), self.clamp_twist_rad(twist))

    def clamp_direction(self, direction: Vec3) -> Vec3:
        """The unit direction, moved towards the cone's axis onto the edge if it is outside."""
        angle, edge, up, side = self._polar(direction)
        if angle <= edge:
            return direction
        outward = vec.add_scaled(vec.scale(self.up_axis, up), self._side_axis, side)
        return vec.unit(vec.add_scaled(vec.scale(self.cone_axis, math.cos(edge)), outward, math.sin(edge)))

    def clamp_twist_rad(self, twist_rad: float) -> float:
        """The twist, clamped to its range."""
        return min(max(twist_rad, -self.twist_rad), self.twist_rad)

    def edge_rad(self, direction: Vec3) -> float:
        """Angle from the cone's axis to its edge, on the side of a unit direction."""
        return self._polar(direction)[1]

    def _polar(self, direction: Vec3) -> tuple[float, float, float, float]:
        """Angle from the cone's axis, angle of the edge there, cosines of the azimuth to up and to the side."""
        up, side = vec.dot(direction, self.up_axis), vec.dot(direction, self._side_axis)
        sine = math.hypot(up, side)
        angle = math.atan2(sine, vec.dot(direction, self.cone_axis))
        up, side = (up / sine, side / sine) if sine > 1e-9 else (1.0, 0.0)
        up_reach, down_reach, side_reach, far_side_reach = self.reach_rad
        edge = 1.0 / math.hypot(
            up / (up_reach if up >= 0 else down_reach), side / (side_reach if side >= 0 else far_side_reach)
        )
        return angle, edge, up, side


@dataclass(frozen=True)
class WristLimits(BallLimits):
    """Limits of a wrist, local = twist * swing: its cone turns with the twist, which is the forearm's pronation."""

    def compose(self, direction: Vec3, twist_rad: float) -> Quat:
        """The rotation of that twist and of that unit direction, in the twisted frame."""
        return vec.multiply(vec.from_axis_angle(self.bone_axis, twist_rad), self.swing(direction))

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The unit direction in the twisted frame, and the twist: the inverse of `compose`."""
        twist = vec.twist_angle_rad(local, self.bone_axis)
        return vec.rotate(vec.multiply(vec.from_axis_angle(self.bone_axis, -twist), local), self.bone_axis), twist


@dataclass(frozen=True)
class HingeLimits:
    """Limits of an elbow or a knee: local = bend about the hinge * twist about the bone.

    Attributes:
        bone_axis: Unit direction of the bone at rest.
        hinge_axis: Unit axis of positive bending.
        hinge_rad: Largest bend; the smallest is 0.
        twist_rad: Largest twist, both ways: the forearm's share of pronation; 0 for a knee.
    """

    bone_axis: Vec3
    hinge_axis: Vec3
    hinge_rad: float
    twist_rad: float = 0.0

    def compose(self, bend_rad: float, twist_rad: float = 0.0) -> Quat:
        """The rotation of that bend and twist."""
        bend = vec.from_axis_angle(self.hinge_axis, bend_rad)
        return vec.multiply(bend, vec.from_axis_angle(self.bone_axis, twist_rad)) if twist_rad else bend

    def decompose(self, local: Quat) -> tuple[float, float]:
        """Bend, -pi to pi, and twist; a rotation out of the hinge's plane is ignored."""
        direction = vec.rotate(local, self.bone_axis)
        bend = math.atan2(
            vec.dot(direction, vec.cross(self.hinge_axis, self.bone_axis)), vec.dot(direction, self.bone_axis)
        )
        return bend, vec.twist_angle_rad(
            vec.multiply(vec.from_axis_angle(self.hinge_axis, -bend), local), self.bone_axis
        )

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; leaving the hinge's plane breaks one too."""
        bend, twist = self.decompose(local)
        out_of_plane = abs(math.asin(min(max(vec.dot(vec.rotate(local, self.bone_axis), self.hinge_axis), -1.0), 1.0)))
        return max(out_of_plane, bend - self.hinge_rad, -bend, abs(twist) - self.twist_rad)

    def clamp(self, local: Quat) -> Quat:
        """The rotation with bend and twist clamped, in the hinge's plane."""
        bend, twist = self.decompose(local)
        return self.compose(min(max(bend, 0.0), self.hinge_rad), min(max(twist, -self.twist_rad), self.twist_rad))


@dataclass(frozen=True)
class LimbLimits:
    """Limits of a limb: the ball joint at its start and the hinge in its middle.

    Attributes:
        ball: Shoulder or hip.
        hinge: Elbow or knee.
    """

    ball: BallLimits
    hinge: HingeLimits

    @property
    def bone_axis(self) -> Vec3:
        """Unit direction of both bones at rest."""
        return self.ball.bone_axis

    @property
    def hinge_axis(self) -> Vec3:
        """Unit axis of the hinge's positive bending."""
        return self.hinge.hinge_axis

    @property
    def cone_axis(self) -> Vec3:
        """Unit axis of the first bone's cone."""
        return self.ball.cone_axis

    @property
    def twist_rad(self) -> float:
        """Largest twist about the first bone, both ways."""
        return self.ball.twist_rad

    @property
    def hinge_rad(self) -> float:
        """Largest bend of the hinge; the smallest is 0."""
        return self.hinge.hinge_rad

    def swing(self, direction: Vec3) -> Quat:
        """The rotation that points the first bone in a unit direction, with twist 0."""
        return self.ball.swing(direction)

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The first bone's unit direction and its twist."""
        return self.ball.decompose(local)

    def violation_rad(self, local: Quat, hinge_rad: float) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        return max(self.ball.violation_rad(local), hinge_rad - self.hinge_rad, -hinge_rad)

    def clamp(self, local: Quat, hinge_rad: float) -> tuple[Quat, float]:
        """The ball joint's rotation and the hinge's bend, clamped."""
        return self.ball.clamp(local), min(max(hinge_rad, 0.0), self.hinge_rad)


def _rad(*degrees: float) -> tuple[float, ...]:
    return tuple(math.radians(d) for d in degrees)


def _ball(
    bone: Vec3, cone: Vec3, up: Vec3, reach_deg: tuple[float, float, float, float], twist_deg: tuple[float, float]
) -> BallLimits:
    """Limits from degrees; the twist's range is given by its ends, relative to the shortest arc from rest."""
    cone = vec.unit(cone)
    up_reach, down_reach, side_reach, far_side_reach = _rad(*reach_deg)
    low, high = _rad(*twist_deg)
    upward = vec.unit(vec.reject(up, cone))
    reach_rad = (up_reach, down_reach, side_reach, far_side_reach)
    return BallLimits(bone, cone, upward, reach_rad, (high - low) / 2, (high + low) / 2)


def _arm(side: float) -> LimbLimits:
    # Straight up, straight down, 60 degrees back and the opposite shoulder are inside; behind the back is not.
    reach, twist = ((128, 128, 108, 128), (-120, 55)) if side > 0 else ((128, 128, 128, 108), (-55, 120))
    bone = (side, 0.0, 0.0)
    ball = _ball(bone, (side * 0.75, 0.0, 0.66), vec.Y, reach, twist)
    return LimbLimits(ball, HingeLimits(bone, (0.0, -side, 0.0), *_rad(155, 42)))


def _leg(side: float) -> LimbLimits:
    # The cone's axis is 48 degrees in front of straight down: 133 forwards, 30 backwards; 35 across the other leg.
    reach = (85, 78, 35, 80) if side > 0 else (85, 78, 80, 35)
    ball = _ball((0.0, -1.0, 0.0), (side * 0.10, -0.67, 0.74), vec.Y, reach, (-55, 55))
    return LimbLimits(ball, HingeLimits((0.0, -1.0, 0.0), vec.X, *_rad(155, 0)))


LIMB_LIMITS = {
    "leftUpperArm": _arm(1.0),
    "rightUpperArm": _arm(-1.0),
    "leftUpperLeg": _leg(1.0),
    "rightUpperLeg": _leg(-1.0),
}
"""Limits of arms and legs, by the joint that starts the limb; its hinge is the next joint."""


def _straight(
    bone: Vec3, up: Vec3, reach_deg: tuple[float, float, float, float], twist_deg: tuple[float, float]
) -> BallLimits:
    return _ball(bone, bone, up, reach_deg, twist_deg)


def _wrist(side: float) -> WristLimits:
    # Up is the back of the hand; the side is the thumb's on the left hand, the little finger's on the right.
    ball = _straight((side, 0.0, 0.0), vec.Y, (75, 85, 25, 35) if side > 0 else (75, 85, 35, 25), (-42, 42))
    return WristLimits(ball.bone_axis, ball.cone_axis, ball.up_axis, ball.reach_rad, ball.twist_rad)


def _ankle(side: float) -> BallLimits:
    # The bone is the foot's long axis: up is toes up, the side is the right; twist lifts the inner or outer edge.
    reach, twist = ((42, 55, 25, 35), (-35, 20)) if side > 0 else ((42, 55, 35, 25), (-20, 35))
    return _straight(vec.Z, vec.Y, reach, twist)


# Up is bending forwards, the side is the left; spine and chest share one range, neck and head another.
_TRUNK = _straight(vec.Y, vec.Z, (43, 18, 20, 20), (-28, 28))
_NECK = _straight(vec.Y, vec.Z, (33, 33, 27, 27), (-42, 42))

HAND_LIMITS = {"leftHand": _wrist(1.0), "rightHand": _wrist(-1.0)}
"""Limits of the wrists."""

FOOT_LIMITS = {"leftFoot": _ankle(1.0), "rightFoot": _ankle(-1.0)}
"""Limits of the ankles."""

JOINT_LIMITS: dict[str, JointLimits] = {
    **{joint: limits.ball for joint, limits in LIMB_LIMITS.items()},
    **{joint.replace("Upper", "Lower"): limits.hinge for joint, limits in LIMB_LIMITS.items()},
    **dict.fromkeys(("spine", "chest"), _TRUNK),
    **dict.fromkeys(("neck", "head"), _NECK),
    **HAND_LIMITS,
    **FOOT_LIMITS,
}
"""Limits of every joint of HUMANOID except the hips, which are free."""
