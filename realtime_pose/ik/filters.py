"""What happens to a pose after IK: hidden joints, smoothing, then the ground under the feet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.ik.base import BodyConfig, PoseFilter
from realtime_pose.ik.feet import build_floor_filters
from realtime_pose.ik.joint_space import inside_limits
from realtime_pose.ik.one_euro import OneEuroFilter, OneEuroParameters, OneEuroRotationFilter
from realtime_pose.ik.presence import PresenceFilter
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.choices import check_choice


@dataclass(frozen=True)
class SmoothingPreset:
    """One-Euro parameters for what is smoothed: docs/filtering.md has what each preset does and how that was measured.

    Attributes:
        joints: Of lifted points relative to the root, before IK; speed in m/s.
        rotation: Of local rotations after IK; speed in rad/s.
        root: Of the root; speed in m/s.
        ahead_rotation: Instead of both, where what comes after is known; speed in rad/s.
        ahead_root: Likewise, of the root.
    """

    joints: OneEuroParameters
    rotation: OneEuroParameters
    root: OneEuroParameters
    ahead_rotation: OneEuroParameters
    ahead_root: OneEuroParameters


_USUAL_NS = 33_333_333
_ALL = np.ones(len(HUMANOID.joints), bool)
_Live, _Ahead = partial(OneEuroParameters, derivative_cutoff_hz=3.0), OneEuroParameters
SMOOTHING_PRESETS: dict[str, SmoothingPreset | None] = {
    "none": None,
    "crisp": SmoothingPreset(_Live(5.0, 14.0), _Live(8.0, 4.0), _Live(3.0, 10.0), _Ahead(2.5, 0.5), _Ahead(2.0, 3.0)),
    "balanced": SmoothingPreset(_Live(1.5, 5.0), _Live(5.0, 2.6), _Live(0.8, 3.5), _Ahead(1.5, 0.3), _Ahead(1.0, 2.0)),
    "smooth": SmoothingPreset(_Live(1.0, 3.0), _Live(1.5, 0.7), _Live(0.7, 3.0), _Ahead(1.0, 0.2), _Ahead(0.7, 1.0)),
}
"""Presets by name, from quick and lively to calm and late."""


class OneEuroPoseFilter:
    """Smooths rotations in their tangent space and the root as one vector, each person with a filter of their own."""

    def __init__(self, preset: SmoothingPreset) -> None:
        self._preset = preset
        self._people: dict[int, _Smoothers] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.pop(track_id, None)

    def apply(self, pose: SkeletonPose) -> SkeletonPose:
        """The smoothed pose."""
        person = self._people.get(pose.track_id)
        if person is None:
            person = self._people[pose.track_id] = _Smoothers(
                OneEuroRotationFilter(self._preset.rotation), OneEuroFilter(self._preset.root, joint=True), pose.time_ns
            )
        elif pose.time_ns > person.time_ns:
            person.own_ns += pose.time_ns - person.time_ns
        else:
            person.own_ns += _USUAL_NS  # to begin anew would show: the pose before goes on from what was shown
        person.time_ns = pose.time_ns
        local = person.rotations.apply(pose.rotations.local_xyzw.astype(np.float64), person.own_ns)
        rotations = JointRotations(pose.rotations.skeleton, as_float32(inside_limits(local, _ALL)))
        root_m = person.root.apply(pose.root_m.astype(np.float64), person.own_ns)
        return replace(pose, rotations=rotations, root_m=as_float32(root_m))


@dataclass
class _Smoothers:
    """One person's filters, and their clock, which never stands still or runs backwards as the poses' time may."""

    rotations: OneEuroRotationFilter
    root: OneEuroFilter
    time_ns: int
    own_ns: int = 0


def build_filters(config: BodyConfig) -> list[PoseFilter]:
    """The filters that a pose passes, in order; with `look_ahead` only those before the smoothing, which waits.

    Raises:
        UnknownChoiceError: There is no such smoothing preset.
    """
    preset = preset_of(config)
    presence = PresenceFilter(config)
    if looks_ahead(config):
        return [presence]
    smoothing: list[PoseFilter] = [] if preset is None else [OneEuroPoseFilter(preset)]
    return [presence, *smoothing, *build_last_filters(config)]


def with_smoothing(filters: Sequence[PoseFilter], config: BodyConfig) -> list[PoseFilter]:
    """The filters of `build_filters` with another preset between them; the others keep what they know.

    Raises:
        UnknownChoiceError: There is no such smoothing preset.
    """
    preset = preset_of(config)
    presence, *last = [kept for kept in filters if not isinstance(kept, OneEuroPoseFilter)]
    smoothing: list[PoseFilter] = [] if preset is None else [OneEuroPoseFilter(preset)]
    return [presence, *smoothing, *last]


def build_last_filters(config: BodyConfig) -> list[PoseFilter]:
    """The filters after the smoothing: the ground, and the feet on it."""
    return build_floor_filters(config)


def looks_ahead(config: BodyConfig) -> bool:
    """Whether the smoothing waits for what comes after: `ik.look_ahead` then has the smoothing and the last filters."""
    return config.look_ahead and preset_of(config) is not None


def preset_of(config: BodyConfig) -> SmoothingPreset | None:
    """The preset that `config.smoothing` names; None smooths nothing.

    Raises:
        UnknownChoiceError: There is no such smoothing preset.
    """
    check_choice("body.smoothing", config.smoothing, SMOOTHING_PRESETS)
    return SMOOTHING_PRESETS[config.smoothing]
