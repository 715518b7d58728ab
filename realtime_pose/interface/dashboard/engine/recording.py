"""Recording: the frames and the session of the active run, from which every other format can be exported later."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from realtime_pose.app.plot import REPORT
from realtime_pose.app.run import take_recorder
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.interface.dashboard.engine.active_run import ActiveRun
from realtime_pose.interface.dashboard.engine.background import Background
from realtime_pose.interface.dashboard.engine.context import StudioContext
from realtime_pose.interface.dashboard.engine.state import RecordingState
from realtime_pose.report import write_report

_FORMATS = "frames"


class TakeRecording:
    """Records a run from now on, into a new folder.

    Attributes:
        folder: The take.
        finishing: Whether its files are being closed.

    Args:
        run: The run to record.
        takes: The folder of all takes.

    Raises:
        RecordingError: The folder cannot be made or written.
    """

    def __init__(self, run: ActiveRun, takes: Path) -> None:
        self.folder = _new_folder(takes)
        self.finishing = False
        output = replace(run.config.output, record=str(self.folder), formats=_FORMATS)
        config = replace(run.config, output=output)
        self._run = run
        self._start_s = time.monotonic()
        self._take = take_recorder(config, run.run.source, run.pipeline, whole=False)
        self._worker = run.runtime.add_slow_sink(self._take)

    @property
    def state(self) -> RecordingState:
        """Its progress."""
        return RecordingState(self.folder, self._seconds, self._worker.taken, self.finishing)

    @property
    def failed(self) -> bool:
        """Whether a write has failed; `finish` returns why."""
        return self._worker.failure is not None

    def finish(self) -> str:
        """Close the files and write the run's report beside them; a sentence on what went wrong, or nothing."""
        self.finishing = True
        seconds = self._seconds
        self._run.runtime.remove_slow_sink(self._worker)
        if self._worker.failure is not None:
            return f"{self._worker.failure}."
        if not (self.folder / SESSION).is_file():
            return f"{self.folder} was deleted during the recording; nothing of the take is left."
        if not self._worker.taken:
            self._remove()
            return "Nothing was recorded, as no frame came meanwhile; press Resume, then Record."
        try:
            write_report(self.folder / REPORT, self._report(seconds))
        except RealtimePoseError as exc:
            return f"{exc}."
        return ""

    def _report(self, seconds: float) -> dict[str, Any]:
        """The run's report with its current models and outputs, and the take's own figures."""
        active, frames = self._run, self._worker.taken
        run = replace(active.run, config=active.config, pipeline=active.pipeline, sinks=active.sinks, take=self._take)
        figures = active.runtime.statistics.figures(frames)
        of_take = {
            "frames": frames,
            "frames_dropped": self._worker.dropped,
            "seconds": round(seconds, 3),
            "fps": round(frames / seconds, 2) if seconds > 0 else 0.0,
        }
        return run.report() | figures | of_take

    def _remove(self) -> None:
        with suppress(OSError):
            for path in files_of_take(self.folder):
                path.unlink()
            self.folder.rmdir()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._start_s


class RecordingController:
    """Starts and stops recordings of the active run, at most one at a time.

    Args:
        context: The studio's.
        takes: The folder of all takes.
    """

    def __init__(self, context: StudioContext, takes: Path) -> None:
        self._context, self._takes = context, takes
        self._background = Background("takes", context.report_fault)  # a take need not wait for a model to load
        self._take: TakeRecording | None = None

    @property
    def state(self) -> RecordingState | None:
        """Progress of the recording; None if there is none."""
        with self._context.lock:
            return None if self._take is None else self._take.state

    def start(self) -> None:
        """Record the active run from now on; does nothing for a take, or while a recording goes on."""
        context = self._context
        with context.lock:
            run = context.run
            if run is None or run.kind == "take" or self._take is not None:
                return
            try:
                self._set(TakeRecording(run, self._takes))
                context.status.trouble = ""
            except RealtimePoseError as exc:
                context.status.trouble = f"{exc}."
        context.publish()

    def stop(self) -> None:
        """Finish the take in the background."""
        with self._context.lock:
            take = self._take
            if take is None or take.finishing:
                return
            take.finishing = True
            self._background.submit(partial(self._finish, take))
        self._context.publish()

    def stop_if_failed(self) -> None:
        """Stop a recording whose files cannot be written any more, so that the page shows it."""
        if (take := self._take) is not None and take.failed:
            self.stop()

    def detach(self) -> TakeRecording | None:
        """The take of a run that has ended, for `finish`. The context's lock is held by the caller."""
        take = self._take
        self._set(None)
        return take

    def finish(self, take: TakeRecording | None) -> None:
        """Close the files of a detached take, in the caller's thread."""
        if take is not None:
            self._finish(take)

    def close(self, timeout_s: float) -> None:
        """Wait at most so long for a take that is being finished."""
        self._background.close(timeout_s)

    def _finish(self, take: TakeRecording) -> None:
        failure = take.finish()
        with self._context.lock:
            if self._take is take:
                self._set(None)
            if failure:
                self._context.status.trouble = failure
        self._context.publish()

    def _set(self, take: TakeRecording | None) -> None:
        self._take, self._context.recording = take, take is not None


def _new_folder(takes: Path) -> Path:
    """A new folder named by the time, in `takes`."""
    name = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    for suffix in ("", *(f"_{n}" for n in range(2, 100))):
        folder = takes / f"{name}{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as exc:
            raise RecordingError(
                f"cannot write into {takes}: {exc.strerror}; start with another --takes folder"
            ) from exc
        return folder
    raise RecordingError(f"{takes} has a hundred takes of this second; wait a moment")
