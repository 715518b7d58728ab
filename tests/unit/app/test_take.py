"""Takes: all files of a run in one folder, and what remains when the disk is full."""

import contextlib
import json
import shutil

import av
import bvh
import pytest
from support.full_disk import file_size_limit
from support.people import make_clip, make_result

from realtime_pose.app.take import TakeRecorder, free_folder
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.bvh import BvhRecorder
from realtime_pose.exporters.file_group import FileGroup
from realtime_pose.exporters.keypoints_json import KeypointsJson
from realtime_pose.exporters.table import DEFAULT_FORMATS, EXPORTERS, TakeInfo, parse_formats
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder


def test_a_take_is_a_folder_of_files_that_agree(tmp_path):
    folder = tmp_path / "a" / "b"
    take = TakeRecorder(folder, TakeInfo(30.0, {"estimator": "made up"}))
    clip = make_clip(20)
    for result in clip:
        take.send(result)
    take.close()
    take.close()
    take.send(clip[0])
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        ["session.rtpose", *(EXPORTERS[name].file for name in parse_formats(DEFAULT_FORMATS))]
    )
    with av.open(str(folder / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 20
    assert bvh.Bvh((folder / "motion.bvh").read_text()).nframes == 20
    assert len(json.loads((folder / "keypoints.json").read_text())["keypoints"]) == 20
    session = read_session(folder / "session.rtpose")
    assert session.settings["estimator"] == "made up"
    assert sum(1 for _ in session.frames()) == 20


OLD = ("motion_3.bvh", "overlay.mp4", "notes.txt", "motion_mine.bvh", "report.json")


def test_an_earlier_take_is_replaced_on_request_and_other_files_stay(tmp_path):
    for name in OLD:
        (tmp_path / name).write_text("old")
    take = TakeRecorder(tmp_path, TakeInfo(30.0), force=True)
    take.send(make_result())
    take.close()
    left = sorted(p.name for p in tmp_path.iterdir() if p.read_bytes() == b"old")
    assert left == ["motion_mine.bvh", "notes.txt", "report.json"]
    assert not (tmp_path / "motion_3.bvh").exists()


def test_without_a_request_nothing_is_replaced(tmp_path):
    for name in OLD:
        (tmp_path / name).write_text("old")
    with pytest.raises(RecordingError, match=r"has motion_3\.bvh already; choose another folder, or add --force"):
        TakeRecorder(tmp_path, TakeInfo(30.0))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(OLD)
    assert {p.read_text() for p in tmp_path.iterdir()} == {"old"}


def test_two_runs_never_write_into_one_folder_at_once(tmp_path):
    first = TakeRecorder(tmp_path, TakeInfo(30.0), ())
    with pytest.raises(RecordingError, match="another run is writing into"):
        TakeRecorder(tmp_path, TakeInfo(30.0), (), force=True)
    first.send(make_result())
    first.close()
    assert [p.name for p in tmp_path.iterdir()] == ["session.rtpose"]
    TakeRecorder(tmp_path, TakeInfo(30.0), (), force=True).close()


def test_a_file_that_fails_at_the_end_leaves_the_others_closed_and_the_folder_free(tmp_path):
    class Breaks:
        def close(self):
            raise ValueError("no")

    class Closes:
        closed = False

        def close(self):
            self.closed = True

    take, last = TakeRecorder(tmp_path, TakeInfo(30.0), ()), Closes()
    take._files = FileGroup({"breaks": Breaks(), "closes": last})
    with pytest.raises(ValueError, match="no"):
        take.close()
    assert last.closed
    TakeRecorder(tmp_path, TakeInfo(30.0), (), force=True).close()


def test_the_next_free_folder_is_numbered(tmp_path):
    wanted = tmp_path / "take"
    assert free_folder(wanted) == wanted
    wanted.mkdir()
    (wanted / "report.json").write_text("{}")
    assert free_folder(wanted) == wanted  # a take replaces no report
    (wanted / "motion.bvh").write_text("mine")
    (tmp_path / "take-2").mkdir()
    (tmp_path / "take-2" / "session.rtpose").write_text("")
    assert free_folder(wanted) == tmp_path / "take-3"


def test_a_folder_that_cannot_be_made_gets_a_plain_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot write into .*file.*choose another folder"):
        TakeRecorder(tmp_path / "file", TakeInfo(30.0))
    with pytest.raises(RecordingError, match="cannot write into"):
        TakeRecorder(tmp_path / "file" / "take", TakeInfo(30.0))


def test_when_the_disk_is_full_what_was_written_stays_readable(tmp_path):
    clip = make_clip(200)
    take = TakeRecorder(tmp_path, TakeInfo(30.0))
    written = 0
    with file_size_limit(150_000):
        with contextlib.suppress(RecordingError):
            for result in clip:
                take.send(result)
                written += 1
        with pytest.raises(RecordingError, match="free some space there"):
            take.send(clip[written])
        with contextlib.suppress(RecordingError):  # there is no room for the video's index
            take.close()
    assert 10 < written < 200
    session = read_session(tmp_path / "session.rtpose")
    assert abs(sum(1 for _ in session.frames()) - written) <= 1
    assert not session.truncated
    assert abs(len(json.loads((tmp_path / "keypoints.json").read_text())["keypoints"]) - written) <= 1
    assert abs(bvh.Bvh((tmp_path / "motion.bvh").read_text()).nframes - written) <= 1
    with av.open(str(tmp_path / "overlay.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) > 30


def test_a_file_that_fails_leaves_all_others_whole_and_is_named_at_the_end(tmp_path, monkeypatch):
    def fails(self, result):
        if result.frame.index == 3:
            raise RecordingError("cannot write motion.bvh: the pose has no bones")
        write(self, result)

    write = BvhRecorder.send
    monkeypatch.setattr(BvhRecorder, "send", fails)
    take = TakeRecorder(tmp_path, TakeInfo(30.0), ("bvh", "easy-vitpose", "csv"))
    for result in make_clip(12):
        take.send(result)
    with pytest.raises(RecordingError, match=r"^cannot write motion\.bvh: the pose has no bones; the other files are"):
        take.close()
    take.close()
    assert len(json.loads((tmp_path / "keypoints.json").read_text())["keypoints"]) == 12
    assert len((tmp_path / "joints.csv").read_text().splitlines()) == 13
    assert len(list(read_session(tmp_path / "session.rtpose").frames())) == 12


def test_a_folder_that_is_deleted_under_way_is_reported(tmp_path):
    take = TakeRecorder(tmp_path / "take", TakeInfo(30.0), ("csv",))
    for result in make_clip(3):
        take.send(result)
    shutil.rmtree(tmp_path / "take")
    with pytest.raises(RecordingError, match="was deleted during the recording; nothing of the take is left"):
        take.close()
    take.close()


@pytest.mark.parametrize("sink", [KeypointsJson, lambda path: SessionRecorder(path, {})])
def test_a_file_that_cannot_be_made_is_reported_at_the_start(tmp_path, sink):
    with pytest.raises(RecordingError, match="cannot write"):
        sink(tmp_path / "none" / "file")
