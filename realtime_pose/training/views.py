"""Simulated camera views and 2D estimator errors for random bodies: perspective, cropping, noise, occlusion, swaps."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.body.head_pose import FACE_NAMES
from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT
from realtime_pose.utils.arrays import Bool, Float32, Float64

_HIPS = LAYOUT.rows(("left_hip", "right_hip"))
_SHOULDERS = LAYOUT.rows(("left_shoulder", "right_shoulder"))
_FACE = LAYOUT.rows(FACE_NAMES)
_EARS = LAYOUT.rows(("left_ear", "right_ear"))
_MIRROR = np.array(LAYOUT.mirror)
_BODY_HEIGHT_M = 1.70
_SEEN = 0.3  # the pipeline's score threshold
_UP_IS_KNOWN = 0.5  # share of views with an estimate of the vertical

# Disagreement of annotators about a point, in square roots of the body's area in the image: COCO's keypoint evaluation
# (cocodataset.org, "sigmas"); feet and hands from COCO-WholeBody (Jin et al., 2020), rounded.
_SIGMAS = {
    "nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107,
    "knee": 0.087, "ankle": 0.089, "heel": 0.08, "toe": 0.075, "pinky": 0.05, "index": 0.05, "thumb": 0.05,
}  # fmt: skip
_AREA_ROOT = 0.4  # square root of a body's area, in body heights
_SIGMA = (_AREA_ROOT * np.array([_SIGMAS[name.rpartition("_")[2]] for name in LAYOUT.names])).astype(np.float32)


def _rows_of(parts: tuple[str, ...]) -> dict[str, list[int]]:
    return {side: LAYOUT.rows([f"{side}_{part}" for part in parts]) for side in ("left", "right")}


_ARMS = _rows_of(("elbow", "wrist", "pinky", "index", "thumb"))
_LEGS = _rows_of(("knee", "ankle", "heel", "toe"))
_HANDS, _FEET = _rows_of(("wrist", "pinky", "index", "thumb")), _rows_of(("ankle", "heel", "toe"))
_LIMBS = [rows[side] for rows in (_ARMS, _LEGS, _HANDS, _FEET) for side in ("left", "right")]
_EXTRAS = [i for i, part in enumerate(LAYOUT.parts) if part in ("foot", "hand")]
_BELOW_DESK = [*_LEGS["left"], *_LEGS["right"]]


@dataclass(frozen=True, eq=False)
class SimulatedViews:
    """Simulated keypoints of N bodies over W frames, and their true positions.

    Attributes:
        xy: (N, W, K, 2) points on the plane at distance 1 of the camera with its assumed field of view; x right, y up.
        score: (N, W, K); where it is 0, xy is not valid.
        truth: (N, K, 3) positions in the newest frame, from the middle of the hips, in body heights, camera's axes.
        up: (N, 3) unit vector against gravity, camera's axes.
        known_up: (N, 3) an estimate of it, as a camera that has been watched for a while has.
        known_up_error_rad: (N,) standard deviation of that estimate; infinite where there is none.
    """

    xy: Float64
    score: Float64
    truth: Float64
    up: Float64
    known_up: Float64
    known_up_error_rad: Float64


def simulate_views(rng: np.random.Generator, points: Float64) -> SimulatedViews:
    """Random views of bodies (N, W, K, 3) in body heights, +Y up, facing about +Z, newest frame first."""
    placed, half_wh, up = _place_in_camera(rng, points)
    hips = placed[:, 0, _HIPS].mean(axis=1, keepdims=True)
    depth = np.maximum(-placed[..., 2], 0.05)
    xy = placed[..., :2] / depth[..., None]
    seen_xy, score = _simulate_estimator(rng, xy, depth, placed, half_wh)
    n = len(points)
    wrong_lens = np.exp(rng.normal(0, 0.12, n) * (rng.random(n) < 0.5))
    error_rad = np.radians(np.exp(rng.uniform(np.log(0.5), np.log(12.0), n)))
    known_up = up + error_rad[:, None] / np.sqrt(2) * rng.standard_normal((n, 3))  # in the two directions across it
    known_up /= np.linalg.norm(known_up, axis=1, keepdims=True)
    return SimulatedViews(
        seen_xy * wrong_lens[:, None, None, None].astype(np.float32),
        score,
        placed[:, 0] - hips,
        up,
        known_up,
        np.where(rng.random(n) < _UP_IS_KNOWN, error_rad, np.inf),
    )


def _place_in_camera(rng: np.random.Generator, points: Float64) -> tuple[Float64, Float64, Float64]:
    """The points in a random camera's axes, half the image's size (N, 2) at distance 1, and the vertical (N, 3)."""
    n = len(points)
    distance = np.exp(rng.uniform(np.log(0.5), np.log(12.0), n)) / (_BODY_HEIGHT_M * rng.uniform(0.65, 1.2, n))
    half_long = np.tan(np.radians(rng.uniform(35, 110, n)) / 2)
    aspect = rng.choice([16 / 9, 4 / 3, 3 / 4, 9 / 16], n, p=[0.45, 0.35, 0.1, 0.1])
    half_wh = np.stack((half_long * np.minimum(aspect, 1.0), half_long / np.maximum(aspect, 1.0)), axis=-1)
    # People mostly face the camera, but every yaw occurs.
    yaw = np.where(rng.random(n) < 0.5, rng.normal(0, 0.7, n), rng.uniform(-np.pi, np.pi, n))
    # Most cameras are nearly level; some look up from a desk or down from a wall, and some are held askew.
    kind = rng.random(n)
    pitch_deg = np.where(kind < 0.45, rng.normal(3, 6, n), np.where(kind < 0.8, rng.uniform(-25, 35, n), 0.0))
    pitch_deg = np.where(kind < 0.8, pitch_deg, rng.uniform(-30, 60, n))
    roll_deg = np.where(rng.random(n) < 0.65, rng.normal(0, 2, n), rng.normal(0, 12, n)).clip(-30, 30)
    tilt = _about(2, np.radians(roll_deg)) @ _about(0, np.radians(pitch_deg))
    rotation = tilt @ _about(1, yaw)
    # At a distance the whole body is in the image; close up, mostly the upper body.
    fits = np.clip(distance * half_wh[:, 1] * 2 / 1.15, 0.0, 1.0)[:, None]
    hips, head = points[:, 0, _HIPS].mean(axis=1), points[:, 0, _FACE].mean(axis=1)
    aim = hips + (head - hips) * np.maximum(1 - fits, 0.5) * rng.uniform(0.3, 1.0, (n, 1))
    where = rng.normal(0, 0.3, (n, 2)) * half_wh * np.where(rng.random((n, 1)) < 0.85, 1.0, 1.8)
    position = np.concatenate((where, -np.ones((n, 1))), axis=1) * distance[:, None]
    rotation_f32 = rotation.astype(np.float32)[:, None]
    placed = (points - aim[:, None, None]).astype(np.float32) @ np.swapaxes(rotation_f32, -1, -2)
    return placed + position[:, None, None].astype(np.float32), half_wh.astype(np.float32), tilt[:, :, 1]


def _about(axis: int, angle_rad: Float64) -> Float64:
    """Rotation matrices (N, 3, 3) about a coordinate axis."""
    i, j = ((1, 2), (2, 0), (0, 1))[axis]
    rotation = np.zeros((len(angle_rad), 3, 3))
    rotation[:, axis, axis] = 1.0
    rotation[:, i, i] = rotation[:, j, j] = np.cos(angle_rad)
    rotation[:, i, j], rotation[:, j, i] = -np.sin(angle_rad), np.sin(angle_rad)
    return rotation


def _simulate_estimator(
    rng: np.random.Generator, xy: Float64, depth: Float64, placed: Float64, half_wh: Float64
) -> tuple[Float64, Float64]:
    """Points with an estimator's errors, and its scores."""
    n, w, k, _ = xy.shape
    size = (1.0 / depth[:, :, _HIPS].mean(axis=2)).clip(0.02, 10.0)[..., None, None]  # a body height in the image
    hidden = _self_occluded(xy, placed, size[..., 0])
    # Errors have a constant part, one that drifts and one that is new in every frame. The last is small for estimators
    # that track (BlazePose on the packaged clips: 0.05 of the constant part), large for those that see single frames.
    level = np.exp(_normal(rng, n, 1, 1, 1) * 0.5) * 0.35
    ages = (WINDOW_S / WINDOW_S[-1]).astype(np.float32)[:, None, None]
    stays, drifts = _normal(rng, 2, n, 1, k, 2)
    jitter = np.exp(rng.uniform(np.log(0.05), np.log(0.6), (n, 1, 1, 1))).astype(np.float32)
    error = 0.75 * stays + drifts * (ages - 0.5) + jitter * _normal(rng, n, w, k, 2)
    error *= (_SIGMA * level[..., 0] * np.where(hidden, np.float32(2.2), np.float32(1.0)))[..., None]
    outlier = _in_an_interval(rng, (n, k), 0.02, w)
    error += outlier[..., None] * (0.09 * _normal(rng, n, 1, k, 2))
    seen = xy + error * size

    off = np.sqrt((error**2).sum(-1)) / _SIGMA
    score = 0.96 - off * (0.05 + 0.19 * _uniform(rng, n, 1, k)) + 0.04 * _normal(rng, n, w, k)
    # Some estimators give occluded points low scores, some do not: a confident face must not look like a side swap.
    score -= hidden * (0.75 * _uniform(rng, n, 1, k)) * (_uniform(rng, n, 1, 1) < 0.6)
    doubted = _uniform(rng, n, 1, k)  # an outlier usually has a low score
    score *= np.where(outlier & (doubted < 0.8), 0.3 + 0.6 * doubted, np.float32(1.0))

    seen, score = _swapped(rng, seen, score)
    beyond = (np.abs(seen) > half_wh[:, None, None]).any(axis=-1) | (depth < 0.1)
    guessed = rng.random((n, 1, 1)) < 0.4  # some estimators put unseen points at the border
    seen = np.where(beyond[..., None], np.clip(seen, -half_wh[:, None, None], half_wh[:, None, None]), seen)
    score = np.where(beyond, np.where(guessed, 0.05 + 0.45 * _uniform(rng, n, w, k), 0.0), score)
    score = np.where(_lost(rng, n, w), 0.0, np.clip(score, 0.0, 1.0))
    return seen, np.where(score < _SEEN, 0.0, score)


