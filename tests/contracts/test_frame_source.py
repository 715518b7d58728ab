"""Contract of FrameSource, tested on every entry of SOURCES."""

import itertools
import threading

import cv2
import numpy as np
import pytest
from support.footage import (
    HEIGHT,
    PATIENCE_S,
    STEADY,
    WIDTH,
    FakeCamera,
    VideoServer,
    make_clip,
    numbered_image,
    within,
)

from realtime_pose.capture import actor, network, video, webcam
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.images import ImageFiles
from realtime_pose.capture.sources import SOURCES
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream
from realtime_pose.utils.choices import load_choice

LENGTH = 8


def make_camera(tmp_path, monkeypatch):
    return webcam.WebcamStream(CaptureConfig("0"), FakeCamera().open, STEADY)


def make_video(tmp_path, monkeypatch):
    return video.open_video(CaptureConfig(str(make_clip(tmp_path / "clip.avi", LENGTH))))


def make_images(tmp_path, monkeypatch):
    for number in range(LENGTH):
        cv2.imwrite(str(tmp_path / f"{number}.png"), numbered_image(number))
    return ImageFiles(CaptureConfig(str(tmp_path)))


def make_network(tmp_path, monkeypatch):
    server = VideoServer(tmp_path)
    source = network.open_network(CaptureConfig(server.url("live")), timings=STEADY)
    source.stop_server = server.stop
    return source


def make_actor(tmp_path, monkeypatch):
    clip = make_clip(tmp_path / "clip.mp4", LENGTH, "mp4v")
    monkeypatch.setattr(actor, "data_path", lambda relative: clip)
    return actor.open_actor(CaptureConfig("actor"))


def make_second_actor(tmp_path, monkeypatch):
    make_actor(tmp_path, monkeypatch).close()
    return actor.open_second_actor(CaptureConfig("actor-2"))


MAKERS = {
    "actor": make_actor,
    "actor-2": make_second_actor,
    "camera": make_camera,
    "images": make_images,
    "network": make_network,
    "video": make_video,
}


@pytest.fixture(params=sorted(SOURCES))
def source(request, tmp_path, monkeypatch):
    opened = MAKERS[request.param](tmp_path, monkeypatch)
    yield opened
    opened.close()
    getattr(opened, "stop_server", lambda: None)()


def next_frames(source, count):
    """Up to `count` frames; None (no frame within the timeout) is skipped."""
    frames = []
    while len(frames) < count:
        try:
            frame = within(PATIENCE_S, source.read)
        except EndOfStream:
            break
        if frame is not None:
            frames.append(frame)
    return frames


def read_ends(source):
    """True if `read` raises EndOfStream within the time limit."""

    def attempt():
        try:
            source.read()
        except EndOfStream:
            return True
        return False

    return within(PATIENCE_S, attempt)


def test_the_table_names_what_exists():
    assert set(MAKERS) == set(SOURCES)
    for kind in SOURCES:
        assert callable(load_choice("capture.source", kind, SOURCES))


def test_frames_are_numbered_timed_and_read_only(source):
    frames = next_frames(source, LENGTH)
    assert len(frames) == LENGTH
    for frame in frames:
        assert isinstance(frame, Frame)
        assert frame.image_bgr.shape == (HEIGHT, WIDTH, 3)
        assert frame.image_bgr.dtype == np.uint8
        assert not frame.image_bgr.flags.writeable
    for earlier, later in itertools.pairwise(frames):
        assert later.index > earlier.index
        assert later.time_ns > earlier.time_ns
        assert later.captured_ns >= earlier.captured_ns
        assert not np.shares_memory(earlier.image_bgr, later.image_bgr)
    assert all(isinstance(value, int) for f in frames for value in (f.index, f.time_ns, f.captured_ns))


def test_the_attributes_of_a_source_are_true(source):
    assert isinstance(source.live, bool)
    assert source.fps >= 0
    assert source.notices == []
    if source.live:
        assert source.frame_count is None
    else:
        frames = next_frames(source, LENGTH + 1)
        assert source.frame_count == len(frames) == LENGTH
        assert [frame.index for frame in frames] == list(range(LENGTH))
        assert source.dropped == 0


def test_after_the_end_it_is_always_the_end(source):
    if source.live:
        source.close()
    else:
        next_frames(source, LENGTH)
    assert [read_ends(source) for _ in range(3)] == [True] * 3


def test_closing_twice_and_before_the_first_read_is_fine(source):
    within(PATIENCE_S, source.close)
    within(PATIENCE_S, source.close)
    assert read_ends(source)


def test_closing_in_the_middle_ends_it(source):
    next_frames(source, 2)
    within(PATIENCE_S, source.close)
    assert [read_ends(source) for _ in range(2)] == [True] * 2


def test_several_threads_may_close(source):
    next_frames(source, 1)
    threads = [threading.Thread(target=source.close, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert read_ends(source)


def test_a_closed_source_leaves_no_thread_behind(source):
    next_frames(source, 1)
    source.close()
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("capture ")]
