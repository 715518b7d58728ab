"""Exports: the same files that the take had, and nothing overwritten without --force."""

import numpy as np
import pytest

from realtime_pose.app.export import open_export
from realtime_pose.app.take import SESSION, TakeRecorder, open_session
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import CaptureError, ConfigError, RecordingError
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.session.reader import read_session
from realtime_pose.utils.paths import data_path

CLIP = data_path("resources/videos/default.mp4")


def settings(formats):
    return AppConfig().with_values({"output": {"formats": formats}}, "test")


def take_of_clip(folder, formats, frames=12, source=str(CLIP), begin=0):
    """A take of the packaged clip's first frames, with a synthetic person."""
    from support.people import make_clip

    people = [result.people for result in make_clip(frames)]
    told = {"config": {"capture": {"source": source}}, "fps": 30.0}
    take = TakeRecorder(folder, TakeInfo(30.0, told), formats)
    clip = open_source(CaptureConfig(str(CLIP)))
    for _ in range(begin):
        clip.read()
    for i in range(frames):
        take.send(FrameResult(clip.read(), people[i]))
    clip.close()
    take.close()
    return open_session(folder)


def export(session, formats, folder, *, chosen=True, force=False, video=""):
    with open_export(session, settings(formats), folder, video, chosen=chosen, force=force) as files:
        for _ in files.results:
            pass
    return files


FORMATS = ("overlay", "bvh", "easy-vitpose", "csv", "coco")


def test_an_export_gives_the_files_that_the_take_had(tmp_path):
    session = take_of_clip(tmp_path / "take", FORMATS)
    files = export(session, ",".join(FORMATS), tmp_path / "out")
    assert {p.name for p in files.written()} == {
        "overlay.mp4", "motion.bvh", "keypoints.json", "joints.csv", "coco.json",
    }  # fmt: skip
    for path in files.written():
        assert path.read_bytes() == (tmp_path / "take" / path.name).read_bytes(), path.name
    assert not (tmp_path / "out" / SESSION).exists()


def test_the_folder_of_a_take_is_as_good_as_its_session(tmp_path):
    take_of_clip(tmp_path, ())
    assert open_session(tmp_path).path == tmp_path / SESSION
    with pytest.raises(RecordingError, match="cannot read"):
        open_session(tmp_path / "none")


def test_the_video_of_a_take_is_used_for_its_overlay(tmp_path):
    """The frames came from a camera, so only frames.mp4 has them."""
    session = take_of_clip(tmp_path / "take", ("frames", "overlay"), source="0", begin=7)
    files = export(session, "overlay", tmp_path / "out")
    assert files.notes == []
    ours, theirs = (open_source(CaptureConfig(str(tmp_path / f / "overlay.mp4"))) for f in ("out", "take"))
    for _ in range(12):
        a, b = ours.read(), theirs.read()
        assert abs(a.time_ns - b.time_ns) < 100_000
        difference = np.abs(a.image_bgr.astype(int) - b.image_bgr)
        assert difference.mean() < 4  # it was compressed twice
    ours.close()
    theirs.close()


def test_without_its_images_an_overlay_is_refused_or_left_out(tmp_path):
    session = take_of_clip(tmp_path / "take", (), source="gone.mp4")
    with pytest.raises(RecordingError, match=r"overlay shows the session's images.*--video FILE"):
        export(session, "overlay,bvh", tmp_path / "out")
    files = export(session, "overlay,bvh", tmp_path / "out", chosen=False)
    assert [p.name for p in files.written()] == ["motion.bvh"]
    assert files.notes[0].startswith("overlay shows")
    assert [p.name for p in export(session, "overlay", tmp_path / "two", video=str(CLIP)).written()] == ["overlay.mp4"]


def test_dropped_frames_are_skipped_in_the_video(tmp_path):
    take, clip = TakeRecorder(tmp_path / "take", TakeInfo(30.0), ()), open_source(CaptureConfig(str(CLIP)))
    images = []
    for i in range(31):
        frame = clip.read()
        if i % 10 == 0:
            take.send(FrameResult(frame, ()))
            images.append(frame.image_bgr)
    take.close()
    clip.close()
    export(open_session(tmp_path / "take"), "frames", tmp_path / "out", video=str(CLIP))
    film = open_source(CaptureConfig(str(tmp_path / "out" / "frames.mp4")))
    for i in range(len(images)):
        shown = film.read().image_bgr.astype(int)
        apart = [np.abs(shown - image).mean() for image in images]
        assert np.argmin(apart) == i  # the person moves, so the right image is the most similar one
    film.close()


def test_another_video_is_refused(tmp_path):
    session = take_of_clip(tmp_path / "take", ())
    short = take_of_clip(tmp_path / "short", ("frames",), frames=5)
    with pytest.raises(RecordingError, match="is not the video of this session"):
        export(session, "overlay", tmp_path / "out", video=str(short.path.with_name("frames.mp4")))
    with pytest.raises(CaptureError, match="no file"):
        export(session, "overlay", tmp_path / "out2", video=str(tmp_path / "none.mp4"))


def test_nothing_is_overwritten_unasked(tmp_path):
    session = take_of_clip(tmp_path / "take", ())
    (tmp_path / "out").mkdir()
    for name in ("motion.bvh", "motion_9.bvh", "mine.txt"):
        (tmp_path / "out" / name).write_text("old")
    with pytest.raises(ConfigError, match=r"already has motion.bvh, motion_9.bvh; .*--force"):
        export(session, "bvh,csv", tmp_path / "out")
    assert (tmp_path / "out" / "motion.bvh").read_text() == "old"
    export(session, "csv", tmp_path / "out")
    export(session, "bvh", tmp_path / "out", force=True)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"motion.bvh", "joints.csv", "mine.txt"}


def test_the_video_that_an_overlay_is_made_from_is_never_replaced(tmp_path):
    session = take_of_clip(tmp_path, ("frames",))
    before = (tmp_path / "frames.mp4").read_bytes()
    with pytest.raises(ConfigError, match="would be replaced"):
        export(session, "frames", tmp_path, force=True)
    assert (tmp_path / "frames.mp4").read_bytes() == before


def test_a_truncated_session_is_exported_as_far_as_it_goes_and_reported(tmp_path):
    path = take_of_clip(tmp_path / "take", ()).path
    path.write_bytes(path.read_bytes()[:-100])
    files = export(read_session(path), "csv", tmp_path / "out")
    assert len((tmp_path / "out" / "joints.csv").read_text().splitlines()) == 12
    assert "missing" in files.notes[0]


@pytest.mark.parametrize("formats", ["csv", "csv,bvh,easy-vitpose"])
def test_a_damaged_session_leaves_no_files(tmp_path, formats):
    session = take_of_clip(tmp_path / "take", ())
    data = bytearray(session.path.read_bytes())
    data[len(data) // 2] ^= 255
    session.path.write_bytes(data)
    with pytest.raises(RecordingError, match="is damaged at byte"):
        export(read_session(session.path), formats, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="cannot write into"):
        export(take_of_clip(tmp_path / "take", (), frames=2), "csv", tmp_path / "file" / "out")
