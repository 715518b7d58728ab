"""Avatar data for protocols that send bones: a pose as local rotations and offsets, and the choice of one person."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.axes import mirrored_positions, mirrored_rotations
from realtime_pose.datatypes import FrameResult, Person, SkeletonPose
from realtime_pose.kinematics import global_pose_of
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64

_LOST_AFTER_NS = 500_000_000
_MAX_M = 99.0  # far outside of any room


@dataclass(frozen=True, eq=False)
class AvatarPose:
    """One person's pose as bones with offsets, in canonical axes.

    Attributes:
        skeleton: Names and parents of the J joints.
        local_xyzw: (J, 4) local rotations.
        offset_m: (J, 3) rest offset from the parent, with this person's bone lengths; the root's is its position.
    """

    skeleton: Skeleton
    local_xyzw: Float64
    offset_m: Float64
    _pose: SkeletonPose
    _mirror: bool

    def global_joints(self) -> tuple[Float64, Float64]:
        """Joint positions (J, 3) in metres and global rotations (J, 4), both in canonical axes."""
        xyz_m, global_xyzw = global_pose_of(self._pose)
        if self._mirror:
            xyz_m = mirrored_positions(self.skeleton, xyz_m)
            global_xyzw = mirrored_rotations(self.skeleton, global_xyzw)
        return xyz_m + (self.offset_m[0] - xyz_m[0]), global_xyzw  # the sent root is clipped


def avatar_pose(pose: SkeletonPose | None, *, mirror: bool) -> AvatarPose | None:
    """The avatar pose of a skeleton pose; None without a pose, or if it holds NaN or infinity."""
    if pose is None:
        return None
    skeleton = pose.rotations.skeleton
    local = pose.rotations.local_xyzw.astype(np.float64)
    offset = skeleton.rest_direction * pose.bone_m[:, None]
    offset[0] = pose.root_m
    if not (np.all(np.isfinite(local)) and np.all(np.isfinite(offset))):
        return None
    if mirror:
        local, offset = mirrored_rotations(skeleton, local), mirrored_positions(skeleton, offset)
    return AvatarPose(skeleton, local, np.clip(offset, -_MAX_M, _MAX_M), pose, mirror)


class PersonSelector:
    """Selects the one person for protocols that carry a single avatar.

    The selected person stays selected until they have been missing for half a second of media time; then the first
    person with a pose is selected.
    """

    def __init__(self) -> None:
        self._selected_id: int | None = None
        self._last_seen_ns = 0

    def select(self, result: FrameResult) -> Person | None:
        """The selected person in this frame; None if nobody is selected or they are missing."""
        now_ns = result.frame.time_ns
        selected = next((p for p in result.people if p.keypoints.track_id == self._selected_id), None)
        is_lost = self._selected_id is None or not 0 <= now_ns - self._last_seen_ns < _LOST_AFTER_NS
        if selected is None and is_lost:
            selected = next((p for p in result.people if p.pose is not None), None)
        if selected is not None:
            self._selected_id, self._last_seen_ns = selected.keypoints.track_id, now_ns
        return selected
