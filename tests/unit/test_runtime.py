"""Runtime: threads, sinks, pausing, stopping and failing."""

import threading
import time

import numpy as np
import pytest

from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import CaptureError, EndOfStream, RecordingError, StageFailedError
from realtime_pose.runtime import Runtime
from realtime_pose.utils.stopwatch import Stopwatch

PATIENCE_S = 20.0
FRAME_NS = 10_000_000


class FakeSource:
    """Returns this many frames, then ends (or fails); a `gate` holds it back."""

    fps, frame_count, dropped = 30.0, None, 0

    def __init__(self, frames=5, *, live=False, then=EndOfStream, gate=None):
        self.live, self.notices, self.closed = live, [], False
        self._frames, self._then, self._gate, self._next = frames, then, gate, 0

    def read(self):
        if self._gate is not None and not self._gate.wait(0.02):
            return None
        if self._next >= self._frames:
            raise self._then("over")
        self._next += 1
        return Frame(np.zeros((4, 4, 3), np.uint8), self._next - 1, self._next * FRAME_NS, time.monotonic_ns())

    def close(self):
        self.closed = True


class FakePipeline:
    def __init__(self, fail_at=None):
        self.stopwatch, self.closed, self._fail_at = Stopwatch(), False, fail_at

    def step(self, frame):
        if frame.index == self._fail_at:
            raise ValueError("a stage broke")
        with self.stopwatch.measure("estimate"):
            return FrameResult(frame, ())

    def close(self):
        self.closed = True


class FakeSink:
    def __init__(self, fail_at=None, gate=None):
        self.got, self.closed, self._fail_at, self._gate = [], 0, fail_at, gate

    def send(self, result):
        if self._gate is not None:
            assert self._gate.wait(PATIENCE_S)
        if result.frame.index == self._fail_at:
            raise RecordingError("the disk is full")
        self.got.append(result.frame.index)

    def close(self):
        self.closed += 1


def finished(runtime):
    runtime.start()
    assert runtime.wait(PATIENCE_S)
    return runtime


def test_every_frame_of_a_file_reaches_every_sink_and_everything_is_closed():
    source, pipeline, quick, slow = FakeSource(80), FakePipeline(), FakeSink(), FakeSink()
    runtime = finished(Runtime(source, pipeline, [quick], [slow]))
    runtime.raise_if_failed()
    assert quick.got == slow.got == list(range(80))
    assert (source.closed, pipeline.closed, quick.closed, slow.closed) == (True, True, 1, 1)
    snapshot = runtime.snapshot()
    assert (snapshot.frames, snapshot.frames_dropped, snapshot.running) == (80, 0, False)


def test_a_slow_sink_holds_a_file_back_and_loses_nothing():
    gate, quick = threading.Event(), FakeSink()
    slow = FakeSink(gate=gate)
    runtime = Runtime(FakeSource(100), FakePipeline(), [quick], [slow])
    runtime.start()
    assert not runtime.wait(0.3)  # it would end at once if nothing held it back
    assert slow.got == []
    assert len(quick.got) < 50
    gate.set()
    assert runtime.wait(PATIENCE_S)
    assert slow.got == quick.got == list(range(100))


def test_a_slow_sink_never_holds_a_camera_back():
    gate, quick = threading.Event(), FakeSink()
    slow = FakeSink(gate=gate)
    runtime = Runtime(FakeSource(100, live=True), FakePipeline(), [quick], [slow])
    runtime.start()
    seen_after(runtime, 99, quick)  # all of them, while the slow sink is stuck with its first
    assert slow.got == []
    gate.set()
    assert runtime.wait(PATIENCE_S)
    assert quick.got == list(range(100))
    assert runtime.snapshot().frames_dropped + len(slow.got) == 100
    assert len(slow.got) < 50


