"""The pipeline's camera at a moment, and the directions in it that poses are measured by."""

import numpy as np

from realtime_pose.body_pipeline import BodyPipeline
from realtime_pose.datatypes import CameraIntrinsics, SceneCamera
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


def camera_now(body: BodyPipeline, intrinsics: CameraIntrinsics) -> SceneCamera:
    """The camera in the world of the newest poses; at the origin and level where there is none."""
    found = None if body.filters is None else body.filters.floor.camera(intrinsics)
    if found is not None:
        return found
    return SceneCamera(intrinsics.fov_deg, intrinsics.width, intrinsics.height, np.zeros(3), rot.IDENTITY_XYZW.copy())


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
