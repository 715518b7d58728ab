"""Hips, spine and chest from the four corners of a trunk, and how a trunk bends that shows only its corners."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

Points = dict[str, Vec3]

_CURVE_GAIN, _CURVE_FROM_RAD, _CURVE_MOST_RAD = 0.15, math.radians(10.0), math.radians(15.0)
_THIGH_MOST_RAD = math.radians(130.0)
_HIPS_GIVE_WAY, _SHOULDERS_GIVE_WAY = 0.5, 0.25
_LEAST_WIDTH_M = 0.01  # hips or shoulders that coincide say nothing


@dataclass
class TrunkState:
    """What is remembered of one person's trunk.

    Attributes:
        up: Unit, from the hips' middle to the shoulders'.
        curve_rad: How far the pelvis leans back from that line.
    """

    up: Vec3 = vec.Y
    curve_rad: float = 0.0


class Trunk(NamedTuple):
    """A trunk's turns: the hips' own, the two joints' in their parents' space, and the chest's own.

    `whole` says whether both its ends were seen.
    """

    hips: Quat
    spine: Quat
    chest: Quat
    chest_world: Quat
    whole: bool


def solve_trunk(
    points: Points, heights_m: tuple[float, float, float], held: tuple[Quat, Quat], ease: float, memory: TrunkState
) -> Trunk | None:
    """The trunk's turns; None where neither hips nor shoulders were seen as a pair.

    Hips and shoulders give their own lines exactly. The back's bend to the front does not show in them, but a pelvis
    follows the thighs: in CMU's clips of climbing, swinging and walking it leans back from the trunk's line by
    0.36 of their flexion against that line, with 5 degrees left unexplained instead of 12. Less than half of that is
    taken, as nothing of it is seen, and spread evenly over spine and chest so that the shoulders stay where they are.

    Args:
        points: What was seen, in canonical axes.
        heights_m: Hips to spine, spine to chest, chest to the shoulders' middle.
        held: Local turns of spine and chest where one end of the trunk is hidden.
        ease: Share by which what is not seen goes back to a body at ease in this frame.
        memory: The person's; brought up to date.
    """
    hips, shoulders = _pair(points, "hip"), _pair(points, "shoulder")
    if hips and shoulders:
        line = vec.sub(vec.midpoint(*shoulders), vec.midpoint(*hips))
        memory.up = vec.unit(line) if vec.norm(line) > _LEAST_WIDTH_M else memory.up
    elif ease:
        memory.up = vec.unit(vec.add_scaled(vec.scale(memory.up, 1 - ease), vec.Y, ease))
    if not (hips and shoulders):
        return _of_one_end(hips, shoulders, held, memory)

    pelvis = _frame(vec.sub(*hips), memory.up, _HIPS_GIVE_WAY)
    chest = _frame(vec.sub(*shoulders), memory.up, _SHOULDERS_GIVE_WAY)
    memory.curve_rad = _curve_rad(points, pelvis, memory.curve_rad)
    below, between, above = heights_m
    share = memory.curve_rad * (below + between + above) / max(between + 2 * above, 1e-6)
    pelvis = vec.multiply(pelvis, vec.from_axis_angle(vec.X, -memory.curve_rad))
    chest = vec.multiply(chest, vec.from_axis_angle(vec.X, 2 * share - memory.curve_rad))
    spine_local, chest_local = halve_turn(pelvis, chest, "spine", "chest")
    return Trunk(pelvis, spine_local, chest_local, _chain(pelvis, spine_local, chest_local), True)


def halve_turn(base: Quat, turn: Quat, lower: str, upper: str) -> tuple[Quat, Quat]:
    """The way from one turn to another as two joints in a row take it, each half of it and inside its limits."""
    half = vec.slerp(vec.IDENTITY_XYZW, vec.multiply(vec.inverse(base), turn), 0.5)
    return JOINT_LIMITS[lower].clamp(half), JOINT_LIMITS[upper].clamp(half)


def _of_one_end(
    hips: tuple[Vec3, Vec3] | None, shoulders: tuple[Vec3, Vec3] | None, held: tuple[Quat, Quat], memory: TrunkState
) -> Trunk | None:
    """One end alone turns the whole trunk: a body cut off by a desk does not twist against its hidden hips."""
    spine, chest = held
    if hips:
        pelvis = vec.multiply(
            _frame(vec.sub(*hips), memory.up, _HIPS_GIVE_WAY), vec.from_axis_angle(vec.X, -memory.curve_rad)
        )
    elif shoulders:
        pelvis = vec.multiply(
            _frame(vec.sub(*shoulders), memory.up, _SHOULDERS_GIVE_WAY), vec.inverse(vec.multiply(spine, chest))
        )
    else:
        return None
    return Trunk(pelvis, spine, chest, _chain(pelvis, spine, chest), False)


def _chain(hips: Quat, spine: Quat, chest: Quat) -> Quat:
    return vec.multiply(vec.multiply(hips, spine), chest)


def _pair(points: Points, part: str) -> tuple[Vec3, Vec3] | None:
    """Left and right point of a part; None unless both were seen, apart from each other."""
    left, right = points.get(f"left_{part}"), points.get(f"right_{part}")
    if left is None or right is None or vec.norm(vec.sub(left, right)) < _LEAST_WIDTH_M:
        return None
    return left, right


def _frame(leftward: Vec3, up: Vec3, give_way: float) -> Quat:
    """The turn of a trunk part: its left there, but for a share of what `up` is not at right angles to it."""
    x = vec.unit(leftward)
    x = vec.unit(vec.add_scaled(x, up, -give_way * vec.dot(x, up)))
    y = max((vec.reject(way, x) for way in (up, vec.scale(vec.Y, 0.1), vec.scale(vec.Z, 0.1))), key=vec.norm)
    y = vec.unit(y)
    return vec.from_axes(x, y, vec.cross(x, y))


def _curve_rad(points: Points, pelvis: Quat, before: float) -> float:
    """How far the pelvis leans back from the trunk's line, from the thighs that are seen; as before without any."""
    flexions = []
    for side in ("left", "right"):
        hip, knee = points.get(f"{side}_hip"), points.get(f"{side}_knee")
        if hip is not None and knee is not None:
            _, y, z = vec.rotate(vec.inverse(pelvis), vec.sub(knee, hip))
            flexions.append(min(math.atan2(max(z, 0.0), -y), _THIGH_MOST_RAD))
    if not flexions:
        return before
    return min(_CURVE_GAIN * max(sum(flexions) / len(flexions) - _CURVE_FROM_RAD, 0.0), _CURVE_MOST_RAD)
