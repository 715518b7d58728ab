"""Leg IK: an analytic two-bone chain from hip to ankle, with the knee bending forward."""

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from tools.actor.body.measures import Measures

_X, _Y = np.eye(3)[:2]


STRETCH = 0.992
"""Longest reach of a standing leg, as a share of its length: near full extension the knee angle is too sensitive."""


def solve_leg(body: Measures, hip_m: Float64, ankle_m: Float64, yaw_rad: Float64) -> tuple[Float64, Float64]:
    """Global rotations (T, 4) of thigh and shank that place the ankle at `ankle_m` (T, 3).

    An ankle out of reach is moved towards the hip. The knee's hinge axis stays as near as possible to the body's left
    at `yaw_rad` (T,), so the knee points in that direction.

    Source: the law of cosines in the triangle hip, knee, ankle.
    """
    hip_to_ankle = ankle_m - hip_m
    direction = rot.unit(hip_to_ankle)
    distance = np.minimum(np.linalg.norm(hip_to_ankle, axis=-1), 0.9995 * (body.thigh_m + body.shank_m))
    left = rot.rotate(rot.from_axis_angle(_Y, yaw_rad), _X)
    hinge = rot.unit(left - np.sum(left * direction, axis=-1, keepdims=True) * direction)
    at_hip = np.arccos((body.thigh_m**2 + distance**2 - body.shank_m**2) / (2 * body.thigh_m * distance))
    at_knee = np.arccos((body.thigh_m**2 + body.shank_m**2 - distance**2) / (2 * body.thigh_m * body.shank_m))
    straight = rot.from_matrix(np.stack((hinge, -direction, np.cross(hinge, -direction)), axis=-1))
    thigh = rot.multiply(straight, rot.from_axis_angle(_X, -at_hip))
    return thigh, rot.multiply(thigh, rot.from_axis_angle(_X, np.pi - at_knee))


def free_ankle(body: Measures, hip_m: Float64, upright_xyzw: Float64, hip_rad: Float64, knee_rad: Float64) -> Float64:
    """The ankle (T, 3) of a free leg: thigh raised forward by `hip_rad`, knee bent by `knee_rad`."""
    thigh = rot.multiply(upright_xyzw, rot.from_axis_angle(_X, -hip_rad))
    shank = rot.multiply(thigh, rot.from_axis_angle(_X, knee_rad))
    return hip_m - body.thigh_m * rot.rotate(thigh, _Y) - body.shank_m * rot.rotate(shank, _Y)
