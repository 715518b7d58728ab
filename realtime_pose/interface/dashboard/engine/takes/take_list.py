"""The list of takes in a folder, and deleting them."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from realtime_pose.app.plot import REPORT
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.table import EXPORTERS, is_file_of_format
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import read_session

_PATIENCE_S = 0.1  # after so long a listing reads no further file; the next one continues


@dataclass(frozen=True)
class Take:
    """One take in the list.

    Attributes:
        folder: Its folder.
        when: The capture time of its first frame.
        seconds: From its first to its last frame; None before it has been read.
        frames: Number of frames; None before it has been read.
        people: The most at once.
        size_bytes: Of all its files.
        formats: Names in EXPORTERS of its files.
        damage: One sentence on what is missing; empty if nothing is.
        playable: Whether it has a frame.
    """

    folder: Path
    when: datetime
    seconds: float | None
    frames: int | None
    people: int
    size_bytes: int
    formats: tuple[str, ...]
    damage: str = ""
    playable: bool = True

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


@dataclass(frozen=True)
class _Contents:
    """The contents of a session file with this stamp."""

    stamp: tuple[int, int]
    when: datetime
    seconds: float
    frames: int
    people: int
    damage: str
    playable: bool = True


class TakeList:
    """The takes in the direct subfolders of a folder; links are not followed.

    Sessions are read again only when they change, so listing them every second is cheap.

    Args:
        folder: The folder of all takes; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, _Contents] = {}

    def takes(self, leave_out: Path | None = None) -> list[Take]:
        """All takes, newest first, without `leave_out`, which is being recorded."""
        until_s = time.monotonic() + _PATIENCE_S
        found: list[Take] = []
        folders = [folder for folder in self._folders() if leave_out is None or folder.name != leave_out.name]
        for gone in self._known.keys() - set(folders):
            self._known.pop(gone, None)
        for folder in sorted(folders, key=lambda folder: folder.name, reverse=True):
            with suppress(OSError):  # it was deleted meanwhile
                found.append(self._take(folder, may_read=time.monotonic() < until_s))
        return sorted(found, key=lambda take: take.when, reverse=True)

    def stamps(self) -> tuple[tuple[str, int, int], ...]:
        """Name, modification time and size of each session: changes when a take is added, removed or grows."""
        found = []
        for folder in self._folders():
            with suppress(OSError):  # it was deleted meanwhile
                status = (folder / SESSION).stat()
                found.append((folder.name, status.st_mtime_ns, status.st_size))
        return tuple(sorted(found))

    def folder_of(self, name: str) -> Path:
        """The folder of the take of this name.

        Raises:
            RecordingError: There is no such take.
        """
        for folder in self._folders():
            if folder.name == name:
                return folder
        raise RecordingError(f"take {name!r} does not exist any more; choose another")

    def delete(self, folder: Path, in_use: Path | None = None) -> None:
        """Delete a take's own files, and its folder if nothing else is in it.

        Args:
            folder: The take.
            in_use: The take that is being recorded or played.

        Raises:
            RecordingError: There is no such take, it is in use, or a file cannot be deleted.
        """
        folder = self.folder_of(folder.name)
        if in_use is not None and in_use.name == folder.name:
            raise RecordingError(f"{folder.name} is being recorded or played; stop that first")
        try:
            for path in own_files(folder):
                path.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()
        except OSError as exc:
            raise RecordingError(
                f"cannot delete {folder}: {exc.strerror}; close the program that has its files open"
            ) from exc
        self._known.pop(folder, None)

    def _folders(self) -> Iterator[Path]:
        try:
            folders = list(self._folder.iterdir())
        except OSError:
            return
        for folder in folders:
            session = folder / SESSION
            if not folder.is_symlink() and folder.is_dir() and not session.is_symlink() and session.is_file():
                yield folder

    def _take(self, folder: Path, *, may_read: bool) -> Take:
        files = own_files(folder)
        size_bytes = sum(path.stat().st_size for path in files)
        formats = tuple(name for name in EXPORTERS if any(is_file_of_format(path, (name,)) for path in files))
        status = (folder / SESSION).stat()
        stamp = (status.st_mtime_ns, status.st_size)
        known = self._known.get(folder)
        if known is None or known.stamp != stamp:
            if not may_read:
                when = datetime.fromtimestamp(status.st_mtime).astimezone()
                return Take(folder, when, None, None, 0, size_bytes, formats)
            known = self._known[folder] = _read(folder / SESSION, stamp)
        return Take(
            folder, known.when, known.seconds, known.frames, known.people, size_bytes, formats, known.damage,
            known.playable,
        )  # fmt: skip


def own_files(folder: Path) -> list[Path]:
    """The files of a take that the program wrote, without those that a user put beside them.

    Raises:
        OSError: The folder cannot be read.
    """
    files = files_of_take(folder)
    report = folder / REPORT
    return [path for path in (*files, report) if path.is_symlink() or path.is_file()]


def _read(path: Path, stamp: tuple[int, int]) -> _Contents:
    when_s = stamp[0] / 1e9
    try:
        session = read_session(path)
        index = SessionIndex(session)
    except RecordingError as exc:
        return _Contents(stamp, _local_time(when_s, when_s), 0.0, 0, 0, _short(f"{exc}.", path), playable=False)
    index.close()
    offset_ns = session.settings.get("wall_offset_ns")
    began_s = (index.captured_ns + offset_ns) / 1e9 if isinstance(offset_ns, int) else when_s
    seconds = (index.times_ns[-1] - index.times_ns[0]) / 1e9
    return _Contents(
        stamp, _local_time(began_s, when_s), seconds, len(index.times_ns), index.people, _short(index.damage, path)
    )


def _short(text: str, path: Path) -> str:
    """The sentence with the file's name instead of its path."""
    return text.replace(str(path), path.name)


def _local_time(unix_s: float, otherwise_s: float) -> datetime:
    """A Unix time as local time; the other one if it is out of range."""
    try:
        return datetime.fromtimestamp(unix_s).astimezone()
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(otherwise_s).astimezone()
