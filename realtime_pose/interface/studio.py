"""The studio: everything that the dashboard shows and steers, without a page.

One source at a time is shown, to everybody who watches. Every method returns at once and may be called from any
thread: what takes time is done by a thread of the studio's own, one thing after another, and `state` tells how it goes.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.capture.sources import without_credentials
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.feed import Feed
from realtime_pose.interface.dashboard.guided_calibration import GuidedCalibration
from realtime_pose.interface.dashboard.moments import History
from realtime_pose.interface.dashboard.settings_kept import SettingsKept
from realtime_pose.interface.dashboard.shows import (
    Show,
    asks_other_models,
    fetching_only_what_is_named,
    open_live,
    open_take,
    opening_words,
)
from realtime_pose.interface.dashboard.state import Folders, StudioState
from realtime_pose.interface.dashboard.take_under_way import TakeUnderWay
from realtime_pose.interface.dashboard.telling import Teller, viewer_event
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Errands
from realtime_pose.utils.slot import SlotClosed

log = logging.getLogger(__name__)

_NOTICES = 8
_STOP_S = 1.5
_LOADING = "Loading the model ..."


class _Stopped(RealtimePoseError):
    """What was being opened is not wanted any more."""


class Studio:
    """What the dashboard shows and steers.

    Attributes:
        folders: Where it may read and write.
        feed: What those who watch get.
        history: The last moments of what is shown.

    Args:
        config: The settings to begin with; nothing is recorded before `record`.
        folders: Likewise.
    """

    def __init__(self, config: AppConfig, folders: Folders) -> None:
        self.folders, self.feed, self.history = folders, Feed(), History()
        self._lock = threading.RLock()
        self._settings = SettingsKept(config)
        self._errands = Errands("studio", self._fault)
        self._finishing = Errands("takes", self._fault)  # of its own: no take waits for a model to be loaded
        self._wanted = 0  # which opening is the newest; older ones are given up
        self._show: Show | None = None
        self._phase, self._doing, self._failure, self._trouble = "idle", "", "", ""
        self._progress: float | None = None
        self._opening = ""  # what is being opened, as it may be shown
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._last: FrameResult | None = None
        self._teller = Teller()
        self._take: TakeUnderWay | None = None
        self._calibration: GuidedCalibration | None = None
        self._locked: int | None = None
        self._told: dict[str, Any] = {}
        self._tell()

    # --- settings -----------------------------------------------------------------------------------------------------

    @property
    def config(self) -> AppConfig:
        """The settings as they are wanted now."""
        return self._settings.config

    @property
    def revision(self) -> int:
        """Grows whenever the settings change, by whomever."""
        return self._settings.revision

    def apply(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings at once, also while something is shown: {"body": {"smoothing": "crisp"}}.

        Raises:
            ConfigError: A value is wrong; nothing is changed. What can only fail later, such as loading a model, is
                told in `state().trouble`, and the run goes on as before.
            UnknownChoiceError: There is no such key or choice; nothing is changed.
        """
        with self._lock:
            if self._settings.change(values) and self._show is not None:
                self._change_show(self._show, self.config)
        self._tell()

    def _change_show(self, show: Show, after: AppConfig) -> None:
        """Carry the change into what is shown; under the lock."""
        before, self._trouble = show.config, ""
        if before.output != after.output:
            show.use_outputs(after, self._have_trouble)
        if show.tuned is None:
            return
        if asks_other_models(before, after):
            self._doing = _LOADING
            self._errands.add(partial(self._exchange_models, show))
        if (before.inference, before.body) != (after.inference, after.body):
            show.retune(after, self._locked)

    def _exchange_models(self, show: Show) -> None:
        """Load other models while the run goes on with those it has."""
        with self._lock:
            wanted, config = self._wanted, self.config
            needed = self._show is show and asks_other_models(show.config, config)
            if needed:  # else the show has ended, or an errand before this one has brought them
                self._doing = _LOADING
        if needed:
            self._load_models(show, wanted, config)
        self._done_doing()

    def _load_models(self, show: Show, wanted: int, config: AppConfig) -> None:
        try:
            pipeline = build_pipeline(
                fetching_only_what_is_named(config), self._note, partial(self._downloaded, wanted)
            )
        except _Stopped:  # what was chosen is for the next start
            pass
        except RealtimePoseError as exc:
            with self._lock:
                if self._show is show and self.config.inference == config.inference:
                    self._trouble = f"{exc}. The run goes on as it was."
                    held = replace(show.config.inference, download=config.inference.download)
                    self._settings.take(replace(self.config, inference=held))
        else:
            with self._lock:
                still_wanted = self._show is show and not asks_other_models(config, self.config)
                taken = still_wanted and show.runtime.use_pipeline(pipeline)
                if taken:
                    show.pipeline = pipeline
                    show.config = replace(show.config, inference=config.inference, body=config.body)
                    if self._locked is not None or show.config != self.config:  # changed while it was loaded
                        show.retune(self.config, self._locked)
            if not taken:
                pipeline.close()

    # --- what is shown ------------------------------------------------------------------------------------------------

    @property
    def browser_camera(self) -> BrowserCamera | None:
        """Where a browser's pictures go, while they are what is shown."""
        show = self._show
        return show.browser_camera if show is not None else None

    def start(self) -> None:
        """Show the source that the settings name, in place of what is shown now."""
        config = self.config
        self._begin(
            lambda notify, progress: open_live(self.config, notify, progress),
            opening_words(config),
            without_credentials(config.capture.source),
        )

    def play(self, folder: Path) -> None:
        """Play a take in the same viewer, and into the same outputs."""
        self._begin(lambda notify, progress: open_take(folder, self.config), "Opening the take ...", folder.name)

    def stop(self) -> None:
        """Show nothing any more; what is recorded is finished."""
        with self._lock:
            self.feed.end(self._wanted)
            self._wanted += 1
            self._phase, self._failure, self._trouble, self._doing, self._progress = "idle", "", "", "", None
            if self._show is not None:
                self._show.runtime.ask_to_stop()
                self._errands.add(partial(self._end, self._show))
        self._tell()

    def pause(self) -> None:
        """Stand still."""
        self._steer(lambda show: show.runtime.pause(), "paused")

    def resume(self) -> None:
        """Go on; a take that is over begins again."""

        def go_on(show: Show) -> None:
            if show.session is not None and show.session.row >= show.session.rows - 1:
                show.session.seek(0)
            show.runtime.resume()

        self._steer(go_on, "running")

    def step(self) -> None:
        """One frame further, standing still before and after it."""
        self._steer(lambda show: show.runtime.step(), "paused")

    def seek(self, row: int) -> None:
        """Go to a frame of the take that is played."""

        def go_to(show: Show) -> None:
            if show.session is not None:
                show.session.seek(row)
                if show.runtime.paused:
                    show.runtime.step()

        self._steer(go_to, None)

    def recentre(self) -> None:
        """Let the performer stand at the origin from now on."""
        self._steer(lambda show: show.tuned and show.runtime.between_frames(show.tuned.body.recentre), None)

    def lock_on(self, track_id: int | None) -> None:
        """Follow this performer only, whoever else comes; None follows as many as the settings say."""
        with self._lock:
            self._locked = track_id
            if self._show is not None:
                self._show.retune(self.config, self._locked)
        self._tell()

    def close(self) -> None:
        """End everything, with files closed, within two seconds or so. Safe to repeat."""
        self.stop()
        until_s = time.monotonic() + _STOP_S
        for errands in (self._finishing, self._errands):
            errands.close(max(0.0, until_s - time.monotonic()))
        show = self._show
        if show is not None:  # the errands were busy with something longer
            show.runtime.stop(0.2)

    def _steer(self, action: Callable[[Show], object], phase: str | None) -> None:
        with self._lock:
            if self._show is None or self._phase not in ("running", "paused"):
                return
            action(self._show)
            if phase is not None:
                self._phase = phase
        self._tell()

    def _begin(self, opener: Callable[..., AbstractContextManager[Show]], doing: str, source: str) -> None:
        """Have something opened after what is shown now has ended."""
        self.stop()
        with self._lock:
            self._wanted += 1
            self._phase, self._doing, self._opening = "opening", doing, source
            self._calibration = None
            self._errands.add(partial(self._open, self._wanted, opener))
        self._tell()

    def _open(self, wanted: int, opener: Callable[..., AbstractContextManager[Show]]) -> None:
        if wanted != self._wanted:
            return
        undo = ExitStack()
        self._notices.clear()
        try:
            show = undo.enter_context(opener(self._note, partial(self._downloaded, wanted)))
        except _Stopped:
            return
        except RealtimePoseError as exc:
            with self._lock:
                if wanted == self._wanted:
                    self._phase, self._failure = "failed", f"{exc}."
            self._done_doing()
            return
        with self._lock:
            shown = wanted == self._wanted
            if shown:
                self._show, self._phase, self._failure = show, "running", ""
                self._last, self._locked = None, None
                self.history.clear()
                late = self.config
                threading.Thread(target=self._watch, args=(show, wanted, undo), name="view", daemon=True).start()
                if late != show.config:
                    self._change_show(show, late)  # settings changed while it was being opened
        if shown:
            self._done_doing()
        else:
            undo.close()

    def _watch(self, show: Show, number: int, undo: ExitStack) -> None:
        """Hand every result to those who watch, until the show is over. Runs in the view's thread."""
        try:
            with suppress(SlotClosed):
                while True:
                    result = show.runtime.results.get(1.0)
                    if result is not None:
                        self._last = result
                        self.history.add(result)
                        self._guide(result)
                        self.feed.publish(result, run=number, mirror=self.config.output.mirror)
        except Exception as exc:  # noqa: BLE001 - told; without the view nobody would see that it stopped
            self._fault(exc)
        undo.close()
        self._end(show)

    def _end(self, show: Show) -> None:
        """Take leave of a show that is over, or was told to be; the first to come here does it."""
        show.runtime.stop(_STOP_S)
        with self._lock:
            if self._show is not show:
                return
            self._show, take, self._take = None, self._take, None
            self._notices.extend(n for n in show.runtime.snapshot().notices if n not in self._notices)
            by_itself = self._phase in ("running", "paused")
            if by_itself:
                self._phase = "idle"
                self.feed.end(self._wanted)
                if show.kind == "file":
                    self._notices.append("The clip is over.")
            try:
                show.runtime.raise_if_failed()
            except RealtimePoseError as exc:
                if by_itself:
                    self._phase, self._failure = "failed", f"{exc}."
                else:  # whoever has pressed Stop, or Start once more, is not to read that it failed
                    self._trouble = f"{exc}."
            if self._calibration is not None:
                self._calibration.cancel()
        if take is not None:
            self._finish(take)
        self._tell()

    def _have_trouble(self, sentence: str) -> None:
        self._trouble = sentence

    def _fault(self, exc: Exception) -> None:
        """Tell of something that nobody foresaw, rather than wait for it for ever."""
        log.error("the studio met a fault", exc_info=exc)
        sentence = f"{type(exc).__name__}: {exc}. This is a fault of the program; the log has more."
        with self._lock:
            if self._phase == "opening":
                self._phase, self._failure = "failed", sentence
            else:
                self._trouble = sentence
        self._done_doing()

    def _note(self, sentence: str) -> None:
        with self._lock:
            if sentence not in self._notices:
                self._notices.append(sentence)

    def _downloaded(self, wanted: int, had: int, total: int) -> None:
        """Progress of a download; gives it up where nobody waits for it any more."""
        with self._lock:
            if wanted != self._wanted:
                raise _Stopped("stopped")
            first = self._progress is None
            self._progress, self._doing = had / max(total, 1), f"Fetching the model, {total / 1e6:.0f} MB, once ..."
        if first:
            self._tell()

    def _done_doing(self) -> None:
        with self._lock:
            if self._phase != "opening":
                self._doing, self._progress = "", None
        self._tell()

    # --- recording and calibration ------------------------------------------------------------------------------------

    def record(self) -> None:
        """Record from now on, into a new folder below `folders.takes`."""
        with self._lock:
            show = self._show
            if show is None or show.kind == "take" or self._take is not None:
                return
            try:
                self._take = TakeUnderWay(show, self.folders.takes)
                self._trouble = ""
            except RealtimePoseError as exc:
                self._trouble = f"{exc}."
        self._tell()

    def stop_recording(self) -> None:
        """Finish the take."""
        with self._lock:
            take = self._take
            if take is None or take.finishing:
                return
            take.finishing = True
            self._finishing.add(partial(self._finish, take))
        self._tell()

    def _finish(self, take: TakeUnderWay) -> None:
        failure = take.finish()
        with self._lock:
            if self._take is take:
                self._take = None
            if failure:
                self._trouble = failure
        self._tell()

    def calibrate(self) -> None:
        """Measure the body of whoever stands before the camera: a countdown, then a few seconds of standing still."""
        with self._lock:
            if self._show is None or self._show.tuned is None:
                return
            if self._phase == "paused":
                self.resume()  # nobody can be measured in a picture that stands still
            self._calibration = GuidedCalibration(self.config)
            bare = replace(self.config, body=replace(self.config.body, profile=""))
            self._show.retune(bare, self._locked)
        self._tell()

    def cancel_calibration(self) -> None:
        """Go on with the body that there was."""
        with self._lock:
            if self._calibration is not None and not self._calibration.over:
                self._calibration.cancel()
                self._back_to_settings()
        self._tell()

    def _guide(self, result: FrameResult) -> None:
        calibration = self._calibration
        if calibration is None:
            return
        calibration.feed(result)
        if calibration.ready and (profile := calibration.found()) is not None:
            self.apply({"body": {"profile": profile.text}})
        if calibration.over:
            self._back_to_settings()

    def _back_to_settings(self) -> None:
        with self._lock:
            if self._show is not None and self._show.config.body != self.config.body:
                self._show.retune(self.config, self._locked)

    # --- telling ------------------------------------------------------------------------------------------------------

    def state(self) -> StudioState:
        """Where everything stands now."""
        with self._lock:
            show, last, calibration, take = self._show, self._last, self._calibration, self._take
            state = StudioState(
                phase=self._phase,
                doing=self._doing,
                progress=self._progress,
                failure=self._failure,
                trouble=self._trouble,
                notices=tuple(self._notices),
                source=self._opening if self._phase == "opening" else "",
                recording=take.state if take is not None else None,
                calibration=calibration.state if calibration is not None else None,
                locked=self._locked,
                watchers=self.feed.watchers,
            )
        return state if show is None else self._teller.with_show(state, show, last)

    def _tell(self) -> None:
        """Tell those who watch how things stand, if that has changed."""
        with self._lock:
            show = self._show
            event = viewer_event(self._phase, self._doing, self._failure, show, self.config, self._take is not None)
            if event != self._told:
                self._told = event
                self.feed.tell(event)


__all__ = ["Folders", "Studio", "StudioState"]
