"""Runtime: the pose thread that reads frames, runs the pipeline and sends results; a thread that reads files ahead."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from realtime_pose.capture.base import FrameSource
from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import Frame, FrameResult, SceneCamera
from realtime_pose.errors import EndOfStream, StageFailedError
from realtime_pose.pipeline import FramePipeline
from realtime_pose.report import RunStatistics
from realtime_pose.sink_worker import SinkWorker
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

_TOO_SLOW_NS = 1_000_000_000  # a paced file that is later than this is reported
_SEEK_NS = 2_000_000_000  # a larger step of the media time is a seek, or a gap in a recording
_FLUSH_S = 8.0  # time for the results that a stage still holds back when a run is stopped: what `docker stop` grants
_PAUSE_POLL_S = 0.2  # interval at which a paused run counts the frames that its source drops


class ResultStage(Protocol):
    """A stage between pipeline and sinks that may hold results back."""

    def feed(self, result: FrameResult) -> Iterable[FrameResult]:
        """The results that are complete with this one, in order; may be none."""
        ...

    def flush(self) -> Iterable[FrameResult]:
        """The results that are still held back, in order."""
        ...


class _ReadAhead:
    """Decodes a file's next frame while this one is processed; cameras are not read ahead: frames would get old.

    `VideoFile` decodes one frame ahead to detect the end, within `read`; only this is in parallel with the pipeline.
    """

    def __init__(self, source: FrameSource, reader: Executor) -> None:
        self._source, self._reader = source, reader
        self._next = reader.submit(source.read)

    def read(self) -> Frame | None:
        """The next frame; raises what the source raised."""
        frame = self._next.result()
        self._next = self._reader.submit(self._source.read)
        return frame


@dataclass(frozen=True)
class Snapshot:
    """The state of a run at one moment.

    `frames` are read, `frames_sent` have their results sent; `flushing` says that all are read and the stage gives what
    it held back. `camera` is that of the newest frame that has one.
    """

    running: bool
    frames: int
    frames_sent: int
    flushing: bool
    frames_dropped: int
    fps: float
    persons: int
    notices: tuple[str, ...]
    camera: SceneCamera | None


class Runtime:
    """One run from a source through a pipeline to sinks. Used once.

    Args:
        source: Where frames come from.
        pipeline: Turns frames into results.
        sinks: Get results in the pose thread; must not block.
        slow_sinks: Get results in a thread each.
        paced: Play a file at its own speed, as a camera would.
        stage: A stage between pipeline and sinks that may hold results back, such as a look-ahead; flushed at the end.
        max_frames: Stop after this many; None for all.
        read_ahead: Decode a file's next frame while this one is processed; not for a source with seeking.
        watch: Called in the pose thread with each result as the pipeline made it, before the stage; must not block.
    """

    def __init__(
        self,
        source: FrameSource,
        pipeline: FramePipeline,
        sinks: Sequence[PoseSink] = (),
        slow_sinks: Sequence[PoseSink] = (),
        *,
        stage: ResultStage | None = None,
        paced: bool = False,
        max_frames: int | None = None,
        read_ahead: bool = True,
        watch: Callable[[FrameResult], None] = lambda result: None,
    ) -> None:
        self.statistics = RunStatistics(live=paced or source.live)
        self.results: LatestSlot[FrameResult] = LatestSlot()
        self._source, self._pipeline, self._sinks = source, pipeline, list(sinks)
        self.stage, self._watch = stage, watch
        self._flushing, self._frames_sent = False, 0
        self._workers = [SinkWorker(sink, lossless=not source.live) for sink in slow_sinks]
        self._paced, self._max_frames = paced and not source.live, max_frames
        self._read_ahead = read_ahead and not source.live
        self._due_offset_ns: int | None = None
        self._last_time_ns = 0
        self._condition = threading.Condition()  # guards the next four
        self._is_paused = False
        self._steps = 0
        self._callbacks: list[Callable[[], None]] = []
        self._is_over = False
        self._missed_in_pause = 0
        self._persons = 0
        self._camera: SceneCamera | None = None
        self._notices: list[str] = []
        self._source_notices = 0  # how many of the source's are copied
        self._reported_late = False
        self._reported_failures: list[SinkWorker] = []
        self._failure: StageFailedError | None = None
        self._stop = threading.Event()
        # Waited for instead of the thread: before Python 3.13, Ctrl-C inside Thread.join makes a running thread count
        # as ended.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run_thread, args=("pose", self._run), name="pose", daemon=True)

    def start(self) -> None:
        """Start; returns at once."""
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether the run is paused."""
        return self._is_paused

    def pause(self) -> None:
        """Pause after the current frame; frames of a live source are skipped meanwhile."""
        with self._condition:
            self._is_paused, self._steps = True, 0

    def resume(self) -> None:
        """Resume a paused run."""
        with self._condition:
            self._is_paused = False
            self._condition.notify_all()

    def step(self) -> None:
        """Process one frame and stay paused."""
        with self._condition:
            self._is_paused, self._steps = True, 1
            self._condition.notify_all()

    def between_frames(self, callback: Callable[[], None]) -> bool:
        """Run a callback in the pose thread between two frames; False if the run is over."""
        with self._condition:
            if self._is_over:
                return False
            self._callbacks.append(callback)
            self._condition.notify_all()
        return True

    def use_pipeline(self, pipeline: FramePipeline) -> bool:
        """Use another pipeline from the next frame on and close the old one; False if the run is over."""

        def exchange() -> None:
            before, self._pipeline = self._pipeline, pipeline
            before.close()

        return self.between_frames(exchange)

    def use_sinks(self, sinks: Sequence[PoseSink]) -> bool:
        """Send to these sinks from the next frame on and close the others; False if the run is over."""

        def exchange() -> None:
            before, self._sinks = self._sinks, list(sinks)
            for sink in before:
                if sink not in self._sinks:
                    self._run_keeping_failure("closing", sink.close)

        return self.between_frames(exchange)

    def add_slow_sink(self, sink: PoseSink) -> SinkWorker:
        """Send results to one more slow sink, in a thread of its own, until `remove_slow_sink`."""
        worker = SinkWorker(sink, lossless=not self._source.live)
        self._workers = [*self._workers, worker]  # a new list: the pose thread may be iterating over the old one
        return worker

    def remove_slow_sink(self, worker: SinkWorker) -> None:
        """Let a slow sink finish its queue and close it; the caller checks its `failure`."""
        self._workers = [other for other in self._workers if other is not worker]
        worker.close()

    def ask_to_stop(self) -> None:
        """Request the end of the run; returns at once. Call `stop` afterwards."""
        self._stop.set()
        with self._condition:
            self._condition.notify_all()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the run and close its files. Safe to repeat, from any thread, and before `start`.

        What a stage holds back is still sent, as far as that takes a few seconds.
        """
        self.ask_to_stop()
        if self.stage is not None:
            timeout_s += _FLUSH_S
        if self._source.live:
            self._run_keeping_failure("closing", self._source.close)  # ends a read that waits for a camera or a server
        if not self._wait_for_end(timeout_s):
            self._run_keeping_failure("closing", self._source.close)  # last resort for a read that is stuck in a driver
            if not self._wait_for_end(timeout_s):
                log.error("the pose thread is still running")
        if self._thread.ident is None and not self._ended.is_set():
            self._finish()
            self._ended.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the run; returns whether it is over."""
        return self._ended.wait(timeout_s)

    def raise_if_failed(self) -> None:
        """Raise StageFailedError, with its cause, if a thread failed."""
        if self._failure is not None:
            raise self._failure

    def snapshot(self) -> Snapshot:
        """The state of the run now."""
        return Snapshot(
            running=self._thread.ident is not None and not self._ended.is_set(),
            frames=self.statistics.frames,
            frames_sent=self._frames_sent,
            flushing=self._flushing,
            frames_dropped=self._source.dropped - self._missed_in_pause + sum(w.dropped for w in self._workers),
            fps=self.statistics.fps,
            persons=self._persons,
            notices=tuple(self._notices),
            camera=self._camera,
        )

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "read-ahead") as reader:
            self._process_frames(_ReadAhead(self._source, reader).read if self._read_ahead else self._source.read)

    def _process_frames(self, read: Callable[[], Frame | None]) -> None:
        while not self._stop.is_set() and self.statistics.frames != self._max_frames:
            if not self._ready_for_next_frame():
                continue
            with self._pipeline.stopwatch.measure("capture"):
                frame = read()
            self._collect_notices()
            if frame is None:  # nothing came within the source's timeout
                self._due_offset_ns = None  # show the next frame as soon as it arrives
                continue
            with self._condition:
                self._steps = 0
            if self._paced:
                frame = self._wait_until_due(frame)
            result = self._pipeline.step(frame)
            self._watch(result)
            ready = self._completed_by(result)
            with self._pipeline.stopwatch.measure("send"):
                for final in ready:
                    self._send(final)
            sent_ns = time.monotonic_ns()
            self._persons = len(result.people)
            self.statistics.add(self._pipeline.stopwatch.take(), len(result.people), frame.captured_ns, sent_ns)
            for final in ready:
                self._send_to_slow_sinks(final)

    def _ready_for_next_frame(self) -> bool:
        """Run the callbacks; returns whether to read the next frame. Waits for a moment while the run is paused."""
        with self._condition:
            callbacks, self._callbacks = self._callbacks, []
            if not callbacks and self._is_paused and not self._steps and not self._stop.is_set():
                missed = self._source.dropped
                self._condition.wait(_PAUSE_POLL_S)
                self._missed_in_pause += self._source.dropped - missed
                self._due_offset_ns = None
                return False
        for callback in callbacks:
            callback()
        return not callbacks

    def _completed_by(self, result: FrameResult) -> list[FrameResult]:
        """The results to send after this one, in order."""
        if self.stage is None:
            return [result]
        with self._pipeline.stopwatch.measure("filter"):
            return list(self.stage.feed(result))

    def _send(self, result: FrameResult) -> None:
        self._camera, self._persons = result.camera or self._camera, len(result.people)
        for sink in self._sinks:
            sink.send(result)
        self._frames_sent += 1

    def _flush(self) -> None:
        """Send the results that the stage still holds back; once the run is stopped, those of a few seconds more."""
        if self.stage is None:
            return
        self._flushing, give_up_s = True, math.inf
        for result in self.stage.flush():
            self._run_keeping_failure("pose", partial(self._send, result))  # one failing sink costs no other its rest
            self._send_to_slow_sinks(result)
            self.statistics.end(time.monotonic_ns())
            if self._stop.is_set():
                give_up_s = min(give_up_s, time.monotonic() + _FLUSH_S)
            if time.monotonic() > give_up_s:
                self._notices.append("Stopped before the second pass was through; the take ends where it got to.")
                return

    def _send_to_slow_sinks(self, result: FrameResult) -> None:
        """Send the result to the slow sinks and to `results`.

        A slow sink that failed ends a run over files; a live run continues without it. The messages call
        it a recording, whatever it is.
        """
        for worker in self._workers:
            worker.send(result)
            if worker.failure is not None and worker not in self._reported_failures:
                if not self._source.live:
                    raise StageFailedError(f"recording stopped: {worker.failure}") from worker.failure
                self._reported_failures.append(worker)
                self._notices.append(f"Recording stopped: {worker.failure}; the run continues without it.")
        self.results.put(result)

    def _collect_notices(self) -> None:
        copied, self._source_notices = self._source_notices, len(self._source.notices)
        self._notices += self._source.notices[copied:]

    def _wait_until_due(self, frame: Frame) -> Frame:
        """The frame, after waiting until its media time is due."""
        now_ns = time.monotonic_ns()
        sought = abs(frame.time_ns - self._last_time_ns) > _SEEK_NS  # a seek, or a gap in the recording
        self._last_time_ns = frame.time_ns
        if self._due_offset_ns is None or sought:
            self._due_offset_ns = now_ns - frame.time_ns
        early_ns = frame.time_ns + self._due_offset_ns - now_ns
        if early_ns > 0:
            self._stop.wait(early_ns / 1e9)
        elif early_ns < -_TOO_SLOW_NS and not self._reported_late:
            self._reported_late = True
            self._notices.append("Playing slower than real time; every frame is used.")
        return replace(frame, captured_ns=time.monotonic_ns())

    def _finish(self) -> None:
        """Close everything that was opened, even if closing one part fails."""
        with self._condition:
            callbacks, self._callbacks, self._is_over = self._callbacks, [], True
        for callback in callbacks:  # so that new sinks and pipelines are closed below
            self._run_keeping_failure("closing", callback)
        closers = [
            sink.close for sink in (*self._sinks, *self._workers)
        ]  # first, so that files are complete whatever follows
        for close in (*closers, self._source.close, self._pipeline.close):
            self._run_keeping_failure("closing", close)
        self._collect_notices()
        for worker in self._workers:
            if worker.failure is not None:
                self._fail(worker.what_failed, worker.failure)
        self.results.close()

    def _run_thread(self, name: str, loop: Callable[[], None]) -> None:
        """Run a thread's loop; a failure is kept, and everything is closed at the end."""
        try:
            self._run_keeping_failure(name, loop)
            self._run_keeping_failure(name, self._flush)
        finally:
            self._stop.set()
            self._finish()
            self._ended.set()

    def _run_keeping_failure(self, name: str, work: Callable[[], None]) -> None:
        """Run `work`; a failure is kept for `raise_if_failed`."""
        try:
            work()
        except (SlotClosed, EndOfStream):
            pass  # the normal ways out
        except Exception as exc:
            log.debug("%s stopped", name, exc_info=exc)
            self._fail(f"{name} stopped", exc)

    def _fail(self, what: str, cause: Exception) -> None:
        if self._failure is None:
            self._failure = cause if isinstance(cause, StageFailedError) else StageFailedError(f"{what}: {cause}")
            self._failure.__cause__ = self._failure.__cause__ or cause

    def _wait_for_end(self, timeout_s: float) -> bool:
        """Whether the pose thread has ended, was never started, or is the caller itself."""
        if self._thread.ident is None or self._thread is threading.current_thread():
            return True
        return self._ended.wait(timeout_s)
