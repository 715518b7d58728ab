"""Camera view and simulated estimator for synthetic bodies: projection, occlusion, keypoint noise.

The noise model is independent of the one used in training: slow and fast errors, larger where points are occluded,
with scores that mostly reflect them; side swaps of limbs; outliers.
"""

from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.skeletons import COCO17
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

Rng = np.random.Generator

_ROW = COCO17.index
_NEAREST_M = 0.05  # depth of a point that is seen
# Disagreement of COCO's annotators (the constants of its evaluation), as a share of the body's size, nose to ankles.
# Source: Lin et al., "Microsoft COCO" (2014), keypoint evaluation.
_COCO_SIGMA = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
_ERROR_SHARE = 0.14  # of that and of the body's height in the image: 10 to 25 mm on a body of 1.7 m
_SLOW_S, _FAST_S = 0.9, 0.07  # correlation times of the errors
_OCCLUDED_FACTOR = 3.5
_SWAPS_HZ, _SWAP_DISTANCE = 0.15, 0.12  # rate of side swaps, and the share of the body's height within which they occur
_OUTLIERS_HZ = 0.25
# Occluders: capsules between two points of the body, with a radius in metres.
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
    """The exact projection of a body.

    Attributes:
        xy_px: (T, 17, 2).
        inside: (T, 17) inside the image and not behind furniture.
        occluded: (T, 17) occluded by the body itself.
        size_px: (T,) height of a standing body of 1.7 m at that distance.
    """

    xy_px: Float64
    inside: Bool
    occluded: Bool
    size_px: Float64


def project(points_m: Float64, camera: CameraIntrinsics, desk: tuple[Float64, Float64] | None = None) -> View:
    """The view of COCO points (T, 17, 3).

    Args:
        points_m: Positions relative to the camera, canonical axes.
        camera: The intrinsics.
        desk: Two points (3,) of a table's edge, relative to the camera; everything below their plane through the
            camera is hidden.
    """
    xy_px, inside = pixels_of(points_m, camera)
    if desk is not None:
        inside &= points_m @ np.cross(*desk) > 0
    shoulders_z = points_m[:, [_ROW["left_shoulder"], _ROW["right_shoulder"]], 2]
    size_px = camera.fy * 1.7 / np.maximum(-shoulders_z, _NEAREST_M).mean(axis=1)
    return View(xy_px, inside, _self_occluded(points_m) | _facing_away(points_m), size_px)


def pixels_of(points_m: Float64, camera: CameraIntrinsics) -> tuple[Float64, Bool]:
    """Pixels (..., 2) of points (..., 3), and whether each is in front of the camera and inside the image (...)."""
    depth = np.maximum(-points_m[..., 2], _NEAREST_M)
    xy_px = points_m[..., :2] * (1, -1) / depth[..., None] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
    inside = ((xy_px >= 0) & (xy_px < (camera.width, camera.height))).all(axis=-1)
    return xy_px, inside & (points_m[..., 2] < -_NEAREST_M)


def _self_occluded(points_m: Float64) -> Bool:
    """Points (T, 17) that are behind another part of the body."""
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


def _facing_away(points_m: Float64) -> Bool:
    """Points (T, 17) of the face that are on the side away from the camera."""
    left, right = points_m[:, _ROW["left_ear"]], points_m[:, _ROW["right_ear"]]
    leftward = rot.unit(left - right)
    ahead = rot.unit(points_m[:, _ROW["nose"]] - (left + right) / 2)
    sight = rot.unit((left + right) / 2)
    hidden = np.zeros(points_m.shape[:2], bool)
    hidden[:, _FACE[:3]] = ((ahead * sight).sum(-1) > 0.35)[:, None]
    hidden[:, _ROW["left_ear"]] = (leftward * sight).sum(-1) > 0.5
    hidden[:, _ROW["right_ear"]] = (leftward * sight).sum(-1) < -0.5
    return hidden