class HoldsBack:
    """A stage that returns each result two frames later."""

    def __init__(self):
        self.waiting, self.flushed = [], 0

    def feed(self, result):
        self.waiting.append(result)
        return [self.waiting.pop(0)] if len(self.waiting) > 2 else []

    def flush(self):
        self.flushed += 1
        waiting, self.waiting = self.waiting, []
        return waiting


def test_a_stage_that_holds_results_back_is_one_for_all_sinks_and_flushed_before_they_are_closed():
    class Strict(FakeSink):
        def send(self, result):
            assert not self.closed
            super().send(result)

    quick, slow, stage = Strict(), Strict(), HoldsBack()
    runtime = finished(Runtime(FakeSource(9), FakePipeline(), [quick], [slow], stage=stage))
    runtime.raise_if_failed()
    assert quick.got == slow.got == list(range(9))
    assert (quick.closed, slow.closed, stage.flushed) == (1, 1, 1)
    assert runtime.results.get(0.0).frame.index == 8
    assert runtime.statistics.frames == 9


def test_a_run_that_fails_still_sends_the_results_held_back():
    sink = FakeSink()
    runtime = finished(Runtime(FakeSource(9), FakePipeline(fail_at=6), [sink], stage=HoldsBack()))
    assert sink.got == [0, 1, 2, 3, 4, 5]
    with pytest.raises(StageFailedError, match="a stage broke"):
        runtime.raise_if_failed()


def test_a_sink_that_fails_at_the_flush_costs_no_other_its_results():
    breaks, slow = FakeSink(fail_at=7), FakeSink()
    finished(Runtime(FakeSource(9), FakePipeline(), [breaks], [slow], stage=HoldsBack()))
    assert slow.got == list(range(9))


def test_a_sink_that_fails_at_the_flush_is_reported_and_closed():
    sink = FakeSink(fail_at=8)
    runtime = finished(Runtime(FakeSource(9), FakePipeline(), [sink], stage=HoldsBack()))
    assert sink.got == list(range(8))
    assert sink.closed == 1
    with pytest.raises(StageFailedError, match="the disk is full"):
        runtime.raise_if_failed()


def test_a_stage_that_fails_ends_the_run_and_its_cause_is_kept():
    sink = FakeSink()
    runtime = finished(Runtime(FakeSource(9), FakePipeline(fail_at=3), [sink]))
    assert sink.got == [0, 1, 2]
    assert sink.closed == 1
    with pytest.raises(StageFailedError, match="a stage broke") as caught:
        runtime.raise_if_failed()
    assert isinstance(caught.value.__cause__, ValueError)


def test_a_full_disk_is_reported_and_the_file_is_closed():
    slow = FakeSink(fail_at=4)
    runtime = finished(Runtime(FakeSource(50), FakePipeline(), [], [slow]))
    assert slow.got[:4] == [0, 1, 2, 3]
    assert slow.closed == 1
    with pytest.raises(StageFailedError, match="the disk is full"):
        runtime.raise_if_failed()


def test_a_live_run_continues_without_a_recorder_that_failed():
    slow, quick = FakeSink(fail_at=2), FakeSink()
    runtime = finished(Runtime(FakeSource(60, live=True), FakePipeline(), [quick], [slow]))
    assert quick.got == list(range(60))
    assert slow.closed == 1
    with pytest.raises(StageFailedError, match="recording stopped: the disk is full"):
        runtime.raise_if_failed()


def test_a_file_that_cannot_be_finished_is_no_recording_that_stopped():
    def close():
        raise RecordingError("motion.glb: no bones")

    slow = FakeSink()
    slow.close = close
    runtime = finished(Runtime(FakeSource(3), FakePipeline(), [], [slow]))
    with pytest.raises(StageFailedError, match=r"^not every file of the take is complete: motion\.glb: no bones$"):
        runtime.raise_if_failed()


def test_files_are_closed_before_the_source():
    order = []
    source, sink = FakeSource(3), FakeSink()
    source.close, sink.close = lambda: order.append("source"), lambda: order.append("sink")
    finished(Runtime(source, FakePipeline(), [], [sink]))
    assert order == ["sink", "source"]


