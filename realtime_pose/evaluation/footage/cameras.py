"""The directions in a camera that poses are measured by."""

import numpy as np

from realtime_pose.datatypes import SceneCamera
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


def up_of(camera: SceneCamera) -> Float64:
    """(3,) the direction against gravity in the camera's canonical axes."""
    return rot.rotate(rot.inverse(camera.rotation_xyzw), np.array([0.0, 1.0, 0.0]))


def depth_m(camera: SceneCamera, world_m: Float64) -> Float64:
    """Distances (...) of world points (..., 3) from the camera along its axis."""
    return -rot.rotate(rot.inverse(camera.rotation_xyzw), world_m - camera.position_m)[..., 2]


def heading_of(camera: SceneCamera) -> tuple[Float64, Float64]:
    """Horizontal world directions (3,): to the image's right, and from the scene to the camera."""
    right, towards = (rot.rotate(camera.rotation_xyzw, np.array(axis)) for axis in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)))
    flat = np.array([1.0, 0.0, 1.0])
    towards = rot.unit(towards * flat)
    right = right * flat
    return rot.unit(right - towards * float(right @ towards)), towards
