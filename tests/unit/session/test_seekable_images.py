"""Seekable images: the image at any media time, of videos, loops and folders."""

import cv2
import numpy as np
import pytest

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.errors import CaptureError
from realtime_pose.session.seekable_images import open_seekable_images
from realtime_pose.utils.paths import data_path

CLIP = data_path("resources/videos/default.mp4")


@pytest.fixture(scope="module")
def frames():
    source = open_source(CaptureConfig(str(CLIP)))
    taken = [source.read() for _ in range(70)]
    source.close()
    return taken


def test_any_time_of_a_video_gives_the_image_of_that_time(frames):
    images = open_seekable_images(CaptureConfig(str(CLIP)))
    for row in (40, 41, 3, 69, 0):
        assert np.array_equal(images.at(frames[row].time_ns), frames[row].image_bgr), row
    assert images.at(3600 * 10**9) is None
    images.close()


def test_an_actors_clip_starts_again_at_its_end(frames):
    source = open_source(CaptureConfig(str(CLIP)))
    period_ns = round(source.frame_count * 1e9 / source.fps)
    source.close()
    images = open_seekable_images(CaptureConfig("actor"))
    assert np.array_equal(images.at(period_ns + frames[5].time_ns), frames[5].image_bgr)
    images.close()


def test_a_folder_of_images_has_its_sources_frame_rate(tmp_path):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((20, 30, 3), i * 50, np.uint8))
    source = open_source(CaptureConfig(str(tmp_path)))
    times = [source.read().time_ns for _ in range(3)]
    source.close()
    images = open_seekable_images(CaptureConfig(str(tmp_path)))
    assert [int(images.at(time_ns)[0, 0, 0]) for time_ns in (times[2], times[0], times[1])] == [100, 0, 50]
    images.close()


@pytest.mark.parametrize("source", ["0", "rtsp://127.0.0.1/live"])
def test_a_live_source_is_refused(source):
    with pytest.raises(CaptureError, match="is live, so its images cannot be read again"):
        open_seekable_images(CaptureConfig(source))
