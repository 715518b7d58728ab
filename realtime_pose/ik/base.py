"""The IkSolver protocol."""

from typing import Protocol

from realtime_pose.datatypes import Joints3D, SkeletonPose


class IkSolver(Protocol):
    """Turns points in space into joint rotations of a skeleton."""

    def solve(self, joints: Joints3D) -> SkeletonPose:
        """Unit local rotations inside the joint limits, without sign flips between a person's frames."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop the state of one person; the next answer equals a fresh solver's."""
        ...
