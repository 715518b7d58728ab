"""A calibration as the page leads through it: a countdown to step back in, then standing still, then the result."""

import time

from realtime_pose.app.calibrate import Calibration
from realtime_pose.body.profile import BodyProfile, profile_path
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import CaptureError, ConfigError
from realtime_pose.interface.dashboard.engine.state import CalibrationState

PROFILE = "dashboard"
"""The name under which what was found is kept."""
COUNTDOWN_S = 5.0
"""To get from the keyboard to where all of the body is in the picture."""
PATIENCE_S = 45.0
"""After the countdown; whoever has not stood still by then begins again."""


class GuidedCalibration:
    """One calibration, from the countdown to its result. The countdown runs by the frames' time of capture."""

    def __init__(self, config: AppConfig) -> None:
        self._calibration = Calibration(config)
        self._begin_ns = time.monotonic_ns()
        self._now_ns = self._begin_ns
        self._ended: CalibrationState | None = None

    @property
    def ready(self) -> bool:
        """Whether there is enough for `found`."""
        return self._calibration.done and self._ended is None

    @property
    def over(self) -> bool:
        """Whether it has a result, or has none and never will."""
        return self._ended is not None

    @property
    def state(self) -> CalibrationState:
        """Where it stands."""
        if self._ended is not None:
            return self._ended
        countdown_s = COUNTDOWN_S - self._elapsed_s
        if countdown_s > 0:
            return CalibrationState("countdown", countdown_s, "Step back until all of you is in the picture.")
        return CalibrationState("measuring", self._calibration.seconds_left, self._calibration.hint)

    def feed(self, result: FrameResult) -> None:
        """Take one frame."""
        if self._ended is not None or self._calibration.done:
            return
        self._now_ns = max(self._now_ns, result.frame.captured_ns)
        if self._elapsed_s >= COUNTDOWN_S:
            self._calibration.add(result)
        if self._elapsed_s > COUNTDOWN_S + PATIENCE_S and not self._calibration.done:
            self._fail(f"Nobody stood still in full view. {self._calibration.hint} Then start the calibration again.")

    def found(self) -> BodyProfile | None:
        """The person's body, which is kept, and the state is "done"; None when it is "failed". Takes about a second."""
        try:
            found = self._calibration.found()
        except CaptureError as exc:
            self._fail(f"{exc}.")
            return None
        if self._ended is not None:  # given up meanwhile
            return None
        kept = f'Kept as the profile "{PROFILE}".'
        try:
            found.profile.save(profile_path(PROFILE))
        except ConfigError as exc:
            kept = f"It is used until the program ends, as it could not be kept: {exc}."
        measured = ", ".join(name.replace("_", " ") for name in found.measured) or "nothing"
        self._ended = CalibrationState(
            "done",
            0.0,
            "",
            f"Measured for a body of {found.profile.height_m:.2f} m, {found.distance_m:.1f} m away: {measured}. "
            f"The figure found lies {found.fit_px:.1f} px from what the camera saw, an average one "
            f"{found.average_fit_px:.1f} px. {kept}",
        )
        return found.profile

    def cancel(self) -> None:
        """End it without a result."""
        if self._ended is None:
            self._fail("The calibration was stopped before it was done.")

    @property
    def _elapsed_s(self) -> float:
        return (self._now_ns - self._begin_ns) / 1e9

    def _fail(self, why: str) -> None:
        self._ended = CalibrationState("failed", 0.0, "", why)
