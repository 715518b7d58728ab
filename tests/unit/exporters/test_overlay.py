"""overlay.mp4, decoded as a player does."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.overlay import OverlayVideo, open_overlay
from realtime_pose.exporters.table import TakeInfo

S = 1_000_000_000


def record(path, results, fps=30.0):
    sink = OverlayVideo(path, fps)
    for result in results:
        sink.send(result)
    sink.close()


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [(float(frame.time), frame.to_ndarray(format="bgr24")) for frame in container.decode(stream)]
        return stream.codec_context.name, stream.codec_context.pix_fmt, frames


def test_every_frame_is_there_with_the_skeleton_on_it(tmp_path):
    clip = make_clip(12)
    record(tmp_path / "a.mp4", clip)
    codec, pixels, frames = decoded(tmp_path / "a.mp4")
    assert (codec, pixels) == ("h264", "yuv420p")
    assert len(frames) == 12
    assert [t for t, _ in frames] == pytest.approx([i / 30 for i in range(12)], abs=1e-4)
    plain = clip[5].frame.image_bgr.astype(int)
    changed = np.abs(frames[5][1].astype(int) - plain).max(axis=2) > 60
    assert 500 < changed.sum() < changed.size / 4
    # on the thigh, between hip and knee, where the image was grey
    hip, knee = (clip[5].people[0].keypoints.xy_px[i] for i in (11, 13))
    x, y = ((hip + knee) / 2).round().astype(int)
    assert changed[y - 2 : y + 3, x - 2 : x + 3].any()


def test_a_video_that_was_never_closed_lacks_only_its_end(tmp_path):
    sink = OverlayVideo(tmp_path / "a.mp4")
    for i in range(240):
        sink.send(make_result(index=i, time_ns=i * S // 30, width=160, height=120))
    crashed = (tmp_path / "a.mp4").read_bytes()
    sink.close()
    (tmp_path / "crashed.mp4").write_bytes(crashed)
    _, _, frames = decoded(tmp_path / "crashed.mp4")
    assert 60 <= len(frames) < 240
    assert len(decoded(tmp_path / "a.mp4")[2]) == 240


def test_a_closed_video_is_a_plain_mp4_without_fragments(tmp_path):
    record(tmp_path / "a.mp4", make_clip(3))
    contents, at, boxes = (tmp_path / "a.mp4").read_bytes(), 0, []
    while at < len(contents):
        size = int.from_bytes(contents[at : at + 4], "big")
        boxes.append(contents[at + 4 : at + 8])
        at += size if size != 1 else int.from_bytes(contents[at + 8 : at + 16], "big")
    assert b"moov" in boxes
    assert b"moof" not in boxes


def test_opencv_reads_it_too(tmp_path):
    record(tmp_path / "a.mp4", make_clip(70))
    capture = cv2.VideoCapture(str(tmp_path / "a.mp4"))
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 70
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(30, abs=0.1)
    count = 0
    while capture.read()[0]:
        count += 1
    assert count == 70


def test_uneven_times_are_kept(tmp_path):
    times_ms = [5, 38, 71, 350, 360, 1000]
    record(tmp_path / "a.mp4", [make_result(index=i, time_ns=t * 1_000_000) for i, t in enumerate(times_ms)])
    _, _, frames = decoded(tmp_path / "a.mp4")
    assert [t for t, _ in frames] == pytest.approx([(t - 5) / 1000 for t in times_ms], abs=2e-5)


def test_times_that_stand_still_or_run_back_lose_no_frame(tmp_path):
    times = [0, S, S, 0, 2 * S]
    record(tmp_path / "a.mp4", [make_result(index=i, time_ns=t) for i, t in enumerate(times)])
    _, _, frames = decoded(tmp_path / "a.mp4")
    assert len(frames) == 5
    assert np.all(np.diff([t for t, _ in frames]) > 0)


@pytest.mark.parametrize(("width", "height"), [(161, 120), (160, 121), (161, 121), (1, 1)])
def test_odd_sizes_grow_by_one_pixel(tmp_path, width, height):
    record(tmp_path / "a.mp4", [make_result(width=width, height=height)])
    _, _, frames = decoded(tmp_path / "a.mp4")
    assert frames[0][1].shape == (height + height % 2, width + width % 2, 3)


def test_frames_of_other_sizes_are_fitted_into_the_first(tmp_path):
    tall = np.full((300, 100, 3), 200, np.uint8)
    results = [make_result(width=320, height=240), FrameResult(Frame(tall, 1, S // 30, 0), ())]
    record(tmp_path / "a.mp4", results)
    _, _, frames = decoded(tmp_path / "a.mp4")
    picture = frames[1][1]
    assert picture.shape == (240, 320, 3)
    assert picture[120, 160].min() > 150
    assert picture[120, 20].max() < 50


def test_a_rate_that_is_not_known_is_no_obstacle(tmp_path):
    record(tmp_path / "a.mp4", make_clip(3), fps=0.0)
    assert len(decoded(tmp_path / "a.mp4")[2]) == 3


def test_no_frames_leave_no_file(tmp_path):
    record(tmp_path / "a.mp4", [])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_gets_a_plain_sentence(tmp_path):
    sink = OverlayVideo(tmp_path / "none" / "a.mp4")
    with pytest.raises(RecordingError, match=r"cannot write .*No such file.*choose another folder"):
        sink.send(make_result([make_person(1)]))
    sink.close()


def test_points_below_the_takes_threshold_are_not_drawn(tmp_path):
    (result,) = make_clip(1)
    person = result.people[0]
    unsure = replace(person, keypoints=replace(person.keypoints, score=np.full_like(person.keypoints.score, 0.4)))
    drawn = {}
    for threshold in (0.3, 0.5):
        overlay = open_overlay(tmp_path / "a.mp4", TakeInfo(30.0, score_threshold=threshold))
        overlay.send(replace(result, people=(unsure,)))
        overlay.close()
        image = decoded(tmp_path / "a.mp4")[2][0][1].astype(int)
        drawn[threshold] = (np.abs(image - result.frame.image_bgr).max(axis=2) > 60).sum()
    assert drawn[0.3] > 500
    assert drawn[0.5] < drawn[0.3] / 4
