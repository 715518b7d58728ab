"""The Lifter protocol."""

from typing import Protocol

from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints


class Lifter(Protocol):
    """Lifts 2D keypoints to 3D. Causal: the result depends on this and earlier frames only."""

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D; score 0 marks a guessed point. State is kept per `track_id`; time is `time_ns`."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop the state of one person; the next result equals that of a new lifter with the same camera's attitude."""
        ...
