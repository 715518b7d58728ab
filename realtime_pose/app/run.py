"""Run: settings in, a started runtime with its sinks, and the report out; for every command and page."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from realtime_pose import __version__
from realtime_pose.app.scene_watch import SceneWatch
from realtime_pose.app.take import TakeRecorder, files_of_take
from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.sources import can_be_read_again, local_path, open_source, without_credentials
from realtime_pose.checkpoints import Progress
from realtime_pose.communication.base import LiveSink, PoseSink
from realtime_pose.communication.sinks import open_sinks
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.table import EXPORTERS, TakeInfo, parse_formats
from realtime_pose.filters.look_ahead import build_look_ahead
from realtime_pose.pipeline import FramePipeline, PosePipeline, build_pipeline, check_names
from realtime_pose.runtime import ResultStage, Runtime
from realtime_pose.session.images import sound_of
from realtime_pose.two_passes import SecondPass

_DEFAULT_FPS = 30.0


@dataclass(frozen=True)
class Run:
    """A started run with what its report needs."""

    config: AppConfig
    source: FrameSource
    pipeline: FramePipeline
    runtime: Runtime
    sinks: Sequence[LiveSink]
    notes: list[str]
    max_frames: int | None = None
    watch: SceneWatch | None = None
    take: TakeRecorder | None = None

    @property
    def total_frames(self) -> int | None:
        """Number of frames of the run; None for a source without an end."""
        counts = [count for count in (self.source.frame_count, self.max_frames) if count is not None]
        return min(counts, default=None)

    @property
    def source_name(self) -> str:
        """The source as messages name it: a file's name, or the camera or address without credentials."""
        source = without_credentials(self.config.capture.source)
        return local_path(source).name if os.path.exists(local_path(source)) else source

    def report(self, *, interrupted: bool = False) -> dict[str, Any]:
        """The report of the run so far; that of an interrupted run has the frame at which it stopped."""
        estimator, snapshot = self.pipeline.estimator, self.runtime.snapshot()
        figures = self.runtime.statistics.figures()
        if self.runtime.stage is not None:
            figures["frames"] = snapshot.frames_sent
        stopped = [f"Stopped at {figures['frames']} of {self.total_frames} frames."] if self.total_frames else []
        nobody = []
        if self.config.output.record and figures["frames"] and not figures["persons_max"]:
            nobody = [f"No person was found in {self.source_name}, so no motion was written."]
        return {
            "estimator": estimator.name,
            "runtime": estimator.runtime,
            "precision": estimator.precision,
            "device": estimator.device,
            "source": without_credentials(self.config.capture.source),
            "frames": figures.pop("frames"),
            "frames_dropped": snapshot.frames_dropped,
            **figures,
            "camera": None if snapshot.camera is None else snapshot.camera.to_dict(),
            "packets_sent": sum(sink.packets_sent for sink in self.sinks),
            "sinks": [
                {"sink": sink.name, "target": sink.destination, "packets_sent": sink.packets_sent, "lost": sink.lost}
                for sink in self.sinks
            ],
            "warnings": [
                *(stopped if interrupted else []),
                *nobody,
                *self.notes,
                *(self.take.notes if self.take is not None else []),
                *snapshot.notices,
                *([] if self.watch is None else self.watch.notes()),
                *filter(None, (sink.warning() for sink in self.sinks)),
            ],
        }


