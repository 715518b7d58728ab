"""What the trained lifter looks at: a person's keypoints of the last moments, seen by a camera turned towards them.

Used by the lifter and by its training, so that both see the same numbers.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from realtime_pose.skeletons import COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float64

LAYOUT = COCO17_FEET_HANDS
"""The points that the network takes and gives; those that an estimator lacks have score 0."""

MOMENTS_S = np.array([0, 1, 3, 6, 12, 24]) / 30.0
"""How long before now each of the W looks was, newest first."""

_TRUNK = LAYOUT.rows(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
_SMALLEST_EXTENT = 1e-4


class Sides(NamedTuple):
    """Numbers about both sides of a body, put so that a mirror leaves the first and negates the second.

    Attributes:
        even: (..., E) what both sides have in common.
        odd: (..., O) how they differ.
    """

    even: Float64
    odd: Float64


@dataclass(frozen=True, eq=False)
class View:
    """The camera turned to a person.

    Attributes:
        camera_from_view: (..., 3, 3) its turn; canonical axes, looking along -Z.
        extent: (...,) size of the person in its picture, as the tangent of an angle.
    """

    camera_from_view: Float64
    extent: Float64


def look_at(xy: Float64, score: Float64) -> tuple[Sides, View]:
    """What the network is told, and the camera that sees it so.

    The camera is turned so that the middle of the trunk lies on its axis, and the picture scaled by the person's size
    in it: how a body looks then depends no more on where it stands, only, through perspective, on how near.

    Args:
        xy: (..., W, K, 2) points of LAYOUT on the plane at distance 1: x right, y up; newest look first.
        score: (..., W, K); where it is 0, xy means nothing.

    Returns:
        What the network is told, and the view.
    """
    now, believed = xy[..., 0, :, :], score[..., 0, :]
    weight = believed > 0
    trunk = np.zeros(weight.shape[-1], dtype=bool)
    trunk[_TRUNK] = True
    of_trunk = weight & trunk
    chosen = np.where(of_trunk.sum(-1, keepdims=True) >= 2, of_trunk, weight)[..., None]
    centre = (now * chosen).sum(-2) / np.maximum(chosen.sum(-2), 1)
    turn = _turned_to(centre)
    seen = _through(turn, xy)
    spread = (seen[..., 0, :, :] ** 2).sum(-1) * weight
    extent = np.maximum(np.sqrt(spread.sum(-1) / np.maximum(weight.sum(-1), 1)), _SMALLEST_EXTENT)
    known = score > 0
    scaled = np.clip(seen / extent[..., None, None, None], -8.0, 8.0) * known[..., None]
    told = np.concatenate((scaled, score[..., None] * known[..., None]), axis=-1)
    flat = told.reshape(*told.shape[:-2], -1)
    even, odd = (np.reshape(flat @ basis, (*flat.shape[:-2], -1)) for basis in TOLD_BASIS)
    # The size's logarithm and the sine of the camera's pitch are the same in a mirror.
    whole = np.concatenate((even, np.log(extent)[..., None], -turn[..., 1, 2, None]), axis=-1)
    return Sides(whole, odd), View(turn, extent)


def _side_basis(signs: tuple[int, ...]) -> Sides:
    """Orthonormal columns that take K points of `len(signs)` numbers to what both sides share and how they differ.

    Args:
        signs: For each number of a point whether a mirror negates it (-1) or not (1).
    """
    count = len(LAYOUT.names) * len(signs)
    mirror = np.zeros((count, count))
    for point, other in enumerate(LAYOUT.mirror):
        for i, sign in enumerate(signs):
            mirror[point * len(signs) + i, other * len(signs) + i] = sign
    rows = [i for i in range(count) if i <= np.flatnonzero(mirror[i])[0]]
    columns = [(np.eye(count)[rows] + sign * mirror[rows]).T for sign in (1, -1)]
    kept = [basis[:, np.abs(basis).sum(axis=0) > 0] for basis in columns]
    return Sides(*(basis / np.linalg.norm(basis, axis=0) for basis in kept))


TOLD_BASIS = _side_basis((-1, 1, 1))
"""For a look: K x (x, y, score)."""

ANSWER_BASIS = _side_basis((-1, 1, 1, 1))
"""For the answer: K x (x, y, z, logarithm of the expected error)."""

TOLD_COUNTS = (len(MOMENTS_S) * TOLD_BASIS.even.shape[1] + 2, len(MOMENTS_S) * TOLD_BASIS.odd.shape[1])
"""How many even and how many odd numbers the network takes."""


def _turned_to(centre: Float64) -> Float64:
    """Turn (..., 3, 3) of a camera without roll that looks at the point (..., 2) of the plane at distance 1."""
    away = np.concatenate((-centre, np.ones((*centre.shape[:-1], 1))), axis=-1)  # its Z points backward
    z = away / np.linalg.norm(away, axis=-1, keepdims=True)
    x = np.stack((z[..., 2], np.zeros_like(z[..., 0]), -z[..., 0]), axis=-1)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    y = np.stack(
        (
            z[..., 1] * x[..., 2] - z[..., 2] * x[..., 1],
            z[..., 2] * x[..., 0] - z[..., 0] * x[..., 2],
            z[..., 0] * x[..., 1] - z[..., 1] * x[..., 0],
        ),
        axis=-1,
    )
    return np.stack((x, y, z), axis=-1)


def _through(turn: Float64, xy: Float64) -> Float64:
    """Points (..., W, K, 2) of the plane at distance 1 on that of the turned camera; what is behind it is far out."""
    t = turn[..., None, None, :, :]
    x, y = xy[..., 0], xy[..., 1]
    view = [x * t[..., 0, i] + y * t[..., 1, i] - t[..., 2, i] for i in range(3)]
    depth = np.maximum(-view[2], 0.05)
    return np.stack((view[0] / depth, view[1] / depth), axis=-1)
