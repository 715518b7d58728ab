"""The data that the parts of a studio share, under one lock: status, settings, and the active run."""

import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.active_run import ActiveRun
from realtime_pose.interface.dashboard.engine.feed import Feed
from realtime_pose.interface.dashboard.engine.settings_store import SettingsStore
from realtime_pose.interface.dashboard.engine.state import Phase
from realtime_pose.interface.dashboard.engine.state_builder import viewer_event

log = logging.getLogger(__name__)

LOADING = "Loading the model ..."
_NOTICES = 8
_NEXT = {
    Phase.IDLE: {Phase.IDLE, Phase.OPENING},
    Phase.OPENING: {Phase.RUNNING, Phase.FAILED, Phase.IDLE},
    Phase.RUNNING: {Phase.RUNNING, Phase.PAUSED, Phase.FAILED, Phase.IDLE},
    Phase.PAUSED: {Phase.PAUSED, Phase.RUNNING, Phase.FAILED, Phase.IDLE},
    # an opening goes on after a fault of another thread, and may succeed or fail itself
    Phase.FAILED: {Phase.OPENING, Phase.RUNNING, Phase.FAILED, Phase.IDLE},
}


class Cancelled(RealtimePoseError):
    """Stop was pressed, or something else started, while this was being opened."""


@dataclass
class Status:
    """The phase, and the messages beside it. Callers hold the context's lock.

    Attributes:
        doing: See `StudioState`, as for the rest.
    """

    doing: str = ""
    progress: float | None = None
    trouble: str = ""
    notices: deque[str] = field(default_factory=lambda: deque(maxlen=_NOTICES))
    _phase: Phase = field(default=Phase.IDLE, init=False)
    _failure: str = field(default="", init=False)

    @property
    def phase(self) -> Phase:
        """The studio's phase."""
        return self._phase

    @property
    def failure(self) -> str:
        """In phase FAILED, what went wrong; else empty."""
        return self._failure

    def enter(self, phase: Phase, failure: str = "") -> None:
        """Change the phase; the only way to do so.

        Args:
            phase: The next phase.
            failure: With FAILED, what went wrong and what to do.

        Raises:
            RuntimeError: There is no such transition, or a failure without its reason.
        """
        if phase not in _NEXT[self._phase]:
            raise RuntimeError(f"the studio cannot go from {self._phase} to {phase}")
        if (phase is Phase.FAILED) != bool(failure):
            raise RuntimeError(f"phase {phase} with failure {failure!r}")
        self._phase, self._failure = phase, failure

    def note(self, sentence: str) -> None:
        """Add a notice, once."""
        if sentence not in self.notices:
            self.notices.append(sentence)


class StudioContext:
    """Status, settings, active run and feed, with the lock that guards them.

    Attributes:
        lock: Held while any of the others is changed.
        status: Phase and messages.
        settings: The settings as the page wants them.
        feed: Frames and events for the live view.
        run: The run that is shown; None if none is.
        generation: The number of the newest start; older ones are cancelled.
        locked_on: Track id of the one person who is followed, or None.
        recording: Whether a take is being recorded.
    """

    def __init__(self, config: AppConfig) -> None:
        self.lock = threading.RLock()
        self.status = Status()
        self.settings = SettingsStore(config)
        self.feed = Feed()
        self.run: ActiveRun | None = None
        self.generation = 0
        self.locked_on: int | None = None
        self.recording = False
        self._event: dict[str, Any] = {}

    def publish(self) -> None:
        """Send the state to the viewers if it has changed."""
        with self.lock:
            event = viewer_event(
                self.status.phase,
                self.status.doing,
                self.status.failure,
                self.run,
                self.settings.config,
                recording=self.recording,
            )
            if event != self._event:
                self._event = event
                self.feed.announce(event)

    def note(self, sentence: str) -> None:
        """Add a notice."""
        with self.lock:
            self.status.note(sentence)

    def set_trouble(self, sentence: str) -> None:
        """Show a change that failed while the run goes on."""
        with self.lock:
            self.status.trouble = sentence

    def report_fault(self, exc: Exception) -> None:
        """Log an unexpected exception and show it."""
        log.error("unexpected exception in the dashboard", exc_info=exc)
        sentence = f"{type(exc).__name__}: {exc}. This is a fault of the program; the log has more."
        with self.lock:
            if self.status.phase is Phase.OPENING:
                self.status.enter(Phase.FAILED, sentence)
            else:
                self.status.trouble = sentence
        self.finish_step()

    def report_download(self, generation: int, had: int, total: int) -> None:
        """Show the progress of a download.

        Raises:
            Cancelled: The start that it belongs to is not the newest any more.
        """
        with self.lock:
            if generation != self.generation:
                raise Cancelled("stopped")
            first = self.status.progress is None
            self.status.progress = had / max(total, 1)
            self.status.doing = f"Downloading the model ({total / 1e6:.0f} MB, once) ..."
        if first:
            self.publish()

    def finish_step(self) -> None:
        """Clear what `doing` says, unless a source is being opened."""
        with self.lock:
            if self.status.phase is not Phase.OPENING:
                self.status.doing, self.status.progress = "", None
        self.publish()
