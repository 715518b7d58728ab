"""Hand and foot orientation from knuckle, heel and toe points."""

from typing import NamedTuple

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

# Of a body 1.70 m tall: wrist to midpoint of the knuckles, index to little finger, heel to toe, ankle over the sole.
_PALM_M, _KNUCKLES_M = 0.085, 0.060
_FOOT_M, _ANKLE_M = 0.22, 0.052
# Weight by a length as a multiple of the expected one: rises from 0 to 1, stays, falls back to 0.
_RISE_FROM, _RISE_TO = 0.6, 0.95
_FALL_FROM, _FALL_TO = 1.8, 2.6


class EndOrientation(NamedTuple):
    """Global rotation of a hand or foot, and the weight to use it with, 0..1."""

    world: Quat
    weight: float


def hand_rotation(side: str, wrist: Vec3, index: Vec3, pinky: Vec3, size: float) -> EndOrientation:
    """The hand's orientation from wrist and knuckles; identity = T-pose, palm down.

    A lifter that does not know the knuckles' depth places them parallel to the image plane: they then come out too
    close to the wrist or to each other, which lowers the weight.

    Args:
        side: "left" or "right".
        wrist, index, pinky: Positions in metres, canonical axes.
        size: The person's size relative to a body 1.70 m tall.
    """
    forward = vec.sub(vec.midpoint(index, pinky), wrist)
    thumbward = vec.sub(index, pinky)
    x = vec.unit(forward if side == "left" else vec.scale(forward, -1.0))
    width = vec.reject(thumbward, x)
    z = vec.unit(width)
    weight = _weight(vec.norm(forward), _PALM_M * size) * _weight(vec.norm(width), _KNUCKLES_M * size)
    return _orientation(x, z, weight)


def foot_rotation(ankle: Vec3, heel: Vec3, toe: Vec3, size: float) -> EndOrientation:
    """The foot's orientation from ankle, heel and toe; identity = flat on the floor, toes along +Z.

    Arguments as for `hand_rotation`.
    """
    forward = vec.sub(toe, heel)
    z = vec.unit(forward)
    up = vec.reject(vec.sub(ankle, heel), z)
    weight = _weight(vec.norm(forward), _FOOT_M * size) * _weight(vec.norm(up), _ANKLE_M * size)
    return _orientation(vec.unit(vec.cross(up, z)), z, weight)


def _orientation(x: Vec3, z: Vec3, weight: float) -> EndOrientation:
    if weight <= 0:
        return EndOrientation(vec.IDENTITY_XYZW, 0.0)
    return EndOrientation(vec.from_axes(x, vec.cross(z, x), z), weight)


def _weight(length_m: float, expected_m: float) -> float:
    ratio = length_m / expected_m
    return vec.smoothstep(ratio, _RISE_FROM, _RISE_TO) * (1.0 - vec.smoothstep(ratio, _FALL_FROM, _FALL_TO))
