"""Camera pitch from people who stand upright.

People who stand or walk are vertical, so their mean lean in camera axes is the camera's pitch. This works when they
stay in one place, where the floor's slope cannot be measured. A lifter trained on level cameras shows bodies more
upright than they are seen. The constants were measured by benchmarks/floor.py on other bodies and motions than those it
evaluates.
"""

import math

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.leg_ik import Leg
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Vec3

_ROW = HUMANOID.index
_TO_NECK = [(_ROW[joint], _ROW[child]) for joint, child in (("hips", "spine"), ("spine", "chest"), ("chest", "neck"))]
_FORWARD: Vec3 = (0.0, 0.0, 1.0)

_MIN_UPRIGHT_COS = 0.8  # of the angle between the body and the camera's vertical axis: less is lying or bowing
_MIN_IN_LINE_COS = 0.9  # of the angle between trunk and legs: less is sitting or bowing
_RUNNING_M_S = 1.7  # people who move faster than this lean forward
_SPEED_TAU_S = 0.3  # time constant of the root's speed
_PITCH_SHOWN = 0.66  # share of a camera's pitch that a lifted body shows
_FORWARD_LEAN_RAD = math.radians(2.2)  # an upright body leans this far forward: ankles are behind the line of gravity
_POSTURE_ERROR_RAD = math.radians(3.0)  # standard deviation of the pitch between people, however long they stand
_SWAY_RAD = math.radians(6.0)  # standard deviation of the pitch over time,
_SWAY_S = 2.0  # with one independent value in this time
_MIN_STANDING_S = 1.0  # standing before there is an estimate
_MEMORY_S = 20.0  # length of the average


class PosturePitch:
    """The mean lean of one person who stands or walks, and the camera pitch it implies."""

    def __init__(self) -> None:
        self._standing_s = 0.0
        self._lean_rad = 0.0
        self._root_m: Vec3 | None = None
        self._velocity_m_s: Vec3 = vec.ZERO

    def add(self, pose: SkeletonPose, legs: tuple[Leg, Leg], dt_s: float) -> None:
        """Add a pose in camera axes, both feet visible; ignored unless the person stands or walks upright."""
        x, y, z = pose.root_m.tolist()
        last_m, self._root_m = self._root_m, (x, y, z)
        if last_m is None or dt_s <= 0:
            return
        velocity_m_s = vec.scale(vec.sub(self._root_m, last_m), 1.0 / dt_s)
        gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
        self._velocity_m_s = vec.add_scaled(self._velocity_m_s, vec.sub(velocity_m_s, self._velocity_m_s), gain)
        if vec.norm(self._velocity_m_s) > _RUNNING_M_S or not any(leg.is_straight for leg in legs):
            return
        neck, ankles = _neck_of(pose), vec.midpoint(legs[0].ankle_m, legs[1].ankle_m)
        body = vec.sub(neck, ankles)
        if body[1] < _MIN_UPRIGHT_COS * vec.norm(body) or -vec.dot(neck, ankles) < _MIN_IN_LINE_COS * vec.norm(
            neck
        ) * vec.norm(ankles):
            return
        lean_rad = math.atan2(body[2], body[1]) - _FORWARD_LEAN_RAD * vec.rotate(legs[0].pelvis, _FORWARD)[2]
        self._standing_s += dt_s
        self._lean_rad += dt_s / min(self._standing_s, _MEMORY_S) * (lean_rad - self._lean_rad)

    @property
    def pitch(self) -> tuple[float, float]:
        """The camera's pitch downwards in rad, and its standard error; infinite until there is an estimate."""
        if self._standing_s < _MIN_STANDING_S:
            return 0.0, math.inf
        return self._lean_rad / _PITCH_SHOWN, math.hypot(
            _POSTURE_ERROR_RAD, _SWAY_RAD * math.sqrt(min(1.0, _SWAY_S / self._standing_s))
        )


def _neck_of(pose: SkeletonPose) -> Vec3:
    """The neck (3,), relative to the root joint."""
    rotation, place_m = vec.IDENTITY_XYZW, vec.ZERO
    for row, child in _TO_NECK:
        x, y, z, w = pose.rotations.local_xyzw[row].tolist()
        rotation = vec.multiply(rotation, (x, y, z, w))
        place_m = vec.add_scaled(place_m, vec.rotate(rotation, vec.Y), float(pose.bone_m[child]))
    return place_m
