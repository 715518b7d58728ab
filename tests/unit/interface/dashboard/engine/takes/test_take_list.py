"""The list of takes: their facts, deleting them, and exports in every format."""

import os
import threading
import zipfile
from datetime import datetime
from pathlib import Path

import bvh
import pytest
from support.people import make_clip, make_person, make_result
from support.sessions import session_head

from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.config import AppConfig
from realtime_pose.errors import RecordingError, UnknownChoiceError
from realtime_pose.exporters.table import EXPORTERS, TakeInfo
from realtime_pose.interface.dashboard.engine.takes import take_exports, take_list
from realtime_pose.interface.dashboard.engine.takes.take_exports import Exports, export_take
from realtime_pose.interface.dashboard.engine.takes.take_list import TakeList
from realtime_pose.session import format

PATIENCE_S = 20.0
BEGAN = datetime(2026, 11, 20, 12, 30).astimezone()


def record(folder, results=None, formats=(), **told):
    """A take; `make_clip`'s frames are captured one second after its clock began."""
    settings = {"wall_offset_ns": int(BEGAN.timestamp() * 1e9) - 1_000_000_000} | told
    take = TakeRecorder(folder, TakeInfo(30.0, settings), formats, force=True)
    for result in make_clip(31) if results is None else results:
        take.send(result)
    take.close()
    return folder


def two_people(frames=6):
    return [
        make_result([make_person(0, track_id=1, time_ns=t), make_person(1, track_id=2, time_ns=t)], index=i, time_ns=t)
        for i, t in enumerate(range(0, frames * 33_333_333, 33_333_333))
    ]


def test_a_take_is_listed_with_its_facts(tmp_path):
    folder = record(tmp_path / "takes" / "one", formats=("bvh", "csv"))
    (folder / "notes.txt").write_text("mine")
    [take] = TakeList(tmp_path / "takes").takes()
    assert (take.name, take.folder, take.when) == ("one", folder, BEGAN)
    assert (take.seconds, take.frames, take.people) == (1.0, 31, 1)
    assert take.formats == ("bvh", "csv")
    assert take.size_bytes == sum((folder / name).stat().st_size for name in (SESSION, "motion.bvh", "joints.csv"))
    assert take.damage == ""
    assert take.playable


