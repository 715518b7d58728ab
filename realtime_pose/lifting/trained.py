"""Trained lifter: a network predicts the points relative to the hips and the vertical, perspective places the hips.

Input features: `lifting.network_input`. Training and data: resources/lifter/README.md.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.lifting.bone_rescaling import BoneRescaling
from realtime_pose.lifting.network import LifterWeights, load_lifter_weights
from realtime_pose.lifting.network_input import LAYOUT, WINDOW_S, features_of
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters
from realtime_pose.utils.per_track import PerTrack

_Rows = npt.NDArray[np.intp]

_GAP_S = 1.0  # a longer gap resets the person's state
_MAX_INTERPOLATED_S = 0.12  # frames further apart are not interpolated between
_NEAREST_S = 0.025  # a frame this close to a moment of the window stands for it
_HIPS = LAYOUT.rows(("left_hip", "right_hip"))
_START_M, _NEAREST_M, _FARTHEST_M = 3.0, 0.3, 30.0
_DISTANCE_SMOOTHING = OneEuroParameters(min_cutoff_hz=1.0, beta=2.0)  # of the logarithm of the distance
_KEYPOINT_M = 0.04  # error of a keypoint, besides the network's own
_MIN_POINTS = 3  # that determine the root
_OUTLIER_SIGMAS = 3.0  # distance between keypoint and prediction at which a keypoint's weight is halved
_OUTLIER_M = 0.05  # distance from its ray at which a point's weight is halved
# An occluded point is scored if its error is below _GOOD_M with at least this probability.
_GOOD_M, _MIN_CONFIDENT_PROBABILITY = 0.10, 0.75


@dataclass
class _State:
    """State of one person: the recent frames, and the last root.

    Attributes:
        times_ns: Time of each frame, oldest first.
        frames: (K, 2) normalised image coordinates and (K,) scores of each.
        root_m: (3,) the last root.
        log_distance: Smooths the logarithm of its distance.
    """

    times_ns: list[int] = field(default_factory=list)
    frames: list[tuple[Float64, Float64]] = field(default_factory=list)
    root_m: Float64 = field(default_factory=lambda: np.array([0.0, 0.0, -_START_M]))
    log_distance: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_DISTANCE_SMOOTHING))


class TrainedLifter:
    """Lifts keypoints with a network trained on many bodies; see the module's docstring."""

    def __init__(
        self, config: BodyConfig, attitude: CameraAttitude | None = None, weights: LifterWeights | None = None
    ) -> None:
        """Load the shipped weights unless others are given.

        Args:
            config: The settings.
            attitude: The camera's attitude, which every lifted frame improves; by default one of its own.
            weights: The network's.

        Raises:
            CheckpointError: They cannot be read.
        """
        self._attitude = attitude or CameraAttitude(config)
        self._height_m = config.height_m
        self._rescaling = BoneRescaling(config)
        self._weights = _shipped_weights() if weights is None else weights
        self._states: PerTrack[_State] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.forget(track_id)

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D: root-relative in metres, and the root from the camera.

        An occluded point has its predicted position, and a score only where that is almost certain.
        """
        state = self._states.get_or_make(keypoints.track_id, _State)
        if state.times_ns and not 0 < keypoints.time_ns - state.times_ns[-1] <= _GAP_S * 1e9:
            state = self._states.put(keypoints.track_id, _State())
        _add_frame(state, keypoints, intrinsics)
        xy, score = _window(state)
        xyz, error, contact = self._predict(xy, score, keypoints.time_ns)
        xyz, error_m = self._rescaling.apply(xyz * self._height_m, LAYOUT), error * self._height_m
        state.root_m = _root(xyz, xy[0], score[0] / (error_m + _KEYPOINT_M) ** 2, state)
        xyz = _towards_image(xyz, state.root_m, xy[0], score[0], error_m)
        middle = xyz[_HIPS].mean(axis=0)
        xyz, root = xyz - middle, state.root_m + middle

        probability = 1.0 - np.exp(-_GOOD_M / error_m)
        scores = np.where(score[0] > 0, score[0], np.where(probability > _MIN_CONFIDENT_PROBABILITY, probability, 0.0))
        rows, known = _rows_of(LAYOUT, keypoints.layout)
        return Joints3D(
            keypoints.layout,
            as_float32(np.where(known[:, None], xyz[rows], 0.0)),
            as_float32(root),
            as_float32(np.where(known, scores[rows], 0.0)),
            keypoints.track_id,
            keypoints.time_ns,
            as_float32(contact),
        )

    def _predict(self, xy: Float64, score: Float64, time_ns: int) -> tuple[Float64, Float64, Float64]:
        """Points (K, 3) from the middle of the hips, errors (K,), in body heights, camera axes; contacts (2, 2).

        The vertical is measured without what is known of it, or the estimate would confirm itself; the points are
        predicted with it.
        """
        attitude = self._attitude
        known_rad = attitude.measured[1] if attitude.is_known else np.inf
        features, view = features_of(
            np.stack((xy, xy)), np.stack((score, score)), np.stack((attitude.up,) * 2), np.array((np.inf, known_rad))
        )
        prediction = self._weights(features)
        if (score[0] > 0).any():
            attitude.add(view.camera_from_view[0] @ prediction.up[0], float(prediction.up_error_rad[0]), time_ns)
        xyz = prediction.xyz[1] @ view.camera_from_gravity_view(np.stack((attitude.up,) * 2))[1].T
        return xyz - xyz[_HIPS].mean(axis=0), prediction.error[1], prediction.contact[1]


@lru_cache(maxsize=1)
def _shipped_weights() -> LifterWeights:
    return load_lifter_weights()


@lru_cache(maxsize=32)
def _rows_of(layout: KeypointLayout, names_of: KeypointLayout) -> tuple[_Rows, Bool]:
    """For each point of `names_of`, its row in `layout` (-1 if it lacks it), and whether it has one."""
    rows = np.array([layout.index.get(name, -1) for name in names_of.names])
    return rows, rows >= 0


def _add_frame(state: _State, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> None:
    """Append the newest frame, and drop frames that the window no longer needs."""
    rows, known = _rows_of(keypoints.layout, LAYOUT)
    xy_px = keypoints.xy_px[rows].astype(np.float64)
    score = np.where(known & np.isfinite(xy_px).all(axis=1), keypoints.score[rows], 0.0)
    score = np.where(np.isfinite(score), np.clip(score, 0.0, 1.0), 0.0).astype(np.float64)
    xy_px = np.where(score[:, None] > 0, xy_px, 0.0)
    xy = (xy_px - (intrinsics.cx, intrinsics.cy)) / (intrinsics.fx, -intrinsics.fy)
    state.frames.append((xy, score))
    state.times_ns.append(keypoints.time_ns)
    oldest_ns = keypoints.time_ns - (WINDOW_S[-1] + _MAX_INTERPOLATED_S) * 1e9
    while len(state.times_ns) > 1 and state.times_ns[0] < oldest_ns:
        del state.times_ns[0], state.frames[0]


def _window(state: _State) -> tuple[Float64, Float64]:
    """Points (W, K, 2) and scores (W, K) at the ages of WINDOW_S, linearly interpolated between frames."""
    ages_s = (state.times_ns[-1] - np.array(state.times_ns)[::-1]) / 1e9  # newest first: rising from 0
    after = np.minimum(np.searchsorted(ages_s, WINDOW_S - 1e-6), len(ages_s) - 1)
    before = np.maximum(after - 1, 0)
    (xy_before, score_before), (xy_after, score_after) = (_stacked(state, ages) for ages in (before, after))
    gap_s = ages_s[after] - ages_s[before]
    t = np.where(gap_s > 0, (WINDOW_S - ages_s[before]) / np.where(gap_s > 0, gap_s, 1.0), 0.0)
    t = np.where(gap_s > _MAX_INTERPOLATED_S, np.rint(t), t).clip(0.0, 1.0)
    offset_s = np.abs(ages_s[before] + t * gap_s - WINDOW_S)
    t = t[:, None]
    # A point that is visible in one of the two frames is taken from that one.
    t = np.where(score_before <= 0, 1.0, np.where(score_after <= 0, 0.0, t))
    score = (score_before * (1 - t) + score_after * t) * (offset_s <= _NEAREST_S)[:, None]
    return xy_before * (1 - t[..., None]) + xy_after * t[..., None], score


def _stacked(state: _State, ages: _Rows) -> tuple[Float64, Float64]:
    """Points and scores of the frames `ages` frames ago."""
    frames = [state.frames[-1 - age] for age in ages.tolist()]
    return np.array([xy for xy, _ in frames]), np.array([score for _, score in frames])


def _towards_image(xyz_m: Float64, root_m: Float64, xy: Float64, score: Float64, error_m: Float64) -> Float64:
    """The points (K, 3), moved across the line of sight towards their keypoints.

    Prediction and keypoint are weighted by their expected errors, as in a Kalman filter's update; a keypoint that is
    far from the prediction, for these errors, is an outlier.
    """
    place = xyz_m + root_m
    off = -xy * place[:, 2:] - place[:, :2]
    keypoint_m = _KEYPOINT_M / np.maximum(score, 1e-3)
    gain = np.where(score > 0, error_m**2 / (error_m**2 + keypoint_m**2), 0.0)
    surprise = (off**2).sum(axis=1) / (error_m**2 + keypoint_m**2) / _OUTLIER_SIGMAS**2
    return np.column_stack((xyz_m[:, :2] + (gain / (1.0 + surprise))[:, None] * off, xyz_m[:, 2]))


def _root(xyz_m: Float64, xy: Float64, weight: Float64, state: _State) -> Float64:
    """The root (3,) from the camera such that the points (K, 3) project to the keypoints (K, 2).

    Each point gives x + ray_x z = 0 and y + ray_y z = 0, linear in the root: least squares by `weight` (K,), reweighted
    twice to suppress outliers. The distance, which one view determines worst, is smoothed; the direction is not. With
    too few points the root stays where it was.
    """
    seen = weight > 0
    if seen.sum() < _MIN_POINTS:
        return state.root_m
    p, ray, base_weight = xyz_m[seen], xy[seen], weight[seen] / weight.max()
    offset = -(p[:, :2] + ray * p[:, 2:])
    weight = base_weight
    for last in (False, False, True):
        # A root at distance d is at (mean(offset) + mean(ray) d, -d), means weighted: one unknown is left.
        share = weight / weight.sum()
        mean_ray, mean_offset = share @ ray, share @ offset
        centred_ray, centred_offset = ray - mean_ray, offset - mean_offset
        weighted_ray = share[:, None] * centred_ray
        distance_m = -float(np.vdot(weighted_ray, centred_offset)) / max(
            float(np.vdot(weighted_ray, centred_ray)), 1e-9
        )
        if not last:
            residual_m = centred_offset + centred_ray * distance_m
            weight = base_weight / (1.0 + (residual_m * residual_m).sum(axis=1) / _OUTLIER_M**2)
    distance_m = min(max(distance_m, _NEAREST_M), _FARTHEST_M)
    distance_m = float(np.exp(state.log_distance.apply(np.array(np.log(distance_m)), state.times_ns[-1])))
    return np.array([*(mean_offset + mean_ray * distance_m), -distance_m])
