"""Playback: every row with its own people and image, in any order, through the runtime of a live run."""

import threading

import numpy as np
import pytest
from support.people import HEIGHT, WIDTH, make_clip

from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.looped import Looped
from realtime_pose.capture.sources import open_source
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import EndOfStream, RecordingError
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.interface.dashboard.engine.messages import jpeg_of
from realtime_pose.interface.dashboard.engine.takes.playback import PlaybackPipeline, SessionSource
from realtime_pose.runtime import Runtime
from realtime_pose.session.reader import read_session

PATIENCE_S = 20.0
TOLD = {
    "config": {"capture": {"source": "actor"}},
    "model": {"name": "blazepose"}, "runtime": "mediapipe fp32", "device": "cpu",
}  # fmt: skip


def record(folder, results, formats=(), told=None):
    take = TakeRecorder(folder, TakeInfo(30.0, TOLD if told is None else told), formats)
    for result in results:
        take.send(result)
    take.close()
    return folder


def striped(count):
    """Frames whose brightness is their number, with a person in each, and every third one missing."""
    results = []
    for i, result in enumerate(make_clip(count)):
        image = np.full((HEIGHT, WIDTH, 3), 20 + 10 * i, np.uint8)
        results.append(FrameResult(Frame(image, 7 + i, result.frame.time_ns, i), result.people))
    return [result for i, result in enumerate(results) if i % 3 != 1]


def shown(source, pipeline, row):
    source.seek(row)
    return pipeline.step(source.read())


def test_each_row_has_its_people_time_and_frame_in_any_order(tmp_path):
    results = striped(20)
    source = SessionSource(record(tmp_path / "take", results, ("frames",), {}))
    pipeline = PlaybackPipeline(source)
    assert source.rows == len(results)
    assert np.allclose(source.times_s, [(r.frame.time_ns - results[0].frame.time_ns) / 1e9 for r in results])
    for row in (5, 0, len(results) - 1, 3, 4, 4):
        result = shown(source, pipeline, row)
        assert (result.frame.index, source.row) == (row, row)
        assert result.frame.time_ns == results[row].frame.time_ns
        person, truth = result.people[0], results[row].people[0]
        assert np.array_equal(person.keypoints.xy_px, truth.keypoints.xy_px)
        assert np.array_equal(person.pose.rotations.local_xyzw, truth.pose.rotations.local_xyzw)
        assert abs(result.frame.image_bgr.mean() - results[row].frame.image_bgr.mean()) < 4
    assert not source.drawn
    assert not source.notices
    pipeline.close()


def test_at_the_end_it_waits_for_a_seek_and_ends_when_closed(tmp_path):
    source = SessionSource(record(tmp_path / "take", make_clip(3)))
    assert [source.read().index for _ in range(3)] == [0, 1, 2]
    assert source.read() is None
    assert source.read() is None
    source.seek(1)
    assert [source.read().index for _ in range(2)] == [1, 2]
    for row, nearest in ((-5, 0), (99, 2)):
        source.seek(row)
        assert source.read().index == nearest
    source.close()
    source.close()
    with pytest.raises(EndOfStream):
        source.read()


def test_a_take_from_the_middle_of_the_looped_actor_has_the_actors_frames(tmp_path):
    """Recorded across the start of the second loop: times continue, images start again."""
    clip = []
    actor = open_source(CaptureConfig("actor"))
    while True:
        try:
            clip.append(actor.read())
        except EndOfStream:
            break
    looped, results = Looped(lambda: open_source(CaptureConfig("actor"))), []
    for i in range(len(clip) + 6):
        frame = looped.read()
        if i >= len(clip) - 4:
            results.append(FrameResult(frame, ()))
    looped.close()
    source = SessionSource(record(tmp_path / "take", results))
    pipeline = PlaybackPipeline(source)
    for row in (8, 0, 3, 4, 9):
        image = shown(source, pipeline, row).frame.image_bgr
        assert np.array_equal(image, clip[(len(clip) - 4 + row) % len(clip)].image_bgr), row
    pipeline.close()


