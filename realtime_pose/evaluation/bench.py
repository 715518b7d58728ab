"""Bench: the time of each stage of a run, measured on the program's own pipeline and runtime at full speed."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.capture.base import FrameSource
from realtime_pose.capture.sources import open_source, without_credentials
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame
from realtime_pose.errors import ConfigError, RealtimePoseError
from realtime_pose.evaluation.random_models import GroundTruthEstimator, quantize_on_noise, write_random_vitpose
from realtime_pose.inference.base import HasStopwatch
from realtime_pose.pipeline import build_pipeline, check_names
from realtime_pose.report import STAGES
from realtime_pose.runtime import Runtime
from realtime_pose.utils.stopwatch import Stopwatch

PARTS = ("crop", "network", "decode")
"""The parts of "estimate" with ViTPose."""

_OVERHEAD = ("crop", "decode", "detect", "send")  # all that is neither the video, the network nor the body
_WARM_FRAMES = 15  # for memory, threads and processor clocks to settle
_LEAST_FRAMES = 10
_TICK_S = 0.1


@dataclass(frozen=True)
class BenchFigures:
    """The figures of one measurement.

    Attributes:
        estimator, runtime, precision, device, source: The parts that ran.
        frames: Measured frames, without the slower first ones.
        persons_max: Maximum number of people in a frame.
        fps: Frames per second from the file to the packet.
        stages_ms: Stage -> "p50", "p95" and "mean", ms per frame. "video" is decoding the file in its own thread,
            "capture" the wait for it, "detect" detection and tracking, "estimate" the sum of the parts listed after
            it, "whole" the time from packet to packet, "rest" everything else.
        around_ms: The same for crop, decode, detect and send together.
        notes: Notes for the user, in sentences.
        body_ms: The same for one person in one frame: "lift", "ik", "filters", and "body", all of them.
    """

    estimator: str
    runtime: str
    precision: str
    device: str
    source: str
    frames: int
    persons_max: int
    fps: float
    stages_ms: Mapping[str, Mapping[str, float]]
    around_ms: Mapping[str, float]
    notes: tuple[str, ...]
    body_ms: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Everything by name."""
        return asdict(self)


