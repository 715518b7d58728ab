"""LiveStream: capture thread, dropped frames, reconnecting, closing."""

import contextlib
import itertools
import threading

import pytest
from support.footage import PATIENCE_S, QUICK, STEADY, FakeCamera, read_until, within

from realtime_pose.capture import live
from realtime_pose.capture.live import DEFAULT_TIMINGS, LiveStream, LiveTimings
from realtime_pose.errors import CaptureError, EndOfStream, UnknownChoiceError


def open_stream(camera, timings=STEADY, wait=None, rotate_deg=0):
    def open_capture():
        capture = camera.open(0, 0)
        if not capture.isOpened():
            raise CaptureError("it is not there")
        return capture

    return LiveStream(
        "the camera",
        open_capture,
        rotate_deg=rotate_deg,
        when_silent="plug it in",
        when_lost="check the cable",
        timings=timings,
        wait=wait,
    )


def read_to_the_end(source):
    with contextlib.suppress(EndOfStream):
        while True:
            source.read()


@pytest.fixture
def camera():
    return FakeCamera()


@pytest.fixture
def stream(camera):
    with_camera = open_stream(camera)
    yield with_camera
    with_camera.close()


def test_the_newest_frame_wins_and_the_others_are_counted(camera, stream):
    first = stream.read()
    latest = camera.number + 20
    waiting = threading.Event()
    while camera.number < latest:  # without reading
        waiting.wait(0.001)
    frame = stream.read()
    assert frame.index >= first.index + 15
    assert stream.dropped >= 15
    assert frame.index - first.index - 1 <= stream.dropped  # every gap in the index is a counted drop
    assert frame.time_ns == frame.captured_ns > first.time_ns


def test_frames_are_timestamped_before_decoding(camera):
    times = itertools.count(1_000, 1_000)
    stamps = []

    class Clock:
        @staticmethod
        def monotonic_ns():
            stamps.append(next(times))
            return stamps[-1]

    class Capture:
        def isOpened(self):
            return True

        def grab(self):
            return not stamps

        def retrieve(self):
            Clock.monotonic_ns()  # decoding takes time
            return True, camera.open(0, 0).retrieve()[1]

        def get(self, prop):
            return 0.0

        def release(self):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "time", Clock)
        source = LiveStream("x", Capture, when_silent="", when_lost="", timings=STEADY, wait=lambda _s: True)
        try:
            assert source.read().time_ns == 1_000
        finally:
            source.close()


def test_a_loss_and_a_return_are_reported_once_each(camera, stream):
    before = stream.read()
    camera.plugged = False
    read_until(stream, lambda s, _f: s.notices)
    assert stream.read() is None or stream.read() is None  # returns in time, without an error
    assert stream.notices == ["the camera stopped delivering frames and is being reopened; check the cable"]
    camera.plugged = True
    after = read_until(stream, lambda s, f: f is not None and len(s.notices) == 2)
    assert stream.notices[1].startswith("the camera is back after ")
    assert after.index > before.index
    assert after.time_ns > before.time_ns
    assert camera.held == 1


def test_a_camera_that_reopens_without_frames_is_not_back(camera, stream):
    camera.plugged = False
    read_until(stream, lambda s, _f: s.notices)
    camera.busy, camera.plugged = True, True
    tries = len(camera.opened)
    read_until(stream, lambda _s, _f: len(camera.opened) > tries + 2)
    assert len(stream.notices) == 1
    camera.busy = False
    read_until(stream, lambda s, _f: len(s.notices) == 2)


def test_pauses_grow_to_a_limit_and_are_reset_after_a_return(camera):
    pauses, full = [], threading.Event()
    timings = DEFAULT_TIMINGS

    def wait(pause_s):
        pauses.append(pause_s)
        if len(pauses) == 6:
            camera.plugged = True
        if len(pauses) == 8:
            full.set()
        return full.is_set()

    source = open_stream(camera, timings, wait)
    try:
        camera.plugged = False
        read_until(source, lambda s, _f: len(s.notices) == 2)
        camera.plugged = False
        assert full.wait(PATIENCE_S)
    finally:
        source.close()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 0.5, 1.0]


