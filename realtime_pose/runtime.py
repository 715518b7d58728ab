"""Every thread of the program: one runs the pipeline, one reads files ahead, one stands behind each slow sink."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from realtime_pose.capture.base import FrameSource
from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import EndOfStream, StageFailedError
from realtime_pose.pipeline import FramePipeline
from realtime_pose.report import RunStatistics
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

_MUCH_TOO_LATE_NS = 1_000_000_000
_JUMP_NS = 2_000_000_000
_PAUSE_TICK_S = 0.2
_QUEUE_FRAMES = 32  # about a second: what a slow sink may be behind


class ResultStage(Protocol):
    """A stage between pipeline and sinks that may hold results back."""

    def feed(self, result: FrameResult) -> Iterable[FrameResult]:
        """The results that this one completes, in order; may be none."""
        ...

    def flush(self) -> Iterable[FrameResult]:
        """The results that are still held back, in order."""
        ...


class SinkWorker:
    """A thread of its own for a sink that can be slow, such as a video encoder.

    With `lossless` the caller waits when the queue is full (files); without, the frame is dropped for this sink
    and counted (live).
    """

    def __init__(self, sink: PoseSink, *, lossless: bool) -> None:
        self.dropped = 0
        self.taken = 0  # by the sink, not only by the queue: what comes after `close` is in no file
        self.failure: Exception | None = None
        self._sink, self._lossless = sink, lossless
        self._queue: queue.Queue[FrameResult | None] = queue.Queue(_QUEUE_FRAMES)
        self._thread = threading.Thread(target=self._work, name=f"sink-{type(sink).__name__}", daemon=True)
        self._thread.start()

    def send(self, result: FrameResult) -> None:
        """Hand a result over; a sink that has failed takes no more."""
        if self.failure is not None:
            return
        try:
            self._queue.put(result, block=self._lossless)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Let the sink finish what it was given, then close it."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        try:
            while (result := self._queue.get()) is not None:
                if self.failure is None:
                    self._send(result)
        finally:
            self._close_sink()

    def _send(self, result: FrameResult) -> None:
        try:
            self._sink.send(result)
            self.taken += 1
        except Exception as exc:  # noqa: BLE001 - kept for the pose thread; the queue is emptied on, so that nobody waits for us
            self.failure = exc

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except Exception as exc:  # noqa: BLE001 - kept for the pose thread
            self.failure = self.failure or exc


class _ReadAhead:
    """Decodes a file's next frame while this one is worked on; a camera is never read ahead, as frames grow old."""

    def __init__(self, source: FrameSource, reader: Executor) -> None:
        self._source, self._reader = source, reader
        self._coming = reader.submit(source.read)

    def read(self) -> Frame | None:
        """The next frame, or whatever the source raised instead."""
        frame = self._coming.result()
        self._coming = self._reader.submit(self._source.read)
        return frame


@dataclass(frozen=True)
class Snapshot:
    """Where a run stands."""

    running: bool
    frames: int
    frames_dropped: int
    fps: float
    persons: int
    notices: tuple[str, ...]