def simulate_keypoints(rng: Rng, view: View, camera: CameraIntrinsics, fps: float) -> tuple[Float64, Float64]:
    """Keypoints (T, 17, 2) and scores (T, 17) as an estimator might return them for the view."""
    shape = view.inside.shape
    difficulty = np.exp(0.45 * _correlated_noise(rng, shape, 0.5, fps))  # varies over time
    factor = difficulty * np.where(view.occluded, _OCCLUDED_FACTOR, 1.0)
    spread_px = _ERROR_SHARE * _COCO_SIGMA * view.size_px[:, None] * factor
    slow, fast = (_correlated_noise(rng, (*shape, 2), seconds, fps) for seconds in (_SLOW_S, _FAST_S))
    xy = view.xy_px + spread_px[..., None] * (0.8 * slow + 0.6 * fast)
    score = np.where(view.occluded, 0.55, 0.90) - 0.12 * (difficulty - 1)
    score = score + 0.06 * _correlated_noise(rng, shape, 0.2, fps)

    # Outside the image and behind furniture an estimator guesses, at the border or along the limb, with a low score.
    border = np.clip(xy, (2, 2), (camera.width - 3, camera.height - 3))
    guess = np.where(rng.uniform(size=(1, shape[1], 1)) < 0.6, border, xy)
    guess = guess + 0.02 * view.size_px[:, None, None] * _correlated_noise(rng, (*shape, 2), 0.15, fps)
    guess_score = rng.choice([0.10, 0.10, 0.22, 0.36], size=(1, shape[1]))
    xy = np.where(view.inside[..., None], xy, guess)
    score = np.where(view.inside, score, guess_score + 0.06 * _correlated_noise(rng, shape, 0.2, fps))
    _add_side_swaps(rng, xy, score, view, fps)
    _add_outliers(rng, xy, score, view, fps)
    return xy, np.clip(score, 0.0, 0.99)


def _correlated_noise(rng: Rng, shape: tuple[int, ...], correlation_s: float, fps: float) -> Float64:
    """Noise (T, ...) with standard deviation 1 and this correlation time (first-order autoregression)."""
    keep = np.exp(-1.0 / (correlation_s * fps))
    out = rng.normal(size=shape)
    for t in range(1, shape[0]):
        out[t] = keep * out[t - 1] + np.sqrt(1 - keep**2) * out[t]
    return out


def _intervals(rng: Rng, frames: int, rate_hz: float, fps: float, longest: int) -> list[slice]:
    """Random intervals of up to `longest` frames, `rate_hz` per second on average."""
    starts = np.flatnonzero(rng.uniform(size=frames) < rate_hz / fps)
    return [slice(start, start + int(rng.integers(1, longest + 1))) for start in starts]


def _add_side_swaps(rng: Rng, xy: Float64, score: Float64, view: View, fps: float) -> None:
    """Swap left and right limbs for short times where they are close, in place."""
    limbs = (("elbow", "wrist"), ("knee", "ankle"), ("wrist",), ("ankle",))
    for when in _intervals(rng, len(xy), _SWAPS_HZ, fps, 8):
        names = limbs[rng.integers(len(limbs))]
        left, right = ([_ROW[f"{side}_{name}"] for name in names] for side in ("left", "right"))
        apart = np.linalg.norm(view.xy_px[when, left] - view.xy_px[when, right], axis=-1).max(initial=0.0)
        if apart < _SWAP_DISTANCE * view.size_px[when].max():
            xy[when, left + right] = xy[when, right + left]
            score[when, left + right] = 0.85 * score[when, right + left]


def _add_outliers(rng: Rng, xy: Float64, score: Float64, view: View, fps: float) -> None:
    """Move single points away for short times, with a lower score, in place."""
    for when in _intervals(rng, len(xy), _OUTLIERS_HZ, fps, 4):
        point = rng.integers(5, xy.shape[1])
        xy[when, point] += rng.normal(0, 0.12, 2) * view.size_px[when].max()
        score[when, point] *= rng.uniform(0.2, 0.9)
