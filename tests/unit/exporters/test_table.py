"""Table of exporters: names, files, and bounded memory."""

import re
import shutil
import tracemalloc

import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.errors import RecordingError, UnknownChoiceError
from realtime_pose.exporters import joint_tables as tables
from realtime_pose.exporters.table import (
    DEFAULT_FORMATS,
    EXPORTERS,
    TakeInfo,
    is_file_of_format,
    open_exporters,
    parse_formats,
)
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder


def test_formats_are_named_once_in_the_tables_order():
    assert parse_formats(" csv, bvh,csv ,") == ("bvh", "csv")
    assert parse_formats("BVH,Csv") == ("bvh", "csv")
    assert parse_formats("") == ()
    assert set(parse_formats(DEFAULT_FORMATS)) == {"overlay", "bvh", "glb", "easy-vitpose", "csv"}


def test_a_format_that_there_is_not_lists_those_there_are():
    with pytest.raises(UnknownChoiceError, match=r"format='vbh' is not one of: bvh, coco, csv"):
        parse_formats("csv,vbh")


def test_every_format_has_a_file_of_its_own():
    files = [exporter.file for exporter in EXPORTERS.values()]
    assert len(set(files)) == len(files)
    assert all(exporter.what and not exporter.what.endswith(".") for exporter in EXPORTERS.values())


def test_files_of_further_people_belong_to_a_take_too(tmp_path):
    assert is_file_of_format(tmp_path / "motion_12.bvh", ["bvh"])
    assert is_file_of_format(tmp_path / "motion.bvh", EXPORTERS)
    assert not is_file_of_format(tmp_path / "motion_12.bvh", ["csv"])
    assert not is_file_of_format(tmp_path / "motion_mine.bvh", EXPORTERS)
    assert not is_file_of_format(tmp_path / "my_motion.bvh", EXPORTERS)


def test_opened_exporters_are_closed_if_a_later_one_fails(tmp_path):
    (tmp_path / "motion.bvh").mkdir()
    (tmp_path / "keypoints.json").mkdir()
    with pytest.raises(RecordingError, match=r"keypoints\.json"):
        open_exporters(["csv", "easy-vitpose"], tmp_path, TakeInfo())


def take_of(folder, frames):
    """A session of any length of one moving person: the same second repeated."""
    clip = make_clip(30)
    recorder = SessionRecorder(folder / "session.rtpose", {})
    for i in range(frames):
        recorder.send(make_result(clip[i % 30].people, index=i, time_ns=round(i * 1e9 / 30)))
    recorder.close()
    return read_session(folder / "session.rtpose")


@pytest.mark.parametrize("name", [name for name, exporter in EXPORTERS.items() if not exporter.needs_images])
def test_an_exporter_keeps_no_take_in_memory(tmp_path, name, monkeypatch):
    if name == "fbx" and shutil.which("blender"):
        pytest.skip("its poses go the way of glb's, and Blender takes seconds")
    if name == "fbx":
        pytest.skip("FBX needs Blender")
    if name == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    monkeypatch.setattr(tables, "_ROWS_PER_GROUP", 50)  # each group adds 2 kB to the file's footer
    session = take_of(tmp_path, 400)
    (sink,) = open_exporters([name], tmp_path, TakeInfo(30.0))
    frames = iter(session.frames())
    for _ in range(100):
        sink.send(next(frames))
    tracemalloc.start()
    sizes = []
    for count, result in enumerate(frames):
        sink.send(result)
        if count % 100 == 99:
            del result
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    sink.close()
    # A pose alone is 500 bytes and more, a line of text 400: a hundred of them in memory would be 40 kB.
    assert sizes[-1] - sizes[0] < 20_000, sizes


def test_every_person_is_named_in_the_file_that_is_theirs(tmp_path):
    people = [make_person(1, track_id=3), make_person(2, track_id=8)]
    names = [n for n in ("bvh", "csv", "trc", "mot", "glb", "vrma") if n in EXPORTERS]
    for sink in open_exporters(names, tmp_path, TakeInfo(30.0)):
        for i in range(3):
            sink.send(make_result(people, index=i, time_ns=i * 33_333_333))
        sink.close()
    for name in names:
        stem, _, suffix = EXPORTERS[name].file.partition(".")
        assert {p.name for p in tmp_path.iterdir() if re.fullmatch(rf"{stem}(_8)?\.{suffix}", p.name)} == {
            f"{stem}.{suffix}", f"{stem}_8.{suffix}",
        }  # fmt: skip
