"""Guided calibration: a countdown to step back, then standing still, then the measured body."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from realtime_pose.app.calibrate import Calibration
from realtime_pose.body.profile import BodyProfile, profile_path
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import CaptureError, ConfigError
from realtime_pose.interface.dashboard.engine.context import StudioContext
from realtime_pose.interface.dashboard.engine.state import CalibrationState, Phase

PROFILE = "dashboard"
"""The profile's name."""
COUNTDOWN_S = 5.0
"""Time to walk from the keyboard to where the whole body is in the frame."""
TIMEOUT_S = 45.0
"""After the countdown; a calibration that takes longer fails."""


class GuidedCalibration:
    """One calibration, from the countdown to its result. Time is the frames' time of capture."""

    def __init__(self, config: AppConfig) -> None:
        self._calibration = Calibration(config)
        self._start_ns = time.monotonic_ns()
        self._now_ns = self._start_ns
        self._outcome: CalibrationState | None = None

    @property
    def ready(self) -> bool:
        """Whether there are enough frames for `measure`."""
        return self._calibration.done and self._outcome is None

    @property
    def over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._outcome is not None

    @property
    def state(self) -> CalibrationState:
        """Its progress."""
        if self._outcome is not None:
            return self._outcome
        countdown_s = COUNTDOWN_S - self._elapsed_s
        if countdown_s > 0:
            return CalibrationState("countdown", countdown_s, "Step back until your whole body is in the frame.")
        return CalibrationState("measuring", self._calibration.seconds_left, self._calibration.hint)

    def add(self, result: FrameResult) -> None:
        """Add one frame."""
        if self._outcome is not None or self._calibration.done:
            return
        self._now_ns = max(self._now_ns, result.frame.captured_ns)
        if self._elapsed_s >= COUNTDOWN_S:
            self._calibration.add(result)
        if self._elapsed_s > COUNTDOWN_S + TIMEOUT_S and not self._calibration.done:
            self._fail(f"No person stood still in full view. {self._calibration.hint} Then start again.")

    def measure(self) -> BodyProfile | None:
        """The person's body, saved as a profile; None if that failed. Takes about a second."""
        try:
            found = self._calibration.result()
        except CaptureError as exc:
            self._fail(f"{exc}.")
            return None
        if self._outcome is not None:  # cancelled meanwhile
            return None
        saved = "your proportions are saved"
        try:
            found.profile.save(profile_path(PROFILE))
        except ConfigError as exc:
            saved = f"your proportions are used until the program ends, as they could not be saved: {exc}"
        measured = ", ".join(name.replace("_", " ") for name in found.measured) or "nothing"
        result = f"Done: {saved}. Measured for a body height of {found.profile.height_m:.2f} m: {measured}."
        self._outcome = CalibrationState("done", 0.0, "", result)
        return found.profile

    def cancel(self) -> None:
        """End it without a result."""
        if self._outcome is None:
            self._fail("The measurement was cancelled.")

    @property
    def _elapsed_s(self) -> float:
        return (self._now_ns - self._start_ns) / 1e9

    def _fail(self, why: str) -> None:
        self._outcome = CalibrationState("failed", 0.0, "", why)


class CalibrationController:
    """Starts, feeds and ends the calibration of the active run.

    Args:
        context: The studio's.
        apply: Changes the studio's settings.
        resume: Resumes a paused run.
    """

    def __init__(
        self,
        context: StudioContext,
        apply: Callable[[Mapping[str, Mapping[str, Any]]], None],
        resume: Callable[[], None],
    ) -> None:
        self._context, self._apply, self._resume = context, apply, resume
        self._calibration: GuidedCalibration | None = None

    @property
    def state(self) -> CalibrationState | None:
        """Progress or result of the latest calibration; None before the first of a run."""
        calibration = self._calibration
        return None if calibration is None else calibration.state

    def start(self) -> None:
        """Measure the person from now on, without the profile that is set; does nothing for a take."""
        context = self._context
        with context.lock:
            run = context.run
            if run is None or run.tuned is None:
                return
            if context.status.phase is Phase.PAUSED:
                self._resume()  # without new frames nothing can be measured
            config = context.settings.config
            self._calibration = GuidedCalibration(config)
            run.retune(replace(config, body=replace(config.body, profile="")), context.locked_on)
        context.publish()

    def cancel(self) -> None:
        """End it and go back to the profile that is set."""
        with self._context.lock:
            if self._calibration is not None and not self._calibration.over:
                self._calibration.cancel()
                self._restore_settings()
        self._context.publish()

    def end(self) -> None:
        """Cancel it, as its run has ended. The context's lock is held by the caller."""
        if self._calibration is not None:
            self._calibration.cancel()

    def clear(self) -> None:
        """Forget the latest result: another run starts. The context's lock is held by the caller."""
        self._calibration = None

    def add(self, result: FrameResult) -> None:
        """Feed one frame of the run; applies the profile once there are enough."""
        calibration = self._calibration
        if calibration is None:
            return
        calibration.add(result)
        if calibration.ready and (profile := calibration.measure()) is not None:
            self._apply({"body": {"profile": profile.text}})
        if calibration.over:
            self._restore_settings()

    def _restore_settings(self) -> None:
        context = self._context
        with context.lock:
            if context.run is not None and context.run.config.body != context.settings.config.body:
                context.run.retune(context.settings.config, context.locked_on)
