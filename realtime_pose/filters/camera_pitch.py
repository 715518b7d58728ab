"""What standing and walking people say of the camera's pitch: they are upright, so what leans in its picture is itself.

It works from one place, where the floor's slope shows nothing. A lifter that was taught by level cameras puts bodies
more upright than they were seen: constants measured by benchmarks/floor.py, other bodies and motions than those judge.
"""

import math

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.leg_ik import Leg
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Vec3

_ROW = HUMANOID.index
_TO_NECK = [(_ROW[joint], _ROW[child]) for joint, child in (("hips", "spine"), ("spine", "chest"), ("chest", "neck"))]
_FRONT: Vec3 = (0.0, 0.0, 1.0)

_STRAIGHT = 0.9  # a leg that shows so much of its length bears
_UPRIGHT, _IN_LINE = 0.8, 0.9  # cosines: of the body with the camera's vertical, and of the trunk with the legs
_RUNNING_M_S, _SPEED_TAU_S = 1.7, 0.3  # who is quicker leans
_GAIN = 0.66  # how much of a camera's pitch a lifted body shows
_AHEAD_RAD = math.radians(2.2)  # ankles are behind the line of gravity
_HABIT_RAD = math.radians(3.0)  # how people and what is lifted of them differ, of the pitch
_SWAY_RAD, _SWAY_S = math.radians(6.0), 2.0  # and how it changes from moment to moment
_LEAST_S, _LASTING_S = 1.0, 20.0  # of standing that counts, and that is remembered


class Upright:
    """The lean of one person who stands or walks, averaged."""

    def __init__(self) -> None:
        self._stood_s = 0.0
        self._lean_rad = 0.0
        self._root_m: Vec3 | None = None
        self._speed_m_s: Vec3 = vec.ZERO

    def see(self, pose: SkeletonPose, legs: tuple[Leg, Leg], dt_s: float) -> None:
        """Take a pose into account, in the camera's axes, of somebody whose feet are both seen."""
        x, y, z = pose.root_m.tolist()
        before, self._root_m = self._root_m, (x, y, z)
        if before is None or dt_s <= 0:
            return
        speed = vec.scale(vec.sub(self._root_m, before), 1.0 / dt_s)
        gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
        self._speed_m_s = vec.add_scaled(self._speed_m_s, vec.sub(speed, self._speed_m_s), gain)
        if vec.norm(self._speed_m_s) > _RUNNING_M_S or not any(
            vec.norm(vec.sub(leg.ankle_m, leg.hip_m)) > _STRAIGHT * leg.longest_m for leg in legs
        ):
            return
        neck, feet = _neck_of(pose), vec.midpoint(legs[0].ankle_m, legs[1].ankle_m)
        body = vec.sub(neck, feet)
        if body[1] < _UPRIGHT * vec.norm(body) or -vec.dot(neck, feet) < _IN_LINE * vec.norm(neck) * vec.norm(feet):
            return
        lean = math.atan2(body[2], body[1]) - _AHEAD_RAD * vec.rotate(legs[0].pelvis, _FRONT)[2]
        self._stood_s += dt_s
        self._lean_rad += dt_s / min(self._stood_s, _LASTING_S) * (lean - self._lean_rad)

    @property
    def pitch(self) -> tuple[float, float]:
        """How far the camera looks down in rad, and the standard error, infinite until they stood for a while."""
        if self._stood_s < _LEAST_S:
            return 0.0, math.inf
        return self._lean_rad / _GAIN, math.hypot(_HABIT_RAD, _SWAY_RAD * math.sqrt(min(1.0, _SWAY_S / self._stood_s)))


def _neck_of(pose: SkeletonPose) -> Vec3:
    """The neck (3,) from the root joint."""
    turn, place = vec.IDENTITY_XYZW, vec.ZERO
    for row, child in _TO_NECK:
        x, y, z, w = pose.rotations.local_xyzw[row].tolist()
        turn = vec.multiply(turn, (x, y, z, w))
        place = vec.add_scaled(place, vec.rotate(turn, vec.Y), float(pose.bone_m[child]))
    return place
