"""Motion of people in the image: velocity from frame to frame, and the expected box of an occluded person."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.utils.arrays import Bool, Float64

EXTRAPOLATION_S = 1.0  # a missing person is expected to walk straight on for this long, then to wait
_VELOCITY_TAU_S = 0.2  # time constant of the velocity
_BOX_TAU_S = 0.5  # time constant with which the moved box follows the measured one
_DETECTION_TAU_S = 0.5  # of a velocity from two detections, whose error falls with the time between them
_MAX_ACCELERATION = 2.0  # body heights/s², about 3.5 m/s²; more is a jump to another body
_MAX_OFFSET = 0.6  # body sizes by which a detection may miss a lost person's expected box,
_MAX_OFFSET_PER_S = 0.6  # plus this for each second since they were lost
_MIN_HEIGHT_RATIO = 0.4  # of that detection to the lost person's box: a returning person is partly occluded at first
_MAX_HEIGHT_RATIO = 1.7  # of the same
_MIN_KEYPOINTS = 4  # keypoints visible in both frames that a shift needs
_XYXY = [0, 1, 0, 1]  # columns that turn shifts of points into shifts of boxes


@dataclass(frozen=True, slots=True)
class Motion:
    """A box (4,) xyxy px at a time, and its velocity (2,) px/s."""

    box: Float64
    velocity: Float64
    time_ns: int

    def at(self, time_ns: int) -> Float64:
        """The expected box at another time: the person walks straight on for a while, then waits."""
        return shifted(self.box, self.velocity * min(self.seconds_to(time_ns), EXTRAPOLATION_S))

    def seconds_to(self, time_ns: int) -> float:
        """Seconds from the motion's time to another; never negative."""
        return max((time_ns - self.time_ns) / 1e9, 0.0)

    def with_keypoints(self, shift: Float64 | None, box: Float64, time_ns: int) -> "Motion":
        """The motion after one more frame with keypoints.

        Args:
            shift: (2,) px that the keypoints moved since; None where that is unknown.
            box: (4,) around the visible keypoints; part of the body may be occluded.
            time_ns: The frame's media time.
        """
        seconds = self.seconds_to(time_ns)
        if shift is None or seconds == 0:
            return Motion(box, self.velocity, time_ns)
        change = shift / seconds - self.velocity
        max_change = _MAX_ACCELERATION * float(box[3] - box[1]) * max(_VELOCITY_TAU_S, seconds)
        change = change * min(1.0, max_change / max(math.hypot(*change.tolist()), 1e-9))
        moved_box = shifted(self.box, shift)
        return Motion(
            moved_box + (1 - math.exp(-seconds / _BOX_TAU_S)) * (box - moved_box),
            self.velocity + (1 - math.exp(-seconds / _VELOCITY_TAU_S)) * change,
            time_ns,
        )

    def with_detection(self, box: Float64, time_ns: int) -> "Motion":
        """The motion after one more detection of a person without keypoints."""
        seconds = self.seconds_to(time_ns)
        if seconds == 0:
            return Motion(box, self.velocity, time_ns)
        change = (_centres(box) - _centres(self.box)) / seconds - self.velocity
        return Motion(box, self.velocity + (1 - math.exp(-((seconds / _DETECTION_TAU_S) ** 2))) * change, time_ns)


def shifted(boxes: Float64, shifts: Float64) -> Float64:
    """The boxes (..., 4), each moved by its shift (..., 2)."""
    return boxes + shifts[..., _XYXY]


def distance(expected: Float64, box: Float64) -> float:
    """Distance of a box (4,) from the expected one, in body sizes of the box."""
    return float(np.hypot(*(_centres(expected) - _centres(box))) / body_sizes(box))


def distances(a: Float64, b: Float64) -> Float64:
    """Distance of each of the boxes (M, 4) from each of the boxes (N, 4), in body sizes of the former, as (M, N)."""
    return np.linalg.norm(_centres(a)[:, None] - _centres(b)[None], axis=2) / body_sizes(a)[:, None]


def body_sizes(boxes: Float64) -> Float64:
    """The square root (...) of the area of each box (..., 4), px."""
    return np.sqrt(np.maximum(np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1), 1.0))


def fits_of_lost(motions: Sequence[Motion], boxes: Float64, time_ns: int) -> Float64:
    """How well each detection (M, 4) fits each of N lost people, (N, M) in 0..1; 0 where it cannot be them."""
    if not motions:
        return np.zeros((0, len(boxes)))
    expected = np.stack([motion.at(time_ns) for motion in motions])
    max_distance = _MAX_OFFSET + _MAX_OFFSET_PER_S * np.array([motion.seconds_to(time_ns) for motion in motions])
    relative_distance = distances(expected, boxes) / max_distance[:, None]
    heights = (boxes[:, 3] - boxes[:, 1])[None] / np.maximum(expected[:, 3] - expected[:, 1], 1.0)[:, None]
    plausible = (relative_distance < 1) & (heights > _MIN_HEIGHT_RATIO) & (heights < _MAX_HEIGHT_RATIO)
    return np.where(plausible, 1 - 0.99 * relative_distance, 0)


def median_shifts(
    before: Sequence[PersonKeypoints], now: Sequence[PersonKeypoints], score_threshold: float
) -> tuple[Float64, Bool]:
    """The shift of each person (N, 2) px, and for whom it is known (N,).

    The median over the keypoints visible in both frames: neither a swinging arm nor a half-occluded body changes it.
    """
    if not now:
        return np.zeros((0, 2)), np.zeros(0, bool)
    steps = np.stack([b.xy_px for b in now]).astype(np.float64) - np.stack([a.xy_px for a in before])
    visible = np.stack([np.minimum(a.score, b.score) for a, b in zip(before, now, strict=True)]) >= score_threshold
    visible &= np.isfinite(steps).all(axis=2)
    known = visible.sum(axis=1) >= _MIN_KEYPOINTS
    # the median over the visible rows: the others are sorted behind them
    ordered = np.sort(np.where(visible[..., None], steps, np.inf), axis=1)
    rows, count = np.arange(len(now)), visible.sum(axis=1)
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, np.minimum(count // 2, len(visible[0]) - 1)]
    return np.where(
        known[:, None], (np.where(known[:, None], low, 0) + np.where(known[:, None], high, 0)) / 2, 0
    ), known


def _centres(boxes: Float64) -> Float64:
    return (boxes[..., :2] + boxes[..., 2:]) / 2
