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
from realtime_pose.communication.base import LiveSink
from realtime_pose.communication.sinks import check_targets, open_sinks
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, RealtimePoseError
from realtime_pose.ik.profile import profile_path, resolved
from realtime_pose.interface.dashboard.feed import Feed
from realtime_pose.interface.dashboard.guided_calibration import GuidedCalibration
from realtime_pose.interface.dashboard.shows import (
    Show,
    asks_other_models,
    open_live,
    open_take,
    opening_words,
)
from realtime_pose.interface.dashboard.state import Folders, PlaybackState, SinkState, StudioState
from realtime_pose.interface.dashboard.take_under_way import TakeUnderWay
from realtime_pose.interface.dashboard.telling import last_packet, mean_score
from realtime_pose.pipeline import build_pipeline, check_names
from realtime_pose.runtime import Errands
from realtime_pose.utils.slot import SlotClosed

log = logging.getLogger(__name__)

PROFILE = "dashboard"
"""The name under which a calibration is kept."""

_LATEST = 600  # frames that times are taken over: twenty seconds of a camera
_NOTICES = 8
_RATE_NS = 2_000_000_000
_STOP_S = 1.5
_ORIGIN = "the page"


class _Stopped(RealtimePoseError):
    """What was being opened is not wanted any more."""


