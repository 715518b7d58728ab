"""Look-ahead smoothing: poses averaged with earlier and later ones; no lag, results a quarter of a second later.

Each joint is averaged over a symmetric window, wider the slower it moves, as the cutoff of a One-Euro filter adapts.
Where one side of the window is missing, at an end or a gap, a fitted line corrects the average. For files.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Protocol, TypeAlias

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.body.smoothing_presets import SmoothingPreset, looks_ahead, preset_of
from realtime_pose.datatypes import Frame, FrameResult, JointRotations, Person, SceneCamera, SkeletonPose
from realtime_pose.ik.joint_space import clamp_to_limits
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.one_euro import OneEuroParameters
from realtime_pose.utils.per_track import PerTrack

_WINDOW_NS = 250_000_000  # to each side
_SPEED_SIGMA_S = 0.08  # of the Gaussian weights by which speeds are measured
_RIDGE = 1e-6  # regularises a parabola through fewer than three times
_SIGMA_HZ = 0.1325  # standard deviation in s of a Gaussian whose response falls to 0.707 at 1 Hz: sqrt(ln 2) / (2 pi)


class Finish(Protocol):
    """The filters after the smoothing: floor and feet."""

    def __call__(self, pose: SkeletonPose, person: Person, frame: Frame) -> SkeletonPose:
        """The finished pose of this person in this frame."""
        ...


CameraOf: TypeAlias = Callable[[Frame], SceneCamera | None]
"""The camera in the world after the frame's poses were finished."""


class LookAhead:
    """Delays results by a quarter of a second, so that each pose is smoothed with those before and after it.

    One stage of a run, between pipeline and sinks, so that the floor and foot filters get every pose once.

    Args:
        preset: The strength of smoothing.
        finish: Applied to each smoothed pose, in order of time.
        camera_of: Asked once a frame, after its poses.
    """

    def __init__(self, preset: SmoothingPreset, finish: Finish, camera_of: CameraOf) -> None:
        self._preset, self._finish, self._camera_of = preset, finish, camera_of
        self._pending: deque[FrameResult] = deque()
        self._past: PerTrack[deque[SkeletonPose]] = PerTrack()

    def feed(self, result: FrameResult) -> Iterator[FrameResult]:
        """The results that are complete with this one, in order; time that runs backwards starts from scratch."""
        if self._pending and result.frame.time_ns <= self._pending[-1].frame.time_ns:
            yield from self.flush()
        self._pending.append(result)
        for person in result.people:
            if person.pose is not None:
                self._past.get_or_make(person.pose.track_id, deque).append(person.pose)
        while result.frame.time_ns - self._pending[0].frame.time_ns >= _WINDOW_NS:
            yield self._smoothed(self._pending.popleft())

    def flush(self) -> Iterator[FrameResult]:
        """The remaining results; call it at the end, when no frame follows."""
        while self._pending:
            yield self._smoothed(self._pending.popleft())
        self._past = PerTrack()

    def _smoothed(self, result: FrameResult) -> FrameResult:
        earliest_ns = result.frame.time_ns - _WINDOW_NS
        for track_id, poses in self._past.items():
            while poses and poses[0].time_ns < earliest_ns:
                poses.popleft()
            if not poses:
                self._past.forget(track_id)
        people = tuple(self._person(person, result.frame) for person in result.people)
        return replace(result, people=people, camera=self._camera_of(result.frame))

    def _person(self, person: Person, frame: Frame) -> Person:
        if person.pose is None:
            return person
        latest_ns = person.pose.time_ns + _WINDOW_NS
        around = [other for other in self._past.get(person.pose.track_id) or () if other.time_ns <= latest_ns]
        smoothed = smoothed_pose(person.pose, around, self._preset)
        return replace(person, pose=self._finish(smoothed, person, frame))


def build_look_ahead(config: BodyConfig, finish: Finish, camera_of: CameraOf = lambda frame: None) -> LookAhead | None:
    """The look-ahead stage; None if the settings do not ask for one."""
    preset = preset_of(config)
    return LookAhead(preset, finish, camera_of) if preset is not None and looks_ahead(config) else None


def smoothed_pose(pose: SkeletonPose, around: list[SkeletonPose], preset: SmoothingPreset) -> SkeletonPose:
    """The pose averaged with those around it, itself included."""
    offset_s = np.array([other.time_ns - pose.time_ns for other in around]) / 1e9
    local = pose.rotations.local_xyzw.astype(np.float64)
    rotvecs = rot.to_rotvec(rot.multiply(rot.inverse(local), [other.rotations.local_xyzw for other in around]))
    root_m = pose.root_m.astype(np.float64)
    moves_m = np.array([other.root_m for other in around], dtype=np.float64)[:, None] - root_m
    local = rot.multiply(local, rot.from_rotvec(_smoothed_value(offset_s, rotvecs, preset.ahead_rotation)))
    root_m = root_m + _smoothed_value(offset_s, moves_m, preset.ahead_root)[0]
    local = clamp_to_limits(rot.unit(local), np.ones(len(local), bool))
    rotations = JointRotations(pose.rotations.skeleton, as_float32(local))
    return replace(pose, rotations=rotations, root_m=as_float32(root_m))


def _smoothed_value(offset_s: Float64, values: Float64, parameters: OneEuroParameters) -> Float64:
    """The smoothed value (J, 3) at time 0 of the values (N, J, 3) at the times (N,)."""
    weight = np.exp(-0.5 * (offset_s / _SPEED_SIGMA_S) ** 2)
    centred_s = offset_s - weight @ offset_s / weight.sum()
    slope = np.tensordot(weight * centred_s, values, 1) / max(
        float(weight @ centred_s**2), 1e-9
    )  # (J, 3), of the fitted line
    cutoff_hz = parameters.min_cutoff_hz + parameters.beta * _speed(offset_s, values, weight)
    weights = np.exp(-0.5 * (offset_s[:, None] * cutoff_hz / _SIGMA_HZ) ** 2)  # (N, J)
    weights /= weights.sum(axis=0)
    return (weights[..., None] * values).sum(axis=0) - slope * (offset_s @ weights)[:, None]


def _speed(offset_s: Float64, values: Float64, weight: Float64) -> Float64:
    """The speed (J,) at time 0, of a fitted parabola; its curvature counts too, as speed is 0 where a swing turns."""
    powers = np.stack([(offset_s / _SPEED_SIGMA_S) ** n for n in range(3)], axis=1)  # (N, 3)
    normal = powers.T @ (weight[:, None] * powers) + _RIDGE * np.eye(3)
    fit = np.linalg.solve(normal, powers.T * weight) @ values.reshape(len(values), -1)
    slope, curvature = fit[1].reshape(values.shape[1:]), 2 * fit[2].reshape(values.shape[1:])
    return np.sqrt((slope**2 + curvature**2).sum(axis=-1)) / _SPEED_SIGMA_S
