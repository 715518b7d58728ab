"""Export: a session written as files of other formats, in one pass."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_pose.app.run import take_info
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import local_path
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, RealtimePoseError, RecordingError
from realtime_pose.exporters.file_group import FileGroup
from realtime_pose.exporters.table import EXPORTERS, is_file_of_format, open_exporters, parse_formats
from realtime_pose.session.images import find_images, is_source, sound_of, with_images
from realtime_pose.session.reader import Session


@dataclass
class Export:
    """A running export.

    Attributes:
        results: The session's results; consuming them writes the files.
        notes: Sentences on what was left out, and why.
        folder: The output folder.
        formats: The formats that are written.
        files: Their files.
    """

    results: Iterator[FrameResult]
    notes: list[str]
    folder: Path
    formats: Sequence[str]
    files: FileGroup

    def written(self) -> list[Path]:
        """The files written so far, without those that failed."""
        return self._files_of([name for name in self.formats if name not in self.files.failures])

    def discard(self) -> None:
        """Close the files and delete them."""
        with suppress(Exception):  # what ended the export is the cause
            self.files.close()
        for path in self._files_of(self.formats):
            with suppress(OSError):
                path.unlink()

    def _files_of(self, formats: Sequence[str]) -> list[Path]:
        return [
            path for path in files_of_take(self.folder) if path.name != SESSION and is_file_of_format(path, formats)
        ]


@contextmanager
def open_export(
    session: Session, config: AppConfig, folder: Path, video: str = "", *, chosen: bool, force: bool
) -> Iterator[Export]:
    """Export a session; the files are finished when the `with` block is left.

    A file that fails does not stop the others. If the session is damaged, or the disk full, no file is left: nothing
    would say that it ends early.

    Args:
        session: The session.
        config: `output.formats`, `character` and `bones`.
        folder: The output folder; created if missing.
        video: The session's video, for formats that show images; empty searches for it.
        chosen: The formats were given by name: one that cannot be written is an error, otherwise it is left out.
        force: Replace existing files.

    Yields:
        The export: iterate over its `results` to write the files.

    Raises:
        ConfigError: A file exists already.
        RecordingError: A file cannot be written, the session is damaged, or its images are not found. Of a file that
            failed only when the others are finished.
        UnknownChoiceError: There is no such format.
    """
    formats, notes = list(parse_formats(config.output.formats)), []
    images = find_images(session, video) if any(EXPORTERS[name].needs_images for name in formats) else None
    for name in [name for name in formats if EXPORTERS[name].needs_images and images is None]:
        sentence = f"{name} shows the session's images, which are not found; give them with --video FILE"
        if chosen:
            raise RecordingError(sentence)
        notes.append(sentence)
        formats.remove(name)
    _delete_replaced_files(folder, formats, images, force=force)
    take = take_info(config, session.settings)
    results: Iterable[FrameResult] = session.frames()
    if images is not None and any(EXPORTERS[name].needs_images for name in formats):
        take = replace(take, sound=sound_of(images))
        results = with_images(results, images, same_times=is_source(session, images))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
    files = FileGroup(dict(zip(formats, open_exporters(formats, folder, take), strict=True)))
    export = Export(_written(results, files, session, notes), notes, folder, formats, files)
    try:
        yield export
    except RealtimePoseError:
        export.discard()
        raise
    finally:
        files.close()


def _written(
    results: Iterable[FrameResult], files: FileGroup, session: Session, notes: list[str]
) -> Iterator[FrameResult]:
    has_motion = False
    for result in results:
        has_motion = has_motion or any(person.pose is not None for person in result.people)
        files.send(result)
        yield result
    notes += files.notes
    if not has_motion:
        notes.append(f"No person has a pose in {session.path}, so no motion was written.")
    if session.truncated:
        notes.append(f"The end of {session.path} is missing; its frames up to there were written.")


def _delete_replaced_files(folder: Path, formats: Sequence[str], images: CaptureConfig | None, *, force: bool) -> None:
    """Delete the files that will be replaced, or refuse."""
    try:
        existing = [path for path in files_of_take(folder) if is_file_of_format(path, formats)]
        source = local_path(images.source).resolve() if images is not None else None
        if source in [path.resolve() for path in existing]:
            raise ConfigError(f"{source} would be replaced by what is made from it; choose another folder")
        if force:
            for path in existing:
                path.unlink()  # also those of people who were only in an earlier take
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
    if existing and not force:
        names = ", ".join(path.name for path in existing)
        raise ConfigError(f"{folder} already has {names}; choose another folder, or replace them with --force")
