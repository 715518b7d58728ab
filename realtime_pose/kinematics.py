"""Forward kinematics: rotations and bone lengths in, joint positions out."""

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


def global_rotations(skeleton: Skeleton, local_xyzw: npt.ArrayLike) -> Float64:
    """Each joint's turn in canonical space (..., J, 4), from its turn in the parent's space (..., J, 4)."""
    local = np.asarray(local_xyzw, dtype=np.float64)
    out = local.copy()
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[..., joint, :] = rot.multiply(out[..., parent, :], local[..., joint, :])
    return out


def local_rotations(skeleton: Skeleton, global_xyzw: npt.ArrayLike) -> Float64:
    """The inverse of `global_rotations`: (..., J, 4) -> (..., J, 4)."""
    turned = np.asarray(global_xyzw, dtype=np.float64)
    out = turned.copy()
    children = [j for j, parent in enumerate(skeleton.parents) if parent >= 0]
    above = turned[..., [skeleton.parents[j] for j in children], :]
    out[..., children, :] = rot.multiply(rot.inverse(above), turned[..., children, :])
    return out


def joint_positions(
    skeleton: Skeleton, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike, bone_m: npt.ArrayLike
) -> Float64:
    """Positions (..., J, 3) of the joints, in the space that `root_m` is in.

    Args:
        skeleton: The tree; its rest directions are used, its rest lengths are not.
        local_xyzw: (..., J, 4) local rotations.
        root_m: (..., 3) where the root joint is.
        bone_m: (..., J) length from parent to joint; the root's is ignored.
    """
    turned = global_rotations(skeleton, local_xyzw)
    offsets = skeleton.rest_direction * np.asarray(bone_m, dtype=np.float64)[..., None]
    out = np.empty((*turned.shape[:-1], 3))
    out[..., 0, :] = root_m
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            out[..., joint, :] = out[..., parent, :] + rot.rotate(turned[..., parent, :], offsets[..., joint, :])
    return out


def forward_kinematics(pose: SkeletonPose) -> Float64:
    """Positions (J, 3) of the pose's joints, root included, canonical axes, metres."""
    return joint_positions(pose.rotations.skeleton, pose.rotations.local_xyzw, pose.root_m, pose.bone_m)
