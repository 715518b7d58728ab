"""The take that is being recorded: plain pictures and the session, from which everything else can be made later."""

import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from realtime_pose.app.plot import REPORT
from realtime_pose.app.run import take_recorder
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.interface.dashboard.engine.shows import Show
from realtime_pose.interface.dashboard.engine.state import RecordingState
from realtime_pose.report import write_report

_FORMATS = "frames"


class TakeUnderWay:
    """Records a show from now on, into a new folder.

    Attributes:
        folder: The take.
        finishing: Whether its files are being finished.

    Args:
        show: What to record.
        below: The folder of all takes.

    Raises:
        RecordingError: The folder cannot be made or written.
    """

    def __init__(self, show: Show, below: Path) -> None:
        self.folder = _new_folder(below)
        self.finishing = False
        output = replace(show.config.output, record=str(self.folder), formats=_FORMATS)
        config = replace(show.config, output=output)
        self._show = show
        self._begin_s = time.monotonic()
        recorder = take_recorder(config, show.run.source, show.pipeline, whole=False)
        self._worker = show.runtime.add_slow_sink(recorder)

    @property
    def state(self) -> RecordingState:
        """How far it is."""
        return RecordingState(self.folder, self._seconds, self._worker.taken, self.finishing)

    @property
    def failed(self) -> bool:
        """Whether it cannot be written any more; `finish` says why."""
        return self._worker.failure is not None

    def finish(self) -> str:
        """Close its files and put the run's report beside them; one sentence on what went wrong, if anything did."""
        self.finishing = True
        seconds = self._seconds
        self._show.runtime.remove_slow_sink(self._worker)
        if self._worker.failure is not None:
            return f"{self._worker.failure}."
        if not (self.folder / SESSION).is_file():
            return f"{self.folder} was deleted while it was recorded; nothing of the take is left."
        if not self._worker.taken:
            self._remove()
            return "Nothing was recorded, as no picture came meanwhile; press Go on, then Record."
        try:
            write_report(self.folder / REPORT, self._report(seconds))
        except RealtimePoseError as exc:
            return f"{exc}."
        return ""

    def _report(self, seconds: float) -> dict[str, Any]:
        """The run's report with what runs now, and the figures of the take alone."""
        show, frames = self._show, self._worker.taken
        run = replace(show.run, config=show.config, pipeline=show.pipeline, sinks=show.sinks)
        figures = show.runtime.statistics.figures(frames)
        alone = {"frames": frames, "frames_dropped": self._worker.dropped, "seconds": round(seconds, 3)}
        return run.report() | figures | alone | {"fps": round(frames / seconds, 2) if seconds > 0 else 0.0}

    def _remove(self) -> None:
        with suppress(OSError):
            for path in files_of_take(self.folder):
                path.unlink()
            self.folder.rmdir()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._begin_s


def _new_folder(below: Path) -> Path:
    """A folder named by the time; one that is there already is not touched."""
    name = datetime.now().astimezone().strftime("%Y-%m-%d_%H-%M-%S")
    for more in ("", *(f"_{n}" for n in range(2, 100))):
        folder = below / f"{name}{more}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as exc:
            raise RecordingError(
                f"cannot write into {below}: {exc.strerror}; start with another --takes folder"
            ) from exc
        return folder
    raise RecordingError(f"{below} has a hundred takes of this second; wait a moment")
