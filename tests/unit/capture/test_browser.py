"""BrowserCamera: accepted and refused images, media time, waiting and closing."""

import itertools
import math
import threading
import time

import cv2
import numpy as np
import pytest

from realtime_pose.capture import browser
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.browser import MAX_BYTES, BrowserCamera, jpeg_size
from realtime_pose.capture.sources import open_source, source_kind
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError, EndOfStream, UnknownChoiceError

WIDTH, HEIGHT = 64, 48


def jpeg(value=90, width=WIDTH, height=HEIGHT, *settings):
    return bytes(cv2.imencode(".jpg", np.full((height, width, 3), value, np.uint8), list(settings))[1])


def with_size(width, height):
    """A small file whose header states another size."""
    data = bytearray(jpeg())
    at = next(i for i in range(len(data)) if data[i] == 0xFF and data[i + 1] == 0xC0)
    data[at + 5 : at + 9] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


def read_all(camera, *images):
    frames = []
    for image in images:
        camera.put(image)
        frames.append(camera.read())
    return frames


def test_frames_are_numbered_timed_and_read_only():
    camera = BrowserCamera()
    frames = read_all(camera, *(jpeg(value) for value in (10, 100, 200)))
    assert [frame.index for frame in frames] == [0, 1, 2]
    for frame, value in zip(frames, (10, 100, 200), strict=True):
        assert isinstance(frame, Frame)
        assert frame.image_bgr.shape == (HEIGHT, WIDTH, 3)
        assert not frame.image_bgr.flags.writeable
        assert abs(int(frame.image_bgr.mean()) - value) < 3
    for earlier, later in itertools.pairwise(frames):
        assert later.time_ns > earlier.time_ns
        assert later.captured_ns >= earlier.captured_ns
    assert camera.live
    assert camera.fps == 0
    assert camera.frame_count is None
    assert camera.notices == []


def test_the_newest_wins_and_the_loss_is_counted():
    camera = BrowserCamera()
    for value in (10, 100, 200):
        camera.put(jpeg(value))
    frame = camera.read()
    assert frame.index == 2
    assert frame.image_bgr.mean() > 190
    assert camera.dropped == 2


def test_nothing_within_the_timeout_is_none():
    assert BrowserCamera(read_s=0.01).read() is None


def test_a_new_image_wakes_a_waiting_reader():
    camera, got = BrowserCamera(read_s=20), []
    thread = threading.Thread(target=lambda: got.append(camera.read()))
    thread.start()
    camera.put(jpeg())
    thread.join(20)
    assert got[0].index == 0


def test_close_ends_a_waiting_read_and_all_later_ones():
    camera, ended = BrowserCamera(read_s=20), threading.Event()

    def wait():
        with pytest.raises(EndOfStream):
            camera.read()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    camera.close()
    assert ended.wait(20)
    thread.join(20)
    camera.close()
    camera.put(jpeg())
    with pytest.raises(EndOfStream):
        camera.read()


def test_an_unread_image_is_dropped_by_close():
    camera = BrowserCamera()
    camera.put(jpeg())
    camera.close()
    with pytest.raises(EndOfStream):
        camera.read()


def times_of(monkeypatch, arrivals_ms, grabs_ms):
    """Media times in ms of images with these arrival and grab times, each on its own clock."""
    camera = BrowserCamera()
    times = []
    for arrived, grabbed in zip(arrivals_ms, grabs_ms, strict=True):
        monkeypatch.setattr(time, "monotonic_ns", lambda arrived=arrived: round(arrived * 1e6))
        camera.put(jpeg(), grabbed)
        frame = camera.read()
        assert frame.captured_ns == round(arrived * 1e6)
        times.append(frame.time_ns / 1e6)
    return times


def test_network_jitter_does_not_affect_media_time(monkeypatch):
    late = [5, 60, 20, 5, 90]
    grabs = [7_000_000 + 33 * k for k in range(5)]
    times = times_of(monkeypatch, [1000 + 33 * k + delay for k, delay in enumerate(late)], grabs)
    assert np.diff(times).tolist() == [33, 33, 33, 33]


@pytest.mark.parametrize("clock", [math.nan, math.inf, -math.inf, 1e300])
def test_without_a_valid_client_clock_media_time_is_the_arrival(monkeypatch, clock):
    assert times_of(monkeypatch, [1000, 1050], [clock, clock]) == [1000, 1050]


def test_a_clock_that_jumps_or_stops_is_synchronised_again(monkeypatch):
    times = times_of(monkeypatch, [1000, 1033, 1066, 1099], [500, 1e9, 400, 400])
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert times[-1] <= 1100


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a JPEG image"),
        (b"GIF89a", "not a JPEG image"),
        (b"\xff\xd8\xff", "not a JPEG image"),
        (bytes(cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1]), "not a JPEG image"),
        (with_size(0, 9), "not a JPEG image"),
        (b"\xff\xd8\xff\xe0\x00\x00" * 9, "not a JPEG image"),
        (with_size(65_000, 65_000), "65000x65000 px"),
        (with_size(4097, 2304), "the limit is 4096x2304"),
        (b"\xff\xd8\xff" + bytes(MAX_BYTES), "more than 2 MB"),
    ],
)
def test_invalid_images_are_refused_before_decoding(monkeypatch, data, why):
    monkeypatch.setattr(browser.cv2, "imdecode", lambda *_: pytest.fail("unpacked"))
    camera = BrowserCamera(read_s=0.01)
    camera.put(data)
    assert camera.read() is None
    assert len(camera.notices) == 1
    assert why in camera.notices[0]


def test_a_damaged_image_is_skipped_and_reported_once():
    camera = BrowserCamera(read_s=0.01)
    head = jpeg()[: jpeg().index(b"\xff\xda")]
    for _ in range(3):
        camera.put(head)
        assert camera.read() is None
    assert len(camera.notices) == 1
    assert "damaged" in camera.notices[0]
    assert read_all(camera, jpeg())[0].index == 3


@pytest.mark.parametrize("settings", [(), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1), (cv2.IMWRITE_JPEG_RST_INTERVAL, 4)])
def test_the_size_is_read_from_every_kind_of_jpeg(settings):
    assert jpeg_size(jpeg(9, 321, 123, *settings)) == (321, 123)


def test_reading_the_size_never_raises():
    whole = jpeg()
    rng = np.random.default_rng(0)
    for length in range(len(whole)):
        jpeg_size(whole[:length])
    for _ in range(500):
        damaged = bytearray(whole)
        for at in rng.integers(2, 200, 5):
            damaged[at] = rng.integers(256)
        jpeg_size(bytes(damaged))


def test_images_are_rotated():
    assert read_all(BrowserCamera(CaptureConfig("browser", rotate_deg=90)), jpeg())[0].image_bgr.shape == (64, 48, 3)
    with pytest.raises(UnknownChoiceError):
        BrowserCamera(CaptureConfig("browser", rotate_deg=45))


def test_open_source_refers_to_the_dashboard():
    assert source_kind("browser") == "browser"
    with pytest.raises(CaptureError, match=r"dashboard.*realtime-pose ui"):
        open_source(CaptureConfig("browser"))
