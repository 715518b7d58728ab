"""What stands around every lifter: sides put right before it, places smoothed after it."""

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.body.smoothing_presets import looks_ahead, preset_of
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.side_swaps import SwapGuard
from realtime_pose.utils.arrays import Bool, as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters


class StabilizedLifter:
    """A lifter that is not misled by exchanged sides, and whose points do not tremble.

    Args:
        lifter: What lifts.
        config: The smoothing; with `look_ahead` none here, as it would lag.
    """

    def __init__(self, lifter: Lifter, config: BodyConfig) -> None:
        preset = preset_of(config)
        self._lifter, self._swaps = lifter, SwapGuard()
        self._parameters = None if preset is None or looks_ahead(config) else preset.joints
        self._smoothers: dict[int, _JointsSmoother] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._lifter.forget(track_id)
        self._swaps.forget(track_id)
        self._smoothers.pop(track_id, None)

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D, smoothed; a point that was not seen keeps its score of 0."""
        joints = self._lifter.lift(self._swaps.apply(keypoints), intrinsics)
        if self._parameters is None:
            return joints
        if joints.track_id not in self._smoothers:
            self._smoothers[joints.track_id] = _JointsSmoother(self._parameters)
        return self._smoothers[joints.track_id].apply(joints)


class _JointsSmoother:
    """One-Euro on one person's points relative to the root; a point that comes back begins anew."""

    def __init__(self, parameters: OneEuroParameters) -> None:
        self._filter = OneEuroFilter(parameters, joint=True)
        self._seen: Bool | None = None

    def apply(self, joints: Joints3D) -> Joints3D:
        """The smoothed points."""
        seen = joints.score > 0
        anew = ~seen if self._seen is None or self._seen.shape != seen.shape else ~(seen & self._seen)
        self._seen = seen
        xyz = self._filter.apply(joints.xyz_m.astype(np.float64), joints.time_ns, anew)
        return Joints3D(joints.layout, as_float32(xyz), joints.root_m, joints.score, joints.track_id, joints.time_ns)