def _normal(rng: np.random.Generator, *shape: int) -> Float32:
    return rng.standard_normal(shape, dtype=np.float32)


def _uniform(rng: np.random.Generator, *shape: int) -> Float32:
    return rng.random(shape, dtype=np.float32)


def _self_occluded(xy: Float64, placed: Float64, size: Float64) -> Bool:
    """Points occluded by the body itself: those behind the trunk, and the far side of the head."""
    hips, shoulders = xy[:, :, _HIPS].mean(axis=2), xy[:, :, _SHOULDERS].mean(axis=2)
    bone = (shoulders - hips)[:, :, None]
    along = ((xy - hips[:, :, None]) * bone).sum(-1) / np.maximum((bone**2).sum(-1), 1e-9)
    aside = np.sqrt(((xy - hips[:, :, None] - along.clip(0, 1)[..., None] * bone) ** 2).sum(-1))
    trunk_z = placed[:, :, _HIPS + _SHOULDERS, 2].mean(axis=2, keepdims=True)
    behind = (aside < 0.09 * size) & (along > -0.1) & (along < 1.1) & (placed[..., 2] < trunk_z - 0.045)
    face_z = placed[:, :, _EARS, 2].mean(axis=2, keepdims=True)
    behind[:, :, _FACE] = placed[:, :, _FACE, 2] < face_z - 0.02
    return behind


