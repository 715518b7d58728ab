"""What happens to a pose after IK: smoothing, then the ground under the feet."""

from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.ik.base import BodyConfig, PoseFilter
from realtime_pose.ik.ground import GroundFilter
from realtime_pose.ik.one_euro import OneEuroFilter, OneEuroParameters, OneEuroRotationFilter
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.choices import check_choice


@dataclass(frozen=True)
class SmoothingPreset:
    """One-Euro parameters for rotations (speed in rad/s) and for the root (speed in m/s)."""

    rotation: OneEuroParameters
    root: OneEuroParameters


SMOOTHING_PRESETS: dict[str, SmoothingPreset | None] = {
    "none": None,
    "crisp": SmoothingPreset(OneEuroParameters(3.0, 1.0), OneEuroParameters(2.0, 4.0)),
    "balanced": SmoothingPreset(OneEuroParameters(1.5, 0.7), OneEuroParameters(1.0, 3.0)),
    "smooth": SmoothingPreset(OneEuroParameters(0.7, 0.4), OneEuroParameters(0.5, 2.0)),
}
"""Presets by name, from quick and lively to calm and late."""


class OneEuroPoseFilter:
    """Smooths rotations in their tangent space and the root as one vector, each person with a filter of their own."""

    def __init__(self, preset: SmoothingPreset) -> None:
        self._preset = preset
        self._filters: dict[int, tuple[OneEuroRotationFilter, OneEuroFilter]] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._filters.pop(track_id, None)

    def apply(self, pose: SkeletonPose) -> SkeletonPose:
        """The smoothed pose."""
        if pose.track_id not in self._filters:
            self._filters[pose.track_id] = (
                OneEuroRotationFilter(self._preset.rotation),
                OneEuroFilter(self._preset.root, joint=True),
            )
        rotations, root = self._filters[pose.track_id]
        local = rotations.apply(pose.rotations.local_xyzw.astype(np.float64), pose.time_ns)
        root_m = root.apply(pose.root_m.astype(np.float64), pose.time_ns)
        return replace(
            pose, rotations=JointRotations(pose.rotations.skeleton, as_float32(local)), root_m=as_float32(root_m)
        )


def build_filters(config: BodyConfig) -> list[PoseFilter]:
    """The filters that a pose passes, in order.

    Raises:
        UnknownChoiceError: There is no such smoothing preset.
    """
    check_choice("body.smoothing", config.smoothing, SMOOTHING_PRESETS)
    preset = SMOOTHING_PRESETS[config.smoothing]
    smoothing: list[PoseFilter] = [] if preset is None else [OneEuroPoseFilter(preset)]
    return [*smoothing, GroundFilter(config)]
