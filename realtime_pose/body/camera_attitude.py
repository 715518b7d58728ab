"""Camera attitude: pitch and roll of a run's camera, from what the lifter says of the vertical in each frame."""

import math

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

# Pitch and roll of the cameras that the lifter was trained on (training.views): mean and standard deviation. Most of
# them are not rolled; the figure is of those that are, as only they are drawn towards the mean.
_PRIOR_RAD = np.radians((6.1, 0.0))
_PRIOR_ERROR_RAD = np.radians((16.6, 12.0))
_PER_AXIS = 0.8  # standard deviation in one direction, of errors whose mean length in two directions is 1
_LARGEST_SHARE = 0.7  # of the prior's variance that a measurement's error may have; a worse one says nothing new
_ASSUMED_RAD = math.radians(10.0)  # standard deviation of the pitch of cameras that nothing is known of
_GIVEN_RAD = math.radians(1.0)  # of a pitch that the user gives
_SYSTEMATIC = 0.5  # share of a measurement's error that is the same in all of one person's frames
_CORRELATION_S = 1.0  # the rest is the same for this long
_MEMORY_S = 30.0  # a camera stands still; one that is moved is followed in this time
_EASE_TAU_S = 0.7  # time constant with which the attitude in use follows the estimate
_LONGEST_STEP_S = 0.2  # a longer time between two frames counts as this
_NEW_TAKE_NS = 500_000_000  # time that runs back by more than this is another take


class CameraAttitude:
    """The vertical in camera axes, estimated over time and shared by all stages of a run.

    Each person and frame gives a measurement with its own expected error. As the network's answer for a single frame,
    it is already drawn towards the cameras of the training; a mean over frames would stay so. So that prior is taken
    out of each measurement, and is put into their mean, weighted by the inverse squares, once. The first measurement is
    used as it is; later changes are eased, so that nobody jumps.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._start = _up_of(math.radians(config.camera_pitch_deg or 0.0), 0.0)
        self.is_given = config.camera_pitch_deg is not None
        self.restart()

    def restart(self) -> None:
        """Forget everything that was measured: another camera, or another take."""
        self._sum = np.zeros(2)  # of measured pitch and roll, weighted
        self._weight_s = np.zeros(2)  # s/rad^2
        self._seconds = 0.0
        self._time_ns: int | None = None  # of the last measurement,
        self._eased_ns: int | None = None  # and that for which the attitude was last eased
        self._goal = self._up = self._start
        self._rotation = self._up, _world_from_camera(self._up)  # made once for each new vertical
        self._refined: Float64 | None = None

    @property
    def up(self) -> Float64:
        """(3,) unit vector against gravity, canonical camera axes."""
        return self._up

    @property
    def is_known(self) -> bool:
        """Whether it was given or estimated, rather than assumed to be level."""
        return self.is_given or self._seconds > 0 or self._refined is not None

    @property
    def measured(self) -> tuple[Float64, float]:
        """The mean (3,) of the measurements and its standard error in rad, as they are or as given or assumed."""
        if self.is_given:
            return self._start, _GIVEN_RAD
        if not self._seconds:
            return self._start, _ASSUMED_RAD
        independent = _CORRELATION_S / (_CORRELATION_S + self._seconds)
        variance = self._seconds / self._weight_s * (_SYSTEMATIC**2 + (1 - _SYSTEMATIC**2) * independent)
        mean_weight, prior_weight = 1.0 / variance, 1.0 / _PRIOR_ERROR_RAD**2
        total = mean_weight + prior_weight
        pitch, roll = ((mean_weight * self._sum / self._weight_s + prior_weight * _PRIOR_RAD) / total).tolist()
        return _up_of(pitch, roll), math.sqrt(float((1.0 / total).mean()))

    @property
    def world_from_camera_xyzw(self) -> Float64:
        """(4,) rotation from camera axes to world axes: +Y up, -Z the direction in which the camera looks."""
        up, rotation_xyzw = self._rotation
        if up is not self._up:
            rotation_xyzw = _world_from_camera(self._up)
            self._rotation = self._up, rotation_xyzw
        return rotation_xyzw

    def add(self, up: Float64, error_rad: float, time_ns: int) -> None:
        """Add one person's measurement of a frame; time that runs back is another take, and forgets the others."""
        self._restart_if_another_take(time_ns)
        first = self._time_ns is None
        dt_s = 1 / 30 if first else min(max((time_ns - (self._time_ns or 0)) / 1e9, 0.0), _LONGEST_STEP_S)
        kept, self._time_ns = math.exp(-dt_s / _MEMORY_S), time_ns
        # Prior and likelihood multiply to what is measured: precisions add up.
        share = np.minimum((_PER_AXIS * error_rad / _PRIOR_ERROR_RAD) ** 2, _LARGEST_SHARE)
        angles = np.array((math.atan2(up[2], math.hypot(up[0], up[1])), math.atan2(-up[0], up[1])))
        likely = _PRIOR_RAD + (angles - _PRIOR_RAD) / (1.0 - share)
        weight_s = dt_s * (1.0 - share) / (share * _PRIOR_ERROR_RAD**2)
        self._sum = kept * self._sum + weight_s * likely
        self._weight_s, self._seconds = kept * self._weight_s + weight_s, kept * self._seconds + dt_s
        if self._refined is None:
            self._goal = self.measured[0]
        if first and not self.is_given and self._refined is None:
            self._up, self._eased_ns = self._goal, time_ns
        else:
            self.ease(time_ns)

    def refine(self, up: Float64) -> None:
        """Use this estimate, made of the measured one and of more evidence, until the next."""
        self._refined = self._goal = up

    def ease(self, time_ns: int) -> None:
        """Move to the estimate for a frame of this time; nothing for a frame that is not newer than the last."""
        self._restart_if_another_take(time_ns)
        before_ns = time_ns if self._eased_ns is None else self._eased_ns
        self._eased_ns = max(time_ns, before_ns)
        if self._eased_ns == before_ns:
            return
        dt_s = min((self._eased_ns - before_ns) / 1e9, _LONGEST_STEP_S)
        up = self._up + (1.0 - math.exp(-dt_s / _EASE_TAU_S)) * (self._goal - self._up)
        self._up = np.asarray(up / np.linalg.norm(up))

    def _restart_if_another_take(self, time_ns: int) -> None:
        if self._eased_ns is not None and time_ns < self._eased_ns - _NEW_TAKE_NS:
            self.restart()


def _world_from_camera(up: Float64) -> Float64:
    x = np.array([up[1], -up[0], 0.0])  # up x the camera's +Z
    length = float(np.linalg.norm(x))
    x = x / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])
    return rot.from_matrix(np.stack((x, up, np.cross(x, up))))


def _up_of(pitch_rad: float, roll_rad: float) -> Float64:
    """The vertical (3,) in the axes of a camera that looks down by the pitch, and whose world leans by the roll."""
    level = math.cos(pitch_rad)
    return np.array([-math.sin(roll_rad) * level, math.cos(roll_rad) * level, math.sin(pitch_rad)])
