"""Takes: one folder with the session and all other files of a run."""

from collections.abc import Sequence
from pathlib import Path

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.table import DEFAULT_FORMATS, EXPORTERS, TakeInfo, is_of, open_exporters, parse_formats
from realtime_pose.session.reader import Session, read_session
from realtime_pose.session.writer import SessionRecorder

SESSION = "session.rtpose"
PLOT = "plot.html"
"""The page that `realtime-pose plot` writes."""


class TakeRecorder:
    """Writes the session and the chosen files of EXPORTERS into a folder.

    It may be slow, as it encodes video: run it in a thread of its own.

    Args:
        folder: Created if missing; the files of an earlier take in it are replaced, others stay.
        take: Facts about the take.
        formats: Names in EXPORTERS.

    Raises:
        RecordingError: The folder cannot be created or written.
        UnknownChoiceError: There is no such format.
    """

    def __init__(
        self, folder: str | Path, take: TakeInfo, formats: Sequence[str] = parse_formats(DEFAULT_FORMATS)
    ) -> None:
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in files_of_take(folder):
                old.unlink()  # never mix two takes
        except OSError as exc:
            raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
        # the session first: if the disk fills up, everything else can be made from it again
        session = SessionRecorder(folder / SESSION, take.settings)
        self._sinks: tuple[PoseSink, ...] = (session, *open_exporters(formats, folder, take))
        self._failure: RecordingError | None = None

    def send(self, result: FrameResult) -> None:
        """Write one frame into every file; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; after `close`, what was written before stays readable.
        """
        if self._failure is not None:
            raise self._failure  # all files end at the same frame
        try:
            for sink in self._sinks:
                sink.send(result)
        except RecordingError as exc:
            self._failure = exc
            raise

    def close(self) -> None:
        """Finish every file, even if one of them fails. Safe to repeat.

        Raises:
            RecordingError: A file cannot be finished.
        """
        failure: RecordingError | None = None
        for sink in self._sinks:
            try:
                sink.close()
            except RecordingError as exc:
                failure = failure or exc
        if failure is not None:
            raise failure


def open_session(path: Path) -> Session:
    """The session in a file, or in the folder of a take.

    Raises:
        RecordingError: It does not exist, or cannot be read.
    """
    return read_session(path / SESSION if path.is_dir() else path)


def files_of_take(folder: Path) -> list[Path]:
    """The files in the folder that a new take would replace, by name; empty if the folder does not exist.

    Raises:
        OSError: The folder cannot be read.
    """
    if not folder.exists():
        return []
    return sorted(path for path in folder.iterdir() if path.name in (SESSION, PLOT) or is_of(path, EXPORTERS))
