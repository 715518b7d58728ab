"""Smoothing presets: One-Euro parameters for joints, rotations and root."""

from dataclasses import dataclass
from functools import partial

from realtime_pose.body.settings import BodyConfig
from realtime_pose.utils.choices import check_choice
from realtime_pose.utils.one_euro import OneEuroParameters


@dataclass(frozen=True)
class SmoothingPreset:
    """One-Euro parameters of one preset; docs/filtering.md has their effects and how they were measured.

    Attributes:
        joints: For root-relative points before IK; speed in m/s.
        rotation: For local rotations after IK; speed in rad/s.
        root: For the root; speed in m/s.
        ahead_rotation: With look-ahead, instead of `joints` and `rotation`; speed in rad/s.
        ahead_root: With look-ahead, instead of `root`; speed in m/s.
    """

    joints: OneEuroParameters
    rotation: OneEuroParameters
    root: OneEuroParameters
    ahead_rotation: OneEuroParameters
    ahead_root: OneEuroParameters


_Live, _Ahead = partial(OneEuroParameters, derivative_cutoff_hz=3.0), OneEuroParameters
SMOOTHING_PRESETS: dict[str, SmoothingPreset | None] = {
    "none": None,
    "crisp": SmoothingPreset(_Live(5.0, 14.0), _Live(8.0, 4.0), _Live(3.0, 10.0), _Ahead(2.5, 0.5), _Ahead(2.0, 3.0)),
    "balanced": SmoothingPreset(_Live(1.5, 5.0), _Live(5.0, 2.6), _Live(0.8, 3.5), _Ahead(1.5, 0.3), _Ahead(1.0, 2.0)),
    "smooth": SmoothingPreset(_Live(1.0, 3.0), _Live(1.5, 0.7), _Live(0.7, 3.0), _Ahead(1.0, 0.2), _Ahead(0.7, 1.0)),
}
"""Presets by name, from least lag to least jitter."""


def looks_ahead(config: BodyConfig) -> bool:
    """Whether smoothing uses future frames, in `filters.look_ahead`."""
    return config.look_ahead and preset_of(config) is not None


def preset_of(config: BodyConfig) -> SmoothingPreset | None:
    """The preset that `config.smoothing` names; None for "none".

    Raises:
        UnknownChoiceError: There is no such preset.
    """
    check_choice("body.smoothing", config.smoothing, SMOOTHING_PRESETS)
    return SMOOTHING_PRESETS[config.smoothing]
