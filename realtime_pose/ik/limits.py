"""What joints of a human can do: the directions a bone can take, how far it can spin, how far a hinge bends.

Sources of the ranges, in degrees; docs/ik.md has the table. Limbs and trunk: American Academy of Orthopaedic Surgeons,
"Joint Motion: Method of Measuring and Recording" (1965). Neck: American Medical Association, "Guides to the Evaluation
of Permanent Impairment", 5th ed. (2001). Deep knee bends: Hemmerich et al., "Hip, knee, and ankle kinematics of high
range of motion activities of daily living" (2006). They are opened a little where HUMANOID has fewer joints than a
body: no shoulder blade, no collar bone, one line for the whole spine.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3


class JointLimits(Protocol):
    """What one joint can do, told of its local rotation (xyzw, identity = T-pose)."""

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        ...

    def clamp(self, local: Quat) -> Quat:
        """The rotation with everything that breaks a limit drawn back to its edge; the inside stays as it is."""
        ...


@dataclass(frozen=True)
class BallLimits:
    """Limits of a joint that turns every way: local = swing(direction) * spin about the bone.

    Directions are measured from the middle of those that the bone can take, along the arc that leads there, and the
    edge is an ellipse's in each quarter around it. Spin is measured against the shortest way from that middle, so that
    it is well defined wherever the bone can point. All axes are the parent's.

    Attributes:
        bone_axis: Unit direction of the bone at rest.
        cone_axis: Unit middle of the directions.
        up_axis: Unit, at right angles to `cone_axis`; `cone_axis` x `up_axis` points to the side.
        reach_rad: Largest angle from the middle towards up, away from up, towards the side, away from it.
        twist_rad: Largest spin about the bone, both ways.
        twist_center_rad: Spin, against the shortest way from rest, that counts as none.
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
        spin = vec.from_axis_angle(self.bone_axis, self.twist_center_rad)
        return vec.multiply(vec.shortest_arc(self.bone_axis, self.cone_axis, self.up_axis), spin)

    def swing(self, direction: Vec3) -> Quat:
        """The turn that points the bone in a unit direction, with the spin that counts as none."""
        return vec.multiply(vec.shortest_arc(self.cone_axis, direction, self.up_axis), self._zero)

    def compose(self, direction: Vec3, twist_rad: float) -> Quat:
        """The rotation of that direction and spin."""
        return vec.multiply(self.swing(direction), vec.from_axis_angle(self.bone_axis, twist_rad))

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The bone's unit direction and its spin: the inverse of `compose`."""
        direction = vec.rotate(local, self.bone_axis)
        return direction, vec.twist_angle_rad(vec.multiply(vec.inverse(self.swing(direction)), local), self.bone_axis)

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        return self.parts_violation_rad(*self.decompose(local))

    def parts_violation_rad(self, direction: Vec3, twist_rad: float) -> float:
        """The same for a rotation that `decompose` has taken apart."""
        away, edge = self._polar(direction)[:2]
        return max(away - edge, abs(twist_rad) - self.twist_rad)

    def clamp(self, local: Quat) -> Quat:
        """The rotation with direction and spin drawn back to their edges where they are beyond."""
        direction, twist = self.decompose(local)
        if self.parts_violation_rad(direction, twist) <= 0:
            return local
        return self.compose(self.clamp_direction(direction), self.clamp_twist_rad(twist))

    def clamp_direction(self, direction: Vec3) -> Vec3:
        """The direction, drawn back towards the middle as far as the edge where it is beyond."""
        away, edge, up, side = self._polar(direction)
        if away <= edge:
            return direction
        outward = vec.add_scaled(vec.scale(self.up_axis, up), self._side_axis, side)
        return vec.unit(vec.add_scaled(vec.scale(self.cone_axis, math.cos(edge)), outward, math.sin(edge)))

    def clamp_twist_rad(self, twist_rad: float) -> float:
        """The spin, at its edge where it is beyond."""
        return min(max(twist_rad, -self.twist_rad), self.twist_rad)

    def edge_rad(self, direction: Vec3) -> float:
        """How far from the middle the bone can go the way that a unit direction lies."""
        return self._polar(direction)[1]

    def _polar(self, direction: Vec3) -> tuple[float, float, float, float]:
        """Angle from the middle, angle of the edge that way, and the way itself: cosine towards up and to the side."""
        up, side = vec.dot(direction, self.up_axis), vec.dot(direction, self._side_axis)
        sine = math.hypot(up, side)
        away = math.atan2(sine, vec.dot(direction, self.cone_axis))
        up, side = (up / sine, side / sine) if sine > 1e-9 else (1.0, 0.0)
        ups, downs, sides, others = self.reach_rad
        edge = 1.0 / math.hypot(up / (ups if up >= 0 else downs), side / (sides if side >= 0 else others))
        return away, edge, up, side


