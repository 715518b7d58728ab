"""Settings of the 3D stages: body, lifting, IK, filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from realtime_pose.utils.settings import check_settings, setting

FEET_MODES = ("auto", "always", "never")
"""auto locks standing feet, always also keeps the lower foot on the floor (so nobody jumps), never turns it off."""
_BODY, _CAMERA = "Body and motion", "Camera"


class DefaultHeight(float):
    """The default body height: a profile's height replaces it, but not one that the user gave."""


@dataclass(frozen=True)
class BodyConfig:
    """Settings of the 3D stages; each field says what it is."""

    lifter: str = setting("trained", help="2D-to-3D lifter: {choices}.", choices="realtime_pose.lifting.table:LIFTERS")
    solver: str = setting(
        "simple", help="Inverse kinematics solver: {choices}.", choices="realtime_pose.ik.table:SOLVERS"
    )
    height_m: float = setting(
        DefaultHeight(1.70),
        help="Body height in metres; it sets the scale.",
        more="One camera cannot measure it. A profile's own height counts where no option gives another.",
        option="--height",
        metavar="METRES",
        unit="m",
        low=0.5,
        high=2.5,
    )
    profile: str = setting(
        "",
        help="Your proportions: the name or .json file of a profile that `calibrate` wrote; it sets the height too.",
        more="Empty measures them during the run. A session holds the profile's text in its place.",
        option="--profile",
        panel=_BODY,
        metavar="NAME|FILE",
    )
    fov_deg: float = setting(
        60.0,
        help="Field of view of the camera in degrees, along the longer side.",
        option="--fov",
        panel=_CAMERA,
        metavar="DEGREES",
        unit="deg",
        low=10,
        high=170,
    )
    smoothing: str = setting(
        "balanced",
        help="Smoothing preset: {choices}.",
        option="--smoothing",
        panel=_BODY,
        metavar="NAME",
        choices="realtime_pose.body.smoothing_presets:SMOOTHING_PRESETS",
    )
    look_ahead: bool = setting(
        False,
        help="Two passes over files: camera, floor, bones and smoothing from all frames.",
        option="--look-ahead/--no-look-ahead",
        panel=_BODY,
    )
    hold_s: float = setting(
        0.5,
        help="Seconds that an occluded joint keeps its rotation before it eases to rest.",
        unit="s",
        low=0,
        high=60,
    )
    ease_s: float = setting(0.7, help="Time constant of that easing, in seconds.", unit="s", low=0.01, high=60)
    feet: str = setting(
        "auto",
        help="Foot locking: auto (standing feet), always (also keeps the lower foot on the floor) or never.",
        more="docs/feet.md compares them.",
        option="--feet",
        panel=_BODY,
        metavar="NAME",
        choices=FEET_MODES,
    )
    camera_height_m: float | None = setting(
        None,
        help="Height of the camera over the floor in metres; auto estimates it.",
        option="--camera-height",
        panel=_CAMERA,
        metavar="METRES",
        unit="m",
        low=0.01,
        high=10,
        unset="auto",
    )
    camera_pitch_deg: float | None = setting(
        None,
        help="Degrees that the camera looks down; 0 is level, auto estimates it.",
        more="With a pitch the camera counts as not rolled.",
        option="--camera-pitch",
        panel=_CAMERA,
        metavar="DEGREES",
        unit="deg",
        low=-60,
        high=60,
        unset="auto",
    )

    def __post_init__(self) -> None:
        check_settings("body", self)


def current_body_values(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A section's values as they are written now; files and sessions of before had 0 for what was to be estimated.

    A height of 0 tells them apart, as no camera has it: a pitch of 0 beside it was not given either.
    """
    if values.get("camera_height_m") != 0:
        return values
    unknown = ("camera_height_m", "camera_pitch_deg")
    return {key: None if key in unknown and value == 0 else value for key, value in values.items()}
