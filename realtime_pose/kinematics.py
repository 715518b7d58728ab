"""Forward kinematics: from rotations and bone lengths to joint positions."""

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


def global_rotations(skeleton: Skeleton, local_xyzw: npt.ArrayLike) -> Float64:
    """Global rotations (..., J, 4) in canonical space from local ones (..., J, 4) in the parent's space."""
    local = np.asarray(local_xyzw, dtype=np.float64)
    out = local.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[..., joint, :] = rot.multiply(out[..., parent, :], local[..., joint, :])
    return out


def local_rotations(skeleton: Skeleton, global_xyzw: npt.ArrayLike) -> Float64:
    """The inverse of `global_rotations`: (..., J, 4) -> (..., J, 4)."""
    given = np.asarray(global_xyzw, dtype=np.float64)
    out = given.copy()
    children = [j for j, parent in enumerate(skeleton.parents) if parent >= 0]
    of_parents = given[..., [skeleton.parents[j] for j in children], :]
    out[..., children, :] = rot.multiply(rot.inverse(of_parents), given[..., children, :])
    return out


class GlobalPose(NamedTuple):
    """Joints in canonical space: positions `joints_m` (..., J, 3) and rotations `global_xyzw` (..., J, 4)."""

    joints_m: Float64
    global_xyzw: Float64


def global_pose(
    skeleton: Skeleton, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike, bone_m: npt.ArrayLike
) -> GlobalPose:
    """Positions and global rotations of the joints, in the space that `root_m` is in.

    Args:
        skeleton: The tree; its rest directions are used, its rest lengths are not.
        local_xyzw: (..., J, 4) local rotations.
        root_m: (..., 3) position of the root joint.
        bone_m: (..., J) length from parent to joint; the root's is ignored.
    """
    rotations = global_rotations(skeleton, local_xyzw)
    offsets = skeleton.rest_direction * np.asarray(bone_m, dtype=np.float64)[..., None]
    joints = np.empty((*rotations.shape[:-1], 3))
    joints[..., 0, :] = root_m
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            bone = rot.rotate(rotations[..., parent, :], offsets[..., joint, :])
            joints[..., joint, :] = joints[..., parent, :] + bone
    return GlobalPose(joints, rotations)


def joint_positions(
    skeleton: Skeleton, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike, bone_m: npt.ArrayLike
) -> Float64:
    """Positions (..., J, 3) of the joints; arguments as for `global_pose`."""
    return global_pose(skeleton, local_xyzw, root_m, bone_m).joints_m


class _LatestPoses:
    """Cache of the latest poses' forward kinematics, shared by all sinks of a frame.

    Poses are immutable and are looked up by identity; each cached one is kept alive, so that its id is not reused.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[int, tuple[SkeletonPose, GlobalPose]] = OrderedDict()

    def of(self, pose: SkeletonPose) -> GlobalPose:
        with self._lock:
            known = self._known.get(id(pose))
        if known is not None:
            return known[1]
        made = global_pose(pose.rotations.skeleton, pose.rotations.local_xyzw, pose.root_m, pose.bone_m)
        for array in made:
            array.setflags(write=False)  # shared by all callers
        with self._lock:
            self._known[id(pose)] = pose, made
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


_latest_poses = _LatestPoses(32)  # more people than a frame has


def global_pose_of(pose: SkeletonPose) -> GlobalPose:
    """The pose's joints in canonical space, (J, 3) and (J, 4), read-only; computed once while the pose is recent."""
    return _latest_poses.of(pose)


def forward_kinematics(pose: SkeletonPose) -> Float64:
    """Positions (J, 3) of the pose's joints, root included, canonical axes, metres; a new array."""
    return global_pose_of(pose).joints_m.copy()
