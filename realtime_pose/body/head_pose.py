"""Head orientation from five face points: a rigid template fitted to the image or to 3D points.

Source of the fit to the image (scaled orthography): DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code"
(IJCV 1995), its first step.
"""

from collections.abc import Sequence

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.vec3 import Quat, Vec3

FACE_NAMES = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
"""The points of the template: all of COCO-17's face points."""

FACE_TEMPLATE_M: Float64 = np.array(
    [(0.0, -0.02, 0.115), (0.032, 0.02, 0.085), (-0.032, 0.02, 0.085), (0.075, 0.0, 0.0), (-0.075, 0.0, 0.0)]
)
"""(5, 3) metres: an adult's face relative to the midpoint of the ears, facing +Z."""

# Weight of the prior against the points, low enough that it only decides what they leave open.
_PRIOR_WEIGHT_M = 0.05  # for the image
_PRIOR_WEIGHT_M2 = 0.0002  # for 3D points: a fiftieth of both ears' contribution


def head_rotation(face_xy_m: Float64, weights: Sequence[float], prior_xyzw: Float64) -> Float64:
    """The rotation (4,) of the template that fits the face in the image.

    Args:
        face_xy_m: (5, 2) face points in metres parallel to the image plane, x right, y up, any origin.
        weights: (5,) their scores; 0 = occluded.
        prior_xyzw: (4,) rotation of a head that faces as the chest does; decides what the points leave open.
    """
    w = np.asarray(weights, dtype=np.float64)[:, None]
    total = max(float(w.sum()), 1e-9)
    template = FACE_TEMPLATE_M - (w * FACE_TEMPLATE_M).sum(axis=0) / total
    seen = face_xy_m - (w * face_xy_m).sum(axis=0) / total
    # Least squares for the first two rows of R in seen = template R^T, regularised towards the prior.
    prior_rows = rot.to_matrix(prior_xyzw)[:2]
    normal = template.T @ (w * template) + _PRIOR_WEIGHT_M**2 * np.eye(3)
    rows = np.linalg.solve(normal, template.T @ (w * seen) + _PRIOR_WEIGHT_M**2 * prior_rows.T).T
    # The nearest rotation: both rows orthonormalised by SVD, the third is their cross product.
    u, _, vt = np.linalg.svd(rows, full_matrices=False)
    ortho = u @ vt
    return rot.from_matrix(np.vstack((ortho, np.cross(ortho[0], ortho[1]))))


def fit_head_rotation(face: Sequence[tuple[Vec3, Vec3, float]], prior: Quat) -> Quat:
    """The rotation of the template that fits 3D face points best, by weighted least squares.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976).

    Args:
        face: Position of each point, its position in the template, and its weight; two points or more.
        prior: Rotation of a head that faces as the chest does; decides what the points leave open.
    """
    total = sum(weight for _, _, weight in face)
    mean = [sum(weight * place[i] for place, _, weight in face) / total for i in range(3)]
    template_mean = [sum(weight * template[i] for _, template, weight in face) / total for i in range(3)]
    covariance = _PRIOR_WEIGHT_M2 * rot.to_matrix(prior)
    for i in range(3):
        for k in range(3):
            covariance[i, k] += sum(
                w * (place[i] - mean[i]) * (template[k] - template_mean[k]) for place, template, w in face
            )
    u, _, vt = np.linalg.svd(covariance)
    u[:, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))  # a rotation, not a reflection
    x, y, z = (u @ vt).T.tolist()
    return vec.from_axes(tuple(x), tuple(y), tuple(z))
