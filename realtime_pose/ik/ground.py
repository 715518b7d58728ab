"""The floor under the people that one camera sees."""

from dataclasses import replace

import numpy as np

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.ik.base import BodyConfig
from realtime_pose.ik.body import BodyDimensions
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils.arrays import Float64, as_float32

_FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]
_ANKLE_HEIGHT_M = float(
    HUMANOID.rest_offset_m[[0, HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]], 1].sum()
)


class GroundFilter:
    """Measures the root from the floor below each person's first position, for a level camera.

    The lower ankle of the first pose stands on the floor; when feet are not seen, a standing body is assumed.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._ankle_m = _ANKLE_HEIGHT_M * config.height_m / REST_HEIGHT_M
        self._hips_m = BodyDimensions.of_height(config.height_m).hip_height
        self._origin: dict[int, Float64] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person: their next position is a first one again."""
        self._origin.pop(track_id, None)

    def apply(self, pose: SkeletonPose) -> SkeletonPose:
        """The pose with its root measured from the floor."""
        if pose.track_id not in self._origin:
            feet = [row for row in _FEET if pose.score[row] > 0]
            if feet:
                floor = float(forward_kinematics(pose)[feet, 1].min()) - self._ankle_m
            else:
                floor = float(pose.root_m[1]) - self._hips_m
            self._origin[pose.track_id] = np.array([pose.root_m[0], floor, pose.root_m[2]])
        return replace(pose, root_m=as_float32(pose.root_m - self._origin[pose.track_id]))
