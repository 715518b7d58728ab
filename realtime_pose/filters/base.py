"""The PoseFilter protocol, and the observation that filters get beside the pose."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints, SkeletonPose
from realtime_pose.utils.arrays import Float32, as_float32

_ANKLES = ("left_ankle", "right_ankle")


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Observation of a person in the image, for filters that compare the pose with it.

    Keypoints are more precise than the pose that a lifter and IK make of them.

    Attributes:
        ankle_rays: (2, 2) float32, the left and the right ankle in normalised image coordinates (x and y at distance 1
            along the camera's axis; canonical: x to the image's right, y up); NaN where the ankle is occluded.
        contact: (2, 2) float32 probability that heel and toe of the left and of the right foot stand; None if unknown.
    """

    ankle_rays: Float32
    contact: Float32 | None = None

    @classmethod
    def of(
        cls, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, joints: Joints3D | None = None
    ) -> "Observation":
        """The observation behind these keypoints and what was lifted from them; a score of 0 means occluded."""
        rows = keypoints.layout.rows(_ANKLES)
        offset_px = keypoints.xy_px[rows].astype(np.float64) - (intrinsics.cx, intrinsics.cy)
        rays = offset_px / (intrinsics.fx, -intrinsics.fy)
        rays[keypoints.score[rows] <= 0] = np.nan
        return cls(as_float32(rays), None if joints is None else joints.contact)


class PoseFilter(Protocol):
    """Filters poses by earlier poses and the image: occlusion, smoothing, floor, feet."""

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The filtered pose.

        Args:
            pose: The pose; its `time_ns` drives the filter, never a clock or a frame count.
            observation: The person in the image; None if only the pose is known, as in a replay.
        """
        ...

    def forget(self, track_id: int) -> None:
        """Drop one person's state; the next pose with this id is a new person's. The state of the scene stays."""
        ...
