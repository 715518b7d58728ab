"""Two-bone leg IK: the legs of a pose, and a leg that reaches a given ankle position."""

import math
from typing import NamedTuple

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.ik.limits import JOINT_LIMITS, LIMB_LIMITS
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

SIDES = ("left", "right")
UPPER, LOWER, FOOT = (
    [HUMANOID.index[f"{side}{joint}"] for side in SIDES] for joint in ("UpperLeg", "LowerLeg", "Foot")
)
_LIMITS = [LIMB_LIMITS[f"{side}UpperLeg"] for side in SIDES]
_ANKLES = [JOINT_LIMITS[f"{side}Foot"] for side in SIDES]
_DOWN: Vec3 = (0.0, -1.0, 0.0)
_STRAIGHT_RATIO = 0.9  # a leg is straight if hip and ankle are this share of its length apart
_MAX_EXTENSION = 0.9995  # of thigh and shank together: how far a knee straightens


class Leg(NamedTuple):
    """One leg: hip position relative to the root joint, global rotations, bone lengths; canonical axes."""

    pelvis: Quat
    hip_m: Vec3
    thigh: Quat
    shank: Quat
    foot: Quat
    upper_m: float
    lower_m: float

    @property
    def ankle_m(self) -> Vec3:
        """The ankle (3,)."""
        knee = vec.add_scaled(self.hip_m, vec.rotate(self.thigh, _DOWN), self.upper_m)
        return vec.add_scaled(knee, vec.rotate(self.shank, _DOWN), self.lower_m)

    @property
    def max_reach_m(self) -> float:
        """The largest distance of the ankle from the hip joint."""
        return _MAX_EXTENSION * (self.upper_m + self.lower_m)

    @property
    def is_straight(self) -> bool:
        """Whether the knee is straight or nearly so."""
        return vec.norm(vec.sub(self.ankle_m, self.hip_m)) > _STRAIGHT_RATIO * self.max_reach_m


def legs_of(pose: SkeletonPose) -> tuple[Leg, Leg]:
    """The left and the right leg of a pose."""
    local: list[Quat] = [tuple(row) for row in pose.rotations.local_xyzw.tolist()]
    bone_m: list[float] = pose.bone_m.tolist()
    return _leg(local, bone_m, 0), _leg(local, bone_m, 1)


def _leg(local: list[Quat], bone_m: list[float], side: int) -> Leg:
    pelvis = vec.unit_quat(local[0])
    thigh = vec.unit_quat(vec.multiply(pelvis, local[UPPER[side]]))
    shank = vec.unit_quat(vec.multiply(thigh, local[LOWER[side]]))
    foot = vec.unit_quat(vec.multiply(shank, local[FOOT[side]]))
    upper, lower = bone_m[LOWER[side]], bone_m[FOOT[side]]
    hip = vec.rotate(pelvis, (bone_m[UPPER[side]] * (1 - 2 * side), 0.0, 0.0))
    return Leg(pelvis, hip, thigh, shank, foot, upper, lower)


def reach(leg: Leg, side: int, ankle_m: Vec3) -> Leg:
    """The leg with its ankle at `ankle_m`, relative to the root; the foot keeps its global rotation.

    The knee bends as the distance needs (law of cosines), then the leg swings by the shortest arc, so the knee keeps
    its direction. Joint limits have priority: the ankle may miss its target by what they do not allow.
    """
    limits = _LIMITS[side]
    target_m = vec.rotate(vec.inverse(leg.pelvis), vec.sub(ankle_m, leg.hip_m))
    distance_m = min(max(vec.norm(target_m), 1e-6), leg.max_reach_m)
    cosine = (distance_m**2 - leg.upper_m**2 - leg.lower_m**2) / (2 * leg.upper_m * leg.lower_m)
    bend_rad = min(math.acos(min(max(cosine, -1.0), 1.0)), limits.hinge_rad)
    knee = limits.hinge.compose(bend_rad)
    thigh = vec.multiply(vec.inverse(leg.pelvis), leg.thigh)
    ankle = vec.rotate(thigh, vec.add_scaled(vec.scale(_DOWN, leg.upper_m), vec.rotate(knee, _DOWN), leg.lower_m))
    thigh = vec.multiply(vec.shortest_arc(vec.unit(ankle), vec.unit(target_m), vec.X), thigh)
    thigh = vec.unit_quat(vec.multiply(leg.pelvis, limits.ball.clamp(thigh)))
    return leg._replace(thigh=thigh, shank=vec.multiply(thigh, knee))


def rotate_foot(leg: Leg, side: int, foot: Quat) -> Leg:
    """The leg with its foot at this global rotation, as far as the ankle's limits allow."""
    local = _ANKLES[side].clamp(vec.multiply(vec.inverse(leg.shank), foot))
    return leg._replace(foot=vec.unit_quat(vec.multiply(leg.shank, local)))


def local_rotations(leg: Leg) -> tuple[Quat, Quat, Quat]:
    """The local rotations of thigh, shank and foot."""
    return (
        vec.multiply(vec.inverse(leg.pelvis), leg.thigh),
        vec.multiply(vec.inverse(leg.thigh), leg.shank),
        vec.multiply(vec.inverse(leg.shank), leg.foot),
    )
