"""The trained lifter: a network says where the points are from the hips, perspective says where the hips are.

How it was trained, and on what: resources/lifter/README.md. What it sees: `ik.lifting_window`.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.lifting.bone_rescaling import BoneRescaling
from realtime_pose.lifting.network import LifterWeights, load_lifter_weights
from realtime_pose.lifting.network_input import LAYOUT, MOMENTS_S, look_at
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters

_GAP_S = 1.0  # somebody unseen for longer starts anew
_BETWEEN_S = 0.12  # looks further apart than this are not joined by a line
_NEAR_S = 0.025  # a look this near to a wanted moment stands for it
_HIPS = LAYOUT.rows(("left_hip", "right_hip"))
_START_M, _NEAREST_M, _FARTHEST_M = 3.0, 0.3, 30.0
_DISTANCE_SMOOTHING = OneEuroParameters(min_cutoff_hz=1.0, beta=2.0)  # of the distance's logarithm
_KEYPOINT_M = 0.02  # how far off a keypoint is, besides the place that the network gives for it
_GRAZING = 0.05  # rays are kept before the level camera
_FEWEST = 3  # points that say where a body is
_OUTLIER_M = 0.05  # how far off its ray, in metres at its distance, a point loses half its say in that
_GOOD_M, _GUESS_CHANCE = 0.10, 0.75  # a point that was not seen counts where it is this likely to be this near


@dataclass
class _State:
    """What is remembered of one person: the looks of the last moments, and where they were."""

    times_ns: list[int] = field(default_factory=list)
    looks: list[tuple[Float64, Float64]] = field(default_factory=list)  # (K, 2) at distance 1, and (K,) scores
    root_m: Float64 = field(default_factory=lambda: np.array([0.0, 0.0, -_START_M]))
    log_distance: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_DISTANCE_SMOOTHING))


class TrainedLifter:
    """Places keypoints in space by what was learnt from many bodies; see the module's text."""

    def __init__(self, config: BodyConfig, weights: LifterWeights | None = None) -> None:
        """Reads the shipped weights unless others are given; CheckpointError where there are none."""
        self._height_m = config.height_m
        self._own = BoneRescaling(config)
        self._camera_from_level = _about_x(math.radians(config.camera_pitch_deg))
        self._weights = _shipped_weights() if weights is None else weights
        self._states: dict[int, _State] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.pop(track_id, None)

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D: root-relative in metres, and the root from the camera.

        A point that was not seen has its likely place, and a score only where that place is nearly sure.
        """
        state = self._states.setdefault(keypoints.track_id, _State())
        if state.times_ns and not 0 < keypoints.time_ns - state.times_ns[-1] <= _GAP_S * 1e9:
            state = self._states[keypoints.track_id] = _State()
        _remember(state, keypoints, intrinsics, self._camera_from_level)
        xy, score = _window(state)
        xyz, error = self._places(xy, score)
        xyz, error_m = self._own.of(xyz * self._height_m, LAYOUT), error * self._height_m
        state.root_m = _root(xyz, xy[0], score[0] / (error_m + _KEYPOINT_M) ** 2, state)

        chance = 1.0 - np.exp(-_GOOD_M / error_m)
        belief = np.where(score[0] > 0, score[0], np.where(chance > _GUESS_CHANCE, chance, 0.0))
        own = [LAYOUT.index.get(name, -1) for name in keypoints.layout.names]
        known = np.array(own) >= 0
        return Joints3D(
            keypoints.layout,
            as_float32(np.where(known[:, None], xyz[own] @ self._camera_from_level.T, 0.0)),
            as_float32(self._camera_from_level @ state.root_m),
            as_float32(np.where(known, belief[own], 0.0)),
            keypoints.track_id,
            keypoints.time_ns,
        )

    def _places(self, xy: Float64, score: Float64) -> tuple[Float64, Float64]:
        """Places (K, 3) from the middle of the hips and expected errors (K,), in body heights, the camera's axes."""
        told, view = look_at(xy, score)
        said = self._weights(told)
        xyz = said.places @ view.camera_from_view.T
        return xyz - xyz[_HIPS].mean(axis=0), said.error


@lru_cache(maxsize=1)
def _shipped_weights() -> LifterWeights:
    return load_lifter_weights()


