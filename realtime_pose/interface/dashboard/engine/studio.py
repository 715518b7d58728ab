"""The studio: everything that the dashboard shows and steers, without a page.

One source at a time is shown, to everybody who watches. Every method returns at once and may be called from any
thread: what takes time is done by a thread of the studio's own, one thing after another, and `state` tells how it goes.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.capture.sources import without_credentials
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.guided_calibration import GuidedCalibration
from realtime_pose.interface.dashboard.engine.recording import TakeUnderWay
from realtime_pose.interface.dashboard.engine.shows import Show, open_live, open_take, opening_words
from realtime_pose.interface.dashboard.engine.state import Folders, StudioState
from realtime_pose.interface.dashboard.engine.studio_keeper import Stopped, StudioKeeper
from realtime_pose.utils.slot import SlotClosed

log = logging.getLogger(__name__)

_STOP_S = 1.0


class Studio(StudioKeeper):
    """What the dashboard shows and steers; `StudioKeeper` says what it is made of."""

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
        except Stopped:
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
                        if (take := self._take) is not None and take.failed:
                            self.stop_recording()  # its sentence is told; nobody is to believe in a red dot
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


__all__ = ["Folders", "Studio", "StudioState"]
