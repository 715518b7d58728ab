"""The part of the studio that keeps: settings, how things stand, and what is told of it."""

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.guided_calibration import GuidedCalibration
from realtime_pose.interface.dashboard.engine.moments import History
from realtime_pose.interface.dashboard.engine.recording import TakeUnderWay
from realtime_pose.interface.dashboard.engine.settings_kept import SettingsKept
from realtime_pose.interface.dashboard.engine.shows import Show, asks_other_models, fetching_only_what_is_named
from realtime_pose.interface.dashboard.engine.state import Folders, StudioState
from realtime_pose.interface.dashboard.engine.telling import Teller, viewer_event
from realtime_pose.interface.dashboard.web.feed import Feed
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Errands

log = logging.getLogger(__name__)

_NOTICES = 8
_LOADING = "Loading the model ..."


class Stopped(RealtimePoseError):
    """What was being opened is not wanted any more."""


class StudioKeeper:
    """Keeps the settings and the state of what is shown; `Studio` is what shows it.

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
        except Stopped:  # what was chosen is for the next start
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
                raise Stopped("stopped")
            first = self._progress is None
            self._progress, self._doing = had / max(total, 1), f"Fetching the model, {total / 1e6:.0f} MB, once ..."
        if first:
            self._tell()

    def _done_doing(self) -> None:
        with self._lock:
            if self._phase != "opening":
                self._doing, self._progress = "", None
        self._tell()