def _about_x(angle_rad: float) -> Float64:
    c, s = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _remember(
    state: _State, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, camera_from_level: Float64
) -> None:
    """Put the newest look on top, as a level camera has it, and let go of those older than any moment asked for."""
    rows = [keypoints.layout.index.get(name, -1) for name in LAYOUT.names]
    xy_px = keypoints.xy_px[rows].astype(np.float64)
    score = np.where((np.array(rows) >= 0) & np.isfinite(xy_px).all(axis=1), keypoints.score[rows], 0.0)
    score = np.where(np.isfinite(score), np.clip(score, 0.0, 1.0), 0.0).astype(np.float64)
    xy_px = np.where(score[:, None] > 0, xy_px, 0.0)
    xy = (xy_px - (intrinsics.cx, intrinsics.cy)) / (intrinsics.fx, -intrinsics.fy)
    rays = np.column_stack((xy, -np.ones(len(xy)))) @ camera_from_level
    xy = rays[:, :2] / np.maximum(-rays[:, 2:], _GRAZING)
    state.looks.append((xy, score))
    state.times_ns.append(keypoints.time_ns)
    oldest_ns = keypoints.time_ns - (MOMENTS_S[-1] + _BETWEEN_S) * 1e9
    while len(state.times_ns) > 1 and state.times_ns[0] < oldest_ns:
        del state.times_ns[0], state.looks[0]


def _window(state: _State) -> tuple[Float64, Float64]:
    """Points (W, K, 2) and scores (W, K) at the moments that the network looks at, on lines between the looks."""
    ages_s = (state.times_ns[-1] - np.array(state.times_ns)[::-1]) / 1e9  # newest first: rising from 0
    all_xy = np.array([look[0] for look in reversed(state.looks)])
    all_score = np.array([look[1] for look in reversed(state.looks)])
    after = np.clip(np.searchsorted(ages_s, MOMENTS_S - 1e-6), 0, len(ages_s) - 1)
    before = np.maximum(after - 1, 0)
    gap_s = ages_s[after] - ages_s[before]
    share = np.where(gap_s > 0, (MOMENTS_S - ages_s[before]) / np.where(gap_s > 0, gap_s, 1.0), 0.0)
    share = np.where(gap_s > _BETWEEN_S, np.rint(share), share).clip(0.0, 1.0)
    missed_s = np.abs(ages_s[before] + share * gap_s - MOMENTS_S)
    share = share[:, None]
    a, b = all_score[before], all_score[after]
    # Where only one of the two looks saw a point, that one speaks.
    share = np.where(a <= 0, 1.0, np.where(b <= 0, 0.0, share))
    score = (a * (1 - share) + b * share) * (missed_s <= _NEAR_S)[:, None]
    return all_xy[before] * (1 - share[..., None]) + all_xy[after] * share[..., None], score


def _root(xyz_m: Float64, xy: Float64, weight: Float64, state: _State) -> Float64:
    """Where the middle of the hips is (3,) from the camera: where the points (K, 3) fall on what was seen (K, 2).

    Each point gives x + ray_x z = 0 and y + ray_y z = 0, linear in the root: weighted least squares, twice more with
    less weight on points that do not fit. The distance, of which one view knows least, is smoothed; the direction is
    not. Too few points leave the root where it was.
    """
    seen = weight > 0
    if seen.sum() < _FEWEST:
        return state.root_m
    p, ray, w = xyz_m[seen], xy[seen], weight[seen] / weight.max()
    off = -(p[:, :2] + ray * p[:, 2:])
    fit = w
    for _ in range(3):
        # The middle of the hips at distance d is at (mean(off) + mean(ray) d, -d), means weighted: one unknown is left.
        share = fit[:, None] / fit.sum()
        mean_ray, mean_off = (share * ray).sum(axis=0), (share * off).sum(axis=0)
        ray_apart, off_apart = ray - mean_ray, off - mean_off
        distance_m = -(share * ray_apart * off_apart).sum() / max(float((share * ray_apart**2).sum()), 1e-9)
        missed_m = np.linalg.norm(off_apart + ray_apart * distance_m, axis=1)
        fit = w / (1.0 + (missed_m / _OUTLIER_M) ** 2)
    distance_m = min(max(distance_m, _NEAREST_M), _FARTHEST_M)
    distance_m = float(np.exp(state.log_distance.apply(np.array(np.log(distance_m)), state.times_ns[-1])))
    return np.array([*(mean_off + mean_ray * distance_m), -distance_m])
