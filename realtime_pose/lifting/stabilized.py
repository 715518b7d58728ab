"""Lifter wrapper: side-swap correction before lifting, One-Euro smoothing after it."""

from dataclasses import replace

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.body.smoothing_presets import looks_ahead, preset_of
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.side_swaps import SideSwapCorrector
from realtime_pose.utils.arrays import Bool, as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters
from realtime_pose.utils.per_track import PerTrack


class StabilizedLifter:
    """A lifter with its input corrected for left/right swaps and its output smoothed.

    Args:
        lifter: The wrapped lifter.
        config: Has the smoothing preset; with `look_ahead` nothing is smoothed here, as it would add lag.
    """

    def __init__(self, lifter: Lifter, config: BodyConfig) -> None:
        preset = preset_of(config)
        self._lifter, self._swaps = lifter, SideSwapCorrector()
        self._parameters = None if preset is None or looks_ahead(config) else preset.joints
        self._smoothers: PerTrack[_JointSmoother] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._lifter.forget(track_id)
        self._swaps.forget(track_id)
        self._smoothers.forget(track_id)

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D, smoothed; scores are the wrapped lifter's."""
        joints = self._lifter.lift(self._swaps.apply(keypoints), intrinsics)
        if self._parameters is None:
            return joints
        parameters = self._parameters
        return self._smoothers.get_or_make(joints.track_id, lambda: _JointSmoother(parameters)).apply(joints)


class _JointSmoother:
    """One-Euro filter on one person's root-relative points; restarts for a point that reappears."""

    def __init__(self, parameters: OneEuroParameters) -> None:
        self._filter = OneEuroFilter(parameters, joint=True)
        self._seen: Bool | None = None

    def apply(self, joints: Joints3D) -> Joints3D:
        """The smoothed points."""
        seen = joints.score > 0
        restart = ~seen if self._seen is None or self._seen.shape != seen.shape else ~(seen & self._seen)
        self._seen = seen
        xyz = self._filter.apply(joints.xyz_m.astype(np.float64), joints.time_ns, restart)
        return replace(joints, xyz_m=as_float32(xyz))