def test_a_live_source_is_closed_at_once_so_that_a_stuck_read_ends():
    class Stuck(FakeSource):
        def __init__(self):
            super().__init__(live=True)
            self.woken = threading.Event()

        def read(self):
            assert self.woken.wait(PATIENCE_S)
            raise EndOfStream("closed")

        def close(self):
            self.woken.set()

    runtime = Runtime(Stuck(), FakePipeline())
    runtime.start()
    runtime.stop(timeout_s=PATIENCE_S)
    assert runtime.wait(0)


def test_notices_of_the_source_are_passed_on_once():
    source = FakeSource(3)
    source.notices.append("The camera came back.")
    runtime = finished(Runtime(source, FakePipeline()))
    assert runtime.snapshot().notices == ("The camera came back.",)


def test_a_clip_that_plays_slower_than_real_time_is_reported():
    class Late(FakeSource):
        def read(self):
            frame = super().read()
            return Frame(
                frame.image_bgr.copy(), frame.index, frame.time_ns - frame.index * 1_500_000_000, frame.captured_ns
            )

    runtime = finished(Runtime(Late(3), FakePipeline(), paced=True))
    assert [n for n in runtime.snapshot().notices if "slower than real time" in n]
    assert len(runtime.snapshot().notices) == 1


def test_a_source_that_fails_ends_the_run_with_its_message():
    runtime = finished(Runtime(FakeSource(2, then=CaptureError), FakePipeline()))
    with pytest.raises(StageFailedError, match="over"):
        runtime.raise_if_failed()


def test_stop_early_twice_and_before_start():
    source, sink = FakeSource(), FakeSink()
    never = Runtime(source, FakePipeline(), [sink])
    never.stop()
    assert (source.closed, sink.closed) == (True, 1)

    gate = threading.Event()  # a camera without frames
    stuck = Runtime(FakeSource(gate=gate, live=True), FakePipeline())
    stuck.start()
    stuck.stop()
    stuck.stop()
    assert stuck.wait(0)
    stuck.raise_if_failed()


def test_stop_from_inside_a_sink_does_not_wait_for_itself():
    class Stopper(FakeSink):
        def send(self, result):
            super().send(result)
            runtime.stop()

    sink = Stopper()
    runtime = Runtime(FakeSource(1000), FakePipeline(), [sink])
    finished(runtime)
    assert sink.got == [0]


def test_max_frames_ends_the_run():
    sink = FakeSink()
    finished(Runtime(FakeSource(50), FakePipeline(), [sink], max_frames=7))
    assert sink.got == list(range(7))


def test_the_newest_result_is_available_after_the_end():
    runtime = finished(Runtime(FakeSource(5), FakePipeline()))
    assert runtime.results.get(0.0).frame.index == 4


def test_a_paced_file_is_shown_at_its_own_speed_and_counts_as_live():
    sink = FakeSink()
    began_ns = time.monotonic_ns()
    runtime = finished(Runtime(FakeSource(8), FakePipeline(), [sink], paced=True))
    assert time.monotonic_ns() - began_ns >= 7 * FRAME_NS  # never faster than its own time
    assert runtime.statistics.figures()["latency_ms"] is not None
    unpaced = finished(Runtime(FakeSource(8), FakePipeline()))
    assert unpaced.statistics.figures()["latency_ms"] is None


class Endless(FakeSource):
    """A file without end."""

    def __init__(self, *, live=False):
        super().__init__(10**9, live=live)
        self.asked = threading.Semaphore(0)

    def read(self):
        self.asked.release()
        return super().read()


def seen_after(runtime, index, sink):
    """Wait until the sink got a frame of at least that index."""
    deadline = time.monotonic() + PATIENCE_S
    while not sink.got or sink.got[-1] < index:
        assert time.monotonic() < deadline
        runtime.results.get(0.1)
    return sink.got[-1]


