"""Takes written as other files for a download: in a thread of its own, kept until the program ends."""

import atexit
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from realtime_pose.app.export import open_export
from realtime_pose.app.take import SESSION, files_of_take, open_session
from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.exporters.table import EXPORTERS, is_of
from realtime_pose.runtime import Errands
from realtime_pose.session.images import find_images
from realtime_pose.utils.choices import check_choice

_KEPT = 30  # exports; the oldest are deleted
_CLOSE_S = 0.5
_NO_PICTURES = (
    "The pictures of this take are not to be found: its film frames.mp4 is gone, and so is the file that it was "
    "recorded from. Formats without pictures can be had."
)


@dataclass(frozen=True)
class ExportState:
    """How far an export is.

    Attributes:
        done: 0..1.
        path: The file, once it is there.
        failure: What went wrong, in a sentence; empty if nothing did.
    """

    done: float = 0.0
    path: Path | None = None
    failure: str = ""


class _Stopped(RecordingError):
    """Nobody wants the export any more."""


def export_take(
    folder: Path, name: str, into: Path, config: AppConfig, progress: Callable[[float], None] = lambda done: None
) -> Path:
    """A take as one file: the one that the take has already, a new one, or a zip where a format makes several.

    Args:
        folder: The take.
        name: A format in EXPORTERS.
        into: An empty folder for what is made.
        config: The character of "glb" and "fbx".
        progress: Told how far it is, 0..1; what it raises ends the export.

    Raises:
        RecordingError: The take is damaged or has no pictures, or the format needs something that is not installed.
        UnknownChoiceError: There is no such format.
    """
    check_choice("format", name, EXPORTERS)
    session = open_session(folder)
    there = [path for path in files_of_take(folder) if is_of(path, (name,)) and not path.is_symlink()]
    if there:
        return _as_one(there, name, into)
    if EXPORTERS[name].needs_images and find_images(session) is None:
        raise RecordingError(_NO_PICTURES)
    wanted = replace(config, output=replace(config.output, formats=name))
    with open_export(session, wanted, into, chosen=True, force=False) as export:
        for _ in export.results:
            progress(session.bytes_read / max(session.size_bytes, 1))
    return _as_one(export.written(), name, into)


def _as_one(files: list[Path], name: str, into: Path) -> Path:
    """The only one of these files, or a zip of them."""
    if not files:
        raise RecordingError(f"{name} has nothing to show of this take; is anybody seen in it?")
    if len(files) == 1:
        return files[0]
    packed = into / f"{Path(EXPORTERS[name].file).stem}_{name}.zip"
    try:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.name)
    except OSError as exc:
        raise RecordingError(f"cannot write {packed}: {exc.strerror}; free some space there") from exc
    return packed


class Exports:
    """The exports that were asked for, made one after another.

    Attributes:
        changes: Counts whatever becomes of any of them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[tuple[Path, int, str], ExportState] = {}
        self._errands = Errands("exports", lambda exc: None)
        self._folder = tempfile.TemporaryDirectory(prefix="realtime-pose-exports-", ignore_cleanup_errors=True)
        self._number = 0
        self._closed = False
        self.changes = 0
        atexit.register(self.close)

    def ask(self, folder: Path, name: str, config: AppConfig) -> None:
        """Have a take made into a format, unless that was done or is under way; what failed is tried again."""
        key = self._key(folder, name)
        with self._lock:
            known = self._states.get(key)
            if self._closed or (known is not None and not known.failure):
                return
            self._become(key, ExportState())
            self._number += 1
            into = Path(self._folder.name) / str(self._number)
            for old in list(self._states)[:-_KEPT]:
                self._drop(self._states.pop(old))
        self._errands.add(partial(self._make, key, into, config))

    def state(self, folder: Path, name: str) -> ExportState | None:
        """How far that is; None if it was not asked for, or the take has changed since."""
        state = self._states.get(self._key(folder, name))
        return None if state is None or (state.path is not None and not state.path.is_file()) else state

    def close(self) -> None:
        """Give up what is under way, and delete what was made. Safe to repeat."""
        atexit.unregister(self.close)
        self._closed = True
        self._errands.close(_CLOSE_S)
        self._folder.cleanup()

    def _drop(self, state: ExportState) -> None:
        """Delete what was made; a take's own file stays."""
        if state.path is not None and state.path.is_relative_to(self._folder.name):
            shutil.rmtree(state.path.parent, ignore_errors=True)

    @staticmethod
    def _key(folder: Path, name: str) -> tuple[Path, int, str]:
        try:
            return folder, (folder / SESSION).stat().st_mtime_ns, name
        except OSError:
            return folder, 0, name

    def _make(self, key: tuple[Path, int, str], into: Path, config: AppConfig) -> None:
        folder, _, name = key

        def show(done: float) -> None:
            if self._closed or key not in self._states:
                raise _Stopped("stopped")
            self._become(key, ExportState(done))

        try:
            into.mkdir()
            path = export_take(folder, name, into, config, show)
            state = ExportState(1.0, path)
        except RealtimePoseError as exc:
            state = ExportState(failure=str(exc))
        except OSError as exc:
            state = ExportState(failure=f"cannot write into {into}: {exc.strerror}; free some space there")
        except Exception as exc:
            self._become(key, ExportState(failure=f"{type(exc).__name__}: {exc}. This is a fault of the program."))
            raise
        _keep_only(state.path, into)
        with self._lock:
            if key in self._states:
                self._become(key, state)

    def _become(self, key: tuple[Path, int, str], state: ExportState) -> None:
        self._states[key] = state
        self.changes += 1


def _keep_only(path: Path | None, into: Path) -> None:
    """Delete what an export left behind beside its file: the parts of a zip, or all of one that failed."""
    if path is None or path.parent != into:
        shutil.rmtree(into, ignore_errors=True)
        return
    for other in into.iterdir():
        if other != path:
            other.unlink()


_exports: WeakKeyDictionary[Any, Exports] = WeakKeyDictionary()
_lock = threading.Lock()


def exports_of(studio: object) -> Exports:
    """The exports of a studio, the same for every tab."""
    with _lock:
        if studio not in _exports:
            _exports[studio] = Exports()
        return _exports[studio]


def close_exports(studio: object) -> None:
    """Give up a studio's exports and delete their files: it ends. Safe to repeat."""
    with _lock:
        exports = _exports.pop(studio, None)
    if exports is not None:
        exports.close()
