"""Images of a session: where they are found, and that each frame gets its own."""

import os
from dataclasses import replace

import numpy as np
import pytest
from support.sessions import record_session

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.session.images import FRAMES_FILE, find_images, is_source, sound_of, with_images
from realtime_pose.session.reader import read_session
from realtime_pose.utils.paths import data_path

CLIP = data_path("resources/videos/default.mp4")


def session_of(folder, source, **capture):
    settings = {"config": {"capture": {"source": str(source), **capture}}}
    return read_session(record_session(folder / "session.rtpose", [], settings))


def test_images_are_the_given_video_then_the_one_beside_the_session_then_its_source(tmp_path):
    session = session_of(tmp_path, CLIP, rotate_deg=90)
    assert find_images(session) == CaptureConfig(str(CLIP), rotate_deg=90)
    assert is_source(session, find_images(session))
    (tmp_path / FRAMES_FILE).touch()
    assert find_images(session) == CaptureConfig(str(tmp_path / FRAMES_FILE))
    assert find_images(session, "other.mp4") == CaptureConfig("other.mp4", rotate_deg=90)
    assert not is_source(session, find_images(session, "other.mp4"))


def test_the_images_of_a_folder_keep_the_rate_that_they_were_given(tmp_path):
    assert find_images(session_of(tmp_path, tmp_path, fps=12.5)) == CaptureConfig(str(tmp_path), fps=12.5)


@pytest.mark.parametrize("source", ["0", "rtsp://127.0.0.1/live", ""])
def test_a_live_source_has_no_images_afterwards(tmp_path, source):
    assert find_images(session_of(tmp_path, source)) is None


@pytest.mark.parametrize(
    "source",
    [r"\\host.invalid\a.mp4", "//host.invalid/a.mp4", r"/\host.invalid/a", r"\??\UNC\host.invalid\a", "/dev/zero"],
)
def test_a_strangers_session_reaches_no_other_computer_and_no_device(tmp_path, source, monkeypatch):
    """On Windows, already asking whether such a path exists contacts the host."""
    looked_at = []
    monkeypatch.setattr("os.path.exists", lambda path: looked_at.append(str(path)) or False)
    session = session_of(tmp_path, source)
    assert find_images(session) is None
    assert not [path for path in looked_at if "host" in path]


def test_a_pipe_as_source_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    assert find_images(session_of(tmp_path, tmp_path / "pipe.mp4")) is None


def test_sound_is_that_of_a_local_video():
    assert sound_of(CaptureConfig(str(CLIP))) == CLIP
    assert sound_of(CaptureConfig("0")) is None


def test_each_result_gets_the_image_of_its_time(tmp_path):
    source = open_source(CaptureConfig(str(CLIP)))
    frames = [source.read() for _ in range(9)]
    source.close()
    black = np.zeros_like(frames[0].image_bgr)
    chosen = frames[2::3]  # some were dropped in the run
    results = [FrameResult(replace(frame, image_bgr=black), ()) for frame in chosen]
    shown = list(with_images(results, CaptureConfig(str(CLIP)), same_times=True))
    for got, wanted in zip(shown, chosen, strict=True):
        assert np.array_equal(got.frame.image_bgr, wanted.image_bgr)


def test_another_video_is_refused(tmp_path):
    source = open_source(CaptureConfig(str(CLIP)))
    frame = source.read()
    source.close()
    small = replace(frame, image_bgr=frame.image_bgr[:100, :100])
    with pytest.raises(RecordingError, match="is not the video of this session: sizes or times differ"):
        list(with_images([FrameResult(small, ())], CaptureConfig(str(CLIP))))
