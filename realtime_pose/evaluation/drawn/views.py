"""What a camera and an estimator make of a drawn body: pixels, what hides what, and honest noise.

The noise is the evaluation's own and shares nothing with the training's: wrong for longer and for shorter, more where
the estimator cannot see, with scores that say so most of the time; limbs that trade places; points that jump away.
"""

from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.skeletons import COCO17
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

Rng = np.random.Generator

_ROW = COCO17.index
# How far annotators of COCO differ from each other (its evaluation's constants), as a share of the body's size: the
# order in which points are hard, nose to ankles. Lin et al., "Microsoft COCO" (2014), keypoint evaluation.
_HARDNESS = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_ERROR_SHARE = 0.14  # of that and of the body's height in the picture: 10 to 25 mm on a body of 1.7 m
_SLOW_S, _QUICK_S = 0.9, 0.07  # how long errors last
_HIDDEN_TIMES = 3.5
_SWAPS_HZ, _SWAP_NEAR = 0.15, 0.12  # how often, and within which share of the body's height limbs are confused
_JUMPS_HZ = 0.25
# What hides: capsules between two points of the body, with a radius in metres.
_CAPSULES = tuple(
    (f"{side}_{a}", f"{side}_{b}", radius)
    for side in ("left", "right")
    for a, b, radius in (
        ("shoulder", "hip", 0.10), ("shoulder", "elbow", 0.05), ("elbow", "wrist", 0.04), ("hip", "knee", 0.08),
        ("knee", "ankle", 0.055), ("ear", "ear", 0.09),
    )
)  # fmt: skip
_FACE = [_ROW[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear")]


@dataclass(frozen=True, eq=False)
class View:
    """What a perfect estimator would see.

    Attributes:
        xy_px: (T, 17, 2).
        inside: (T, 17) inside the picture and with no furniture before it.
        hidden: (T, 17) behind the body itself.
        size_px: (T,) how tall a standing body of 1.7 m would be there.
    """

    xy_px: Float64
    inside: Bool
    hidden: Bool
    size_px: Float64


def look(points_m: Float64, camera: CameraIntrinsics, desk: tuple[Float64, Float64] | None = None) -> View:
    """The view of COCO points (T, 17, 3), canonical axes from the camera.

    Args:
        points_m: Where they are.
        camera: The lens.
        desk: A table's edge by two points (3,), from the camera; it hides what lies below the plane that they span
            with the camera.
    """
    depth = np.maximum(-points_m[..., 2], 0.05)
    slopes = points_m[..., :2] * (1, -1) / depth[..., None]
    xy_px = slopes * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    inside = ((xy_px >= 0) & (xy_px < (camera.width, camera.height))).all(axis=-1) & (points_m[..., 2] < -0.05)
    if desk is not None:
        inside &= points_m @ np.cross(*desk) > 0
    size_px = camera.fy * 1.7 / depth[:, [_ROW["left_shoulder"], _ROW["right_shoulder"]]].mean(axis=1)
    return View(xy_px, inside, _behind_the_body(points_m) | _turned_away(points_m), size_px)


def _behind_the_body(points_m: Float64) -> Bool:
    """Which points (T, 17) have another part of the body before them."""
    steps = np.linspace(0.12, 1.0, 14)  # metres from the point back to the camera
    to_camera = -rot.unit(points_m)
    samples = points_m[:, :, None] + steps[:, None] * to_camera[:, :, None]  # (T, 17, S, 3)
    hidden = np.zeros(points_m.shape[:2], bool)
    for a, b, radius in _CAPSULES:
        start = points_m[:, None, None, _ROW[a]]
        along = points_m[:, None, None, _ROW[b]] - start
        length2 = np.maximum((along**2).sum(-1), 1e-9)
        share = np.clip(((samples - start) * along).sum(-1) / length2, 0.0, 1.0)[..., None]
        near = (np.linalg.norm(samples - start - share * along, axis=-1) < radius).any(axis=-1)
        near[:, [_ROW[a], _ROW[b]]] = False
        if "ear" in a:
            near[:, _FACE] = False
        hidden |= near
    return hidden


def _turned_away(points_m: Float64) -> Bool:
    """Which points (T, 17) of the face look away from the camera."""
    left, right = points_m[:, _ROW["left_ear"]], points_m[:, _ROW["right_ear"]]
    leftward = rot.unit(left - right)
    ahead = rot.unit(points_m[:, _ROW["nose"]] - (left + right) / 2)
    sight = rot.unit((left + right) / 2)
    hidden = np.zeros(points_m.shape[:2], bool)
    hidden[:, _FACE[:3]] = ((ahead * sight).sum(-1) > 0.35)[:, None]
    hidden[:, _ROW["left_ear"]] = (leftward * sight).sum(-1) > 0.5
    hidden[:, _ROW["right_ear"]] = (leftward * sight).sum(-1) < -0.5
    return hidden


def estimated(rng: Rng, view: View, camera: CameraIntrinsics, fps: float) -> tuple[Float64, Float64]:
    """Keypoints (T, 17, 2) and scores (T, 17) as an estimator would give them for the view."""
    shape = view.inside.shape
    hard = np.exp(0.45 * _wandering(rng, shape, 0.5, fps))  # some stretches are worse than others
    times = hard * np.where(view.hidden, _HIDDEN_TIMES, 1.0)
    spread_px = _ERROR_SHARE * _HARDNESS * view.size_px[:, None] * times
    slow, quick = (_wandering(rng, (*shape, 2), seconds, fps) for seconds in (_SLOW_S, _QUICK_S))
    xy = view.xy_px + spread_px[..., None] * (0.8 * slow + 0.6 * quick)
    score = np.where(view.hidden, 0.55, 0.90) - 0.12 * (hard - 1) + 0.06 * _wandering(rng, shape, 0.2, fps)

    # Beyond the picture and behind furniture an estimator guesses, at the border or along the limb, with little belief.
    border = np.clip(xy, (2, 2), (camera.width - 3, camera.height - 3))
    guess = np.where(rng.uniform(size=(1, shape[1], 1)) < 0.6, border, xy)
    guess = guess + 0.02 * view.size_px[:, None, None] * _wandering(rng, (*shape, 2), 0.15, fps)
    boldness = rng.choice([0.10, 0.10, 0.22, 0.36], size=(1, shape[1]))
    xy = np.where(view.inside[..., None], xy, guess)
    score = np.where(view.inside, score, boldness + 0.06 * _wandering(rng, shape, 0.2, fps))
    _trade_places(rng, xy, score, view, fps)
    _jump(rng, xy, score, view, fps)
    return xy, np.clip(score, 0.0, 0.99)


def _wandering(rng: Rng, shape: tuple[int, ...], lasting_s: float, fps: float) -> Float64:
    """Noise (T, ...) of deviation 1 that forgets itself in `lasting_s` (a first-order autoregression)."""
    keep = np.exp(-1.0 / (lasting_s * fps))
    out = rng.normal(size=shape)
    for t in range(1, shape[0]):
        out[t] = keep * out[t - 1] + np.sqrt(1 - keep**2) * out[t]
    return out


def _moments(rng: Rng, frames: int, rate_hz: float, fps: float, longest: int) -> list[slice]:
    """Short stretches of time, so many a second on average."""
    starts = np.flatnonzero(rng.uniform(size=frames) < rate_hz / fps)
    return [slice(start, start + int(rng.integers(1, longest + 1))) for start in starts]


def _trade_places(rng: Rng, xy: Float64, score: Float64, view: View, fps: float) -> None:
    """Let the left limb and the right one be taken for each other where they are near, in place."""
    limbs = (("elbow", "wrist"), ("knee", "ankle"), ("wrist",), ("ankle",))
    for when in _moments(rng, len(xy), _SWAPS_HZ, fps, 8):
        names = limbs[rng.integers(len(limbs))]
        left, right = ([_ROW[f"{side}_{name}"] for name in names] for side in ("left", "right"))
        apart = np.linalg.norm(view.xy_px[when, left] - view.xy_px[when, right], axis=-1).max(initial=0.0)
        if apart < _SWAP_NEAR * view.size_px[when].max():
            xy[when, left + right] = xy[when, right + left]
            score[when, left + right] = 0.85 * score[when, right + left]


def _jump(rng: Rng, xy: Float64, score: Float64, view: View, fps: float) -> None:
    """Let single points be somewhere else for a moment, with a score that mostly tells, in place."""
    for when in _moments(rng, len(xy), _JUMPS_HZ, fps, 4):
        point = rng.integers(5, xy.shape[1])
        xy[when, point] += rng.normal(0, 0.12, 2) * view.size_px[when].max()
        score[when, point] *= rng.uniform(0.2, 0.9)
