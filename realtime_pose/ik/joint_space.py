"""Joint-space coordinates: a joint's rotation as three angles in which its limits are convex.

Interpolation between two allowed rotations therefore stays allowed, whereas the shortest rotation between them may
pass through the body. A ball joint has the angles of its bone's direction from the cone's axis, up and to the side, and
its twist; a hinge has bend and twist.
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
    """The three angles in rad of a local rotation of the joint in that row of HUMANOID; not for the hips."""
    limits = _LIMITS[row]
    if isinstance(limits, HingeLimits):
        bend, twist = limits.decompose(local)
        return (bend, twist, 0.0)
    assert isinstance(limits, BallLimits)
    direction, twist = limits.decompose(local)
    up, side = vec.dot(direction, limits.up_axis), vec.dot(direction, vec.cross(limits.cone_axis, limits.up_axis))
    sine = math.hypot(up, side)
    scale = math.atan2(sine, vec.dot(direction, limits.cone_axis)) / sine if sine > 1e-9 else 1.0
    return (scale * up, scale * side, twist)


def from_joint_angles(row: int, angles: Vec3) -> Quat:
    """The inverse of `to_joint_angles`."""
    limits = _LIMITS[row]
    a, b, twist = angles
    if isinstance(limits, HingeLimits):
        return limits.compose(a, b)
    assert isinstance(limits, BallLimits)
    angle = math.hypot(a, b)
    scale = math.sin(angle) / angle if angle > 1e-9 else 1.0
    outward = vec.add_scaled(
        vec.scale(limits.up_axis, a * scale), vec.cross(limits.cone_axis, limits.up_axis), b * scale
    )
    direction = vec.unit(vec.add_scaled(outward, limits.cone_axis, math.cos(angle)))
    return limits.compose(direction, twist)


def clamp_to_limits(local_xyzw: Float64, which: Bool) -> Float64:
    """Local rotations (J, 4) of HUMANOID with the rows of the mask `which` (J,) clamped to their joint limits."""
    rows = [row for row in np.flatnonzero(which).tolist() if row in _LIMITS]
    if not rows:
        return local_xyzw
    local_xyzw = local_xyzw.copy()
    for row in rows:
        x, y, z, w = local_xyzw[row].tolist()
        local_xyzw[row] = _LIMITS[row].clamp((x, y, z, w))
    return local_xyzw
