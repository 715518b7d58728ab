"""The PoseFilter protocol, and what a filter is told beside the pose."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics, PersonKeypoints, SkeletonPose
from realtime_pose.utils.arrays import Float32, as_float32

_ANKLES = ("left_ankle", "right_ankle")


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the image shows of a person, for filters that hold the pose against it.

    Keypoints are sharper than the pose that a lifter and IK make of them.

    Attributes:
        ankle_rays: (2, 2) float32, the left and the right ankle in normalised image coordinates (x and y at distance 1
            along the camera's axis; canonical: x to the image's right, y up); NaN where the ankle is occluded.
    """

    ankle_rays: Float32

    @classmethod
    def of(cls, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> "Observation":
        """The observation behind these keypoints; a score of 0 means occluded."""
        rows = keypoints.layout.rows(_ANKLES)
        offset_px = keypoints.xy_px[rows].astype(np.float64) - (intrinsics.cx, intrinsics.cy)
        rays = offset_px / (intrinsics.fx, -intrinsics.fy)
        rays[keypoints.score[rows] <= 0] = np.nan
        return cls(as_float32(rays))


class PoseFilter(Protocol):
    """Changes a pose by what earlier poses and the image say: occlusion, smoothing, floor, feet."""

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The filtered pose.

        Args:
            pose: The pose; its `time_ns` drives the filter, never a clock or a frame count.
            observation: What the image shows of the person; None if only the pose is known, as in a replay.
        """
        ...

    def forget(self, track_id: int) -> None:
        """Drop one person's state: the next pose under this id is a new person's. What is known of the scene stays."""
        ...
