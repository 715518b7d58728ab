"""Linear blend skinning: joint matrices, and mesh points moved by them."""

import numpy as np
import numpy.typing as npt

from realtime_pose.kinematics import global_pose
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64


def skin_matrices(
    skeleton: Skeleton,
    local_xyzw: npt.ArrayLike,
    root_m: npt.ArrayLike,
    bone_m: npt.ArrayLike,
    rest_joints_m: npt.ArrayLike,
) -> Float64:
    """Each joint's matrix (..., J, 3, 4) from the rest pose to the pose.

    Args:
        skeleton: The tree.
        local_xyzw: (..., J, 4) local rotations.
        root_m: (..., 3) position of the root joint.
        bone_m: (..., J) length from parent to joint.
        rest_joints_m: (J, 3) the joints in the bind pose, all rotations identity.
    """
    joints, rotations = global_pose(skeleton, local_xyzw, root_m, bone_m)
    rotation = rot.to_matrix(rotations)
    translation = joints - np.einsum("...jab,jb->...ja", rotation, np.asarray(rest_joints_m, dtype=np.float64))
    return np.concatenate((rotation, translation[..., None]), axis=-1)


def skin(
    points_m: npt.ArrayLike, normals: npt.ArrayLike, joint_weights: npt.ArrayLike, matrices: npt.ArrayLike
) -> tuple[Float64, Float64]:
    """Points and normals (V, 3) of the mesh, moved by the joints' `matrices` (J, 3, 4) of one pose.

    Args:
        points_m: (V, 3) at rest.
        normals: (V, 3) at rest; rotated like the points, which is accurate enough at joints.
        joint_weights: (V, J), each row sums to 1.
        matrices: (J, 3, 4) of `skin_matrices`.
    """
    blended = np.einsum("vj,jab->vab", np.asarray(joint_weights, np.float64), np.asarray(matrices, np.float64))
    points = np.einsum("vab,vb->va", blended[..., :3], np.asarray(points_m, np.float64)) + blended[..., 3]
    return points, rot.unit(np.einsum("vab,vb->va", blended[..., :3], np.asarray(normals, np.float64)))
