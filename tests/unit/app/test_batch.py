"""Batch planning: inputs, folders, finished jobs, and takes that are not overwritten."""

from dataclasses import replace

import pytest
from support.people import make_clip

from realtime_pose.app.batch import plan
from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.session.writer import mark_finished

CONFIG = AppConfig()


def touch(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return str(path)


def planned(inputs, to, config=CONFIG, max_frames=None, force=False):
    return plan(inputs, to, config, max_frames, force=force)


def leave_take(job, *, frames=None):
    """The take that this job would write: finished if the frames are given."""
    recorder = TakeRecorder(job.folder, TakeInfo(30.0, {"job": job.mark}), (), force=True)
    for result in make_clip(frames or 0):
        recorder.send(result)
    recorder.close()
    if frames is not None:
        mark_finished(job.folder / SESSION, frames)


def test_one_file_uses_the_given_folder_and_several_have_one_each(tmp_path):
    a, b = touch(tmp_path / "mon" / "clip.mp4"), touch(tmp_path / "tue" / "clip.mp4")
    (only,) = planned([a], tmp_path / "out")
    assert (only.source, only.folder) == (a, tmp_path / "out")
    both = planned([a, b], tmp_path / "out")
    assert [job.folder for job in both] == [tmp_path / "out" / "clip", tmp_path / "out" / "clip-2"]


def test_a_folder_is_expanded_to_its_videos_and_the_clip_of_its_images(tmp_path):
    for name in ("b.mov", "a.MP4", "notes.txt", ".hidden.mp4", "deeper/c.mp4"):
        touch(tmp_path / "in" / name)
    jobs = planned([str(tmp_path / "in")], tmp_path / "out")
    assert [job.folder.name for job in jobs] == ["a", "b"]
    touch(tmp_path / "in" / "1.png")
    assert [job.folder.name for job in planned([str(tmp_path / "in")], tmp_path / "out")] == ["a", "b", "in"]
    touch(tmp_path / "images" / "1.png")
    (job,) = planned([str(tmp_path / "images")], tmp_path / "out")
    assert (job.source, job.folder) == (str(tmp_path / "images"), tmp_path / "out")
    (tmp_path / "empty").mkdir()
    assert planned([str(tmp_path / "empty")], tmp_path / "out")[0].source == str(tmp_path / "empty")  # refused later


def test_a_folder_with_one_video_does_not_fill_up_with_its_own_results(tmp_path):
    touch(tmp_path / "in" / "a.mp4")
    (job,) = planned([str(tmp_path / "in")], tmp_path / "in")
    assert job.folder == tmp_path / "in" / "a"
    touch(tmp_path / "in" / "overlay.mp4")
    leave_take(replace(job, config=replace(CONFIG, output=replace(CONFIG.output, record=str(tmp_path / "in")))))
    touch(tmp_path / "in" / "overlay.mp4")
    assert [job.source for job in planned([str(tmp_path / "in")], tmp_path / "in")] == [str(tmp_path / "in" / "a.mp4")]


def test_a_take_finished_with_these_settings_is_done(tmp_path):
    clip = touch(tmp_path / "clip.mp4")
    (job,) = planned([clip], tmp_path / "out")
    assert job.done is None
    leave_take(job)
    assert planned([clip], tmp_path / "out")[0].done is None  # stopped: it is processed again
    leave_take(job, frames=7)
    assert planned([clip], tmp_path / "out")[0].done == 7
    assert planned([clip], tmp_path / "out", force=True)[0].done is None


def test_the_same_file_by_another_path_is_the_same(tmp_path, monkeypatch):
    clip = touch(tmp_path / "clip.mp4")
    leave_take(planned([clip], tmp_path / "out")[0], frames=7)
    monkeypatch.chdir(tmp_path)
    assert planned(["clip.mp4"], tmp_path / "out")[0].done == 7
    assert planned(["./clip.mp4"], tmp_path / "out")[0].done == 7


def with_values(**sections):
    return AppConfig().with_values(sections, "test")


@pytest.mark.parametrize(
    "change",
    [
        lambda clip: {"config": with_values(body={"smoothing": "none"})},
        lambda clip: {"config": with_values(output={"formats": "bvh"})},
        lambda clip: {"config": with_values(inference={"persons": 2})},
        lambda clip: {"max_frames": 3},
        lambda clip: touch(clip, "another film") and {},
    ],
    ids=["body", "formats", "inference", "max_frames", "input"],
)
def test_a_take_of_other_settings_or_another_input_is_never_overwritten_unasked(tmp_path, change):
    clip = tmp_path / "clip.mp4"
    leave_take(planned([touch(clip)], tmp_path / "out")[0], frames=7)
    changed = change(clip)
    with pytest.raises(ConfigError, match=r"another input or other settings; .*--force"):
        planned([str(clip)], tmp_path / "out", **changed)
    assert planned([str(clip)], tmp_path / "out", force=True, **changed)[0].done is None


def test_settings_that_change_no_file_change_no_job(tmp_path):
    clip = touch(tmp_path / "clip.mp4")
    leave_take(planned([clip], tmp_path / "out")[0], frames=7)
    other = with_values(output={"udp": "127.0.0.1:5005", "mirror": True}, inference={"download": False})
    assert planned([clip], tmp_path / "out", other)[0].done == 7


@pytest.mark.parametrize("name", ["motion.bvh", SESSION, "joints_4.csv"])
def test_files_of_anything_else_are_never_overwritten_unasked(tmp_path, name):
    touch(tmp_path / "out" / name)
    with pytest.raises(ConfigError, match=f"has {name} of another"):
        planned(["actor"], tmp_path / "out")


def test_other_files_may_lie_there(tmp_path):
    touch(tmp_path / "out" / "report.json")
    assert planned(["actor"], tmp_path / "out")[0].done is None
