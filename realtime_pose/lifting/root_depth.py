"""Root depth estimation: a person's distance from one view, bounded by bone lengths and steadied by the floor."""

import math

import numpy as np

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters

_SMOOTHING = OneEuroParameters(min_cutoff_hz=1.0, beta=2.0)  # of the logarithm of the distance
_START_M, _NEAREST_M, _FARTHEST_M = 3.0, 0.3, 30.0
_QUANTILE = 0.12  # of the bones' upper bounds: close to the smallest, robust to one bone's noise
_MIN_SLOPE = 0.12  # tangent of the ankles' angle below the horizon from which the floor is used
_RISE_GAIN, _FALL_GAIN = 0.01, 0.10  # share of its error by which the camera height is corrected per frame
_FLOOR_RANGE = (0.75, 1.05)  # the floor's estimate is limited to these multiples of the bones'


class RootDepth:
    """One person's distance over time, for a level camera.

    A bone of length L that measures `a` in normalised image coordinates is at most L / a away, and exactly that far if
    it is parallel to the image plane, so the least foreshortened bones are right. A squat foreshortens all bones; then
    the standing foot is used, whose slope below the horizon depends on the distance alone. The camera's height over the
    ankles, which turns the slope into a distance, is learnt from the bones: quickly downwards, as they only
    overestimate.
    """

    def __init__(self, body: BodyDimensions) -> None:
        self._body = body
        self._height_m: float | None = None  # of the camera over the ankles
        self._log = OneEuroFilter(_SMOOTHING)

    def update(self, rays: dict[str, Float64], time_ns: int) -> float:
        """The distance in m along the optical axis.

        Args:
            rays: (3,) ray with z = -1 of each visible point, by name; canonical axes.
            time_ns: The frame's time.
        """
        bones_m = self._from_bones(rays)
        if bones_m is None:
            return float(np.exp(self._log.value)) if self._log.value is not None else _START_M
        depth_m = float(np.clip(self._from_floor(rays, bones_m), _NEAREST_M, _FARTHEST_M))
        return float(np.exp(self._log.apply(np.array(np.log(depth_m)), time_ns)))

    def _from_bones(self, rays: dict[str, Float64]) -> float | None:
        b = self._body
        hips, shoulders, ears = (middle(rays, f"left_{part}", f"right_{part}") for part in ("hip", "shoulder", "ear"))
        bones = [
            (hips, shoulders, b.torso),
            (shoulders, ears, b.head_height),
            (rays.get("left_shoulder"), rays.get("right_shoulder"), b.shoulder_width),
        ]
        for side in ("left", "right"):
            hip, knee, ankle, shoulder, elbow, wrist = (
                rays.get(f"{side}_{part}") for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
            )
            bones += [(hip, knee, b.thigh), (knee, ankle, b.shank)]
            bones += [(shoulder, elbow, b.upper_arm), (elbow, wrist, b.forearm)]
        bounds = [
            (length / max(math.hypot(p[0] - q[0], p[1] - q[1]), 1e-6), length)
            for p, q, length in bones
            if p is not None and q is not None
        ]
        return _weighted_quantile(np.array(bounds), _QUANTILE) if bounds else None

    def _from_floor(self, rays: dict[str, Float64], bones_m: float) -> float:
        slopes = [-float(rays[name][1]) for name in ("left_ankle", "right_ankle") if name in rays]
        slope = max(slopes, default=0.0)  # the lower foot is the standing one
        if slope < _MIN_SLOPE:
            return bones_m
        if self._height_m is None:
            self._height_m = bones_m * slope
        error = bones_m * slope - self._height_m
        self._height_m += (_RISE_GAIN if error > 0 else _FALL_GAIN) * error
        return float(np.clip(self._height_m / slope, _FLOOR_RANGE[0] * bones_m, _FLOOR_RANGE[1] * bones_m))


def middle(rays: dict[str, Float64], a: str, b: str) -> Float64 | None:
    """The ray half-way between two points; None unless both are visible."""
    return (rays[a] + rays[b]) / 2 if a in rays and b in rays else None


def _weighted_quantile(values_and_weights: Float64, fraction: float) -> float:
    """The value below which `fraction` of the weight lies, from (N, 2) values and weights."""
    values, weights = values_and_weights[np.argsort(values_and_weights[:, 0])].T
    reached = (np.cumsum(weights) - weights / 2) / weights.sum()
    return float(np.interp(fraction, reached, values))
