"""Animation curves: keys interpolated without overshoot, then smoothed."""

from collections.abc import Sequence

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d

from realtime_pose.utils.arrays import Float64

Key = tuple[float, float]
"""A time in seconds, and the value at that time."""


def minimum_jerk(progress: Float64) -> Float64:
    """Minimum-jerk position, 0 to 1, at the time `progress` (clipped to 0..1).

    Source: Flash and Hogan, "The coordination of arm movements" (1985), equation 3 for a straight reach.
    """
    u = np.clip(progress, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def through(keys: Sequence[Key], time_s: Float64, smooth_s: float = 0.06) -> Float64:
    """A smooth curve (T,) through the keys, constant before the first and after the last, without overshoot.

    Monotone cubics have a jump in acceleration at each key; a short Gaussian removes it.
    """
    if len(keys) == 1:
        return np.full(len(time_s), float(keys[0][1]))
    (first_s, first), (last_s, last) = keys[0], keys[-1]
    padded = [(first_s - 1.0, first), *keys, (last_s + 1.0, last)]  # so that it starts and ends smoothly
    times, values = np.array(padded, dtype=np.float64).T
    curve = PchipInterpolator(times, values)(np.clip(time_s, times[0], times[-1]))
    return smoothed(curve, smooth_s, time_s)


def smoothed(values: Float64, sigma_s: float, time_s: Float64) -> Float64:
    """Values (T, ...) smoothed over time by a Gaussian of `sigma_s`; the ends are held."""
    if sigma_s == 0:
        return values
    return gaussian_filter1d(values, sigma_s / (time_s[1] - time_s[0]), axis=0, mode="nearest")
