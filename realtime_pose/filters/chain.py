"""Filter chain: occlusion, smoothing, contacts, floor and feet, in this order."""

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import FEET_MODES, BodyConfig
from realtime_pose.body.smoothing_presets import looks_ahead, preset_of
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.base import Observation, PoseFilter
from realtime_pose.filters.floor import FloorFilter, StandingTrack
from realtime_pose.filters.foot_contact import FootContactFilter
from realtime_pose.filters.foot_locking import FootLockFilter
from realtime_pose.filters.occlusion import OcclusionFilter
from realtime_pose.filters.smoothing import OneEuroPoseFilter
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.choices import check_choice


class FilterChain:
    """All filters of one run; one floor and one camera for everyone in it.

    With `look_ahead`, `apply` stops before the smoothing; `filters.look_ahead` smooths later and calls `finish`.

    Args:
        config: The settings.
        attitude: The camera's attitude, shared with the lifter; by default one of its own.
        standing: Where feet stood in the first pass over the same frames, in a second one.

    Attributes:
        occlusion, smoothing, contacts, floor, feet: The filters in order; smoothing and feet may be None.

    Raises:
        UnknownChoiceError: There is no such smoothing preset, or no such mode for the feet.
    """

    def __init__(
        self, config: BodyConfig, attitude: CameraAttitude | None = None, standing: StandingTrack | None = None
    ) -> None:
        check_choice("body.feet", config.feet, FEET_MODES)
        self.occlusion = OcclusionFilter(config)
        self.smoothing = _smoothing_of(config)
        self.floor = FloorFilter(config, attitude, standing)
        self.contacts = FootContactFilter(self.floor)
        self.feet = None if config.feet == "never" else FootLockFilter(config, self.floor)
        self._looks_ahead = looks_ahead(config)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The filtered pose, in world axes, its root measured from the floor.

        With look-ahead only occlusion handling; the rest follows in `finish`.
        """
        pose = self.occlusion.apply(pose, observation)
        if self._looks_ahead:
            return pose
        if self.smoothing is not None:
            pose = self.smoothing.apply(pose, observation)
        return self.finish(pose, observation)

    def finish(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The smoothed pose after the contact, floor and foot filters."""
        pose = self.floor.apply(self.contacts.apply(pose, observation), observation)
        return pose if self.feet is None else self.feet.apply(pose, observation)

    def use_smoothing(self, config: BodyConfig) -> None:
        """Replace the smoothing by that of another preset; the other filters keep their state.

        Raises:
            UnknownChoiceError: There is no such smoothing preset.
        """
        self.smoothing = _smoothing_of(config)

    def forget(self, track_id: int) -> None:
        """Drop one person's state."""
        stages: tuple[PoseFilter | None, ...] = (self.occlusion, self.smoothing, self.contacts, self.floor, self.feet)
        for stage in stages:
            if stage is not None:
                stage.forget(track_id)

    @property
    def world_from_camera_xyzw(self) -> Float64:
        """(4,) the rotation of poses from camera axes to world axes."""
        return self.floor.world_from_camera_xyzw


def _smoothing_of(config: BodyConfig) -> OneEuroPoseFilter | None:
    preset = preset_of(config)
    return None if preset is None or looks_ahead(config) else OneEuroPoseFilter(preset)