def wait_until_paused(runtime):
    """Callbacks run between frames: once one has run in a paused run, no frame is in progress."""
    done = threading.Event()
    assert runtime.between_frames(done.set)
    assert done.wait(PATIENCE_S)


def test_a_paused_run_steps_frame_by_frame_and_resumes():
    sink = FakeSink()
    runtime = Runtime(Endless(), FakePipeline(), [sink])
    runtime.start()
    seen_after(runtime, 3, sink)
    runtime.pause()
    wait_until_paused(runtime)
    before = len(sink.got)
    wait_until_paused(runtime)
    assert runtime.paused
    assert len(sink.got) == before
    for more in (1, 2):
        runtime.step()
        seen_after(runtime, sink.got[before - 1] + more, sink)
        wait_until_paused(runtime)
        assert len(sink.got) == before + more
    runtime.resume()
    seen_after(runtime, sink.got[-1] + 5, sink)
    assert not runtime.paused
    runtime.stop()
    assert sink.got == list(range(len(sink.got)))  # no frame of a file is lost by a pause


def test_a_paused_run_can_be_stopped():
    runtime = Runtime(Endless(), FakePipeline())
    runtime.start()
    runtime.pause()
    wait_until_paused(runtime)
    runtime.stop()
    assert runtime.wait(PATIENCE_S)


def test_camera_frames_during_a_pause_do_not_count_as_dropped():
    class Camera(Endless):
        dropped = 0

    source, sink = Camera(live=True), FakeSink()
    runtime = Runtime(source, FakePipeline(), [sink])
    runtime.start()
    seen_after(runtime, 1, sink)
    runtime.pause()
    wait_until_paused(runtime)
    source.dropped = 7  # some may be counted before the pause takes effect, none twice
    runtime.resume()
    seen_after(runtime, sink.got[-1] + 3, sink)
    source.dropped += 2
    assert runtime.snapshot().frames_dropped in (2, 9)
    runtime.stop()


def test_another_pipeline_takes_over_between_two_frames():
    class Second(FakePipeline):
        def __init__(self):
            super().__init__()
            self.frames = []

        def step(self, frame):
            self.frames.append(frame.index)
            return super().step(frame)

    first, second, sink = FakePipeline(), Second(), FakeSink()
    runtime = Runtime(Endless(), first, [sink])
    runtime.start()
    seen_after(runtime, 3, sink)
    assert runtime.use_pipeline(second)
    wait_until_paused(runtime)
    assert first.closed
    seen_after(runtime, sink.got[-1] + 3, sink)
    runtime.stop()
    assert second.closed
    assert second.frames == list(range(second.frames[0], sink.got[-1] + 1))


def test_sinks_are_added_and_removed_while_it_runs_and_closed_once():
    stays, removed, added, late = FakeSink(), FakeSink(), FakeSink(), FakeSink()
    runtime = Runtime(Endless(), FakePipeline(), [stays, removed])
    runtime.start()
    seen_after(runtime, 2, stays)
    assert runtime.use_sinks([stays, added])
    wait_until_paused(runtime)
    assert (removed.closed, stays.closed) == (1, 0)
    worker = runtime.add_slow_sink(late)
    last = seen_after(runtime, stays.got[-1] + 3, added)
    seen_after(runtime, last, late)
    runtime.remove_slow_sink(worker)
    assert (late.closed, worker.failure) == (1, None)
    seen_after(runtime, late.got[-1] + 2, added)
    runtime.stop()
    assert (stays.closed, removed.closed, added.closed, late.closed) == (1, 1, 1, 1)
    assert late.got == list(range(late.got[0], late.got[-1] + 1))


def test_sinks_added_as_the_run_ends_are_closed_as_well():
    gate, added = threading.Event(), FakeSink()
    runtime = Runtime(FakeSource(1, gate=gate), FakePipeline(), [FakeSink(gate=gate)])
    runtime.start()
    assert runtime.use_sinks([added])
    gate.set()
    assert runtime.wait(PATIENCE_S)
    assert added.closed == 1
    assert not runtime.use_sinks([FakeSink()])


