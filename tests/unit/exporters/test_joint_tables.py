"""joints.csv and joints.parquet, read by other libraries and compared with the input."""

import contextlib
import csv
import sys

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.body.joint_angles import ANGLES
from realtime_pose.errors import MissingPackageError, RecordingError
from realtime_pose.exporters import joint_tables as tables
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID

pq = pytest.importorskip("pyarrow.parquet", reason="Parquet needs pyarrow")


def record(folder, formats, results):
    for sink in open_exporters(formats, folder, TakeInfo(30.0)):
        for result in results:
            sink.send(result)
        sink.close()


def read_csv(path):
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def read_parquet(path):
    return pq.read_table(path).to_pylist()


@pytest.mark.parametrize(("name", "read"), [("csv", read_csv), ("parquet", read_parquet)])
def test_a_row_holds_a_pose_at_its_own_time(tmp_path, name, read):
    clip = make_clip(9, fps=23.976)
    record(tmp_path, [name], clip)
    rows = read(tmp_path / f"joints.{name}")
    assert len(rows) == 9
    for row, result in zip(rows, clip, strict=True):
        pose = result.people[0].pose
        assert row["frame"] == result.frame.index
        assert row["time_s"] == pytest.approx(result.frame.time_ns / 1e9, abs=1e-6)
        for joint, place, turn, score in zip(
            HUMANOID.joints, forward_kinematics(pose), pose.rotations.local_xyzw, pose.score, strict=True
        ):
            assert [row[f"{joint}_{axis}_m"] for axis in "xyz"] == pytest.approx(place, abs=6e-6)
            assert [row[f"{joint}_q{part}"] for part in "xyzw"] == pytest.approx(turn, abs=6e-6)
            assert row[f"{joint}_score"] == pytest.approx(score, abs=6e-6)
        assert all(abs(row[f"{angle}_deg"]) < 360 for angle in ANGLES)
    assert len(rows[0]) == 2 + 17 * 8 + len(ANGLES)


def test_both_forms_have_the_same_values(tmp_path):
    record(tmp_path, ["csv", "parquet"], make_clip(5))
    for a, b in zip(read_csv(tmp_path / "joints.csv"), read_parquet(tmp_path / "joints.parquet"), strict=True):
        assert a == pytest.approx(b, abs=2e-5)


@pytest.mark.parametrize(("name", "read"), [("csv", read_csv), ("parquet", read_parquet)])
def test_each_person_has_a_file_with_the_frames_they_were_seen_in(tmp_path, name, read):
    one, other, ghost = make_person(1, track_id=4), make_person(2, track_id=9), make_person(3, with_pose=False)
    seen = [[one], [one, other], [], [other], [ghost]]
    record(tmp_path, [name], [make_result(p, index=i, time_ns=i * 10**8) for i, p in enumerate(seen)])
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"joints.{name}", f"joints_9.{name}"]
    assert [row["frame"] for row in read(tmp_path / f"joints.{name}")] == [0, 1]
    assert [row["frame"] for row in read(tmp_path / f"joints_9.{name}")] == [1, 3]


def test_parquet_of_more_rows_than_a_group_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_ROWS_PER_GROUP", 100)
    person = make_person(1)
    record(tmp_path, ["parquet"], [make_result([person], index=i) for i in range(234)])
    assert pq.read_table(tmp_path / "joints.parquet")["frame"].to_pylist() == list(range(234))


def test_without_pyarrow_the_error_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPackageError, match=r'^Parquet needs pyarrow; .*pip install "realtime-pose\[parquet\]"$'):
        open_exporters(["csv", "parquet"], tmp_path, TakeInfo())


def test_a_full_disk_is_reported_and_the_csv_so_far_stays_readable(tmp_path, monkeypatch):
    resource = pytest.importorskip("resource", reason="only POSIX systems limit the size of files")
    monkeypatch.setattr(tables, "_ROWS_PER_GROUP", 10)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name in ("csv", "parquet"):
        (sink,) = open_exporters([name], tmp_path, TakeInfo())
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))
        try:
            with pytest.raises(RecordingError, match="free some space there"):  # noqa: PT012 - some frame or the end
                for result in make_clip(200):
                    sink.send(result)
                sink.close()
            with contextlib.suppress(RecordingError):
                sink.close()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    rows = read_csv(tmp_path / "joints.csv")
    assert [row["frame"] for row in rows] == list(range(len(rows)))
    assert len(rows) > 20


def test_angles_of_a_row_are_finite_for_any_pose(tmp_path):
    record(tmp_path, ["csv"], [make_result([make_person(i)], index=i) for i in range(50)])
    assert all(np.isfinite(list(row.values())).all() for row in read_csv(tmp_path / "joints.csv"))