@contextmanager
def open_run(
    config: AppConfig,
    notify: Callable[[str], None],
    progress: Progress = lambda had, total: None,
    *,
    paced: bool = True,
    max_frames: int | None = None,
    job: str = "",
    force: bool = False,
    open_frames: Callable[[CaptureConfig], FrameSource] = open_source,
    more_sinks: Sequence[PoseSink] = (),
) -> Iterator[Run]:
    """A started run; when the `with` block is left it is stopped and its files are closed.

    Args:
        config: All settings.
        notify: Called with one sentence for each automatic choice or handled problem; they are also in the report.
        progress: Called with the progress of a download.
        paced: Play a file in real time, like a camera, without look-ahead; otherwise as fast as possible.
        max_frames: End after this many frames.
        job: Stored in the session, so that `process` recognises its own takes.
        force: Replace an earlier take in the folder.
        open_frames: Opens the source.
        more_sinks: Further fast sinks of the caller.

    Raises:
        RealtimePoseError: A requested part is not available.
    """
    check_names(config)
    parse_formats(config.output.formats)
    if config.output.record:
        check_not_replaced(Path(config.output.record), local_path(config.capture.source))
    if paced:  # look-ahead would add latency
        config = replace(config, body=replace(config.body, look_ahead=False))
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        notify(sentence)

    with ExitStack() as undo:  # closes what is open if a later part fails
        output = config.output
        sinks = open_sinks(output.destinations, mirror=output.mirror, udp_format=output.udp_format)
        for sink in sinks:
            undo.callback(sink.close)
        source = undo.enter_context(closing(open_frames(config.capture)))
        pipeline = undo.enter_context(closing(build_pipeline(config, note, progress)))
        if config.inference.persons > 1 and pipeline.estimator.finds_people:
            note(f"{pipeline.estimator.name} follows one person, not {config.inference.persons}; ViTPose can do more.")
        take = take_recorder(config, source, pipeline, job, force=force) if output.record else None
        watch = SceneWatch(config)
        runtime = Runtime(
            source,
            pipeline,
            [*sinks, *more_sinks],
            [take] if take is not None else [],
            stage=_offline_stage(config, pipeline, open_frames, images=bool(more_sinks)),
            paced=paced,
            max_frames=max_frames,
            watch=watch.add,
        )
        undo.pop_all()  # the runtime closes them from here on
    try:
        runtime.start()
        yield Run(config, source, pipeline, runtime, sinks, notes, max_frames, watch, take)
    finally:
        runtime.stop()


def _offline_stage(
    config: AppConfig, pipeline: PosePipeline, open_frames: Callable[[CaptureConfig], FrameSource], *, images: bool
) -> ResultStage | None:
    """What stands between the pipeline and the sinks: the second pass, or only the look-ahead where there is none."""
    if not config.body.look_ahead:
        return None
    names = parse_formats(config.output.formats) if config.output.record else ()
    if not images and not any(EXPORTERS[name].needs_images for name in names):
        return SecondPass(pipeline.body, config, None)
    if can_be_read_again(config.capture.source):
        return SecondPass(pipeline.body, config, lambda: open_frames(config.capture))
    return build_look_ahead(config.body, pipeline.body.finish, pipeline.body.camera)


def check_not_replaced(folder: Path, source: Path) -> None:
    """Refuse a take in this folder if it would replace its own source.

    Raises:
        ConfigError: It would replace the source.
    """
    if not os.path.isfile(source) or not folder.is_dir():
        return
    if source.resolve() in [path.resolve() for path in files_of_take(folder)]:
        raise ConfigError(f"{source} would be replaced by the new {source.name}; choose another folder for the results")


def take_recorder(
    config: AppConfig,
    source: FrameSource,
    pipeline: FramePipeline,
    job: str = "",
    *,
    whole: bool = True,
    force: bool = False,
) -> TakeRecorder:
    """The recorder of a run, for the folder `config.output.record`.

    Args:
        config: All settings.
        source: The source of the frames.
        pipeline: The pipeline of the run.
        job: Stored in the session.
        whole: The take starts with the source's first frame, so that the source's sound fits.
        force: Replace an earlier take in the folder.

    Raises:
        RecordingError: The folder cannot be created or written.
        UnknownChoiceError: There is no such format.
    """
    estimator, shown = pipeline.estimator, without_credentials(config.capture.source)
    settings = {
        "program": f"realtime-pose {__version__}",
        "model": {"name": estimator.name, "sha256": estimator.model_hash},
        "runtime": f"{estimator.runtime} {estimator.precision}",
        "device": estimator.device,
        "layout": estimator.layout.name,
        "source": shown,
        "fps": source.fps or _DEFAULT_FPS,
        "config": asdict(config) | {"capture": asdict(config.capture) | {"source": shown}},
    } | ({"job": job} if job else {})
    take = take_info(config, settings)
    if not whole:
        take = replace(take, sound=None)
    return TakeRecorder(Path(config.output.record), take, parse_formats(config.output.formats), force=force)


def take_info(config: AppConfig, settings: Mapping[str, Any]) -> TakeInfo:
    """The facts about a take for exporters."""
    output = config.output
    recorded = settings.get("config", {}).get("inference", {}).get("score_threshold", config.inference.score_threshold)
    return TakeInfo(
        float(settings.get("fps", _DEFAULT_FPS)),
        settings,
        sound_of(config.capture),
        character=Path(output.character).expanduser() if output.character else None,
        bones=Path(output.bones).expanduser() if output.bones else None,
        score_threshold=recorded if isinstance(recorded, float | int) else config.inference.score_threshold,
    )
