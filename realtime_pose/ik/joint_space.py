"""A joint's rotation as three angles in which its limits are convex: what lies between two allowed turns is allowed.

A bone's direction is measured along the arc from the middle of those it can take, up and to the side, and its spin
against that arc; a hinge by bend and spin. The shortest turn from one to the other may lead through the body's back.
"""

import math

import numpy as np

from realtime_pose.ik.limits import JOINT_LIMITS, BallLimits, HingeLimits
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, Float64
from realtime_pose.utils.vec3 import Quat, Vec3

_LIMITS = {HUMANOID.index[joint]: limits for joint, limits in JOINT_LIMITS.items()}


def to_joint_angles(row: int, local: Quat) -> Vec3:
    """The three angles in rad of a local rotation of HUMANOID's joint in that row; the hips have none."""
    limits = _LIMITS[row]
    if isinstance(limits, HingeLimits):
        bend, twist = limits.decompose(local)
        return (bend, twist, 0.0)
    assert isinstance(limits, BallLimits)
    direction, twist = limits.decompose(local)
    up, side = vec.dot(direction, limits.up_axis), vec.dot(direction, vec.cross(limits.cone_axis, limits.up_axis))
    sine = math.hypot(up, side)
    away = math.atan2(sine, vec.dot(direction, limits.cone_axis)) / sine if sine > 1e-9 else 1.0
    return (away * up, away * side, twist)


def from_joint_angles(row: int, angles: Vec3) -> Quat:
    """The inverse of `to_joint_angles`."""
    limits = _LIMITS[row]
    a, b, twist = angles
    if isinstance(limits, HingeLimits):
        return limits.compose(a, b)
    assert isinstance(limits, BallLimits)
    away = math.hypot(a, b)
    part = math.sin(away) / away if away > 1e-9 else 1.0
    outward = vec.add_scaled(vec.scale(limits.up_axis, a * part), vec.cross(limits.cone_axis, limits.up_axis), b * part)
    direction = vec.unit(vec.add_scaled(outward, limits.cone_axis, math.cos(away)))
    return limits.compose(direction, twist)


def clamp_to_limits(local_xyzw: Float64, which: Bool) -> Float64:
    """Local rotations (J, 4) of HUMANOID, those in the rows `which` drawn back to what their joints can do."""
    rows = [row for row in np.flatnonzero(which).tolist() if row in _LIMITS]
    if not rows:
        return local_xyzw
    local_xyzw = local_xyzw.copy()
    for row in rows:
        x, y, z, w = local_xyzw[row].tolist()
        local_xyzw[row] = _LIMITS[row].clamp((x, y, z, w))
    return local_xyzw
