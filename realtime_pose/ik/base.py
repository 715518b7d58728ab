"""The IkSolver protocol."""

from typing import Protocol

from realtime_pose.datatypes import Joints3D, SkeletonPose


class IkSolver(Protocol):
    """Computes joint rotations of a skeleton from 3D points."""

    def solve(self, joints: Joints3D) -> SkeletonPose:
        """The pose: unit local rotations inside the joint limits, without sign flips between a person's frames."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop the state of one person; the next result equals a new solver's."""
        ...
