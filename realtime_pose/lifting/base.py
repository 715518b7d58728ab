"""The Lifter protocol."""

from typing import Protocol

from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints


class Lifter(Protocol):
    """Places 2D keypoints in space. Causal: an answer depends on this and earlier frames only."""

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D; score 0 means not seen. State is kept for each `track_id`, time is the data's."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop the state of one person; the next answer equals a fresh lifter's."""
        ...
