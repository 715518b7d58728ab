"""The head's turn from five face points: a rigid template under scaled orthography.

Source of the method: DeMenthon and Davis, "Model-Based Object Pose in 25 Lines of Code" (IJCV 1995), its first step.
"""

from collections.abc import Sequence

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.vec3 import Quat, Vec3

FACE_NAMES = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
"""The points of the template, all of COCO's face."""

FACE_TEMPLATE_M: Float64 = np.array(
    [(0.0, -0.02, 0.115), (0.032, 0.02, 0.085), (-0.032, 0.02, 0.085), (0.075, 0.0, 0.0), (-0.075, 0.0, 0.0)]
)
"""(5, 3) an adult's face about the middle of the ears, facing +Z."""

_TRUST_IN_GUESS = 0.05  # weight of the guess against the points, in template units (m): breaks ties, no more
_GUESS_WEIGHT_M2 = 0.0002  # likewise in space: a fiftieth of what both ears weigh


def head_rotation(face_xy_m: Float64, weights: Sequence[float], guess_xyzw: Float64) -> Float64:
    """The turn (4,) that takes the template to what is seen.

    Args:
        face_xy_m: (5, 2) face points in metres in the picture plane, x right, y up, any origin.
        weights: (5,) belief in each; 0 = not seen.
        guess_xyzw: The turn of a head that looks where the chest faces; settles what the points leave open.
    """
    w = np.asarray(weights, dtype=np.float64)[:, None]
    total = max(float(w.sum()), 1e-9)
    template = FACE_TEMPLATE_M - (w * FACE_TEMPLATE_M).sum(axis=0) / total
    seen = face_xy_m - (w * face_xy_m).sum(axis=0) / total
    # Least squares for the first two rows of R in: seen = template R^T, drawn a little towards the guess.
    guess_rows = rot.to_matrix(guess_xyzw)[:2]
    normal = template.T @ (w * template) + _TRUST_IN_GUESS**2 * np.eye(3)
    rows = np.linalg.solve(normal, template.T @ (w * seen) + _TRUST_IN_GUESS**2 * guess_rows.T).T
    # The nearest rotation: the rows are made orthonormal evenly, the third follows.
    u, _, vt = np.linalg.svd(rows, full_matrices=False)
    ortho = u @ vt
    return rot.from_matrix(np.vstack((ortho, np.cross(ortho[0], ortho[1]))))


def head_turn(face: Sequence[tuple[Vec3, Vec3, float]], guess: Quat) -> Quat:
    """The head's turn from face points in space: the template laid onto them with least squares.

    Source: Kabsch, "A solution for the best rotation to relate two sets of vectors" (1976).

    Args:
        face: Where each point is, where the template has it, and its weight; two points or more.
        guess: The turn of a head that looks where the chest faces; settles what the points leave open.
    """
    total = sum(weight for _, _, weight in face)
    seen = [sum(weight * place[i] for place, _, weight in face) / total for i in range(3)]
    drawn = [sum(weight * template[i] for _, template, weight in face) / total for i in range(3)]
    spread = _GUESS_WEIGHT_M2 * rot.to_matrix(guess)
    for i in range(3):
        for k in range(3):
            spread[i, k] += sum(w * (place[i] - seen[i]) * (template[k] - drawn[k]) for place, template, w in face)
    u, _, vt = np.linalg.svd(spread)
    u[:, 2] *= np.sign(np.linalg.det(u) * np.linalg.det(vt))  # a turn, never a reflection
    x, y, z = (u @ vt).T.tolist()
    return vec.from_axes(tuple(x), tuple(y), tuple(z))