def test_many_undecodable_frames_in_a_row_are_a_loss(camera, stream):
    camera.blind = True
    read_until(stream, lambda s, _f: s.notices)
    camera.blind = False
    read_until(stream, lambda s, _f: len(s.notices) == 2)


def test_single_undecodable_frames_are_skipped(camera):
    def every_second_one():
        camera.blind = not camera.blind
        return FakeCamera.next_image(camera)

    camera.next_image = every_second_one
    source = open_stream(camera)
    read_until(source, lambda _s, f: f is not None and f.index > 60)
    source.close()
    assert source.notices == []


def test_a_device_that_does_not_open_raises_its_own_error(camera):
    camera.plugged = False
    with pytest.raises(CaptureError, match=r"^it is not there$"):
        open_stream(camera)


def test_a_device_without_frames_is_released_and_named(camera):
    camera.busy = True
    with pytest.raises(CaptureError, match=r"the camera delivered no frame within 0\.3 s; plug it in"):
        open_stream(camera, QUICK)
    assert camera.held == 0


def test_a_device_that_warms_up_slowly_is_waited_for(camera):
    camera.busy = True

    def wake(pause_s):
        camera.busy = camera.number < 5
        return False

    source = open_stream(camera, wait=wake)
    assert source.read().index == 0
    assert len(camera.opened) == 1  # reopening would restart its warm-up
    source.close()


def test_every_read_after_a_failure_has_its_cause(camera, stream):
    stream.read()
    camera.broken = RuntimeError("the driver fell over")

    def read_to_the_fault():
        with pytest.raises(CaptureError, match=r"the camera stopped: the driver fell over") as caught:
            read_until(stream, lambda _s, _f: False)
        return caught.value.__cause__

    assert read_to_the_fault() is camera.broken
    assert read_to_the_fault() is camera.broken
    assert camera.held == 0


def test_a_fault_at_the_start_is_a_capture_error(camera):
    camera.broken = RuntimeError("no driver")
    with pytest.raises(CaptureError, match=r"the camera stopped: no driver"):
        open_stream(camera)


def test_closing_ends_a_long_pause_at_once(camera):
    patient = LiveTimings(first_frame_s=PATIENCE_S, read_s=0.1, join_s=5.0, retry_s=1e4, retry_max_s=1e4)
    source = open_stream(camera, patient)
    camera.plugged = False
    read_until(source, lambda s, _f: s.notices)
    within(5.0, source.close)
    assert not source._thread.is_alive()


def test_closing_wakes_a_reader_and_releases_the_device(camera):
    patient = LiveTimings(first_frame_s=PATIENCE_S, read_s=1e4, join_s=5.0)
    source = open_stream(camera, patient)
    camera.plugged = False
    reader = threading.Thread(target=read_to_the_end, args=(source,), daemon=True)
    reader.start()
    closers = [threading.Thread(target=source.close, daemon=True) for _ in range(3)]
    for thread in closers:
        thread.start()
    for thread in [*closers, reader]:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert camera.held == 0


def test_closing_does_not_wait_for_a_driver_that_hangs(camera, caplog):
    answers = threading.Event()
    hurried = LiveTimings(first_frame_s=PATIENCE_S, read_s=1e4, join_s=0.05)
    source = open_stream(camera, hurried)
    hanging = threading.Event()

    def hang():
        hanging.set()
        answers.wait(PATIENCE_S)
        return True

    camera.next_image = hang
    assert hanging.wait(PATIENCE_S)
    reader = threading.Thread(target=read_to_the_end, args=(source,), daemon=True)
    reader.start()
    within(5.0, source.close)
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert "blocked in its driver" in caplog.text
    assert camera.held == 1  # still held: releasing it during a grab would crash
    answers.set()
    source._thread.join(PATIENCE_S)
    assert camera.held == 0


def test_an_unknown_angle_is_refused_before_anything_opens(camera):
    with pytest.raises(UnknownChoiceError, match=r"rotate_deg=45"):
        open_stream(camera, rotate_deg=45)
    assert not camera.opened
