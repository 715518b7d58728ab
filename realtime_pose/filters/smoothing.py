"""Pose smoothing: a One-Euro filter on local rotations and on the root."""

from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.body.smoothing_presets import SmoothingPreset
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.ik.joint_space import clamp_to_limits
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroRotationFilter
from realtime_pose.utils.per_track import PerTrack

_DEFAULT_INTERVAL_NS = 33_333_333  # step where the time of poses stands still or runs backwards
_ALL_JOINTS = np.ones(len(HUMANOID.joints), bool)


class OneEuroPoseFilter:
    """Smooths rotations in their tangent space and the root as one vector, per person."""

    def __init__(self, preset: SmoothingPreset) -> None:
        self._preset = preset
        self._people: PerTrack[_Smoothers] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The smoothed pose."""
        person = self._people.get(pose.track_id)
        if person is None:
            person = self._people.put(pose.track_id, _Smoothers.of(self._preset, pose.time_ns))
        elif pose.time_ns > person.time_ns:
            person.filter_time_ns += pose.time_ns - person.time_ns
        else:
            person.filter_time_ns += _DEFAULT_INTERVAL_NS  # a new filter would make the pose jump by its lag
        person.time_ns = pose.time_ns
        local = person.rotations.apply(pose.rotations.local_xyzw.astype(np.float64), person.filter_time_ns)
        rotations = JointRotations(pose.rotations.skeleton, as_float32(clamp_to_limits(local, _ALL_JOINTS)))
        root_m = person.root.apply(pose.root_m.astype(np.float64), person.filter_time_ns)
        return replace(pose, rotations=rotations, root_m=as_float32(root_m))


@dataclass
class _Smoothers:
    """One person's filters, and their time, which always increases; that of the poses may not."""

    rotations: OneEuroRotationFilter
    root: OneEuroFilter
    time_ns: int
    filter_time_ns: int = 0

    @classmethod
    def of(cls, preset: SmoothingPreset, time_ns: int) -> "_Smoothers":
        return cls(OneEuroRotationFilter(preset.rotation), OneEuroFilter(preset.root, joint=True), time_ns)
