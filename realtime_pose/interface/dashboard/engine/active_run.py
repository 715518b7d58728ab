"""The active run: a source or a recorded take, opened with its pipeline, sinks and threads."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from realtime_pose.app.run import Run, open_run
from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.capture.looped import Looped
from realtime_pose.capture.sources import ACTORS, BROWSER, open_source, source_kind, without_credentials
from realtime_pose.checkpoints import Progress
from realtime_pose.communication.sinks import open_sinks
from realtime_pose.config import AppConfig, OutputConfig
from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.engine.sources.camera_list import camera_finder
from realtime_pose.interface.dashboard.engine.takes.playback import PlaybackPipeline, SessionSource
from realtime_pose.pipeline import FramePipeline, PosePipeline
from realtime_pose.runtime import Runtime

_SEARCH_S = 10.0


@dataclass
class ActiveRun:
    """A started run. `pipeline`, `sinks` and `config` change while it goes on; `run` has those it started with."""

    run: Run
    kind: str
    source_text: str
    folder: Path | None = None

    def __post_init__(self) -> None:
        self.pipeline: FramePipeline = self.run.pipeline
        self.sinks = list(self.run.sinks)
        self.config = self.run.config
        self._outputs = ThreadPoolExecutor(1, "outputs")

    @property
    def runtime(self) -> Runtime:
        """The run's threads."""
        return self.run.runtime

    @property
    def browser_camera(self) -> BrowserCamera | None:
        """The source that takes a browser's frames; None with any other source."""
        return self.run.source if isinstance(self.run.source, BrowserCamera) else None

    @property
    def tuned(self) -> PosePipeline | None:
        """The pipeline that settings can change; None for a take, whose poses are recorded."""
        return self.pipeline if isinstance(self.pipeline, PosePipeline) else None

    @property
    def playback_source(self) -> SessionSource | None:
        """The take's source, in which one can seek; None for a live run."""
        return self.run.source if isinstance(self.run.source, SessionSource) else None

    def retune(self, after: AppConfig, locked_on: int | None) -> None:
        """Apply settings that need no other model from the next frame on; a take ignores them.

        Where other models are needed too, the settings in `inference` wait for them: `config` says what runs now.
        """
        inference = self.config.inference if needs_other_models(self.config, after) else after.inference
        before, self.config = self.config, replace(self.config, inference=inference, body=after.body)
        if self.tuned is not None:
            self.runtime.between_frames(partial(self.tuned.retune, before, self.config, locked_on))

    def use_outputs(self, after: AppConfig, trouble: Callable[[str], None]) -> None:
        """Send to other destinations as soon as they are open; `trouble` is called with what one raised."""
        before, self.config = self.config.output, replace(self.config, output=after.output)
        job = self._outputs.submit(self._exchange_sinks, before, after.output, trouble)
        job.add_done_callback(lambda done: trouble(f"{done.exception()}.") if done.exception() else None)

    def _exchange_sinks(self, old: OutputConfig, new: OutputConfig, trouble: Callable[[str], None]) -> None:
        """Exchange the sinks, not in the pose thread: a name service may take ten seconds for a host."""
        same = (old.mirror, old.udp_format) == (new.mirror, new.udp_format)
        wanted = [(name, to) for name, text in new.destinations.items() for to in text.split()]
        kept = {(s.name, s.destination): s for s in self.sinks if same and (s.name, s.destination) in wanted}
        self.sinks = list(kept.values())
        closed = threading.Event()
        self.runtime.use_sinks(self.sinks)  # closes the others, whose ports may be needed
        if self.runtime.between_frames(closed.set):
            closed.wait()
        if not self.runtime.between_frames(lambda: None):
            return  # the run has ended, and closes what it had
        sinks = list(kept.values())
        for name, to in wanted:
            if (name, to) not in kept:
                try:
                    sinks += open_sinks({name: to}, mirror=new.mirror, udp_format=new.udp_format)
                except ConfigError as exc:
                    trouble(f"{exc}.")
        self.sinks = sinks
        if not self.runtime.use_sinks(sinks):  # it has ended by now: nothing else would close them
            for sink in sinks:
                sink.close()


def opening_text(config: AppConfig) -> str:
    """The text that the page shows while the source is opened."""
    return "Waiting for the browser's camera ..." if config.capture.source == BROWSER else "Opening the source ..."


@contextmanager
def open_live(config: AppConfig, notify: Callable[[str], None], progress: Progress) -> Iterator[ActiveRun]:
    """A started run from the source in the settings; the demo's clips are looped.

    Raises:
        RealtimePoseError: Source, model or destination is not available.
    """
    with open_run(without_auto_download(config), notify, progress, open_frames=_open_frames) as run:
        kind = "live" if run.source.live else "file"
        yield ActiveRun(run, kind, without_credentials(config.capture.source))


@contextmanager
def open_take(folder: Path, config: AppConfig) -> Iterator[ActiveRun]:
    """A take, played at its own speed into the live outputs of the settings.

    Raises:
        RecordingError: There is no take, or it cannot be read.
        ConfigError: A destination is not available.
    """
    output = config.output
    with ExitStack() as undo:
        source = undo.enter_context(closing(SessionSource(folder)))
        sinks = open_sinks(output.destinations, mirror=output.mirror, udp_format=output.udp_format)
        for sink in sinks:
            undo.callback(sink.close)
        pipeline = PlaybackPipeline(source)
        runtime = Runtime(source, pipeline, sinks, paced=True, read_ahead=False)
        undo.pop_all()
    try:
        runtime.start()
        config = replace(config, capture=replace(config.capture, source=folder.name))
        yield ActiveRun(Run(config, source, pipeline, runtime, sinks, []), "take", folder.name, folder)
    finally:
        runtime.stop()


def _open_frames(capture: CaptureConfig) -> FrameSource:
    if capture.source == BROWSER:
        return BrowserCamera(capture)
    if capture.source in ACTORS:
        return Looped(partial(open_source, capture))
    if source_kind(capture.source) == "camera":
        camera_finder().wait(_SEARCH_S)  # the search opens each camera for a moment, which locks others out
    return open_source(capture)


def without_auto_download(config: AppConfig) -> AppConfig:
    """The same settings, without a download where the model is "auto": Start shows something at once.

    A model that is chosen on the page is downloaded while the run goes on.
    """
    inference = config.inference
    if inference.estimator != "auto" or inference.checkpoint:
        return config
    return replace(config, inference=replace(inference, download=False))


def needs_other_models(before: AppConfig, after: AppConfig) -> bool:
    """Whether this change of settings needs other models to be loaded."""
    old, new = before.inference, after.inference
    tuned = replace(
        old,
        persons=new.persons,
        score_threshold=new.score_threshold,
        detect_every=new.detect_every,
        download=new.download,
    )
    another_detector = new.detector == "auto" and (old.persons == 1) != (new.persons == 1)
    return tuned != new or another_detector
