"""Takes exported for download: converted in a background thread, kept until the program ends."""

import atexit
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

from realtime_pose.app.export import open_export
from realtime_pose.app.take import SESSION, files_of_take, open_session
from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.exporters.table import EXPORTERS, is_file_of_format
from realtime_pose.interface.dashboard.engine.background import Background
from realtime_pose.session.images import find_images
from realtime_pose.utils.choices import check_choice

_KEPT = 30  # exports; the oldest are deleted
_CLOSE_S = 0.5
_NO_IMAGES = (
    "The video of this take is missing: neither its frames.mp4 nor the file that it was recorded from was found; "
    "choose a format without video"
)
DOWNLOAD_PATH = "/dashboard/takes/{take}/{kind}"
"""The URL path of finished exports."""


@dataclass(frozen=True)
class ExportState:
    """Progress of an export.

    Attributes:
        done: 0..1.
        path: The file, once it is complete.
        failure: The error, in a sentence; empty if none.
    """

    done: float = 0.0
    path: Path | None = None
    failure: str = ""


class _Cancelled(RecordingError):
    """The program ends, or the export was dropped from the list."""


def download_path(take: str, kind: str) -> str:
    """The path from which a finished export is downloaded."""
    return DOWNLOAD_PATH.format(take=quote(take, safe=""), kind=quote(kind, safe=""))


def export_take(
    folder: Path, name: str, into: Path, config: AppConfig, progress: Callable[[float], None] = lambda done: None
) -> Path:
    """A take as one file: the one in its folder, a new one, or a zip where a format has several.

    Args:
        folder: The take.
        name: A format in EXPORTERS.
        into: An empty folder for new files.
        config: The character of "glb" and "fbx".
        progress: Called with 0..1; an exception from it ends the export.

    Raises:
        RecordingError: The take is damaged or has no video, or the format needs a package that is not installed.
        UnknownChoiceError: There is no such format.
    """
    check_choice("format", name, EXPORTERS)
    session = open_session(folder)
    existing = [path for path in files_of_take(folder) if is_file_of_format(path, (name,)) and not path.is_symlink()]
    if existing:
        return _as_one(existing, name, into)
    if EXPORTERS[name].needs_images and find_images(session) is None:
        raise RecordingError(_NO_IMAGES)
    wanted = replace(config, output=replace(config.output, formats=name))
    with open_export(session, wanted, into, chosen=True, force=False) as export:
        for _ in export.results:
            progress(session.bytes_read / max(session.size_bytes, 1))
    return _as_one(export.written(), name, into)


def _as_one(files: list[Path], name: str, into: Path) -> Path:
    """The file, or a zip of several."""
    if not files:
        raise RecordingError(f"there is nothing to write as {name}: no person was found in this take")
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
    """The requested exports, converted one after another.

    Attributes:
        changes: Incremented whenever the state of any of them changes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[tuple[Path, int, str], ExportState] = {}
        self._background = Background("exports", lambda exc: None)  # `_make` keeps what went wrong
        self._folder = tempfile.TemporaryDirectory(prefix="realtime-pose-exports-", ignore_cleanup_errors=True)
        self._number = 0
        self._closed = False
        self.changes = 0
        atexit.register(self.close)

    def request(self, folder: Path, name: str, config: AppConfig) -> None:
        """Export a take in a format, unless that is done or under way; a failed one is tried again."""
        key = self._key(folder, name)
        with self._lock:
            known = self._states.get(key)
            if self._closed or (known is not None and not known.failure):
                return
            self._set(key, ExportState())
            self._number += 1
            into = Path(self._folder.name) / str(self._number)
            for old in list(self._states)[:-_KEPT]:
                self._drop(self._states.pop(old))
        self._background.submit(partial(self._make, key, into, config))

    def state(self, folder: Path, name: str) -> ExportState | None:
        """Progress of an export; None if it was not requested, or the take has changed since."""
        state = self._states.get(self._key(folder, name))
        return None if state is None or (state.path is not None and not state.path.is_file()) else state

    def wait(self, timeout_s: float) -> bool:
        """Whether all exports are finished, after waiting for that at most so long."""
        return self._background.wait(timeout_s)

    def close(self, timeout_s: float = _CLOSE_S) -> None:
        """Cancel exports under way and delete finished ones. Safe to repeat."""
        atexit.unregister(self.close)
        self._closed = True
        self._background.close(timeout_s)
        self._folder.cleanup()

    def _drop(self, state: ExportState) -> None:
        """Delete the exported file; a file in the take's folder stays."""
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
                raise _Cancelled("stopped")
            self._set(key, ExportState(done))

        try:
            into.mkdir()
            path = export_take(folder, name, into, config, show)
            state = ExportState(1.0, path)
        except RealtimePoseError as exc:
            state = ExportState(failure=str(exc))
        except OSError as exc:
            state = ExportState(failure=f"cannot write into {into}: {exc.strerror}; free some space there")
        except Exception as exc:
            self._set(key, ExportState(failure=f"{type(exc).__name__}: {exc}. This is a fault of the program."))
            raise
        _keep_only(state.path, into)
        with self._lock:
            if key in self._states:
                self._set(key, state)

    def _set(self, key: tuple[Path, int, str], state: ExportState) -> None:
        self._states[key] = state
        self.changes += 1


def _keep_only(path: Path | None, into: Path) -> None:
    """Delete leftovers of an export: the parts of a zip, or everything if it failed."""
    if path is None or path.parent != into:
        shutil.rmtree(into, ignore_errors=True)
        return
    for other in into.iterdir():
        if other != path:
            other.unlink()