def _in_an_interval(rng: np.random.Generator, shape: tuple[int, int], share: float, w: int) -> Bool:
    """(N, W, K) true in a random interval of frames, for a share of the points."""
    chosen = rng.random(shape) < share
    first, last = np.sort(rng.integers(0, w + 1, (2, *shape)), axis=0)
    frames = np.arange(w)[:, None]
    return chosen[:, None] & (frames >= first[:, None]) & (frames < last[:, None])


def _swapped(rng: np.random.Generator, xy: Float64, score: Float64) -> tuple[Float64, Float64]:
    """Side swaps of the legs or of the arms for some frames; `lifting.side_swaps` corrects those of the whole body."""
    n, w, k, _ = xy.shape
    groups = np.zeros((2, k), dtype=bool)
    groups[0, [*_LEGS["left"], *_LEGS["right"]]] = True
    groups[1, [*_ARMS["left"], *_ARMS["right"]]] = True
    when = _in_an_interval(rng, (n, 1), 0.025, w) & groups[rng.integers(0, 2, n)][:, None]
    return np.where(when[..., None], xy[:, :, _MIRROR], xy), np.where(when, score[:, :, _MIRROR], score)


def _lost(rng: np.random.Generator, n: int, w: int) -> Bool:
    """(N, W, K) missing points: single ones, whole limbs, legs under a desk, and frames before the person appeared."""
    k = len(LAYOUT.names)
    lost = _in_an_interval(rng, (n, k), 0.02, w) | (rng.random((n, 1, k)) < 0.01)
    limbs = np.zeros((len(_LIMBS), k), dtype=bool)
    for i, rows in enumerate(_LIMBS):
        limbs[i, rows] = True
    for share, ever in ((0.10, False), (0.05, True)):
        limb = limbs[rng.integers(0, len(limbs), n)][:, None]
        when = (rng.random((n, 1)) < share)[:, None] if ever else _in_an_interval(rng, (n, 1), share, w)
        lost |= when & limb
    lost[:, :, _EXTRAS] |= (rng.random(n) < 0.45)[:, None, None]
    at_desk = rng.random(n) < 0.08
    lost[:, :, _BELOW_DESK] |= at_desk[:, None, None]
    lost[:, :, _HIPS] |= (at_desk & (rng.random(n) < 0.6))[:, None, None]
    lost[:, :, _FACE] |= (rng.random(n) < 0.02)[:, None, None]
    met = np.where(rng.random(n) < 0.06, rng.integers(1, w + 1, n), w)
    return lost | (np.arange(w)[None, :, None] >= met[:, None, None])