def run_bench(
    config: AppConfig,
    max_frames: int,
    random_size: str = "",
    notify: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BenchFigures:
    """Run over the source at full speed, with packets to a local socket, and measure.

    Args:
        config: The settings of a run.
        max_frames: Maximum number of measured frames.
        random_size: s, b, l or h measures a ViTPose of that size with random weights on the actor's clip; empty uses
            the estimator of `config`.
        notify: Called with sentences on what was chosen.
        progress: Called with the number of frames done, and the total.

    Returns:
        The figures of the frames after the first ones.

    Raises:
        RealtimePoseError: A part is not available, a stage fails, or there are too few frames.
    """
    check_names(config)
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        notify(sentence)

    with ExitStack() as undo:
        if random_size:
            config = undo.enter_context(_with_random_weights(config, random_size, note))
        receiver = undo.enter_context(closing(UdpReceiver("127.0.0.1:0")))  # the packets are not read
        sink = UdpSink(receiver.address, mirror=config.output.mirror)
        undo.callback(sink.close)
        source = _TimedSource(undo.enter_context(closing(open_source(config.capture))))
        pipeline = undo.enter_context(closing(build_pipeline(config, note)))
        estimator = pipeline.estimator
        parts = estimator.stopwatch if isinstance(estimator, HasStopwatch) else Stopwatch()
        stopwatch = pipeline.stopwatch = _FrameTimes(parts)
        if random_size:
            pipeline.estimator = GroundTruthEstimator(estimator)
        runtime = Runtime(source, pipeline, [sink], max_frames=max_frames + _WARM_FRAMES)
        try:
            runtime.start()
            while not runtime.wait(_TICK_S):
                progress(runtime.statistics.frames, _frames_to_come(source, max_frames))
            progress(runtime.statistics.frames, runtime.statistics.frames)
        finally:
            runtime.stop()
        runtime.raise_if_failed()
        notes += runtime.snapshot().notices
    counted = stopwatch.frames[_WARM_FRAMES:]
    if len(counted) < _LEAST_FRAMES:
        raise RealtimePoseError(
            f"{config.capture.source} gave {len(stopwatch.frames)} frames, of which the first {_WARM_FRAMES} do not "
            f"count; bench needs {_WARM_FRAMES + _LEAST_FRAMES} or more, so give a longer clip or a larger --max-frames"
        )
    stages = _by_stage(counted, source.read_ms[_WARM_FRAMES : len(stopwatch.frames)])
    return BenchFigures(
        estimator=estimator.name,
        runtime=estimator.runtime,
        precision=estimator.precision,
        device=estimator.device,
        source=without_credentials(config.capture.source),
        frames=len(counted),
        persons_max=runtime.statistics.persons_max,
        fps=round(1e3 * len(counted) / sum(stages["whole"]), 2),
        stages_ms={stage: _figures(values) for stage, values in stages.items()},
        around_ms=_figures([sum(times.get(stage, 0.0) for stage in _OVERHEAD) for times in counted]),
        notes=tuple(notes),
        body_ms={part: _figures(values) for part, values in _by_body(counted).items()},
    )


def _by_body(frames: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The ms per person in each frame; frames without people do not count."""
    parts: dict[str, list[float]] = {"lift": [], "ik": [], "filters": [], "body": []}
    for times in frames:
        if "people" in times:
            stages = [times[stage] / times["people"] for stage in ("lift", "solve", "filter")]
            for part, part_ms in zip(parts, (*stages, sum(stages)), strict=True):
                parts[part].append(part_ms)
    return {part: values for part, values in parts.items() if values}


def _by_stage(frames: Sequence[Mapping[str, float]], read_ms: Sequence[float]) -> dict[str, list[float]]:
    """The ms of each frame, by stage in the order of the pipeline."""
    stages = {"video": list(read_ms)}
    for stage in STAGES:
        for name in (stage, *PARTS) if stage == "estimate" else (stage,):
            stages[name] = [times[name] for times in frames if name in times]
    stages["rest"] = [times["whole"] - sum(times.get(stage, 0.0) for stage in STAGES) for times in frames]
    stages["whole"] = [times["whole"] for times in frames]
    return {stage: values for stage, values in stages.items() if values}


def _figures(values_ms: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(values_ms, [50, 95])
    figures = {"p50": p50, "p95": p95, "mean": np.mean(values_ms)}
    return {name: round(float(value), 3) for name, value in figures.items()}


def _frames_to_come(source: FrameSource, max_frames: int) -> int:
    return min(source.frame_count or max_frames + _WARM_FRAMES, max_frames + _WARM_FRAMES)


class _FrameTimes(Stopwatch):
    """A stopwatch that keeps the times of every frame, together with those of the estimator's stopwatch.

    Attributes:
        frames: For each frame, ms by name; "whole" is the time since the previous frame, "people" the lifted people.
    """

    def __init__(self, parts: Stopwatch) -> None:
        super().__init__()
        self.frames: list[dict[str, float]] = []
        self._parts = parts
        self._people = 0
        self._last_ns = time.perf_counter_ns()

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time of the `with` block to `name`."""
        self._people += name == "lift"
        with super().measure(name):
            yield

    def take(self) -> dict[str, float]:
        """The times since the last `take`, without the estimator's parts."""
        taken, now_ns = super().take(), time.perf_counter_ns()
        people = {"people": self._people} if self._people else {}
        self.frames.append({**taken, **self._parts.take(), **people, "whole": (now_ns - self._last_ns) / 1e6})
        self._people = 0
        self._last_ns = now_ns
        return taken


class _TimedSource:
    """A source that measures the time of each `read`, in whichever thread it is called."""

    def __init__(self, source: FrameSource) -> None:
        self.live, self.fps, self.frame_count, self.notices = (
            source.live, source.fps, source.frame_count, source.notices,
        )  # fmt: skip
        self.read_ms: list[float] = []
        self._source = source

    @property
    def dropped(self) -> int:
        """Frames lost so far."""
        return self._source.dropped

    def read(self) -> Frame | None:
        """The next frame."""
        start_ns = time.perf_counter_ns()
        frame = self._source.read()
        self.read_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
        return frame

    def close(self) -> None:
        """Close the source."""
        self._source.close()


@contextmanager
def _with_random_weights(config: AppConfig, size: str, note: Callable[[str], None]) -> Iterator[AppConfig]:
    """The settings with random weights, which are deleted at the end with everything made from them."""
    inference = config.inference
    if inference.checkpoint or inference.estimator != "auto" or config.capture.source != "actor":
        raise ConfigError(
            f"--random {size} measures random weights over the actor's clip; leave out the source, --estimator and "
            "--checkpoint, or --random"
        )
    with tempfile.TemporaryDirectory(prefix="realtime-pose-bench-") as folder:
        checkpoint = write_random_vitpose(size, Path(folder) / "random.safetensors")
        before = os.environ.get("XDG_CACHE_HOME")
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            inference = replace(inference, checkpoint=str(checkpoint))
            note("The weights are random: the speed is real, and the actor's true keypoints replace the model's.")
            if inference.precision == "int8":
                quantize_on_noise(inference)
            elif "auto" in (inference.runtime, inference.precision):
                note(
                    "With random weights auto uses fp32 only; choose another, e.g. --runtime openvino --precision bf16."
                )
            yield replace(config, inference=inference)
        finally:
            os.environ.pop("XDG_CACHE_HOME")
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before