def test_with_a_missing_video_the_overlay_is_used_and_reported(tmp_path):
    source = SessionSource(record(tmp_path / "take", striped(9), ("overlay",), {}))
    assert source.drawn
    assert shown(source, PlaybackPipeline(source), 2).frame.image_bgr.mean() > 20
    source.close()


def test_without_images_it_is_played_black_and_reported(tmp_path):
    folder = record(tmp_path / "take", make_clip(4), (), {"config": {"capture": {"source": "gone.mp4"}}})
    source = SessionSource(folder)
    assert source.notices == ["The take is played without its video."]
    result = shown(source, PlaybackPipeline(source), 2)
    assert not result.frame.image_bgr.any()
    assert jpeg_of(result.frame) == b""  # the live view shows a message
    assert len(result.people) == 1
    source.close()


def test_a_video_of_another_size_is_not_used_for_the_take(tmp_path):
    results = [FrameResult(Frame(np.zeros((50, 60, 3), np.uint8), 0, 0, 0), ())]
    source = SessionSource(record(tmp_path / "take", results))
    assert source.notices == ["The take is played without its video: actor is not the video of this take."]
    source.close()


def test_a_damaged_take_is_played_up_to_the_damage_and_reported(tmp_path):
    folder = record(tmp_path / "take", make_clip(12), (), {})
    whole = (folder / SESSION).read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    (folder / SESSION).write_bytes(damaged)
    source = SessionSource(folder)
    assert 2 < source.rows < 10
    assert "is damaged at byte" in source.notices[0]
    assert shown(source, PlaybackPipeline(source), source.rows - 1).people
    source.close()
    (folder / SESSION).write_bytes(whole[: len(whole) // 2])
    source = SessionSource(folder)
    assert "The end of" in source.notices[0]
    source.close()
    (folder / SESSION).write_bytes(whole[:30])
    with pytest.raises(RecordingError, match="cut off or damaged before its first frame"):
        SessionSource(folder)


def test_a_session_without_a_frame_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="has no whole frame"):
        SessionSource(record(tmp_path / "take", []))


def test_the_runtime_plays_it_sinks_and_all_and_can_be_sought_in(tmp_path):
    class Sink:
        def __init__(self):
            self.rows, self.came = [], threading.Condition()

        def send(self, result):
            with self.came:
                self.rows.append(result.frame.index)
                self.came.notify_all()

        def close(self):
            pass

    def has(*rows):
        with sink.came:
            assert sink.came.wait_for(lambda: sink.rows[-len(rows) :] == list(rows), PATIENCE_S), sink.rows

    source, sink = SessionSource(record(tmp_path / "take", make_clip(10))), Sink()
    pipeline = PlaybackPipeline(source)
    runtime = Runtime(source, pipeline, [sink], paced=True, read_ahead=False)
    runtime.start()
    has(*range(10))
    source.seek(7)
    has(9, 7, 8, 9)
    runtime.pause()
    source.seek(2)
    runtime.step()
    has(9, 2)
    assert runtime.snapshot().running
    runtime.stop()
    runtime.raise_if_failed()
    assert (pipeline.estimator.name, pipeline.estimator.runtime, pipeline.estimator.precision) == (
        "blazepose", "mediapipe", "fp32",
    )  # fmt: skip


def test_an_index_reads_a_row_as_the_session_does(tmp_path):
    from realtime_pose.session.index import SessionIndex

    folder = record(tmp_path / "take", make_clip(30))
    session = read_session(folder / SESSION)
    index = SessionIndex(session)
    assert index.people == 1
    for row, result in enumerate(session.frames()):
        again = index.result(row)
        assert again.frame.time_ns == result.frame.time_ns == index.times_ns[row]
        assert np.array_equal(again.people[0].joints.xyz_m, result.people[0].joints.xyz_m)
    (folder / SESSION).write_bytes((folder / SESSION).read_bytes()[:500])
    with pytest.raises(RecordingError):
        index.result(29)
    index.close()
