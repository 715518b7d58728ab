"""`realtime-pose calibrate`: a body profile from three seconds of standing still."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from realtime_pose.cli.options import GivenOptions, Show, with_setting_options
from realtime_pose.cli.run_and_show import INTERRUPTED, say
from realtime_pose.cli.terminal import download_progress, out, print_table

if TYPE_CHECKING:
    from realtime_pose.app.calibrate import Calibration, CalibrationResult
    from realtime_pose.datatypes import FrameResult


@with_setting_options(
    "capture.source", "capture.width", "capture.rotate_deg", "inference",
    "body.height_m", "body.fov_deg", "body.camera_pitch_deg",
    without=(
        "inference.flip_test", "inference.hands", "inference.detector", "inference.detector_checkpoint",
        "inference.detect_every", "inference.persons",
    ),
)  # fmt: skip
def calibrate(
    *,
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", help="Name or .json file of the profile to write; an earlier one is replaced."
        ),
    ] = "me",
    given: GivenOptions,
    show: Show = False,
) -> None:
    """Measure your proportions: stand still for three seconds, and use the profile with `run --profile`.

    Say how tall you are with --height. Face the camera, upright, your whole body in the frame, arms straight and a
    little away from your sides.
    """
    from realtime_pose.app.calibrate import calibrate as measure
    from realtime_pose.body.profile import check_profile_path, profile_path
    from realtime_pose.cli.preview import PreviewWindow

    settings = given.settings(fixed={"body.profile": ""})  # the profile is what is measured
    path = check_profile_path(profile_path(profile))  # a wrong name is refused before anybody stands still
    preview = PreviewWindow() if show else None
    countdown = _Countdown()

    def watch(calibration: "Calibration", result: "FrameResult") -> bool:
        countdown.show(calibration.hint, calibration.seconds_left)
        if preview is not None:
            preview.send(result)
        return preview is None or not preview.closed

    try:
        found = measure(settings, say, watch, download_progress())
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    finally:
        countdown.end()
        if preview is not None:
            preview.close()
    found.profile.save(path)
    print_table(_table(found))
    for sentence in _remarks(found, settings, height_given="body.height_m" in given.values):
        say(sentence)
    out.print(f"written to {path}; use it with: realtime-pose run --profile {profile}", markup=False)


class _Countdown:
    """One line that says what to do and for how long; where stdout is no terminal, a line for each change."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, hint: str, seconds_left: float) -> None:
        text = f"{math.ceil(seconds_left)} s  {hint}" if not out.is_terminal else f"{seconds_left:3.1f} s  {hint:<70}"
        if text != self._shown:
            out.print(text, end="\r" if out.is_terminal else "\n", markup=False)
        self._shown = text

    def end(self) -> None:
        if self._shown and out.is_terminal:
            out.print()


def _table(found: "CalibrationResult") -> Table:
    from realtime_pose.body.proportions import LENGTHS

    height = found.profile.height_m
    table = Table("length", "measured", "average", "difference", title=f"a body of {height:.2f} m")
    for column in table.columns[1:]:
        column.justify = "right"
    for name in LENGTHS:
        own, usual = found.profile.lengths_m[name], getattr(found.average, name)
        measured = name in found.measured
        table.add_row(
            _NAMES.get(name, name.replace("_", " ")),
            f"{own * 100:.1f} cm" if measured else "not visible",
            f"{usual * 100:.1f} cm",
            f"{(own / usual - 1) * 100:+.0f} %" if measured else "",
        )
    return table


_NAMES = {"torso": "torso (hips to shoulders)", "shank": "lower leg", "upper_arm": "upper arm"}


def _remarks(found: "CalibrationResult", settings: Any, *, height_given: bool) -> list[str]:  # noqa: ANN401 - AppConfig, imported late
    """Sentences on measured and assumed values, and on the limits of one camera."""
    height = f"The height of {found.profile.height_m:.2f} m is"
    return [
        f"{height} the one you gave (--height): one camera cannot tell a tall person far away from a short one nearby."
        if height_given
        else f"{height} a guess, as none was given: measure again with --height if yours differs.",
        f"With a field of view of {settings.body.fov_deg:g} degrees (--fov) you stood {found.distance_m:.1f} m away. "
        "If the angle is wrong, the distance is wrong too; the proportions are right all the same.",
        f"Keypoints are {found.fit_px:.1f} px (median) from the joints of the measured body, "
        f"{found.average_fit_px:.1f} px from those of an average one.",
        "Lengths are between the pose model's keypoints, a few per cent off a tape measure; a limb that pointed "
        "towards the camera is less certain.",
    ]
