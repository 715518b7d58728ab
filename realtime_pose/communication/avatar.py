"""What protocols for avatars need of a result: whose body it is, and that body in the space that is sent."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.axes import mirrored_positions, mirrored_rotations
from realtime_pose.datatypes import FrameResult, Person, SkeletonPose
from realtime_pose.kinematics import global_pose_of
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64

_GONE_NS = 500_000_000
_MAX_M = 99.0  # far outside of any room


@dataclass(frozen=True, eq=False)
class Body:
    """A pose as it is sent: canonical axes, metres.

    Attributes:
        skeleton: The tree.
        local_xyzw: (J, 4) local rotations.
        offset_m: (J, 3) from the parent at rest, of this person's own bone lengths; the root's is where it stands.
    """

    skeleton: Skeleton
    local_xyzw: Float64
    offset_m: Float64
    _pose: SkeletonPose
    _mirror: bool

    def joints_in_space(self) -> tuple[Float64, Float64]:
        """Positions of the joints (J, 3), and their global rotations in canonical space (J, 4)."""
        xyz, turned = global_pose_of(self._pose)
        if self._mirror:
            xyz, turned = mirrored_positions(self.skeleton, xyz), mirrored_rotations(self.skeleton, turned)
        return xyz + (self.offset_m[0] - xyz[0]), turned  # the sent root is clipped


def body_of(pose: SkeletonPose | None, *, mirror: bool) -> Body | None:
    """The body of a pose; None where there is none, or where it is not finite."""
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
    return Body(skeleton, local, np.clip(offset, -_MAX_M, _MAX_M), pose, mirror)


class OnePerson:
    """Chooses for protocols that know one body: who was shown last, while they are there; then the first with a pose.

    Somebody who was out of sight for half a second of media time is gone.
    """

    def __init__(self) -> None:
        self._shown: int | None = None
        self._seen_ns = 0

    def of(self, result: FrameResult) -> Person | None:
        """The one person of this frame, or None."""
        now_ns = result.frame.time_ns
        shown = next((p for p in result.people if p.keypoints.track_id == self._shown), None)
        if shown is None and (self._shown is None or not 0 <= now_ns - self._seen_ns < _GONE_NS):
            shown = next((p for p in result.people if p.pose is not None), None)
        if shown is not None:
            self._shown, self._seen_ns = shown.keypoints.track_id, now_ns
        return shown
