"""How people move from frame to frame, and where somebody who cannot be seen is expected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.utils.arrays import Bool, Float64

COAST_S = 1.0  # people walk straight on for so long
_VELOCITY_S, _BOX_S = 0.2, 0.5  # time constants
_GLANCES_S = 0.5  # of a velocity from two detections: its error falls with the time between them
_ACCELERATION = 2.0  # body heights/s²: about 3.5 m/s²; more is a jump to another body
_REACH, _REACH_PER_S = 0.6, 0.6  # body sizes that a detection may be off somebody lost
_SHORTEST, _TALLEST = 0.4, 1.7  # height of that detection, of the one lost: who comes out is seen in part at first
_MIN_KEYPOINTS = 4
_XYXY = [0, 1, 0, 1]  # makes shifts of boxes out of shifts of points


@dataclass(frozen=True, slots=True)
class Motion:
    """A box (4,) xyxy px at a time, and its velocity (2,) px/s."""

    box: Float64
    velocity: Float64
    time_ns: int

    def at(self, time_ns: int) -> Float64:
        """The box at another time, if the person walks straight on for a while and then waits."""
        return shifted(self.box, self.velocity * min(self.seconds_to(time_ns), COAST_S))

    def seconds_to(self, time_ns: int) -> float:
        """Seconds from the motion's time to another one, never negative."""
        return max((time_ns - self.time_ns) / 1e9, 0.0)

    def moved(self, shift: Float64 | None, box: Float64, time_ns: int) -> "Motion":
        """The motion after one more frame.

        Args:
            shift: (2,) px that the keypoints moved since; None where that is not known.
            box: (4,) around what is seen now; part of the body may be hidden.
            time_ns: Of what is seen.
        """
        seconds = self.seconds_to(time_ns)
        if shift is None or seconds == 0:
            return Motion(box, self.velocity, time_ns)
        faster = shift / seconds - self.velocity
        most = _ACCELERATION * float(box[3] - box[1]) * max(_VELOCITY_S, seconds)
        faster = faster * min(1.0, most / max(math.hypot(*faster.tolist()), 1e-9))
        carried = shifted(self.box, shift)
        return Motion(
            carried + (1 - math.exp(-seconds / _BOX_S)) * (box - carried),
            self.velocity + (1 - math.exp(-seconds / _VELOCITY_S)) * faster,
            time_ns,
        )

    def glimpsed(self, box: Float64, time_ns: int) -> "Motion":
        """The motion after one more detection, of somebody whose keypoints are not known."""
        seconds = self.seconds_to(time_ns)
        if seconds == 0:
            return Motion(box, self.velocity, time_ns)
        faster = (_centres(box) - _centres(self.box)) / seconds - self.velocity
        return Motion(box, self.velocity + (1 - math.exp(-((seconds / _GLANCES_S) ** 2))) * faster, time_ns)


def shifted(boxes: Float64, shifts: Float64) -> Float64:
    """The boxes (..., 4), each moved by its shift (..., 2)."""
    return boxes + shifts[..., _XYXY]


def gap(expected: Float64, box: Float64) -> float:
    """How far a box (4,) is from the expected one, in body sizes."""
    return float(np.hypot(*(_centres(expected) - _centres(box))) / body_sizes(box))


def gaps(a: Float64, b: Float64) -> Float64:
    """How far each of the boxes (M, 4) is from each of the boxes (N, 4), in sizes of the former, as (M, N)."""
    return np.linalg.norm(_centres(a)[:, None] - _centres(b)[None], axis=2) / body_sizes(a)[:, None]


def body_sizes(boxes: Float64) -> Float64:
    """The side (...) of a square as large as each box (..., 4), px."""
    return np.sqrt(np.maximum(np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1), 1.0))


def fits_of_lost(motions: Sequence[Motion], boxes: Float64, time_ns: int) -> Float64:
    """How well each detection (M, 4) fits each of the N lost, (N, M) in 0..1; 0 where it is out of their reach."""
    if not motions:
        return np.zeros((0, len(boxes)))
    expected = np.stack([motion.at(time_ns) for motion in motions])
    reach = _REACH + _REACH_PER_S * np.array([motion.seconds_to(time_ns) for motion in motions])
    far = gaps(expected, boxes) / reach[:, None]
    heights = (boxes[:, 3] - boxes[:, 1])[None] / np.maximum(expected[:, 3] - expected[:, 1], 1.0)[:, None]
    alike = (far < 1) & (heights > _SHORTEST) & (heights < _TALLEST)
    return np.where(alike, 1 - 0.99 * far, 0)


def median_shifts(
    before: Sequence[PersonKeypoints], now: Sequence[PersonKeypoints], score_threshold: float
) -> tuple[Float64, Bool]:
    """How far each person moved (N, 2) px, and for whom that is known (N,).

    The median over the keypoints seen both times: a swinging arm does not count, nor does half a body that is hidden.
    """
    if not now:
        return np.zeros((0, 2)), np.zeros(0, bool)
    steps = np.stack([b.xy_px for b in now]).astype(np.float64) - np.stack([a.xy_px for a in before])
    seen = np.stack([np.minimum(a.score, b.score) for a, b in zip(before, now, strict=True)]) >= score_threshold
    seen &= np.isfinite(steps).all(axis=2)
    known = seen.sum(axis=1) >= _MIN_KEYPOINTS
    # a median over the rows seen: those that were not are sorted behind them
    ordered = np.sort(np.where(seen[..., None], steps, np.inf), axis=1)
    rows, count = np.arange(len(now)), seen.sum(axis=1)
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, len(seen[0]) - 1)]
    return np.where(
        known[:, None], (np.where(known[:, None], low, 0) + np.where(known[:, None], high, 0)) / 2, 0
    ), known


def _centres(boxes: Float64) -> Float64:
    return (boxes[..., :2] + boxes[..., 2:]) / 2
