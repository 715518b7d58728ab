"""Input features of the trained lifter: a person's recent keypoints, in the view of a camera turned towards them.

Shared by the lifter and its training.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from realtime_pose.skeletons import COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float64

LAYOUT = COCO17_FEET_HANDS
"""Layout of the network's input and output points; those that an estimator lacks have score 0."""

WINDOW_S = np.array([0, 1, 3, 6, 12, 24]) / 30.0
"""(W,) age of each frame of the input window in seconds, newest first."""

_TRUNK = LAYOUT.rows(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
_SMALLEST_EXTENT = 1e-4


class MirrorParts(NamedTuple):
    """Features split by their behaviour under mirroring (left/right exchange).

    Attributes:
        even: (..., E) unchanged: sums over both sides.
        odd: (..., O) negated: differences of the sides.
    """

    even: Float64
    odd: Float64


@dataclass(frozen=True, eq=False)
class View:
    """A virtual camera turned towards a person.

    Attributes:
        camera_from_view: (..., 3, 3) its rotation; canonical axes, looking along -Z.
        extent: (...,) RMS radius of the person's points in normalised image coordinates.
    """

    camera_from_view: Float64
    extent: Float64


def features_of(xy: Float64, score: Float64) -> tuple[MirrorParts, View]:
    """The network's input features, and the virtual camera that they are seen by.

    The camera is turned so that the centre of the trunk lies on its axis, and the image is scaled by the person's
    extent: the features then do not depend on where the person stands, only, through perspective, on the distance.

    Args:
        xy: (..., W, K, 2) normalised image coordinates of LAYOUT's points: x right, y up; newest frame first.
        score: (..., W, K); where it is 0, xy means nothing.
    """
    latest_xy, latest_score = xy[..., 0, :, :], score[..., 0, :]
    weight = latest_score > 0
    trunk = np.zeros(weight.shape[-1], dtype=bool)
    trunk[_TRUNK] = True
    of_trunk = weight & trunk
    chosen = np.where(of_trunk.sum(-1, keepdims=True) >= 2, of_trunk, weight)[..., None]
    centre = (latest_xy * chosen).sum(-2) / np.maximum(chosen.sum(-2), 1)
    rotation = _look_at(centre)
    view_xy = _project(rotation, xy)
    spread = (view_xy[..., 0, :, :] ** 2).sum(-1) * weight
    extent = np.maximum(np.sqrt(spread.sum(-1) / np.maximum(weight.sum(-1), 1)), _SMALLEST_EXTENT)
    known = score > 0
    scaled = np.clip(view_xy / extent[..., None, None, None], -8.0, 8.0) * known[..., None]
    points = np.concatenate((scaled, score[..., None] * known[..., None]), axis=-1)
    flat = points.reshape(*points.shape[:-2], -1)
    even, odd = (np.reshape(flat @ basis, (*flat.shape[:-2], -1)) for basis in INPUT_BASIS)
    # The logarithm of the extent and the sine of the camera's pitch do not change under mirroring.
    even = np.concatenate((even, np.log(extent)[..., None], -rotation[..., 1, 2, None]), axis=-1)
    return MirrorParts(even, odd), View(rotation, extent)


def _mirror_basis(signs: tuple[int, ...]) -> MirrorParts:
    """Orthonormal columns that split K points of `len(signs)` numbers into their even and odd parts.

    Args:
        signs: For each number of a point, whether mirroring negates it (-1) or not (1).
    """
    count = len(LAYOUT.names) * len(signs)
    mirror = np.zeros((count, count))
    for point, other in enumerate(LAYOUT.mirror):
        for i, sign in enumerate(signs):
            mirror[point * len(signs) + i, other * len(signs) + i] = sign
    rows = [i for i in range(count) if i <= np.flatnonzero(mirror[i])[0]]
    columns = [(np.eye(count)[rows] + sign * mirror[rows]).T for sign in (1, -1)]
    kept = [basis[:, np.abs(basis).sum(axis=0) > 0] for basis in columns]
    return MirrorParts(*(basis / np.linalg.norm(basis, axis=0) for basis in kept))


INPUT_BASIS = _mirror_basis((-1, 1, 1))
"""For one frame of the input: K x (x, y, score)."""

OUTPUT_BASIS = _mirror_basis((-1, 1, 1, 1))
"""For the output: K x (x, y, z, logarithm of the predicted error)."""

INPUT_COUNTS = (len(WINDOW_S) * INPUT_BASIS.even.shape[1] + 2, len(WINDOW_S) * INPUT_BASIS.odd.shape[1])
"""Numbers of even and of odd input features."""


def _look_at(centre: Float64) -> Float64:
    """Rotation (..., 3, 3) of a camera without roll that looks at a point (..., 2) in normalised image coordinates."""
    away = np.concatenate((-centre, np.ones((*centre.shape[:-1], 1))), axis=-1)  # the camera's +Z points backwards
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


def _project(rotation: Float64, xy: Float64) -> Float64:
    """Normalised image points (..., W, K, 2) in the rotated camera's image; points behind it end up far out."""
    t = rotation[..., None, None, :, :]
    x, y = xy[..., 0], xy[..., 1]
    view = [x * t[..., 0, i] + y * t[..., 1, i] - t[..., 2, i] for i in range(3)]
    depth = np.maximum(-view[2], 0.05)
    return np.stack((view[0] / depth, view[1] / depth), axis=-1)
