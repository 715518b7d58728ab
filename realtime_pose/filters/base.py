"""The PoseFilter protocol."""

from typing import Protocol

from realtime_pose.datatypes import SkeletonPose


class PoseFilter(Protocol):
    """Changes a pose in the light of earlier ones: smoothing, feet."""

    def apply(self, pose: SkeletonPose) -> SkeletonPose:
        """The filtered pose; driven by `time_ns`, never by a clock or a frame count."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop the state of one person; the next answer equals a fresh filter's."""
        ...
