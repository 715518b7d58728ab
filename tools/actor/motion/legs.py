"""The actor's legs: a two-bone chain from hip to ankle, solved exactly, the knee bending forward."""

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from tools.actor.body.measures import Measures

_X, _Y = np.eye(3)[:2]


STRETCH = 0.992
"""How much of its length a leg that stands uses: near a locked knee small moves of the foot would whip the knee."""


def bend(body: Measures, hip_m: Float64, ankle_m: Float64, yaw_rad: Float64) -> tuple[Float64, Float64]:
    """Global turns (T, 4) of thigh and shank that put the ankle (T, 3) where it is wanted.

    An ankle out of reach is drawn nearer to the hip. The knee's hinge stays as near as it can to the body's left
    as `yaw_rad` (T,) has it, so the knee points where `yaw_rad` points.

    Source: the law of cosines in the triangle hip, knee, ankle.
    """
    way = ankle_m - hip_m
    along = rot.unit(way)
    distance = np.minimum(np.linalg.norm(way, axis=-1), 0.9995 * (body.thigh_m + body.shank_m))
    left = rot.rotate(rot.from_axis_angle(_Y, yaw_rad), _X)
    hinge = rot.unit(left - np.sum(left * along, axis=-1, keepdims=True) * along)
    at_hip = np.arccos((body.thigh_m**2 + distance**2 - body.shank_m**2) / (2 * body.thigh_m * distance))
    at_knee = np.arccos((body.thigh_m**2 + body.shank_m**2 - distance**2) / (2 * body.thigh_m * body.shank_m))
    straight = rot.from_matrix(np.stack((hinge, -along, np.cross(hinge, -along)), axis=-1))
    thigh = rot.multiply(straight, rot.from_axis_angle(_X, -at_hip))
    return thigh, rot.multiply(thigh, rot.from_axis_angle(_X, np.pi - at_knee))


def free_ankle(body: Measures, hip_m: Float64, upright_xyzw: Float64, hip_rad: Float64, knee_rad: Float64) -> Float64:
    """Where the ankle (T, 3) of a leg in the air is: thigh raised forward by `hip_rad`, knee bent by `knee_rad`."""
    thigh = rot.multiply(upright_xyzw, rot.from_axis_angle(_X, -hip_rad))
    shank = rot.multiply(thigh, rot.from_axis_angle(_X, knee_rad))
    return hip_m - body.thigh_m * rot.rotate(thigh, _Y) - body.shank_m * rot.rotate(shank, _Y)