def test_a_take_of_wrong_settings_is_listed_as_damaged_beside_the_others(tmp_path):
    record(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    settings = b'{"wall_offset_ns": 1' + b"0" * 400 + b"}"
    (tmp_path / "bad" / SESSION).write_bytes(session_head(payload=b"H" + settings) + format.record(b"F" + b"\0" * 42))
    bad, good = sorted(TakeList(tmp_path).takes(), key=lambda take: take.name)
    assert good.playable
    assert not bad.playable
    assert "more than 64 bits" in bad.damage


def test_the_newest_is_first_and_no_folder_is_no_error(tmp_path):
    assert TakeList(tmp_path / "none").takes() == []
    for i, name in enumerate(("b", "a", "c")):
        record(tmp_path / name, wall_offset_ns=i * 86_400_000_000_000)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    assert [take.name for take in TakeList(tmp_path).takes()] == ["c", "a", "b"]
    assert [take.name for take in TakeList(tmp_path).takes(leave_out=tmp_path / "c")] == ["a", "b"]


def test_a_take_is_read_once_until_it_changes(tmp_path, monkeypatch):
    read, files = [], TakeList(tmp_path)
    original = take_list._read
    monkeypatch.setattr(take_list, "_read", lambda path, stamp: read.append(path) or original(path, stamp))
    folder = record(tmp_path / "one")
    assert files.takes() == files.takes()
    assert len(read) == 1
    record(folder, make_clip(5))
    assert files.takes()[0].frames == 5
    assert len(read) == 2


def test_a_slow_take_gets_its_facts_later(tmp_path, monkeypatch):
    record(tmp_path / "one")
    monkeypatch.setattr(take_list, "_PATIENCE_S", -1.0)
    files = TakeList(tmp_path)
    [take] = files.takes()
    assert (take.name, take.frames, take.seconds) == ("one", None, None)
    monkeypatch.undo()
    assert files.takes()[0].frames == 31


def test_damage_is_reported_in_a_sentence_without_the_path(tmp_path):
    whole = (record(tmp_path / "cut") / SESSION).read_bytes()
    (tmp_path / "cut" / SESSION).write_bytes(whole[:-7])
    (record(tmp_path / "none") / SESSION).write_bytes(b"nothing of ours")
    takes = {take.name: take for take in TakeList(tmp_path).takes()}
    assert takes["cut"].frames == 30
    assert takes["cut"].damage.startswith(f"The end of {SESSION} is missing")
    assert takes["cut"].playable
    assert takes["none"].damage.startswith(f"{SESSION} is not a session")
    assert not takes["none"].playable


def test_links_are_no_takes_and_no_name_leads_out(tmp_path):
    record(tmp_path / "outside")
    (tmp_path / "takes").mkdir()
    (tmp_path / "takes" / "link").symlink_to(tmp_path / "outside")
    inner = tmp_path / "takes" / "inner"
    inner.mkdir()
    (inner / SESSION).symlink_to(tmp_path / "outside" / SESSION)
    files = TakeList(tmp_path / "takes")
    assert files.takes() == []
    for name in ("link", "inner", "../outside", "..", ".", "", str(tmp_path / "outside")):
        with pytest.raises(RecordingError, match="does not exist"):
            files.folder_of(name)
        with pytest.raises(RecordingError, match="does not exist"):
            files.delete(tmp_path / "takes" / name)
    assert (tmp_path / "outside" / SESSION).is_file()


def test_deleting_takes_the_takes_own_files_only(tmp_path):
    folder = record(tmp_path / "one", formats=("bvh", "csv"))
    other = record(tmp_path / "two")
    (folder / "report.json").write_text("{}")
    (folder / "notes.txt").write_text("mine")
    files = TakeList(tmp_path)
    files.delete(folder)
    assert os.listdir(folder) == ["notes.txt"]
    assert [take.name for take in files.takes()] == ["two"]
    files.delete(other)
    assert not other.exists()
    with pytest.raises(RecordingError, match="take 'two' does not exist"):
        files.delete(other)


def test_a_take_in_use_is_not_deleted(tmp_path):
    folder = record(tmp_path / "one")
    with pytest.raises(RecordingError, match="one is being recorded or played"):
        TakeList(tmp_path).delete(folder, in_use=folder)
    assert (folder / SESSION).is_file()


# --- exports ----------------------------------------------------------------------------------------------------------

PLAIN = [name for name, exporter in EXPORTERS.items() if name not in ("fbx", "parquet") and not exporter.needs_images]


@pytest.mark.parametrize("name", PLAIN)
def test_every_format_can_be_exported(tmp_path, name):
    folder = record(tmp_path / "one")
    told = []
    path = export_take(folder, name, tmp_path / "out", AppConfig(), told.append)
    assert path == tmp_path / "out" / EXPORTERS[name].file
    assert path.stat().st_size > 100
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert os.listdir(folder) == [SESSION]  # the take is unchanged


def test_an_overlay_is_drawn_on_the_takes_own_video(tmp_path):
    import av

    folder = record(tmp_path / "one", formats=("frames",))
    path = export_take(folder, "overlay", tmp_path / "out", AppConfig())
    with av.open(str(path)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 31
    assert export_take(folder, "frames", tmp_path / "out2", AppConfig()) == folder / "frames.mp4"


def test_without_images_an_overlay_is_refused_in_the_pages_terms(tmp_path):
    folder = record(tmp_path / "one")
    with pytest.raises(RecordingError, match=r"video of this take is missing") as caught:
        export_take(folder, "overlay", tmp_path / "out", AppConfig())
    assert "--" not in str(caught.value)
    with pytest.raises(UnknownChoiceError):
        export_take(folder, "../../etc", tmp_path / "out", AppConfig())


def test_a_file_each_for_two_people_comes_as_one_zip(tmp_path):
    path = export_take(record(tmp_path / "one", two_people()), "bvh", tmp_path / "out", AppConfig())
    assert path.name == "motion_bvh.zip"
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["motion.bvh", "motion_2.bvh"]
        assert bvh.Bvh(archive.read("motion_2.bvh").decode()).nframes == 6


def finished(exports, folder, name):
    exports.request(folder, name, AppConfig())
    assert exports.wait(PATIENCE_S)
    return exports.state(folder, name)


def test_exports_are_made_in_the_background_once(tmp_path):
    folder, exports = record(tmp_path / "one"), Exports()
    assert exports.state(folder, "bvh") is None
    state = finished(exports, folder, "bvh")
    assert state.path.name == "motion.bvh"
    assert state.done == 1.0
    exports.request(folder, "bvh", AppConfig())
    assert exports.state(folder, "bvh") is state  # not again
    record(folder, make_clip(3))
    os.utime(folder / SESSION, ns=(1, 1))
    assert exports.state(folder, "bvh") is None  # that was of the earlier take
    exports.close()
    exports.close()
    assert not state.path.exists()


def test_a_failed_export_names_the_cause_and_can_be_retried(tmp_path, monkeypatch):
    folder, exports = record(tmp_path / "one"), Exports()
    state = finished(exports, folder, "overlay")
    assert "is missing" in state.failure
    go_on = threading.Event()
    monkeypatch.setattr(take_exports, "export_take", lambda *_: go_on.wait(PATIENCE_S) and folder / SESSION)
    exports.request(folder, "overlay", AppConfig())
    assert exports.state(folder, "overlay").failure == ""
    go_on.set()
    assert exports.wait(PATIENCE_S)
    assert exports.state(folder, "overlay").path == folder / SESSION
    exports.close()


def test_nothing_but_the_downloads_is_left_on_the_disk(tmp_path):
    folder, exports = record(tmp_path / "one", two_people()), Exports()
    path = finished(exports, folder, "bvh").path
    assert [p.name for p in path.parent.iterdir()] == ["motion_bvh.zip"]
    failing = Exports()
    finished(failing, folder, "overlay")
    assert list(Path(failing._folder.name).iterdir()) == []
    exports.close()
    failing.close()


def test_closing_gives_up_what_is_under_way(tmp_path):
    folder, exports = record(tmp_path / "one"), Exports()
    exports._closed = True
    exports._states[exports._key(folder, "bvh")] = state = take_exports_state()
    exports._make(exports._key(folder, "bvh"), tmp_path / "out", AppConfig())
    assert state.path is None
    assert exports.state(folder, "bvh").failure == "stopped"
    exports.close()


def take_exports_state():
    from realtime_pose.interface.dashboard.engine.takes.take_exports import ExportState

    return ExportState()


def test_its_stamps_change_with_each_new_grown_or_deleted_take(tmp_path):
    takes = TakeList(tmp_path / "takes")
    seen = [takes.stamps()]
    session = record(tmp_path / "takes" / "one") / SESSION
    seen.append(takes.stamps())
    session.write_bytes(session.read_bytes()[:-5])
    seen.append(takes.stamps())
    (tmp_path / "takes" / "one" / "mine.txt").write_text("of the user")
    takes.delete(session.parent)
    assert takes.stamps() == seen[0] == ()
    assert len({*seen}) == 3
