"""A session written as other files, in one pass."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_pose.app.run import take_info
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import local_path
from realtime_pose.communication.base import PoseSink
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.exporters.table import EXPORTERS, is_of, open_exporters, parse_formats
from realtime_pose.session.images import find_images, is_source, sound_of, with_images
from realtime_pose.session.reader import Session


@dataclass
class Export:
    """An export that is under way.

    Attributes:
        results: The session's results; taking them all writes the files.
        notes: What was left out, and why.
        folder: Where the files are written.
        formats: Those that are.
    """

    results: Iterator[FrameResult]
    notes: list[str]
    folder: Path
    formats: Sequence[str]

    def written(self) -> list[Path]:
        """The files that are there now."""
        return [path for path in files_of_take(self.folder) if path.name != SESSION and is_of(path, self.formats)]


@contextmanager
def open_export(
    session: Session, config: AppConfig, folder: Path, video: str = "", *, chosen: bool, force: bool
) -> Iterator[Export]:
    """A session on its way into files; when the `with` block is left they are finished.

    Args:
        session: What to write.
        config: `output.formats`, `character` and `bones`.
        folder: Where to; made if it is not there.
        video: The session's video, for formats that show pictures; empty looks for it.
        chosen: The formats were asked for by name: one that cannot be had is an error, rather than left out.
        force: Replace files that are there.

    Raises:
        ConfigError: A file is there already.
        RecordingError: A file cannot be written, the session is damaged, or its pictures are not to be found.
        UnknownChoiceError: There is no such format.
    """
    formats, notes = list(parse_formats(config.output.formats)), []
    pictures = find_images(session, video) if any(EXPORTERS[name].pictures for name in formats) else None
    for name in [name for name in formats if EXPORTERS[name].pictures and pictures is None]:
        sentence = f"{name} shows the session's pictures, which are not to be found; name them with --video FILE"
        if chosen:
            raise RecordingError(sentence)
        notes.append(sentence)
        formats.remove(name)
    _make_room(folder, formats, pictures, force=force)
    take = take_info(config, session.settings)
    results: Iterable[FrameResult] = session.frames()
    if pictures is not None and any(EXPORTERS[name].pictures for name in formats):
        take = replace(take, sound=sound_of(pictures))
        results = with_images(results, pictures, same_times=is_source(session, pictures))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
    with ExitStack() as undo:
        sinks = open_exporters(formats, folder, take)
        for sink in sinks:
            undo.callback(sink.close)
        yield Export(_sent(results, sinks, session, notes), notes, folder, formats)


def _sent(
    results: Iterable[FrameResult], sinks: Sequence[PoseSink], session: Session, notes: list[str]
) -> Iterator[FrameResult]:
    for result in results:
        for sink in sinks:
            sink.send(result)
        yield result
    if session.truncated:
        notes.append(f"The end of {session.path} is missing; what is there was written.")


def _make_room(folder: Path, formats: Sequence[str], pictures: CaptureConfig | None, *, force: bool) -> None:
    """Take away the files that will be replaced, or refuse to."""
    try:
        there = [path for path in files_of_take(folder) if is_of(path, formats)]
        source = local_path(pictures.source).resolve() if pictures is not None else None
        if source in [path.resolve() for path in there]:
            raise ConfigError(f"{source} would be replaced by what is made from it; choose another folder")
        if force:
            for path in there:
                path.unlink()  # also those of people who were in an earlier take only
    except OSError as exc:
        raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
    if there and not force:
        names = ", ".join(path.name for path in there)
        raise ConfigError(f"{folder} has {names} already; choose another folder, or replace them with --force")