@dataclass(frozen=True)
class WristLimits(BallLimits):
    """Limits of a wrist: its directions turn with its spin, as the forearm's second bone carries the hand around."""

    def compose(self, direction: Vec3, twist_rad: float) -> Quat:
        """The rotation of that direction, seen from the hand's own side of the spin, and that spin."""
        return vec.multiply(vec.from_axis_angle(self.bone_axis, twist_rad), self.swing(direction))

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The inverse of `compose`."""
        twist = vec.twist_angle_rad(local, self.bone_axis)
        return vec.rotate(vec.multiply(vec.from_axis_angle(self.bone_axis, -twist), local), self.bone_axis), twist


@dataclass(frozen=True)
class HingeLimits:
    """Limits of an elbow or a knee: local = bend about the hinge * spin about the bone.

    Attributes:
        bone_axis: Unit direction of the bone at rest.
        hinge_axis: Unit axis about which it bends, positive.
        hinge_rad: Largest bend; the smallest is 0.
        twist_rad: Largest spin both ways: the forearm's share of turning the hand over; 0 for a knee.
    """

    bone_axis: Vec3
    hinge_axis: Vec3
    hinge_rad: float
    twist_rad: float = 0.0

    def compose(self, bend_rad: float, twist_rad: float = 0.0) -> Quat:
        """The rotation of that bend and spin."""
        bend = vec.from_axis_angle(self.hinge_axis, bend_rad)
        return vec.multiply(bend, vec.from_axis_angle(self.bone_axis, twist_rad)) if twist_rad else bend

    def decompose(self, local: Quat) -> tuple[float, float]:
        """Bend and spin, the bend in -pi to pi; what turns neither way is left out."""
        direction = vec.rotate(local, self.bone_axis)
        bend = math.atan2(
            vec.dot(direction, vec.cross(self.hinge_axis, self.bone_axis)), vec.dot(direction, self.bone_axis)
        )
        return bend, vec.twist_angle_rad(
            vec.multiply(vec.from_axis_angle(self.hinge_axis, -bend), local), self.bone_axis
        )

    def violation_rad(self, local: Quat) -> float:
        """By how much the worst limit is broken; a bone that leaves the hinge's plane breaks one."""
        bend, twist = self.decompose(local)
        aside = abs(math.asin(min(max(vec.dot(vec.rotate(local, self.bone_axis), self.hinge_axis), -1.0), 1.0)))
        return max(aside, bend - self.hinge_rad, -bend, abs(twist) - self.twist_rad)

    def clamp(self, local: Quat) -> Quat:
        """The rotation with bend and spin drawn back to their edges, in the hinge's plane."""
        bend, twist = self.decompose(local)
        return self.compose(min(max(bend, 0.0), self.hinge_rad), min(max(twist, -self.twist_rad), self.twist_rad))


