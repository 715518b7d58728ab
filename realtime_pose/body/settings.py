"""Settings of the 3D stages: body, lifting, IK, filters."""

from dataclasses import dataclass

from realtime_pose.utils.checks import check_range


@dataclass(frozen=True)
class BodyConfig:
    """Settings of the 3D part.

    Attributes:
        lifter: Name in the lifter table.
        solver: Name in the solver table.
        height_m: Body height; sets the scale that one camera cannot know.
        profile: Name or file of a person's own proportions, or its text (`body.profile`); empty learns them in the run.
        fov_deg: Field of view along the image's longer side.
        smoothing: Name of a One-Euro preset: none, crisp, balanced or smooth.
        look_ahead: Smooth with what comes after as well: without lag, half a second late. For files only.
        hold_s: How long a hidden joint keeps its last rotation before it eases to rest.
        ease_s: Time constant of that easing.
        feet: Name of what happens to feet: auto, always or never; docs/feet.md says what each does.
        camera_height_m: The camera over the floor; 0 finds the floor by the feet that stand on it.
        camera_pitch_deg: How far the camera looks down; with 0 and a floor that is found, its slope tells.
    """

    lifter: str = "trained"
    solver: str = "simple"
    height_m: float = 1.70
    profile: str = ""
    fov_deg: float = 60.0
    smoothing: str = "balanced"
    look_ahead: bool = False
    hold_s: float = 0.5
    ease_s: float = 0.7
    feet: str = "auto"
    camera_height_m: float = 0.0
    camera_pitch_deg: float = 0.0

    def __post_init__(self) -> None:
        check_range("body.height_m", self.height_m, 0.5, 2.5)
        check_range("body.fov_deg", self.fov_deg, 10, 170)
        check_range("body.hold_s", self.hold_s, 0, 60)
        check_range("body.ease_s", self.ease_s, 0.01, 60)
        check_range("body.camera_height_m", self.camera_height_m, 0, 10)
        check_range("body.camera_pitch_deg", self.camera_pitch_deg, -60, 60)
