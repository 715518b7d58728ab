"""Scene camera: where the pipeline believes its camera to be, and world poses put back through it."""

import math
from dataclasses import dataclass

import numpy as np

from realtime_pose.body_pipeline import BodyPipeline
from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_NEAREST_M = 0.05  # a point nearer than this, or behind the camera, is projected as if it were this far away


@dataclass(frozen=True, eq=False)
class SceneCamera:
    """The camera of one frame, in the world of that frame's poses.

    Attributes:
        intrinsics: Focal lengths and centre, px.
        world_from_camera_xyzw: (4,) the rotation of poses from camera axes (canonical: -Z is forward) to world axes.
        position_m: (3,) its place in the world; y is its height over the floor.
    """

    intrinsics: CameraIntrinsics
    world_from_camera_xyzw: Float64
    position_m: Float64

    @classmethod
    def of(cls, body: BodyPipeline, intrinsics: CameraIntrinsics) -> "SceneCamera":
        """The camera that the 3D stages assume now; without filters, poses are in camera axes already."""
        if body.filters is None:
            return cls(intrinsics, rot.IDENTITY_XYZW, np.zeros(3))
        return cls(intrinsics, body.filters.world_from_camera_xyzw, body.filters.floor.camera_m)

    def in_camera_axes(self, world_m: Float64) -> Float64:
        """World points (..., 3) relative to the camera, in its canonical axes."""
        return rot.rotate(rot.inverse(self.world_from_camera_xyzw), world_m - self.position_m)

    def project(self, world_m: Float64) -> Float64:
        """Pixels (..., 2) of world points (..., 3)."""
        x, y, z = np.moveaxis(self.in_camera_axes(world_m), -1, 0)
        depth_m, camera = np.maximum(-z, _NEAREST_M), self.intrinsics
        return np.stack((camera.cx + camera.fx * x / depth_m, camera.cy - camera.fy * y / depth_m), axis=-1)

    @property
    def up(self) -> Float64:
        """(3,) the direction against gravity in the camera's canonical axes."""
        return rot.rotate(rot.inverse(self.world_from_camera_xyzw), np.array([0.0, 1.0, 0.0]))

    @property
    def pitch_deg(self) -> float:
        """Angle of the view over the horizon; negative where the camera looks down."""
        return math.degrees(math.asin(float(np.clip(-self.up[2], -1.0, 1.0))))

    @property
    def roll_deg(self) -> float:
        """Angle by which the world leans to the image's right."""
        x, y, _ = self.up
        return math.degrees(math.atan2(float(x), float(y)))

    @property
    def heading(self) -> tuple[Float64, Float64]:
        """Horizontal world directions (3,): to the image's right, and from the scene to the camera."""
        right = rot.rotate(self.world_from_camera_xyzw, np.array([1.0, 0.0, 0.0])) * (1.0, 0.0, 1.0)
        towards = rot.rotate(self.world_from_camera_xyzw, np.array([0.0, 0.0, 1.0])) * (1.0, 0.0, 1.0)
        towards = rot.unit(towards)
        return rot.unit(right - towards * float(right @ towards)), towards
