"""The studio: the dashboard without a page. `StudioApi` documents its methods."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.capture.sources import without_credentials
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.active_run import (
    ActiveRun,
    needs_other_models,
    open_live,
    open_take,
    opening_text,
)
from realtime_pose.interface.dashboard.engine.background import Background
from realtime_pose.interface.dashboard.engine.context import Cancelled, StudioContext
from realtime_pose.interface.dashboard.engine.feed import Feed
from realtime_pose.interface.dashboard.engine.guided_calibration import CalibrationController
from realtime_pose.interface.dashboard.engine.model_loader import ModelLoader
from realtime_pose.interface.dashboard.engine.recording import RecordingController
from realtime_pose.interface.dashboard.engine.state import Folders, Phase, StudioState
from realtime_pose.interface.dashboard.engine.state_builder import StateBuilder
from realtime_pose.interface.dashboard.engine.takes.pose_history import PoseHistory
from realtime_pose.interface.dashboard.engine.takes.take_exports import Exports
from realtime_pose.interface.dashboard.engine.takes.take_list import TakeList
from realtime_pose.utils.slot import SlotClosed

log = logging.getLogger(__name__)

_STOP_S = 1.0


class Studio:
    """Runs a source or a take, and changes it while it runs; satisfies `StudioApi`.

    Args:
        config: The settings to start with; recording starts with `record` only.
        folders: The folders in which it may read and write.
    """

    def __init__(self, config: AppConfig, folders: Folders) -> None:
        self.folders = folders
        self.history, self.takes, self.exports = PoseHistory(), TakeList(folders.takes), Exports()
        self._context = StudioContext(config)
        self._background = Background("studio", self._context.report_fault)
        self._models = ModelLoader(self._context, self._background)
        self._recording = RecordingController(self._context, folders.takes)
        self._calibration = CalibrationController(self._context, self.apply, self.resume)
        self._state_builder = StateBuilder()
        self._opening = ""  # the source that is being opened, without credentials
        self._last: FrameResult | None = None
        self._context.publish()

    # --- settings and state -------------------------------------------------------------------------------------------

    @property
    def feed(self) -> Feed:
        """Frames and events for the live view."""
        return self._context.feed

    @property
    def config(self) -> AppConfig:
        """The settings."""
        return self._context.settings.config

    @property
    def revision(self) -> int:
        """Incremented whenever the settings change."""
        return self._context.settings.revision

    @property
    def browser_camera(self) -> BrowserCamera | None:
        """The source that takes a browser's frames, while it runs."""
        run = self._context.run
        return run.browser_camera if run is not None else None

    def state(self) -> StudioState:
        """A snapshot of the state."""
        context = self._context
        with context.lock:
            run, last, status = context.run, self._last, context.status
            state = StudioState(
                phase=status.phase,
                doing=status.doing,
                progress=status.progress,
                failure=status.failure,
                trouble=status.trouble,
                notices=tuple(status.notices),
                source=self._opening if status.phase is Phase.OPENING else "",
                recording=self._recording.state,
                calibration=self._calibration.state,
                locked=context.locked_on,
                watchers=context.feed.watchers,
            )
        return state if run is None else self._state_builder.with_run(state, run, last)

    def apply(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings, also of the active run."""
        with self._context.lock:
            if self._context.settings.change(values) and self._context.run is not None:
                self._change_run(self._context.run)
        self._context.publish()

    def lock_on(self, track_id: int | None) -> None:
        """Follow this person only; None follows as many as the settings say."""
        with self._context.lock:
            self._context.locked_on = track_id
            if self._context.run is not None:
                self._context.run.retune(self.config, track_id)
        self._context.publish()

    def _change_run(self, run: ActiveRun) -> None:
        """Apply changed settings to the run. The lock is held by the caller."""
        before, after = run.config, self.config
        self._context.status.trouble = ""
        if before.output != after.output:
            run.use_outputs(after, self._context.set_trouble)
        if run.tuned is None:
            return
        if needs_other_models(before, after):
            self._models.exchange(run)
        if (before.inference, before.body) != (after.inference, after.body):
            run.retune(after, self._context.locked_on)

    # --- start and stop -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Show the source in the settings, instead of what is shown now."""
        self._start(
            lambda notify, progress: open_live(self.config, notify, progress),
            opening_text(self.config),
            without_credentials(self.config.capture.source),
        )

    def play(self, folder: Path) -> None:
        """Play a take in the same live view, and into the same outputs."""
        self._start(lambda notify, progress: open_take(folder, self.config), "Opening the take ...", folder.name)

    def stop(self) -> None:
        """End the run; a recording is finished."""
        context, status = self._context, self._context.status
        with context.lock:
            context.feed.end(context.generation)
            context.generation += 1
            status.enter(Phase.IDLE)
            status.trouble, status.doing, status.progress = "", "", None
            if context.run is not None:
                context.run.runtime.ask_to_stop()
                self._background.submit(partial(self._end, context.run))
        context.publish()

    def close(self) -> None:
        """End everything, with files closed, within about two seconds. Safe to repeat."""
        self.stop()
        until_s = time.monotonic() + _STOP_S
        for part in (self._recording, self._background, self.exports):
            part.close(max(0.0, until_s - time.monotonic()))
        run = self._context.run
        if run is not None:  # the background thread was busy with something longer
            run.runtime.stop(0.2)

    def _start(self, opener: Callable[..., AbstractContextManager[ActiveRun]], doing: str, source: str) -> None:
        """Open something in the background, after what is shown now has ended."""
        context = self._context
        with context.lock:  # held from the stop on: two tabs may start something at the same time
            self.stop()
            context.generation += 1
            context.status.enter(Phase.OPENING)
            context.status.doing, self._opening = doing, source
            self._calibration.clear()
            self._background.submit(partial(self._open, context.generation, opener))
        context.publish()

    def _open(self, generation: int, opener: Callable[..., AbstractContextManager[ActiveRun]]) -> None:
        context = self._context
        if generation != context.generation:
            return
        undo = ExitStack()
        context.status.notices.clear()
        try:
            run = undo.enter_context(opener(context.note, partial(context.report_download, generation)))
        except Cancelled:
            return
        except RealtimePoseError as exc:
            with context.lock:
                if generation == context.generation:
                    context.status.enter(Phase.FAILED, f"{exc}.")
            context.finish_step()
            return
        with context.lock:
            current = generation == context.generation
            if current:
                context.status.enter(Phase.RUNNING)
                context.run = run
                self._last, context.locked_on = None, None
                self.history.clear()
                threading.Thread(target=self._watch, args=(run, generation, undo), name="view", daemon=True).start()
                if self.config != run.config:  # settings changed while it was being opened
                    self._change_run(run)
        if current:
            context.finish_step()
        else:
            undo.close()

    def _watch(self, run: ActiveRun, generation: int, undo: ExitStack) -> None:
        """Publish every result until the run is over. Runs in the view's thread."""
        try:
            with suppress(SlotClosed):
                while True:
                    result = run.runtime.results.get(1.0)
                    if result is not None:
                        self._last = result
                        self.history.add(result)
                        self._recording.stop_if_failed()
                        self._calibration.add(result)
                        self.feed.publish(result, run=generation, mirror=self.config.output.mirror)
        except Exception as exc:  # noqa: BLE001 - reported; otherwise the view would stop without a word
            self._context.report_fault(exc)
        undo.close()
        self._end(run)

    def _end(self, run: ActiveRun) -> None:
        """Tear down a run that is over or was stopped. Called by several threads; the first one does it."""
        run.runtime.stop(_STOP_S)
        context, status = self._context, self._context.status
        with context.lock:
            if context.run is not run:
                return
            context.run, take = None, self._recording.detach()
            for notice in run.runtime.snapshot().notices:
                status.note(notice)
            failure = ""
            try:
                run.runtime.raise_if_failed()
            except RealtimePoseError as exc:
                failure = f"{exc}."
            if status.phase.active:  # it ended by itself
                self.feed.end(context.generation)
                if run.kind == "file":
                    status.note("The clip is over.")
                status.enter(Phase.FAILED if failure else Phase.IDLE, failure)
            elif failure:  # after Stop, or another Start, the failure of the old run is only a warning
                status.trouble = failure
            self._calibration.end()
        self._recording.finish(take)
        context.publish()

    # --- while it runs ------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop after the current frame."""
        self._steer(lambda run: run.runtime.pause(), Phase.PAUSED)

    def resume(self) -> None:
        """Continue; a take at its end starts again."""

        def resume(run: ActiveRun) -> None:
            if run.playback_source is not None and run.playback_source.row >= run.playback_source.rows - 1:
                run.playback_source.seek(0)
            run.runtime.resume()

        self._steer(resume, Phase.RUNNING)

    def step(self) -> None:
        """Show one more frame and pause."""
        self._steer(lambda run: run.runtime.step(), Phase.PAUSED)

    def seek(self, row: int) -> None:
        """Go to a frame of the take."""

        def seek(run: ActiveRun) -> None:
            if run.playback_source is not None:
                run.playback_source.seek(row)
                if run.runtime.paused:
                    run.runtime.step()

        self._steer(seek)

    def recentre(self) -> None:
        """Move the person to the origin, from the next frame on."""
        self._steer(lambda run: run.tuned and run.runtime.between_frames(run.tuned.body.recentre))

    def record(self) -> None:
        """Record from now on, into a new folder in `folders.takes`."""
        self._recording.start()

    def stop_recording(self) -> None:
        """Finish the take."""
        self._recording.stop()

    def calibrate(self) -> None:
        """Measure the person's body: a countdown, then a few seconds of standing still."""
        self._calibration.start()

    def cancel_calibration(self) -> None:
        """Stop measuring and keep the body as it was."""
        self._calibration.cancel()

    def _steer(self, action: Callable[[ActiveRun], object], phase: Phase | None = None) -> None:
        """Do something with the active run, which is in `phase` from then on."""
        context = self._context
        with context.lock:
            if context.run is None or not context.status.phase.active:
                return
            action(context.run)
            if phase is not None:
                context.status.enter(phase)
        context.publish()
