"""Left and right exchanged by the estimator for a few frames, found by continuity and put right before lifting.

From frame to frame the vector from a right point to its left twin turns and shrinks, but never reverses at full length:
somebody who really turns round passes the moment at which both sides coincide in the picture. What reverses at full
length is an estimator's mistake. It is corrected for a while only, as the estimator, not this, knows which way a
person faces.
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

Rows: TypeAlias = npt.NDArray[np.intp]

_GROUPS = (
    ("shoulder", "hip"),
    ("eye", "ear"),
    ("elbow", "wrist", "pinky", "index", "thumb"),
    ("knee", "ankle", "heel", "toe"),
)
"""What an estimator exchanges together: trunk, head, arms, legs. The trunk comes first: the unsure follow it."""

_REVERSED = 0.0035  # how far opposed, in squared body sizes summed over a group's pairs, at 30 frames a second
_USUAL_S, _COARSEST = 1 / 30, 6.0  # frames farther apart let a body turn on: the square of that, so far at most
_GIVE_IN_S = (1.0, 1.0, 0.5, 0.5)  # an estimator that insists for so long is right, for each group
_LEAVE_NS = 1_000_000_000  # and is believed for so long, whatever happens then
_FORGET_AFTER_S = 0.3  # what was seen longer ago says nothing
_VELOCITY_S = 0.06  # time constant of how the twins' vectors change
_SMALLEST_PX = 60.0  # a body smaller than this is all noise, and hardly ever corrected
_JUMP, _GROWTH = 0.35, 1.6  # of a body's size that its middle moves between two frames, and its growth: a cut


@dataclass
class _State:
    """What is remembered of one person, as it was after correction.

    Attributes:
        time_ns: When they were last seen.
        middle_px: (2,) of the points seen then.
        size_px: How far they reached.
        apart_px: (P, 2) from each right point to its left twin.
        change_px_s: (P, 2) how that changes.
        belief: (P,) the lower score of both, when they were last seen together.
        seen_ns: (P,) when that was.
        swapped_since_ns: Since when each group is exchanged; None while it is not.
        leave_until_ns: Until when a group is left alone, as nobody knows who was right.
    """

    time_ns: int
    middle_px: Float64
    size_px: float
    apart_px: Float64
    change_px_s: Float64
    belief: Float64
    seen_ns: Float64
    swapped_since_ns: list[int | None]
    leave_until_ns: list[int]


class SwapGuard:
    """Puts exchanged sides right, each person by their own past; causal, driven by `time_ns`."""

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.pop(track_id, None)

    def apply(self, keypoints: PersonKeypoints) -> PersonKeypoints:
        """The keypoints, with left and right exchanged back where the estimator exchanged them; score 0 = not seen."""
        left, right, groups = _twins(keypoints.layout)
        now_ns, score = keypoints.time_ns, keypoints.score
        xy = keypoints.xy_px.astype(np.float64)
        belief = np.minimum(score[left], score[right]).astype(np.float64)
        both = belief > 0
        if not both.any():
            return keypoints
        apart = np.where(both[:, None], xy[left] - xy[right], 0.0)
        middle, size = xy[score > 0].mean(axis=0), max(float(np.ptp(xy[score > 0], axis=0).max()), _SMALLEST_PX)
        state = self._states.get(keypoints.track_id)
        dt_s = 0.0 if state is None else (now_ns - state.time_ns) / 1e9
        if state is None or not 0 < dt_s <= _FORGET_AFTER_S or _is_cut(state, middle, size):
            seen_ns, still = np.where(both, now_ns, -np.inf), np.zeros_like(apart)
            self._states[keypoints.track_id] = _State(
                now_ns, middle, size, apart, still, belief, seen_ns, [None] * len(groups), [now_ns] * len(groups)
            )
            return keypoints
        known = both & (now_ns - state.seen_ns <= _FORGET_AFTER_S * 1e9)
        expected = state.apart_px + state.change_px_s * dt_s
        agreement = np.where(known, state.belief * (apart * expected).sum(axis=1) / size**2, 0.0)
        swapped = _swapped(state, agreement, groups, dt_s, now_ns)
        apart = np.where(swapped[:, None], -apart, apart)

        gain = np.where(known, dt_s / (dt_s + _VELOCITY_S), 0.0)[:, None]
        state.change_px_s += gain * ((apart - state.apart_px) / dt_s - state.change_px_s)
        state.change_px_s[both & ~known] = 0.0
        state.apart_px[both], state.belief[both], state.seen_ns[both] = apart[both], belief[both], now_ns
        state.time_ns, state.middle_px, state.size_px = now_ns, middle, size
        if not swapped.any():
            return keypoints
        rows = np.arange(len(xy))
        rows[left[swapped]], rows[right[swapped]] = right[swapped], left[swapped]
        return replace(keypoints, xy_px=as_float32(keypoints.xy_px[rows]), score=as_float32(score[rows]))


def _swapped(state: _State, agreement: Float64, groups: Sequence[Bool], dt_s: float, now_ns: int) -> Bool:
    """Which pairs (P,) are exchanged, from how far each agrees with what was expected; the unsure follow the trunk."""
    reversed_ = _REVERSED * min(max((dt_s / _USUAL_S) ** 2, 1.0), _COARSEST)
    swapped, trunk_is = np.zeros(len(agreement), bool), False
    for i, group in enumerate(groups):
        since = state.swapped_since_ns[i]
        agrees = float(agreement[group].sum()) >= (reversed_ if trunk_is else -reversed_)
        if agrees or now_ns < state.leave_until_ns[i]:
            state.swapped_since_ns[i] = None
        elif since is not None and now_ns - since > _GIVE_IN_S[0 if trunk_is else i] * 1e9:
            state.swapped_since_ns[i], state.leave_until_ns[i] = None, now_ns + _LEAVE_NS
        else:
            state.swapped_since_ns[i] = now_ns if since is None else since
            swapped |= group
        trunk_is = trunk_is or (i == 0 and bool(swapped[group].any()))
    return swapped


def _is_cut(state: _State, middle_px: Float64, size_px: float) -> bool:
    """Whether this can hardly be the body of the frame before."""
    moved = float(np.abs(middle_px - state.middle_px).max()) > _JUMP * size_px
    return moved or not 1 / _GROWTH < size_px / state.size_px < _GROWTH


@lru_cache(maxsize=32)
def _twins(layout: KeypointLayout) -> tuple[Rows, Rows, list[Bool]]:
    """Rows of the left and right twins (P,), and which pairs (P,) belong to each group."""
    parts = [part for group in _GROUPS for part in group if {f"left_{part}", f"right_{part}"} <= layout.index.keys()]
    left, right = (np.array([layout.index[f"{side}_{p}"] for p in parts], dtype=np.intp) for side in ("left", "right"))
    return left, right, [np.array([part in group for part in parts], dtype=bool) for group in _GROUPS]