def test_a_clip_continues_at_once_after_a_seek():
    class Sought(Endless):
        def read(self):
            frame = super().read()
            if frame.index >= 2:
                return Frame(frame.image_bgr, frame.index, frame.time_ns + 10**13, frame.captured_ns)
            return frame

    sink = FakeSink()
    runtime = Runtime(Sought(), FakePipeline(), [sink], paced=True, read_ahead=False)
    runtime.start()
    seen_after(runtime, 5, sink)
    runtime.stop()


def test_frames_after_a_pause_of_the_source_are_shown_at_once_without_a_warning():
    class Waits(FakeSource):
        """No frames for a while before its third; its media times have no gap."""

        silences = 0

        def read(self):
            if self._next == 2 and self.silences < 3:
                self.silences += 1
                passed.wait(0.4)
                return None
            return super().read()

    passed = threading.Event()
    runtime = finished(Runtime(Waits(6), FakePipeline(), paced=True, read_ahead=False))
    assert runtime.statistics.frames == 6
    assert runtime.snapshot().notices == ()


# --- stages that hold results back ------------------------------------------------------------------------------------


class HoldingStage:
    """Holds everything back until the end; each result given then may take a while."""

    def __init__(self, per_result_s=0.0, fail_at=None):
        self.kept, self.fed, self._per_result_s, self._fail_at = [], threading.Event(), per_result_s, fail_at

    def feed(self, result):
        self.kept.append(result)
        if len(self.kept) == 5:
            self.fed.set()
        return ()

    def flush(self):
        for result in self.kept:
            if result.frame.index == self._fail_at:
                raise CaptureError("the file changed")
            time.sleep(self._per_result_s)
            yield result


def test_what_a_stage_holds_back_is_sent_at_the_end():
    fast, slow, stage = FakeSink(), FakeSink(), HoldingStage()
    runtime = Runtime(FakeSource(30), FakePipeline(), [fast], [slow], stage=stage)
    finished(runtime)
    runtime.raise_if_failed()
    assert fast.got == slow.got == list(range(30))
    now = runtime.snapshot()
    assert (now.frames, now.frames_sent, now.flushing, now.running) == (30, 30, True, False)
    assert runtime.statistics.seconds > 0


def test_a_run_that_is_stopped_sends_what_it_has_read():
    gate = threading.Event()
    sink, stage = FakeSink(), HoldingStage()
    runtime = Runtime(FakeSource(10**9, gate=gate), FakePipeline(), [], [sink], stage=stage)
    runtime.start()
    gate.set()
    assert stage.fed.wait(PATIENCE_S)
    runtime.stop()
    assert runtime.wait(PATIENCE_S)
    assert len(sink.got) == runtime.snapshot().frames >= 5
    assert sink.closed == 1


def test_a_stopped_run_gives_up_what_would_take_too_long(monkeypatch):
    monkeypatch.setattr("realtime_pose.runtime._FLUSH_S", 0.2)
    sink, stage = FakeSink(), HoldingStage(per_result_s=0.05)
    runtime = Runtime(FakeSource(200), FakePipeline(), [], [sink], stage=stage)
    runtime.start()
    while not runtime.snapshot().flushing:
        time.sleep(0.01)
    runtime.stop()
    assert runtime.wait(PATIENCE_S)
    assert 0 < len(sink.got) < 200
    assert runtime.snapshot().frames_sent == len(sink.got)
    assert any("second pass" in notice for notice in runtime.snapshot().notices)


def test_a_stage_that_fails_at_the_end_ends_the_run_and_keeps_what_came_before():
    sink = FakeSink()
    runtime = Runtime(FakeSource(10), FakePipeline(), [], [sink], stage=HoldingStage(fail_at=6))
    finished(runtime)
    assert sink.got == list(range(6))
    with pytest.raises(StageFailedError, match="the file changed"):
        runtime.raise_if_failed()