class Runtime:
    """One run from a source through a pipeline to sinks. Used once.

    Args:
        source: Where frames come from.
        pipeline: What makes results of them.
        sinks: Take results in the pose thread; they never block.
        slow_sinks: Take results each in a thread of its own.
        paced: Show a file at its own speed, as a camera would.
        stage: A stage between pipeline and sinks that may hold results back, such as a look-ahead; flushed at the end.
        max_frames: End after so many; None for all.
        read_ahead: Decode a file's next frame while this one is worked on; not for a source that is sought in.
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
    ) -> None:
        self.statistics = RunStatistics(live=paced or source.live)
        self.results: LatestSlot[FrameResult] = LatestSlot()
        self._source, self._pipeline, self._sinks = source, pipeline, list(sinks)
        self._stage = stage
        self._workers = [SinkWorker(sink, lossless=not source.live) for sink in slow_sinks]
        self._paced, self._max_frames = paced and not source.live, max_frames
        self._read_ahead = read_ahead and not source.live
        self._due_offset_ns: int | None = None
        self._last_time_ns = 0
        self._gate = threading.Condition()  # guards the next four
        self._is_paused = False
        self._steps = 0
        self._errands: list[Callable[[], None]] = []
        self._over = False
        self._missed_in_pause = 0
        self._persons = 0
        self._notices: list[str] = []
        self._source_notices = 0  # of them, taken over from the source
        self._told_late = False
        self._reported_failures: list[SinkWorker] = []
        self._failure: StageFailedError | None = None
        self._stop = threading.Event()
        # Waited for instead of the thread itself: before Python 3.13 a Ctrl-C inside Thread.join makes a running
        # thread count as ended.
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._guard, args=("pose", self._run), name="pose", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._is_paused

    def pause(self) -> None:
        """Stand still after the frame that is being worked on; what a live source gives meanwhile is passed over."""
        with self._gate:
            self._is_paused, self._steps = True, 0

    def resume(self) -> None:
        """Go on."""
        with self._gate:
            self._is_paused = False
            self._gate.notify_all()

    def step(self) -> None:
        """Take one frame more, standing still before and after it."""
        with self._gate:
            self._is_paused, self._steps = True, 1
            self._gate.notify_all()

    def between_frames(self, errand: Callable[[], None]) -> bool:
        """Have something done in the pose thread while no frame is worked on; False if the run is over."""
        with self._gate:
            if self._over:
                return False
            self._errands.append(errand)
            self._gate.notify_all()
        return True

    def use_pipeline(self, pipeline: FramePipeline) -> bool:
        """Go on with another pipeline from the next frame on; the one before is closed. False if the run is over."""

        def exchange() -> None:
            before, self._pipeline = self._pipeline, pipeline
            before.close()

        return self.between_frames(exchange)

    def use_sinks(self, sinks: Sequence[PoseSink]) -> bool:
        """Send to these from the next frame on; those left out are closed. False if the run is over."""

        def exchange() -> None:
            before, self._sinks = self._sinks, list(sinks)
            for sink in before:
                if sink not in self._sinks:
                    self._note_failure("closing", sink.close)

        return self.between_frames(exchange)

    def add_slow_sink(self, sink: PoseSink) -> SinkWorker:
        """Hand results to one more slow sink, in a thread of its own, until `remove_slow_sink`."""
        worker = SinkWorker(sink, lossless=not self._source.live)
        self._workers = [*self._workers, worker]  # whole lists are exchanged: the pose thread may be going through one
        return worker

    def remove_slow_sink(self, worker: SinkWorker) -> None:
        """Let a slow sink finish what it was given and close it; its `failure` is the caller's to look at."""
        self._workers = [other for other in self._workers if other is not worker]
        worker.close()

    def ask_to_stop(self) -> None:
        """Let the run end soon; returns at once. `stop` is still to follow."""
        self._stop.set()
        with self._gate:
            self._gate.notify_all()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the run with files closed. Safe to repeat, from any thread, and before `start`."""
        self.ask_to_stop()
        if self._source.live:
            self._note_failure("closing", self._source.close)  # wakes a read that waits for a camera or a server
        if not self._join(timeout_s):
            self._note_failure("closing", self._source.close)  # last resort for a read that is stuck in a driver
            if not self._join(timeout_s):
                log.error("the pose thread is still running")
        if self._thread.ident is None and not self._ended.is_set():
            self._finish()
            self._ended.set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether the run is over, after waiting for that at most so long."""
        return self._ended.wait(timeout_s)

    def raise_if_failed(self) -> None:
        """Raise StageFailedError, with its cause, if a worker died."""
        if self._failure is not None:
            raise self._failure

    def snapshot(self) -> Snapshot:
        """Where the run stands now."""
        return Snapshot(
            running=self._thread.ident is not None and not self._ended.is_set(),
            frames=self.statistics.frames,
            frames_dropped=self._source.dropped - self._missed_in_pause + sum(w.dropped for w in self._workers),
            fps=self.statistics.fps,
            persons=self._persons,
            notices=tuple(self._notices),
        )

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "read-ahead") as reader:
            self._work_through(_ReadAhead(self._source, reader).read if self._read_ahead else self._source.read)

    def _work_through(self, read: Callable[[], Frame | None]) -> None:
        while not self._stop.is_set() and self.statistics.frames != self._max_frames:
            if not self._may_go_on():
                continue
            with self._pipeline.stopwatch.measure("capture"):
                frame = read()
            self._collect_notices()
            if frame is None:  # nothing came within the source's timeout
                self._due_offset_ns = None  # what comes next is shown when it comes
                continue
            with self._gate:
                self._steps = 0
            if self._paced:
                frame = self._when_due(frame)
            result = self._pipeline.step(frame)
            ready = self._completed_by(result)
            with self._pipeline.stopwatch.measure("send"):
                for final in ready:
                    self._send(final)
            sent_ns = time.monotonic_ns()
            self._persons = len(result.people)
            self.statistics.add(self._pipeline.stopwatch.take(), len(result.people), frame.captured_ns, sent_ns)
            for final in ready:
                self._hand_on(final)

    def _may_go_on(self) -> bool:
        """Whether to take the next frame, after what is to be done between frames; waits while the run stands still."""
        with self._gate:
            errands, self._errands = self._errands, []
            if not errands and self._is_paused and not self._steps and not self._stop.is_set():
                missed = self._source.dropped
                self._gate.wait(_PAUSE_TICK_S)
                self._missed_in_pause += self._source.dropped - missed
                self._due_offset_ns = None
                return False
        for errand in errands:
            errand()
        return not errands

    def _completed_by(self, result: FrameResult) -> list[FrameResult]:
        """The results that may be sent now that this one is known."""
        if self._stage is None:
            return [result]
        with self._pipeline.stopwatch.measure("filter"):
            return list(self._stage.feed(result))

    def _send(self, result: FrameResult) -> None:
        for sink in self._sinks:
            sink.send(result)

    def _flush(self) -> None:
        """Send what the stage still holds back."""
        for result in [] if self._stage is None else self._stage.flush():
            self._send(result)
            self._hand_on(result)

    def _hand_on(self, result: FrameResult) -> None:
        """Give the result to the slow sinks and to whoever shows it.

        A slow sink that failed ends a run over files; a live run goes on without it.
        """
        for worker in self._workers:
            worker.send(result)
            if worker.failure is not None and worker not in self._reported_failures:
                if not self._source.live:
                    raise StageFailedError(f"recording stopped: {worker.failure}") from worker.failure
                self._reported_failures.append(worker)
                self._notices.append(f"Recording stopped: {worker.failure}; the run goes on without it.")
        self.results.put(result)

    def _collect_notices(self) -> None:
        told, self._source_notices = self._source_notices, len(self._source.notices)
        self._notices += self._source.notices[told:]

    def _when_due(self, frame: Frame) -> Frame:
        """The frame, at the moment at which its own time says it is to be shown."""
        now_ns = time.monotonic_ns()
        jumped = abs(frame.time_ns - self._last_time_ns) > _JUMP_NS  # sought in, or a recording that was interrupted
        self._last_time_ns = frame.time_ns
        if self._due_offset_ns is None or jumped:
            self._due_offset_ns = now_ns - frame.time_ns
        early_ns = frame.time_ns + self._due_offset_ns - now_ns
        if early_ns > 0:
            self._stop.wait(early_ns / 1e9)
        elif early_ns < -_MUCH_TOO_LATE_NS and not self._told_late:
            self._told_late = True
            self._notices.append(
                "This machine is too slow to show the clip at its own speed, and falls behind it; nothing is left out."
            )
        return replace(frame, captured_ns=time.monotonic_ns())

    def _finish(self) -> None:
        """Close everything that was opened, whatever one of them says."""
        with self._gate:
            errands, self._errands, self._over = self._errands, [], True
        for errand in errands:  # what was handed over to be used is closed below with the rest
            self._note_failure("closing", errand)
        self._note_failure("pose", self._flush)
        closers = [sink.close for sink in (*self._sinks, *self._workers)]  # first: files are whole, whatever follows
        for close in (*closers, self._source.close, self._pipeline.close):
            self._note_failure("closing", close)
        self._collect_notices()
        for worker in self._workers:
            if worker.failure is not None:
                self._fail("recording", worker.failure)
        self.results.close()

    def _guard(self, name: str, loop: Callable[[], None]) -> None:
        """A worker may die, never silently."""
        try:
            self._note_failure(name, loop)
        finally:
            self._stop.set()
            self._finish()
            self._ended.set()

    def _note_failure(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (SlotClosed, EndOfStream):
            pass  # the normal ways out
        except Exception as exc:
            log.debug("%s stopped", name, exc_info=exc)
            self._fail(name, exc)

    def _fail(self, name: str, cause: Exception) -> None:
        if self._failure is None:
            self._failure = (
                cause if isinstance(cause, StageFailedError) else StageFailedError(f"{name} stopped: {cause}")
            )
            self._failure.__cause__ = self._failure.__cause__ or cause

    def _join(self, timeout_s: float) -> bool:
        """Whether the pose thread has ended (or never began, or is the caller itself)."""
        if self._thread.ident is None or self._thread is threading.current_thread():
            return True
        return self._ended.wait(timeout_s)
