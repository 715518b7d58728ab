"""One-Euro filters for arrays and rotations, driven by time stamps.

Source: Casiez, Roussel, Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems" (CHI 2012). Unlike the reference implementation, a reset clears the derivative too, so that a reset filter
equals a new one.
"""

from dataclasses import dataclass

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64


@dataclass(frozen=True)
class OneEuroParameters:
    """Trade-off between jitter and lag.

    Attributes:
        min_cutoff_hz: Cutoff at rest; lower removes more jitter.
        beta: Increase of the cutoff with speed, Hz per (unit/s); higher lags less in motion.
        derivative_cutoff_hz: Cutoff of the speed estimate.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 0.0
    derivative_cutoff_hz: float = 1.0


def _gain(cutoff_hz: Float64 | float, dt_s: float) -> Float64:
    """Weight of the new value in a first-order low-pass filter (alpha in the paper's appendix)."""
    tau_s = 1.0 / (2 * np.pi * np.asarray(cutoff_hz, dtype=np.float64))
    return 1.0 / (1.0 + tau_s / dt_s)


class OneEuroFilter:
    """One-Euro filter for arrays of a fixed shape.

    Each element has its own cutoff; with `joint` the last axis is one vector, with one cutoff from its speed. The speed
    is taken against the last filtered value, as in the reference implementation, or with `calm` against the last
    measured one, as in MediaPipe: then a value that lags behind does not catch up by itself.
    """

    def __init__(self, parameters: OneEuroParameters, *, joint: bool = False, calm: bool = False) -> None:
        self._parameters, self._joint, self._calm = parameters, joint, calm
        self.reset()

    @property
    def value(self) -> Float64 | None:
        """The last filtered value; None before the first."""
        return self._value

    def reset(self) -> None:
        """Clear the state: the filter then equals a new one."""
        self._value: Float64 | None = None
        self._measured: Float64 | None = None
        self._speed: Float64 | None = None
        self._time_ns = 0

    def apply(self, value: Float64, time_ns: int, restart: Bool | None = None, unit: float = 1.0) -> Float64:
        """The filtered value. A time stamp that is not later than the last one resets the filter.

        Args:
            value: The measurement, of the same shape in every call.
            time_ns: Its time stamp.
            restart: (N,) rows along the first axis that start again from `value`, without a past.
            unit: The length that speeds are measured in, for a `beta` that holds for bodies of any size.
        """
        dt_s = (time_ns - self._time_ns) / 1e9
        self._time_ns = time_ns
        measured, self._measured = self._measured, value
        if self._value is None or self._speed is None or measured is None or dt_s <= 0:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        if restart is not None and restart.any():
            rows = restart.reshape(-1, *[1] * (value.ndim - 1))
            self._value, self._speed = np.where(rows, value, self._value), np.where(rows, 0.0, self._speed)
        p = self._parameters
        since = measured if self._calm else self._value
        self._speed = self._speed + _gain(p.derivative_cutoff_hz, dt_s) * ((value - since) / dt_s - self._speed)
        speed = np.linalg.norm(self._speed, axis=-1, keepdims=True) if self._joint else np.abs(self._speed)
        self._value = self._value + _gain(p.min_cutoff_hz + p.beta * speed / unit, dt_s) * (value - self._value)
        return self._value


class OneEuroRotationFilter:
    """One-Euro filter for unit quaternions (J, 4), in the tangent space; each joint has its own cutoff."""

    def __init__(self, parameters: OneEuroParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Clear the state: the filter then equals a new one."""
        self._value: Float64 | None = None
        self._speed_rad_s: Float64 | None = None
        self._time_ns = 0

    def apply(self, value_xyzw: Float64, time_ns: int) -> Float64:
        """The filtered rotations (J, 4), in the same hemisphere as the previous ones."""
        dt_s = (time_ns - self._time_ns) / 1e9
        self._time_ns = time_ns
        if self._value is None or self._speed_rad_s is None or dt_s <= 0:
            self._value, self._speed_rad_s = value_xyzw, np.zeros((*value_xyzw.shape[:-1], 3))
            return value_xyzw
        p = self._parameters
        step = rot.to_rotvec(rot.multiply(rot.inverse(self._value), value_xyzw))
        gain = _gain(p.derivative_cutoff_hz, dt_s)
        self._speed_rad_s = self._speed_rad_s + gain * (step / dt_s - self._speed_rad_s)
        speed = np.linalg.norm(self._speed_rad_s, axis=-1, keepdims=True)
        filtered = rot.multiply(self._value, rot.from_rotvec(step * _gain(p.min_cutoff_hz + p.beta * speed, dt_s)))
        self._value = rot.nearest_sign(rot.unit(filtered), self._value)
        return self._value
