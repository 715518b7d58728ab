"""Camera attitude: pitch and roll of a run's camera, from what the lifter says of the vertical in each frame."""

import math
from typing import NamedTuple

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


class _Sums(NamedTuple):
    """What a number of measurements add up to.

    Attributes:
        weighted: (2,) measured pitch and roll, weighted.
        weight_s: (2,) s/rad^2.
        seconds: Time that they took, of all people.
    """

    weighted: Float64
    weight_s: Float64
    seconds: float


_NOTHING = _Sums(np.zeros(2), np.zeros(2), 0.0)


class AttitudeTrack:
    """The measurements of a whole clip, for an attitude at each of its moments from those before and after it.

    Args:
        measurements: (N, 6), in order of time: weighted pitch and roll, their weights, duration in s, time in s.
        first_ns: Time of the first.
    """

    def __init__(self, measurements: Float64, first_ns: int) -> None:
        time_s, rows = measurements[:, 5], measurements[:, :5]
        kept = np.exp(-np.diff(time_s, prepend=time_s[:1]) / _MEMORY_S)
        before, after = rows.copy(), rows.copy()
        for i in range(1, len(rows)):
            before[i] += kept[i] * before[i - 1]
        for i in range(len(rows) - 2, -1, -1):
            after[i] += kept[i + 1] * after[i + 1]
        self._time_s, self._sums = time_s, before + after - rows
        self.first_ns = first_ns

    def around(self, time_ns: int) -> _Sums:
        """All measurements, weighted by how near they are to this time."""
        at = np.searchsorted(self._time_s, (time_ns - self.first_ns) / 1e9 + 1e-6, side="right") - 1
        row = self._sums[max(int(at), 0)]
        return _Sums(row[:2], row[2:4], float(row[4]))


class CameraAttitude:
    """The vertical in camera axes, estimated over time and shared by all stages of a run.

    Each person and frame gives a measurement with its own expected error. As the network's answer for a single frame,
    it is already drawn towards the cameras of the training; a mean over frames would stay so. So that prior is taken
    out of each measurement, and is put into their mean, weighted by the inverse squares, once. The first measurement is
    used as it is; later changes are eased, so that nobody jumps.

    Args:
        config: The settings; with `look_ahead`, measurements are kept for a second pass.
        track: The measurements of the first pass over the same frames; they count instead of new ones.
    """

    def __init__(self, config: BodyConfig, track: AttitudeTrack | None = None) -> None:
        self._start = _up_of(math.radians(config.camera_pitch_deg or 0.0), 0.0)
        self.is_given = config.camera_pitch_deg is not None
        self._track = track
        self._kept: list[tuple[int, Float64]] | None = [] if config.look_ahead and track is None else None
        self.restart()

    def restart(self) -> None:
        """Forget everything that was measured: another camera, or another take."""
        self._sums = _NOTHING if self._track is None else self._track.around(self._track.first_ns)
        self._time_ns: int | None = None  # of the last measurement,
        self._frame_s = 1 / 30  # the time from the frame before to its,
        self._eased_ns: int | None = None  # and the time for which the attitude was last eased
        self._goal = self._up = self.measured[0]
        self._rotation = self._up, _world_from_camera(self._up)  # made once for each new vertical
        self._refined: Float64 | None = None

    def track(self) -> AttitudeTrack | None:
        """The measurements so far, for a second pass; None if there are none, or none are kept."""
        if not self._kept:
            return None
        first_ns = min(time_ns for time_ns, _ in self._kept)
        rows = [(*row, (time_ns - first_ns) / 1e9) for time_ns, row in self._kept]
        return AttitudeTrack(np.array(sorted(rows, key=lambda row: row[-1])), first_ns)

    @property
    def up(self) -> Float64:
        """(3,) unit vector against gravity, canonical camera axes."""
        return self._up

    @property
    def is_known(self) -> bool:
        """Whether it was given or estimated, rather than assumed to be level."""
        return self.is_given or self._sums.seconds > 0 or self._refined is not None

    @property
    def measured(self) -> tuple[Float64, float]:
        """The mean (3,) of the measurements and its standard error in rad, as they are or as given or assumed."""
        if self.is_given:
            return self._start, _GIVEN_RAD
        weighted, weight_s, seconds = self._sums
        if not seconds:
            return self._start, _ASSUMED_RAD
        independent = _CORRELATION_S / (_CORRELATION_S + seconds)
        variance = seconds / weight_s * (_SYSTEMATIC**2 + (1 - _SYSTEMATIC**2) * independent)
        mean_weight, prior_weight = 1.0 / variance, 1.0 / _PRIOR_ERROR_RAD**2
        total = mean_weight + prior_weight
        pitch, roll = ((mean_weight * weighted / weight_s + prior_weight * _PRIOR_RAD) / total).tolist()
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
        first, memory = self._time_ns is None, 1.0
        if self._time_ns is not None and time_ns != self._time_ns:  # not another person of the same frame
            self._frame_s = min(max((time_ns - self._time_ns) / 1e9, 0.0), _LONGEST_STEP_S)
            memory = math.exp(-self._frame_s / _MEMORY_S)
        self._time_ns = time_ns
        # Prior and likelihood multiply to what is measured: precisions add up.
        share = np.minimum((_PER_AXIS * error_rad / _PRIOR_ERROR_RAD) ** 2, _LARGEST_SHARE)
        angles = np.array((math.atan2(up[2], math.hypot(up[0], up[1])), math.atan2(-up[0], up[1])))
        likely = _PRIOR_RAD + (angles - _PRIOR_RAD) / (1.0 - share)
        weight_s = self._frame_s * (1.0 - share) / (share * _PRIOR_ERROR_RAD**2)
        if self._track is not None:
            self._sums = self._track.around(time_ns)
        else:
            self._sums = _Sums(
                memory * self._sums.weighted + weight_s * likely,
                memory * self._sums.weight_s + weight_s,
                memory * self._sums.seconds + self._frame_s,
            )
        if self._kept is not None:
            self._kept.append((time_ns, np.array((*(weight_s * likely), *weight_s, self._frame_s))))
        if self._refined is None:
            self._goal = self.measured[0]
        if first and not self.is_given and self._refined is None:
            self._up, self._eased_ns = self._goal, time_ns
        else:
            self.ease(time_ns)

    def refine(self, up: Float64) -> None:
        """Use this estimate, made of the measured one and of more evidence, until the next."""
        self._refined = self._goal = up

    def settle(self) -> None:
        """Use the estimate at once, for the first frame of a second pass."""
        self._up = self._goal

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
