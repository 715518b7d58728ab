"""Trunk IK: rotations of hips, spine and chest from the hip and shoulder points."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Quat, Vec3

Points = dict[str, Vec3]

# Pelvic tilt by thigh flexion: `_TILT_GAIN` of what exceeds `_TILT_FROM_RAD`, up to `_MAX_TILT_RAD`; see `solve_trunk`.
_TILT_GAIN, _TILT_FROM_RAD, _MAX_TILT_RAD = 0.15, math.radians(10.0), math.radians(15.0)
_MAX_FLEXION_RAD = math.radians(130.0)
# Share by which the left-right line is made perpendicular to the trunk's line, where the two are not.
_HIPS_CORRECTION, _SHOULDERS_CORRECTION = 0.5, 0.25
_MIN_WIDTH_M = 0.01  # points closer together have no direction


@dataclass
class TrunkState:
    """State of one person's trunk.

    Attributes:
        up: Unit direction from the hips' midpoint to the shoulders'.
        tilt_rad: The pelvis's backward tilt from that line.
    """

    up: Vec3 = vec.Y
    tilt_rad: float = 0.0


class TrunkRotations(NamedTuple):
    """A trunk's rotations.

    Attributes:
        hips: Global rotation of the hips.
        spine, chest: Local rotations.
        chest_world: Global rotation of the chest.
        whole: Whether both hips and shoulders were visible.
    """

    hips: Quat
    spine: Quat
    chest: Quat
    chest_world: Quat
    whole: bool


def solve_trunk(
    points: Points, heights_m: tuple[float, float, float], held: tuple[Quat, Quat], ease: float, state: TrunkState
) -> TrunkRotations | None:
    """The trunk's rotations; None if neither hips nor shoulders are visible as a pair.

    The left-right lines of hips and shoulders are observed. The spine's flexion is not, but the pelvis follows the
    thighs: in CMU's clips of climbing, swinging and walking it tilts back from the trunk's line by 0.36 of the thighs'
    flexion, with a residual of 5 degrees instead of 12. Less than half of that is used, as it is not observed. Spine
    and chest share the bend evenly, so that the shoulders stay in place.

    Args:
        points: Visible points by name, in canonical axes.
        heights_m: Hips to spine, spine to chest, chest to the shoulders' midpoint.
        held: Local rotations of spine and chest to use while one end of the trunk is occluded.
        ease: Share by which occluded parts move towards the relaxed pose in this frame.
        state: The person's state; updated.
    """
    hips, shoulders = _pair(points, "hip"), _pair(points, "shoulder")
    if hips and shoulders:
        line = vec.sub(vec.midpoint(*shoulders), vec.midpoint(*hips))
        state.up = vec.unit(line) if vec.norm(line) > _MIN_WIDTH_M else state.up
    elif ease:
        state.up = vec.unit(vec.add_scaled(vec.scale(state.up, 1 - ease), vec.Y, ease))
    if not (hips and shoulders):
        return _solve_one_end(hips, shoulders, held, state)

    pelvis = _frame(vec.sub(*hips), state.up, _HIPS_CORRECTION)
    chest = _frame(vec.sub(*shoulders), state.up, _SHOULDERS_CORRECTION)
    state.tilt_rad = _tilt_rad(points, pelvis, state.tilt_rad)
    below, between, above = heights_m
    share = state.tilt_rad * (below + between + above) / max(between + 2 * above, 1e-6)
    pelvis = vec.multiply(pelvis, vec.from_axis_angle(vec.X, -state.tilt_rad))
    chest = vec.multiply(chest, vec.from_axis_angle(vec.X, 2 * share - state.tilt_rad))
    spine_local, chest_local = split_rotation(pelvis, chest, "spine", "chest")
    return TrunkRotations(pelvis, spine_local, chest_local, _chest_world(pelvis, spine_local, chest_local), True)


def split_rotation(base: Quat, end: Quat, lower: str, upper: str) -> tuple[Quat, Quat]:
    """Local rotations of two joints that share the rotation from `base` to `end` evenly, inside their limits."""
    half = vec.slerp(vec.IDENTITY_XYZW, vec.multiply(vec.inverse(base), end), 0.5)
    return JOINT_LIMITS[lower].clamp(half), JOINT_LIMITS[upper].clamp(half)


def _solve_one_end(
    hips: tuple[Vec3, Vec3] | None, shoulders: tuple[Vec3, Vec3] | None, held: tuple[Quat, Quat], state: TrunkState
) -> TrunkRotations | None:
    """The trunk from one visible end alone, without twist against the occluded one."""
    spine, chest = held
    if hips:
        pelvis = vec.multiply(
            _frame(vec.sub(*hips), state.up, _HIPS_CORRECTION), vec.from_axis_angle(vec.X, -state.tilt_rad)
        )
    elif shoulders:
        pelvis = vec.multiply(
            _frame(vec.sub(*shoulders), state.up, _SHOULDERS_CORRECTION), vec.inverse(vec.multiply(spine, chest))
        )
    else:
        return None
    return TrunkRotations(pelvis, spine, chest, _chest_world(pelvis, spine, chest), False)


def _chest_world(hips: Quat, spine: Quat, chest: Quat) -> Quat:
    return vec.multiply(vec.multiply(hips, spine), chest)


def _pair(points: Points, part: str) -> tuple[Vec3, Vec3] | None:
    """Left and right point of a part; None unless both are visible and apart."""
    left, right = points.get(f"left_{part}"), points.get(f"right_{part}")
    if left is None or right is None or vec.norm(vec.sub(left, right)) < _MIN_WIDTH_M:
        return None
    return left, right


def _frame(leftward: Vec3, up: Vec3, correction: float) -> Quat:
    """The global rotation with x along `leftward`, corrected towards perpendicular to `up`, and y closest to `up`."""
    x = vec.unit(leftward)
    x = vec.unit(vec.add_scaled(x, up, -correction * vec.dot(x, up)))
    y = max((vec.reject(axis, x) for axis in (up, vec.scale(vec.Y, 0.1), vec.scale(vec.Z, 0.1))), key=vec.norm)
    y = vec.unit(y)
    return vec.from_axes(x, y, vec.cross(x, y))


def _tilt_rad(points: Points, pelvis: Quat, before: float) -> float:
    """The pelvis's backward tilt from the trunk's line, by the visible thighs; `before` without any."""
    flexions = []
    for side in ("left", "right"):
        hip, knee = points.get(f"{side}_hip"), points.get(f"{side}_knee")
        if hip is not None and knee is not None:
            _, y, z = vec.rotate(vec.inverse(pelvis), vec.sub(knee, hip))
            flexions.append(min(math.atan2(max(z, 0.0), -y), _MAX_FLEXION_RAD))
    if not flexions:
        return before
    return min(_TILT_GAIN * max(sum(flexions) / len(flexions) - _TILT_FROM_RAD, 0.0), _MAX_TILT_RAD)
