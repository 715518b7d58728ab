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


def test_an_hour_of_absence_is_written_in_bounded_pieces(tmp_path):
    recorder = BvhRecorder(tmp_path / "motion.bvh")
    recorder.send(make_result([make_person(1)]))
    recorder.send(make_result(index=1, time_ns=300 * S))
    recorder.send(make_result([make_person(1)], index=2, time_ns=300 * S + S // 30))
    recorder.close()
    assert (tmp_path / "motion.bvh").read_text().count("\n") > 9000
    lines = (tmp_path / "motion.bvh").read_text().split("Frame Time:")[1].splitlines()[1:]
    assert len(lines) == 9002


def test_times_that_stand_still_or_run_back_add_no_frames(tmp_path):
    person = make_person(1)
    times = [0, S // 30, S // 30, 0, 2 * S // 30]
    record(tmp_path / "motion.bvh", [make_result([person], index=i, time_ns=t) for i, t in enumerate(times)])
    assert read(tmp_path / "motion.bvh").nframes == 3


@pytest.mark.parametrize("fps", [-1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(tmp_path, fps):
    with pytest.raises(ConfigError, match="is not a frame rate"):
        BvhRecorder(tmp_path / "motion.bvh", fps)
