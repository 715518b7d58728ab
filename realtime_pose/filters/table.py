"""The filters of a pose, in order."""

from collections.abc import Sequence

from realtime_pose.body.settings import BodyConfig
from realtime_pose.body.smoothing_presets import looks_ahead, preset_of
from realtime_pose.filters.base import PoseFilter
from realtime_pose.filters.foot_locking import build_floor_filters
from realtime_pose.filters.occlusion import PresenceFilter
from realtime_pose.filters.smoothing import OneEuroPoseFilter


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
