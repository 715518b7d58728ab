"""Side-swap correction: undoes left/right exchanges by the estimator that last a few frames, before lifting.

The vector from a right keypoint to its left counterpart turns and shrinks from frame to frame, but never reverses at
full length: a person who turns around passes a frame in which both sides coincide in the image. A reversal at full
length is an estimator's error. It is corrected for a limited time only: a swap that persists is accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.per_track import PerTrack

Rows: TypeAlias = npt.NDArray[np.intp]

_GROUPS = (
    ("shoulder", "hip"),
    ("eye", "ear"),
    ("elbow", "wrist", "pinky", "index", "thumb"),
    ("knee", "ankle", "heel", "toe"),
)
"""Points that an estimator exchanges together: trunk, head, arms, legs. Undecided groups follow the trunk."""

_REVERSED = 0.0035  # negative agreement of a swap, in squared body sizes summed over a group, at 30 frames a second
_USUAL_S, _MAX_FACTOR = 1 / 30, 6.0  # at longer frame intervals _REVERSED grows with their square, by this at most
_MAX_CORRECTION_S = (1.0, 1.0, 0.5, 0.5)  # for each group: correction ends after this time
_PAUSE_NS = 1_000_000_000  # and is off for this long
_FORGET_AFTER_S = 0.3  # age from which a past vector is ignored
_VELOCITY_S = 0.06  # time constant of the vectors' rate of change
_SMALLEST_PX = 60.0  # least body size: smaller bodies are noisy and hardly ever corrected
_JUMP, _GROWTH = 0.35, 1.6  # a cut: movement between frames in body sizes, or change of size


@dataclass
class _State:
    """State of one person, after correction; P pairs of left and right points.

    Attributes:
        time_ns: The last frame's time.
        center_px: (2,) mean of its visible points.
        size_px: The longer side of their bounding box.
        offset_px: (P, 2) vector from each right point to its left counterpart.
        velocity_px_s: (P, 2) its rate of change.
        score: (P,) the lower score of both, when they were last visible together.
        seen_ns: (P,) when that was.
        swapped_since_ns: For each group, since when it is corrected; None while it is not.
        paused_until_ns: For each group, until when it is not corrected.
    """

    time_ns: int
    center_px: Float64
    size_px: float
    offset_px: Float64
    velocity_px_s: Float64
    score: Float64
    seen_ns: Float64
    swapped_since_ns: list[int | None]
    paused_until_ns: list[int]


class SideSwapCorrector:
    """Corrects left/right swaps of each person by their past; causal, driven by `time_ns`."""

    def __init__(self) -> None:
        self._states: PerTrack[_State] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.forget(track_id)

    def apply(self, keypoints: PersonKeypoints) -> PersonKeypoints:
        """The keypoints, with side swaps undone."""
        left, right, groups = _pairs(keypoints.layout)
        now_ns, score = keypoints.time_ns, keypoints.score
        xy = keypoints.xy_px.astype(np.float64)
        pair_score = np.minimum(score[left], score[right]).astype(np.float64)
        both = pair_score > 0
        if not both.any():
            return keypoints
        offset = np.where(both[:, None], xy[left] - xy[right], 0.0)
        center, size = xy[score > 0].mean(axis=0), max(float(np.ptp(xy[score > 0], axis=0).max()), _SMALLEST_PX)
        state = self._states.get(keypoints.track_id)
        dt_s = 0.0 if state is None else (now_ns - state.time_ns) / 1e9
        if state is None or not 0 < dt_s <= _FORGET_AFTER_S or _is_cut(state, center, size):
            seen_ns, still = np.where(both, now_ns, -np.inf), np.zeros_like(offset)
            new = _State(
                now_ns, center, size, offset, still, pair_score, seen_ns, [None] * len(groups), [now_ns] * len(groups)
            )
            self._states.put(keypoints.track_id, new)
            return keypoints
        known = both & (now_ns - state.seen_ns <= _FORGET_AFTER_S * 1e9)
        expected = state.offset_px + state.velocity_px_s * dt_s
        agreement = np.where(known, state.score * (offset * expected).sum(axis=1) / size**2, 0.0)
        swapped = _swapped(state, agreement, groups, dt_s, now_ns)
        offset = np.where(swapped[:, None], -offset, offset)

        gain = np.where(known, dt_s / (dt_s + _VELOCITY_S), 0.0)[:, None]
        state.velocity_px_s += gain * ((offset - state.offset_px) / dt_s - state.velocity_px_s)
        state.velocity_px_s[both & ~known] = 0.0
        state.offset_px[both], state.score[both], state.seen_ns[both] = offset[both], pair_score[both], now_ns
        state.time_ns, state.center_px, state.size_px = now_ns, center, size
        if not swapped.any():
            return keypoints
        rows = np.arange(len(xy))
        rows[left[swapped]], rows[right[swapped]] = right[swapped], left[swapped]
        return replace(keypoints, xy_px=as_float32(keypoints.xy_px[rows]), score=as_float32(score[rows]))


def _swapped(state: _State, agreement: Float64, groups: Sequence[Bool], dt_s: float, now_ns: int) -> Bool:
    """The swapped pairs (P,), from their agreement (P,) with the expected vectors; updates the groups' times."""
    reversed_ = _REVERSED * min(max((dt_s / _USUAL_S) ** 2, 1.0), _MAX_FACTOR)
    swapped, trunk_swapped = np.zeros(len(agreement), bool), False
    for i, group in enumerate(groups):
        since = state.swapped_since_ns[i]
        agrees = float(agreement[group].sum()) >= (reversed_ if trunk_swapped else -reversed_)
        if agrees or now_ns < state.paused_until_ns[i]:
            state.swapped_since_ns[i] = None
        elif since is not None and now_ns - since > _MAX_CORRECTION_S[0 if trunk_swapped else i] * 1e9:
            state.swapped_since_ns[i], state.paused_until_ns[i] = None, now_ns + _PAUSE_NS
        else:
            state.swapped_since_ns[i] = now_ns if since is None else since
            swapped |= group
        trunk_swapped = trunk_swapped or (i == 0 and bool(swapped[group].any()))
    return swapped


def _is_cut(state: _State, center_px: Float64, size_px: float) -> bool:
    """Whether position or size changed too much for the same body in successive frames."""
    moved = float(np.abs(center_px - state.center_px).max()) > _JUMP * size_px
    return moved or not 1 / _GROWTH < size_px / state.size_px < _GROWTH


@lru_cache(maxsize=32)
def _pairs(layout: KeypointLayout) -> tuple[Rows, Rows, list[Bool]]:
    """Rows (P,) of the left and right points, and for each group which pairs (P,) belong to it."""
    parts = [part for group in _GROUPS for part in group if {f"left_{part}", f"right_{part}"} <= layout.index.keys()]
    left, right = (np.array([layout.index[f"{side}_{p}"] for p in parts], dtype=np.intp) for side in ("left", "right"))
    return left, right, [np.array([part in group for part in parts], dtype=bool) for group in _GROUPS]
