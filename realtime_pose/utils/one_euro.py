"""One-Euro filtering: still when the input is still, quick when it moves; driven by time stamps.

Source: Casiez, Roussel, Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems" (CHI 2012). A reset forgets everything, the derivative too, so what follows equals a fresh filter.
"""

from dataclasses import dataclass

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64


@dataclass(frozen=True)
class OneEuroParameters:
    """How a filter trades jitter for lag.

    Attributes:
        min_cutoff_hz: Cutoff at rest; lower takes more jitter out.
        beta: Cutoff gained per unit of speed, Hz per (unit/s); higher lags less in motion.
        derivative_cutoff_hz: Cutoff of the speed estimate.
    """

    min_cutoff_hz: float = 1.0
    beta: float = 0.0
    derivative_cutoff_hz: float = 1.0


def _gain(cutoff_hz: Float64 | float, dt_s: float) -> Float64:
    """Share of the new value in a first-order low-pass of that cutoff (paper, appendix)."""
    tau_s = 1.0 / (2 * np.pi * np.asarray(cutoff_hz, dtype=np.float64))
    return 1.0 / (1.0 + tau_s / dt_s)


class OneEuroFilter:
    """Filters arrays of one shape; each element has its own cutoff unless `joint` makes the last axis one vector."""

    def __init__(self, parameters: OneEuroParameters, *, joint: bool = False) -> None:
        self._parameters, self._joint = parameters, joint
        self.reset()

    @property
    def value(self) -> Float64 | None:
        """The last answer; None before the first."""
        return self._value

    def reset(self) -> None:
        """Forget everything: what follows equals a fresh filter."""
        self._value: Float64 | None = None
        self._speed: Float64 | None = None
        self._time_ns = 0

    def apply(self, value: Float64, time_ns: int, anew: Bool | None = None) -> Float64:
        """The filtered value. Time that stands still or runs backwards starts the filter anew.

        Args:
            value: Of one shape from call to call.
            time_ns: When it was measured.
            anew: Where along the first axis the filter forgets what came before.
        """
        dt_s = (time_ns - self._time_ns) / 1e9
        self._time_ns = time_ns
        if self._value is None or self._speed is None or dt_s <= 0:
            self._value, self._speed = value, np.zeros_like(value)
            return value
        if anew is not None and anew.any():
            rows = anew.reshape(-1, *[1] * (value.ndim - 1))
            self._value, self._speed = np.where(rows, value, self._value), np.where(rows, 0.0, self._speed)
        p = self._parameters
        # The original implementation differentiates against the last filtered value, and so do we.
        self._speed = self._speed + _gain(p.derivative_cutoff_hz, dt_s) * ((value - self._value) / dt_s - self._speed)
        size = np.linalg.norm(self._speed, axis=-1, keepdims=True) if self._joint else np.abs(self._speed)
        self._value = self._value + _gain(p.min_cutoff_hz + p.beta * size, dt_s) * (value - self._value)
        return self._value


class OneEuroRotationFilter:
    """Filters unit quaternions (J, 4) in the tangent space, each joint with a cutoff of its own."""

    def __init__(self, parameters: OneEuroParameters) -> None:
        self._parameters = parameters
        self.reset()

    def reset(self) -> None:
        """Forget everything: what follows equals a fresh filter."""
        self._value: Float64 | None = None
        self._speed_rad_s: Float64 | None = None
        self._time_ns = 0

    def apply(self, value_xyzw: Float64, time_ns: int) -> Float64:
        """The filtered rotations, in the same hemisphere as the ones before."""
        dt_s = (time_ns - self._time_ns) / 1e9
        self._time_ns = time_ns
        if self._value is None or self._speed_rad_s is None or dt_s <= 0:
            self._value, self._speed_rad_s = value_xyzw, np.zeros((*value_xyzw.shape[:-1], 3))
            return value_xyzw
        p = self._parameters
        step = rot.to_rotvec(rot.multiply(rot.inverse(self._value), value_xyzw))
        gain = _gain(p.derivative_cutoff_hz, dt_s)
        self._speed_rad_s = self._speed_rad_s + gain * (step / dt_s - self._speed_rad_s)
        size = np.linalg.norm(self._speed_rad_s, axis=-1, keepdims=True)
        turned = rot.multiply(self._value, rot.from_rotvec(step * _gain(p.min_cutoff_hz + p.beta * size, dt_s)))
        self._value = rot.nearest_sign(rot.unit(turned), self._value)
        return self._value
