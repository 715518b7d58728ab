"""Resampling to a fixed rate, by way of BVH files."""

import bvh
import numpy as np
import pytest
from support.people import make_person, make_pose, make_result

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.bvh import BvhRecorder
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

S = 1_000_000_000


def record(path, results, fps=30.0):
    recorder = BvhRecorder(path, fps)
    for result in results:
        recorder.send(result)
    recorder.close()


def read(path):
    return bvh.Bvh(path.read_text())


@pytest.mark.parametrize(
    ("source_fps", "frames", "fps", "wanted"),
    [(30, 45, 30, 45), (25, 25, 25, 25), (29.97, 300, 29.97, 300), (60, 61, 30, 31), (15, 16, 30, 31), (30, 1, 30, 1)],
)
def test_an_even_clip_keeps_its_frame_count(tmp_path, source_fps, frames, fps, wanted):
    person = make_person(1)
    clip = [make_result([person], index=i, time_ns=int(i * 1e9 / source_fps)) for i in range(frames)]
    record(tmp_path / "motion.bvh", clip, fps)
    assert read(tmp_path / "motion.bvh").nframes == wanted


def test_uneven_times_are_resampled_where_they_belong(tmp_path):
    """A steady turn of the hips about y, seen at random times, is steady in the file."""
    rng = np.random.default_rng(3)
    times = np.sort(rng.integers(0, 2 * S, 50))
    times[0] = 0
    results = []
    for i, time_ns in enumerate(times.tolist()):
        base = make_pose(5)
        local = base.rotations.local_xyzw.copy()
        local[0] = rot.from_axis_angle([0, 1, 0], np.float64(2.0 * time_ns / S))
        pose = SkeletonPose(
            JointRotations(HUMANOID, as_float32(local)),
            as_float32([time_ns / S, 1, 0]),
            base.bone_m,
            base.score,
            0,
            time_ns,
        )
        results.append(make_result([make_person(5, pose=pose)], index=i, time_ns=time_ns))
    record(tmp_path / "motion.bvh", results)
    motion = read(tmp_path / "motion.bvh")
    inside = range(int(times[-1] * 30 // S))
    turned = [motion.frame_joint_channel(i, "hips", "Yrotation") for i in inside]
    moved = [motion.frame_joint_channel(i, "hips", "Xposition") for i in inside]
    np.testing.assert_allclose(turned, np.degrees(2.0) * np.array(inside) / 30, atol=0.02)
    np.testing.assert_allclose(moved, 100 * np.array(inside) / 30, atol=0.02)


def rows_of(path):
    """Number of lines, and the number that the header says."""
    head, motion = path.read_text().split("Frame Time:")
    return len(motion.splitlines()) - 1, int(head.split("Frames:")[1])


def walk(times_s, present=lambda t: True, track_id=0):
    person = make_person(1, track_id=track_id)
    return [
        make_result([person] if present(t) else [], index=i, time_ns=round(t * S), width=8, height=8)
        for i, t in enumerate(times_s)
    ]


def test_a_jump_of_ten_days_counts_as_two_seconds(tmp_path):
    """A file of 33 KB whose times jump made 25.9 million rows."""
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    for result in walk([0.0, 1.0, 1.0 + 864_000, 2.0 + 864_000]):
        recorder.send(result)
    recorder.close()
    assert rows_of(tmp_path / "motion.bvh") == (121, 121)
    (note,) = recorder.notes
    assert "a gap without frames, first 1.0 s after the start" in note
    assert "leave out 863998.0 s" in note


def test_a_long_absence_is_held_and_mentioned(tmp_path):
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    for result in walk(np.arange(0, 60, 0.5), lambda t: t < 5 or t >= 20):
        recorder.send(result)
    recorder.close()
    assert rows_of(tmp_path / "motion.bvh")[0] == 59.5 * 30 + 1
    assert recorder.notes == [
        "motion.bvh holds the last pose while the person is out of view for more than 2 s: once, for 15.5 s."
    ]


def test_passers_by_cost_what_they_show_and_a_note_says_when_they_come(tmp_path):
    """20 people in 10 minutes made 147 MB, as each file spanned the take."""
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    for number in range(20):
        for result in walk(np.arange(number * 30, number * 30 + 3, 1 / 30), track_id=number):
            recorder.send(result)
        for result in walk(np.arange(number * 30 + 3, number * 30 + 30, 1.0), lambda t: False):
            recorder.send(result)
    recorder.close()
    files = list(tmp_path.iterdir())
    assert len(files) == 20
    assert max(path.stat().st_size for path in files) < 100_000
    assert all(rows_of(path)[0] in (90, 91) for path in files)
    assert recorder.notes == [
        "Files that begin with their person, after the take's first frame: motion_1.bvh 30.00 s, motion_2.bvh 60.00 s, "
        "motion_3.bvh 90.00 s, and 16 more."
    ]


def test_a_file_ends_at_its_bound_of_rows_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_pose.exporters.even_rate.MAX_ROWS", 50)
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    for result in walk(np.arange(0, 4, 0.1)):
        recorder.send(result)
    recorder.close()
    assert rows_of(tmp_path / "motion.bvh") == (50, 50)
    assert recorder.notes == ["motion.bvh ends after 50 rows; the session has the rest."]


def test_times_that_stand_still_or_run_back_add_no_frames(tmp_path):
    person = make_person(1)
    times = [0, S // 30, S // 30, 0, 2 * S // 30]
    record(tmp_path / "motion.bvh", [make_result([person], index=i, time_ns=t) for i, t in enumerate(times)])
    assert read(tmp_path / "motion.bvh").nframes == 3


@pytest.mark.parametrize("fps", [-1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path, fps):
    with pytest.raises(ConfigError, match="is not a frame rate"):
        BvhRecorder(tmp_path / "motion.bvh", fps)


def test_a_person_who_is_found_in_the_second_frame_is_no_news(tmp_path):
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    for result in walk(np.arange(0, 2, 1 / 30), lambda t: t > 0.02):
        recorder.send(result)
    recorder.close()
    assert recorder.notes == []
