"""Batch planning for `process`: the inputs, their output folders, and which are finished already."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from realtime_pose import __version__
from realtime_pose.app.take import SESSION, files_of_take
from realtime_pose.capture.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, local_path
from realtime_pose.communication.sinks import SINKS
from realtime_pose.config import AppConfig
from realtime_pose.errors import CaptureError, ConfigError, RecordingError
from realtime_pose.session.reader import read_session

_WITHOUT_EFFECT_ON_FILES = (*SINKS, "udp_format", "mirror", "record")
"""Output settings that change nothing in the files of a take."""


@dataclass(frozen=True)
class Job:
    """One input to process into one folder.

    Attributes:
        config: All settings, with this input as the source and this folder to record to.
        mark: A hash of the settings and the input, kept in the session that the job makes.
        max_frames: End after this many frames.
        done: Frames of the finished take in the folder; None if there is work to do.
    """

    config: AppConfig
    mark: str
    max_frames: int | None
    done: int | None

    @property
    def source(self) -> str:
        """The input."""
        return self.config.capture.source

    @property
    def folder(self) -> Path:
        """The folder of its take."""
        return Path(self.config.output.record)


def plan(inputs: Sequence[str], to: Path, config: AppConfig, max_frames: int | None, *, force: bool) -> list[Job]:
    """A job for each input; finished ones are recognised by the mark in their session.

    An input folder means each video in it, or its images as one clip; its subfolders are skipped.

    Args:
        inputs: Files, folders, or other sources.
        to: Folder for the take of a single input; several inputs get a subfolder each, by name.
        config: The settings that they share.
        max_frames: End each after this many frames.
        force: Process everything again, whatever exists.

    Raises:
        ConfigError: A folder has another take, and `force` is not given.
        CaptureError: A folder cannot be read.
    """
    sources = [source for item in inputs for source in _sources_in(item)]
    single = len(inputs) == 1 and sources == list(inputs)
    jobs = []
    for source, folder in zip(sources, [to] if single else _folders(sources, to), strict=True):
        own = replace(
            config,
            capture=replace(config.capture, source=source),
            output=replace(config.output, record=str(folder)),
        )
        mark = _mark(own, max_frames)
        jobs.append(Job(own, mark, max_frames, None if force else _frames_done(folder, mark)))
    return jobs


def _sources_in(item: str) -> list[str]:
    """The input itself, or the videos and images of a folder."""
    path = local_path(item)
    if not os.path.isdir(path):
        return [item]
    try:
        entries = sorted(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
        of_take = files_of_take(path) if (path / SESSION).exists() else []
    except OSError as exc:
        raise CaptureError(f"{path} cannot be read ({exc.strerror}); give a folder that you may read") from exc
    videos = [str(e) for e in entries if e.suffix.lower() in VIDEO_SUFFIXES and e not in of_take]
    images = any(e.suffix.lower() in IMAGE_SUFFIXES for e in entries)
    return videos + [item] * (images or not videos)


def _folders(sources: Sequence[str], to: Path) -> list[Path]:
    folders: list[Path] = []
    for source in sources:
        name, count = Path(os.path.abspath(source)).stem, 1  # not resolved: a link keeps its own name
        while (folder := to / (name if count == 1 else f"{name}-{count}")) in folders:
            count += 1
        folders.append(folder)
    return folders


def _mark(config: AppConfig, max_frames: int | None) -> str:
    settings = asdict(config)
    for key in _WITHOUT_EFFECT_ON_FILES:
        del settings["output"][key]
    del settings["inference"]["download"]
    facts: dict[str, Any] = {"program": __version__, "settings": settings, "max_frames": max_frames}
    path = local_path(config.capture.source)
    if os.path.exists(path):
        settings["capture"]["source"] = ""  # the same file by any spelling of its path
    if os.path.isdir(path):
        facts["input"] = sorted(_identity(entry) for entry in path.iterdir() if entry.is_file())
    elif os.path.exists(path):
        facts["input"] = _identity(path)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _identity(path: Path) -> tuple[str, int, int]:
    facts = path.stat()
    return str(path.resolve()), facts.st_size, facts.st_mtime_ns


def _frames_done(folder: Path, mark: str) -> int | None:
    """Frames of this job's finished take; None if there is no take, or one that was stopped.

    Raises:
        ConfigError: The folder has another take.
    """
    try:
        existing = files_of_take(folder)
    except OSError as exc:
        raise ConfigError(f"{folder} cannot be read ({exc.strerror}); choose another --out") from exc
    if not existing:
        return None
    try:
        session = read_session(folder / SESSION)
    except RecordingError:
        session = None
    if session is None or session.settings.get("job") != mark:
        raise ConfigError(
            f"{folder} has {existing[0].name} of another input or other settings; "
            "choose another --out, or replace it with --force"
        )
    return session.total_frames if session.finished else None
