"""How hands and feet turn, where the layout has points of them."""

from typing import NamedTuple

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

# Of a body 1.70 m tall: wrist to the knuckles' middle, index to little finger, heel to toe, ankle over the sole.
_PALM_M, _KNUCKLES_M = 0.085, 0.060
_FOOT_M, _ANKLE_M = 0.22, 0.052
_LITTLE, _MOST = 0.6, 0.95  # share of a length: what shows less of it says nothing of a turn, what shows more says all
_TOO_LONG, _ABSURD = 1.8, 2.6


class End(NamedTuple):
    """A hand's or foot's own turn, and how far to believe it, 0 to 1."""

    world: Quat
    trust: float


def hand_rotation(side: str, wrist: Vec3, index: Vec3, pinky: Vec3, size: float) -> End:
    """The hand's turn from wrist and knuckles; identity = T-pose, palm down.

    A lifter that does not know how deep the knuckles are puts them into the picture's plane: they then come out too
    near to the wrist or to each other, and are believed the less.

    Args:
        side: "left" or "right".
        wrist, index, pinky: Where they are.
        size: The person's, as a share of a body 1.70 m tall.
    """
    forward = vec.sub(vec.midpoint(index, pinky), wrist)
    thumbward = vec.sub(index, pinky)
    x = vec.unit(forward if side == "left" else vec.scale(forward, -1.0))
    aside = vec.reject(thumbward, x)
    z = vec.unit(aside)
    trust = _trust(vec.norm(forward), _PALM_M * size) * _trust(vec.norm(aside), _KNUCKLES_M * size)
    return _end(x, z, trust)


def foot_rotation(ankle: Vec3, heel: Vec3, toe: Vec3, size: float) -> End:
    """The foot's turn from ankle, heel and toe; identity = flat on the floor, toes along +Z. Sizes as for a hand."""
    forward = vec.sub(toe, heel)
    z = vec.unit(forward)
    up = vec.reject(vec.sub(ankle, heel), z)
    trust = _trust(vec.norm(forward), _FOOT_M * size) * _trust(vec.norm(up), _ANKLE_M * size)
    return _end(vec.unit(vec.cross(up, z)), z, trust)


def _end(x: Vec3, z: Vec3, trust: float) -> End:
    return End(vec.from_axes(x, vec.cross(z, x), z), trust) if trust > 0 else End(vec.IDENTITY_XYZW, 0.0)


def _trust(shown_m: float, expected_m: float) -> float:
    share = shown_m / expected_m
    return vec.smoothstep(share, _LITTLE, _MOST) * (1.0 - vec.smoothstep(share, _TOO_LONG, _ABSURD))
