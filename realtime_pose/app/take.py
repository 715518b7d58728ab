"""Takes: one folder with the session and all other files of a run."""

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import chain, count
from pathlib import Path

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.file_group import FileGroup
from realtime_pose.exporters.table import (
    DEFAULT_FORMATS,
    EXPORTERS,
    TakeInfo,
    is_file_of_format,
    open_exporters,
    parse_formats,
)
from realtime_pose.session.reader import Session, read_session
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.utils.folder_lock import FolderLock

SESSION = "session.rtpose"
PLOT = "plot.html"
"""The page that `realtime-pose plot` writes."""


class TakeRecorder:
    """Writes the session and the chosen files of EXPORTERS into a folder.

    It may be slow, as it encodes video: run it in its own thread.

    Args:
        folder: Created if missing; it is locked until `close`.
        take: Facts about the take.
        formats: Names in EXPORTERS.
        force: Delete the files of an earlier take in the folder; other files stay.

    Raises:
        RecordingError: The folder cannot be created or written, another run writes into it, or it has files that this
            take would replace.
        UnknownChoiceError: There is no such format.
    """

    def __init__(
        self,
        folder: str | Path,
        take: TakeInfo,
        formats: Sequence[str] = parse_formats(DEFAULT_FORMATS),
        *,
        force: bool = False,
    ) -> None:
        folder = Path(folder)
        self._failure: RecordingError | None = None
        self._folder, self._closed = folder, False
        with ExitStack() as undo:
            self._lock = _lock(folder)
            undo.callback(self._lock.release)
            _delete_replaced_files(folder, force=force)
            # the session first: if the disk fills up, everything else can be made from it again
            self._session: PoseSink = SessionRecorder(folder / SESSION, take.settings)
            undo.callback(self._session.close)
            self._files = FileGroup(dict(zip(formats, open_exporters(formats, folder, take), strict=True)))
            undo.pop_all()

    @property
    def notes(self) -> list[str]:
        """Sentences on where the files differ from the take so far."""
        return self._files.notes

    def send(self, result: FrameResult) -> None:
        """Write one frame into every file; after `close`, do nothing. A file that fails does not stop the others.

        Raises:
            RecordingError: The disk is full or gone; after `close`, what was written before stays readable.
        """
        if self._failure is not None:
            raise self._failure  # all files end at the same frame
        try:
            self._session.send(result)
            self._files.send(result)
        except RecordingError as exc:
            self._failure = exc
            raise

    def close(self) -> None:
        """Finish every file, even if one of them fails. Safe to repeat.

        Raises:
            RecordingError: A file could not be written or finished.
        """
        failure: Exception | None = None
        for part in (self._session, self._files):
            try:
                part.close()
            except Exception as exc:  # noqa: BLE001 - raised below, once every file is closed
                failure = failure or exc
        if not self._closed and not (self._folder / SESSION).exists():  # the cause of any other failure
            failure = RecordingError(f"{self._folder} was deleted during the recording; nothing of the take is left")
        self._closed = True
        self._lock.release()
        if failure is not None:
            raise failure


def free_folder(folder: Path) -> Path:
    """The folder if a take there would replace nothing, otherwise the next free one: take-2, take-3 ...

    Raises:
        RecordingError: The folder cannot be read.
    """
    try:
        numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
        return next(free for free in chain([folder], numbered) if not files_of_take(free))
    except OSError as exc:
        raise RecordingError(f"cannot read {folder}: {exc.strerror}; choose another folder") from exc


def _lock(folder: Path) -> FolderLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FolderLock(folder)
    except BlockingIOError as exc:
        raise RecordingError(f"another run is writing into {folder}; choose another folder, or wait for it") from exc
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc


def _delete_replaced_files(folder: Path, *, force: bool) -> None:
    """Delete the files that a new take would replace, or refuse: two takes never mix."""
    try:
        existing = files_of_take(folder)
        if existing and not force:
            raise RecordingError(f"{folder} has {existing[0].name} already; choose another folder, or add --force")
        for old in existing:
            old.unlink()
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc


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
    return sorted(
        path for path in folder.iterdir() if path.name in (SESSION, PLOT) or is_file_of_format(path, EXPORTERS)
    )