class Studio:
    """What the dashboard shows and steers.

    Attributes:
        folders: Where it may read and write.
        feed: What those who watch get.

    Args:
        config: The settings to begin with; nothing is recorded before `record`.
        folders: Likewise.
    """

    def __init__(self, config: AppConfig, folders: Folders) -> None:
        self.folders, self.feed = folders, Feed()
        self._lock = threading.RLock()
        self._config = replace(config, output=replace(config.output, record=""))
        self._revision = 0
        self._errands = Errands("studio", self._fault)
        self._wanted = 0  # which opening is the newest; older ones are given up
        self._show: Show | None = None
        self._phase, self._doing, self._failure, self._trouble = "idle", "", "", ""
        self._progress: float | None = None
        self._opening = ""  # what is being opened, as it may be shown
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        self._last: FrameResult | None = None
        self._sent: dict[str, deque[tuple[int, int]]] = {}  # by sink: (monotonic ns, packets sent)
        self._take: TakeUnderWay | None = None
        self._calibration: GuidedCalibration | None = None
        self._locked: int | None = None
        self._told: dict[str, Any] = {}
        self._tell()

    # --- settings -----------------------------------------------------------------------------------------------------

    @property
    def config(self) -> AppConfig:
        """The settings as they are wanted now."""
        return self._config

    @property
    def revision(self) -> int:
        """Grows whenever the settings change, by whomever."""
        return self._revision

    def apply(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings at once, also while something is shown: {"body": {"smoothing": "crisp"}}.

        Raises:
            ConfigError: A value is wrong; nothing is changed. What can only fail later, such as loading a model, is
                told in `state().trouble`, and the run goes on as before.
            UnknownChoiceError: There is no such key or choice; nothing is changed.
        """
        with self._lock:
            before = self._config
            after = before.with_values(values, _ORIGIN)
            after = replace(after, body=resolved(after.body, keep_height="height_m" in (values.get("body") or {})))
            check_names(after)
            check_targets(after.output.targets)
            if after == before:
                return
            self._take_settings(after)
            if self._show is not None:
                self._change_show(self._show, after)
        self._tell()

    def _take_settings(self, config: AppConfig) -> None:
        self._config = config
        self._revision += 1

    def _change_show(self, show: Show, after: AppConfig) -> None:
        """Carry the change into what is shown; under the lock."""
        before, self._trouble = show.config, ""
        if before.output != after.output:
            show.config = replace(show.config, output=after.output)
            show.runtime.between_frames(partial(self._exchange_sinks, show, before, after))
        if show.tuned is None:
            return
        if asks_other_models(before, after):
            self._doing = "Loading the model ..."
            self._errands.add(partial(self._exchange_models, show))
        elif (before.inference, before.body) != (after.inference, after.body):
            self._retune(show, after)

    def _retune(self, show: Show, after: AppConfig) -> None:
        before, show.config = show.config, replace(show.config, inference=after.inference, body=after.body)
        if show.tuned is not None:
            show.runtime.between_frames(partial(show.tuned.retune, before, after, self._locked))

    def _exchange_models(self, show: Show) -> None:
        """Load other models while the run goes on with those it has."""
        with self._lock:
            wanted, config = self._wanted, self._config
        try:
            pipeline = build_pipeline(config, self._note, partial(self._downloaded, wanted))
        except RealtimePoseError as exc:
            with self._lock:
                self._trouble = "" if isinstance(exc, _Stopped) else f"{exc}. The run goes on as it was."
                if self._show is show and self._config.inference == config.inference:
                    self._take_settings(replace(self._config, inference=show.config.inference))
        else:
            with self._lock:
                taken = self._show is show and show.runtime.use_pipeline(pipeline)
                if taken:
                    show.pipeline, show.config = pipeline, replace(show.config, inference=config.inference)
                    if (config.inference, config.body) != (self._config.inference, self._config.body):
                        self._retune(show, self._config)
            if not taken:
                pipeline.close()
        self._done_doing()

    def _exchange_sinks(self, show: Show, before: AppConfig, after: AppConfig) -> None:
        """Open the outputs that were added and close those taken away; between two frames."""
        old, new = before.output, after.output
        same = (old.mirror, old.udp_format) == (new.mirror, new.udp_format)
        wanted = [(name, target) for name, text in new.targets.items() for target in text.split()]
        kept = {(s.name, s.target_text): s for s in show.sinks if same and (s.name, s.target_text) in wanted}
        for sink in show.sinks:
            if sink not in kept.values():
                sink.close()  # before others are opened: a server's new self needs its port
        opened: list[LiveSink] = list(kept.values())
        for name, target in wanted:
            if (name, target) not in kept:
                try:
                    opened += open_sinks({name: target}, mirror=new.mirror, udp_format=new.udp_format)
                except ConfigError as exc:
                    self._trouble = f"{exc}."
        show.sinks = opened
        show.runtime.use_sinks(opened)

    # --- what is shown ------------------------------------------------------------------------------------------------

    @property
    def browser_camera(self) -> BrowserCamera | None:
        """Where a browser's pictures go, while they are what is shown."""
        show = self._show
        return show.browser_camera if show is not None else None

    def start(self) -> None:
        """Show the source that the settings name, in place of what is shown now."""
        config = self._config
        self._begin(
            lambda notify, progress: open_live(self._config, notify, progress),
            opening_words(config),
            without_credentials(config.capture.source),
        )

    def play(self, folder: Path) -> None:
        """Play a take in the same viewer, and into the same outputs."""
        self._begin(lambda notify, progress: open_take(folder, self._config), "Opening the take ...", folder.name)

    def stop(self) -> None:
        """Show nothing any more; what is recorded is finished."""
        with self._lock:
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
                self._retune(self._show, self._config)
        self._tell()

    def close(self) -> None:
        """End everything, with files closed, within two seconds or so. Safe to repeat."""
        self.stop()
        self._errands.close(_STOP_S)
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
                self._show, self._phase, self._last, self._locked = show, "running", None, None
                late = self._config
                threading.Thread(target=self._watch, args=(show, wanted, undo), name="view", daemon=True).start()
                if late != show.config and show.kind != "take":
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
                        self._guide(result)
                        self.feed.publish(result, run=number, mirror=self._config.output.mirror)
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
            if self._phase in ("running", "paused"):
                self._phase = "idle"
                if show.kind == "file":
                    self._notices.append("The clip is over.")
            try:
                show.runtime.raise_if_failed()
            except RealtimePoseError as exc:
                self._phase, self._failure = "failed", f"{exc}."
            if self._calibration is not None:
                self._calibration.cancel()
        if take is not None:
            self._finish(take)
        self._tell()

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
            self._errands.add(partial(self._finish, take))
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
            self._calibration = GuidedCalibration(self._config)
            bare = replace(self._config, body=replace(self._config.body, profile=""))
            self._retune(self._show, bare)
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
            try:
                profile.save(profile_path(PROFILE))
            except ConfigError as exc:
                self._trouble = f"{exc}. The body is used until the program ends."
            self.apply({"body": {"profile": profile.text}})
        if calibration.over:
            self._back_to_settings()

    def _back_to_settings(self) -> None:
        with self._lock:
            if self._show is not None and self._show.config.body != self._config.body:
                self._retune(self._show, self._config)

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
        return state if show is None else self._with_show(state, show, last)

    def _with_show(self, state: StudioState, show: Show, last: FrameResult | None) -> StudioState:
        snapshot, estimator, session = show.runtime.snapshot(), show.pipeline.estimator, show.session
        figures, now_ns = show.runtime.statistics.figures(_LATEST), time.monotonic_ns()
        notices = dict.fromkeys((*state.notices, *snapshot.notices, *filter(None, (s.trouble() for s in show.sinks))))
        return replace(
            state,
            notices=tuple(notices),
            source=show.source_text,
            kind=show.kind,
            frames=snapshot.frames,
            frames_dropped=snapshot.frames_dropped,
            fps=show.runtime.statistics.recent_fps(now_ns),
            seconds=show.runtime.statistics.seconds,
            persons=snapshot.persons,
            mean_score=mean_score(last),
            estimator=estimator.name,
            runtime=estimator.runtime,
            device=estimator.device,
            precision=estimator.precision,
            latency_ms=figures["latency_ms"],
            stages_ms=figures["stages_ms"],
            source_fps=show.run.source.fps,
            sinks=tuple(self._sink_state(sink, now_ns) for sink in show.sinks),
            packet=last_packet(last, mirror=self._config.output.mirror),
            people=tuple(person.keypoints.track_id for person in last.people) if last is not None else (),
            playback=None
            if session is None or show.folder is None
            else PlaybackState(
                show.folder,
                session.row,
                session.rows,
                float(session.times_s[session.row]),
                float(session.times_s[-1]),
            ),
        )

    def _sink_state(self, sink: LiveSink, now_ns: int) -> SinkState:
        """The rate is that of the last two seconds or more, between two askings."""
        seen = self._sent.setdefault(f"{sink.name} {sink.target_text}", deque(maxlen=32))
        if seen and seen[-1][1] > sink.packets_sent:
            seen.clear()  # another run's
        while len(seen) > 1 and now_ns - seen[1][0] >= _RATE_NS:
            seen.popleft()
        if not seen or now_ns - seen[-1][0] > _RATE_NS / 10:
            seen.append((now_ns, sink.packets_sent))
        first_ns, first = seen[0]
        rate = (sink.packets_sent - first) * 1e9 / (now_ns - first_ns) if now_ns > first_ns else 0.0
        return SinkState(sink.name, sink.target_text, sink.packets_sent, rate, sink.lost)

    def _tell(self) -> None:
        """Tell those who watch how things stand, if that has changed."""
        with self._lock:
            show = self._show
            event = {
                "type": "state",
                "phase": self._phase,
                "doing": self._doing,
                "failure": self._failure,
                "source": show.source_text if show is not None else "",
                "kind": show.kind if show is not None else "",
                "threshold": self._config.inference.score_threshold,
                "mirror": self._config.output.mirror,
                "browser_camera": show is not None and show.browser_camera is not None,
                "recording": self._take is not None,
                "overlay": show is None or show.session is None or not show.session.drawn,
            }
            if event != self._told:
                self._told = event
                self.feed.tell(event)


__all__ = ["PROFILE", "Folders", "Studio", "StudioState"]