@dataclass(frozen=True)
class LimbLimits:
    """Limits of a limb: the ball joint that starts it and the hinge in its middle.

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
        """Unit axis about which the hinge bends, positive."""
        return self.hinge.hinge_axis

    @property
    def cone_axis(self) -> Vec3:
        """Unit middle of the directions that the first bone can take."""
        return self.ball.cone_axis

    @property
    def twist_rad(self) -> float:
        """Largest spin about the first bone, both ways."""
        return self.ball.twist_rad

    @property
    def hinge_rad(self) -> float:
        """Largest bend of the hinge; the smallest is 0."""
        return self.hinge.hinge_rad

    def swing(self, direction: Vec3) -> Quat:
        """The turn that points the first bone in a unit direction, with the spin that counts as none."""
        return self.ball.swing(direction)

    def decompose(self, local: Quat) -> tuple[Vec3, float]:
        """The first bone's unit direction and its spin."""
        return self.ball.decompose(local)

    def violation_rad(self, local: Quat, hinge_rad: float) -> float:
        """By how much the worst limit is broken; 0 or less inside all of them."""
        return max(self.ball.violation_rad(local), hinge_rad - self.hinge_rad, -hinge_rad)

    def clamp(self, local: Quat, hinge_rad: float) -> tuple[Quat, float]:
        """Rotation and bend with everything beyond a limit drawn back to its edge."""
        return self.ball.clamp(local), min(max(hinge_rad, 0.0), self.hinge_rad)


def _rad(*degrees: float) -> tuple[float, ...]:
    return tuple(math.radians(d) for d in degrees)


def _ball(
    bone: Vec3, cone: Vec3, up: Vec3, reach_deg: tuple[float, float, float, float], twist_deg: tuple[float, float]
) -> BallLimits:
    """From degrees; the spin's range is given by both its ends, against the shortest way from rest."""
    cone = vec.unit(cone)
    ups, downs, sides, others = _rad(*reach_deg)
    low, high = _rad(*twist_deg)
    upward = vec.unit(vec.reject(up, cone))
    return BallLimits(bone, cone, upward, (ups, downs, sides, others), (high - low) / 2, (high + low) / 2)


def _arm(side: float) -> LimbLimits:
    # Straight up and down and 60 degrees back are within reach, and the far shoulder, but not what is behind the back.
    reach, twist = ((128, 128, 108, 128), (-120, 55)) if side > 0 else ((128, 128, 128, 108), (-55, 120))
    bone = (side, 0.0, 0.0)
    ball = _ball(bone, (side * 0.75, 0.0, 0.66), vec.Y, reach, twist)
    return LimbLimits(ball, HingeLimits(bone, (0.0, -side, 0.0), *_rad(155, 42)))


def _leg(side: float) -> LimbLimits:
    # The middle is 48 degrees before straight down: 133 to the front, 30 to the back; 35 across to the other leg.
    reach = (85, 78, 35, 80) if side > 0 else (85, 78, 80, 35)
    ball = _ball((0.0, -1.0, 0.0), (side * 0.10, -0.67, 0.74), vec.Y, reach, (-55, 55))
    return LimbLimits(ball, HingeLimits((0.0, -1.0, 0.0), vec.X, *_rad(155, 0)))


LIMB_LIMITS = {
    "leftUpperArm": _arm(1.0),
    "rightUpperArm": _arm(-1.0),
    "leftUpperLeg": _leg(1.0),
    "rightUpperLeg": _leg(-1.0),
}
"""Limits by the joint that starts the limb; its hinge is the joint below."""


def _straight(
    bone: Vec3, up: Vec3, reach_deg: tuple[float, float, float, float], twist_deg: tuple[float, float]
) -> BallLimits:
    return _ball(bone, bone, up, reach_deg, twist_deg)


def _wrist(side: float) -> WristLimits:
    # Up is the back of the hand, the side the thumb's on the left hand and the little finger's on the right.
    ball = _straight((side, 0.0, 0.0), vec.Y, (75, 85, 25, 35) if side > 0 else (75, 85, 35, 25), (-42, 42))
    return WristLimits(ball.bone_axis, ball.cone_axis, ball.up_axis, ball.reach_rad, ball.twist_rad)


def _ankle(side: float) -> BallLimits:
    # Of the foot's own length: up is the toes', the side the right; its spin lifts the inner or the outer edge.
    reach, twist = ((42, 55, 25, 35), (-35, 20)) if side > 0 else ((42, 55, 35, 25), (-20, 35))
    return _straight(vec.Z, vec.Y, reach, twist)


# Bowing forward is up, the left is the side; spine and chest share one range, neck and head another.
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
"""Limits of every joint of HUMANOID but the hips, which turn freely."""
