"""Input features of the trained lifter, and the axes of its output: recent keypoints, and the vertical if known.

Shared by the lifter and its training.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from realtime_pose.skeletons import COCO17_FEET_HANDS
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

LAYOUT = COCO17_FEET_HANDS
"""Layout of the network's input and output points; those that an estimator lacks have score 0."""

WINDOW_S = np.array([0, 1, 3, 6, 12, 24, 48]) / 30.0
"""(W,) age of each frame of the input window in seconds, newest first."""

_TRUNK = LAYOUT.rows(("left_shoulder", "right_shoulder", "left_hip", "right_hip"))
_SMALLEST_EXTENT = 1e-4
_KNOWN_RAD = np.radians(5.0)  # a vertical with this standard deviation has weight 1/2


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

    def camera_from_gravity_view(self, up: Float64) -> Float64:
        """(..., 3, 3) rotation from gravity-view axes to camera axes.

        Gravity-view axes (Shen et al., "World-Grounded Human Motion Recovery via Gravity-View Coordinates", SIGGRAPH
        Asia 2024, section 3.1): Y is up, Z the horizontal direction from the person to the camera, X to the right in
        the image.

        Args:
            up: (..., 3) unit vector against gravity, in camera axes.
        """
        z = self.camera_from_view[..., 2]
        x = rot.cross(up, z)
        length = np.linalg.norm(x, axis=-1, keepdims=True)
        x = np.where(length > 1e-6, x / np.maximum(length, 1e-6), self.camera_from_view[..., 0])
        return np.stack((x, up, rot.cross(x, up)), axis=-1)


def features_of(
    xy: Float64, score: Float64, up: Float64 | None = None, up_error_rad: Float64 | float = np.inf
) -> tuple[MirrorParts, View]:
    """The network's input features, and the virtual camera that they are seen by.

    The camera is turned so that the centre of the trunk lies on its axis, and the image is scaled by the person's
    extent: the features then do not depend on where the person stands, only, through perspective, on the distance.

    Args:
        xy: (..., W, K, 2) normalised image coordinates of LAYOUT's points: x right, y up; newest frame first.
        score: (..., W, K); where it is 0, xy means nothing.
        up: (..., 3) estimate of the unit vector against gravity, in camera axes; None if nothing is known of it.
        up_error_rad: (...,) its standard deviation; infinite where nothing is known.
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
    known = np.broadcast_to(1.0 / (1.0 + np.asarray(up_error_rad) / _KNOWN_RAD), extent.shape)[..., None]
    up_view = np.zeros((*extent.shape, 3)) if up is None else np.squeeze(up[..., None, :] @ rotation, -2)
    known = np.zeros_like(known) if up is None else known
    # The logarithm of the extent does not change under mirroring; of the vertical, only its x does.
    even = np.concatenate((even, np.log(extent)[..., None], known * up_view[..., 1:], known), axis=-1)
    odd = np.concatenate((odd, known * up_view[..., :1]), axis=-1)
    return MirrorParts(even, odd), View(rotation, extent)


def _mirror_basis(signs: tuple[int, ...], mirror_of: tuple[int, ...] = LAYOUT.mirror) -> MirrorParts:
    """Orthonormal columns that split points of `len(signs)` numbers into their even and odd parts.

    Args:
        signs: For each number of a point, whether mirroring negates it (-1) or not (1).
        mirror_of: For each point, its mirror image's row.
    """
    count = len(mirror_of) * len(signs)
    mirror = np.zeros((count, count))
    for point, other in enumerate(mirror_of):
        for i, sign in enumerate(signs):
            mirror[point * len(signs) + i, other * len(signs) + i] = sign
    rows = [i for i in range(count) if i <= np.flatnonzero(mirror[i])[0]]
    columns = [(np.eye(count)[rows] + sign * mirror[rows]).T for sign in (1, -1)]
    kept = [basis[:, np.abs(basis).sum(axis=0) > 0] for basis in columns]
    return MirrorParts(*(basis / np.linalg.norm(basis, axis=0) for basis in kept))


INPUT_BASIS = _mirror_basis((-1, 1, 1))
"""For one frame of the input: K x (x, y, score)."""

INPUT_COUNTS = (len(WINDOW_S) * INPUT_BASIS.even.shape[1] + 4, len(WINDOW_S) * INPUT_BASIS.odd.shape[1] + 1)
"""Numbers of even and of odd input features."""


def _block_diagonal(*blocks: Float64) -> Float64:
    out = np.zeros((sum(len(block) for block in blocks), sum(block.shape[1] for block in blocks)))
    row = column = 0
    for block in blocks:
        out[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return out


# K x (x, y, z, logarithm of the predicted error); the vertical and the logarithm of its error; for the left and the
# right foot, the logits of contact of heel and toe.
_OUTPUT_BASES = (_mirror_basis((-1, 1, 1, 1)), _mirror_basis((-1, 1, 1, 1), (0,)), _mirror_basis((1, 1), (1, 0)))
OUTPUT_BASIS = MirrorParts(*(_block_diagonal(*(basis[i] for basis in _OUTPUT_BASES)) for i in range(2)))
"""For the output: what `network.Prediction` holds."""


def _look_at(centre: Float64) -> Float64:
    """Rotation (..., 3, 3) of a camera without roll that looks at a point (..., 2) in normalised image coordinates."""
    away = np.concatenate((-centre, np.ones((*centre.shape[:-1], 1))), axis=-1)  # the camera's +Z points backwards
    z = away / np.linalg.norm(away, axis=-1, keepdims=True)
    x = np.stack((z[..., 2], np.zeros_like(z[..., 0]), -z[..., 0]), axis=-1)
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack((x, rot.cross(z, x), z), axis=-1)


def _project(rotation: Float64, xy: Float64) -> Float64:
    """Normalised image points (..., W, K, 2) in the rotated camera's image; points behind it end up far out."""
    t = rotation[..., None, None, :, :]
    x, y = xy[..., 0], xy[..., 1]
    view = [x * t[..., 0, i] + y * t[..., 1, i] - t[..., 2, i] for i in range(3)]
    depth = np.maximum(-view[2], 0.05)
    return np.stack((view[0] / depth, view[1] / depth), axis=-1)
