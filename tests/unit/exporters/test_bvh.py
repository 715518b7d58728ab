"""motion.bvh, read by another library, with the test's own forward kinematics."""

import bvh
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.people import make_clip, make_person, make_pose, make_result

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.bvh import BvhRecorder
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

S = 1_000_000_000


def record(path, results, fps=30.0):
    recorder = BvhRecorder(path, fps)
    for result in results:
        recorder.send(result)
    recorder.close()


def read(path):
    return bvh.Bvh(path.read_text())


def positions_m(motion, frame):
    """Joint positions by name, in metres, from the file alone."""
    at = {}

    def walk(node, turned, place):
        name = node.name
        offset = np.array(motion.joint_offset(name))
        channels = motion.joint_channels(name)
        values = dict(zip(channels, motion.frame_joint_channels(frame, name, channels), strict=True))
        moved = np.array([values.get(f"{axis}position", 0.0) for axis in "XYZ"])
        here = place + turned.apply(offset) + moved
        turns = [c[0] for c in channels if c.endswith("rotation")]
        turned = turned * Rotation.from_euler("".join(turns), [values[f"{t}rotation"] for t in turns], degrees=True)
        at[name] = here / 100
        for child in node.filter("JOINT"):
            walk(child, turned, here)

    walk(next(iter(motion.root.filter("ROOT"))), Rotation.identity(), np.zeros(3))
    return at


def test_another_reader_finds_the_same_joints_at_the_same_places(tmp_path):
    clip = make_clip(40)
    record(tmp_path / "motion.bvh", clip)
    motion = read(tmp_path / "motion.bvh")
    assert motion.nframes == 40
    assert motion.frame_time == pytest.approx(1 / 30, abs=1e-6)
    assert motion.get_joints_names() == list(HUMANOID.joints)
    for frame in (0, 1, 17, 39):
        places = positions_m(motion, frame)
        truth = forward_kinematics(clip[frame].people[0].pose)
        for row, name in enumerate(HUMANOID.joints):
            assert np.linalg.norm(places[name] - truth[row]) < 1e-3, name


def test_the_rest_pose_is_a_t_pose_that_faces_plus_z_with_y_up(tmp_path):
    pose = SkeletonPose(
        JointRotations(HUMANOID, as_float32(np.tile([0, 0, 0, 1], (17, 1)))),
        as_float32([0, 0.9, 0]),
        as_float32(HUMANOID.rest_bone_m * 1.1),
        np.ones(17, np.float32),
        0,
        0,
    )
    record(tmp_path / "motion.bvh", [make_result([make_person(0, pose=pose)])])
    motion = read(tmp_path / "motion.bvh")
    places = positions_m(motion, 0)
    assert places["hips"] == pytest.approx([0, 0.9, 0])
    assert places["head"][1] > places["hips"][1] > places["leftFoot"][1]
    assert places["leftHand"][0] > 0.5
    assert places["rightHand"][0] < -0.5
    text = (tmp_path / "motion.bvh").read_text()
    ends = text.split("End Site")[1:]
    assert len(ends) == 5
    left_toe = [float(v) for v in ends[3].split("OFFSET")[1].split()[:3]]
    assert left_toe == pytest.approx([0, -5.5, 15])  # the toes point to +Z: the direction it faces
    assert motion.joint_offset("hips") == (0, 0, 0)
    assert motion.joint_offset("leftLowerArm") == pytest.approx((0.29 * 110, 0, 0), abs=1e-3)
    assert motion.joint_channels("hips") == [
        "Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation",
    ]  # fmt: skip
    assert motion.joint_channels("spine") == ["Zrotation", "Xrotation", "Yrotation"]


def test_a_file_spans_the_persons_presence_and_holds_their_pose_in_between(tmp_path):
    clip = make_clip(60)
    nobody = [make_result(index=r.frame.index, time_ns=r.frame.time_ns) for r in clip]
    results = nobody[:20] + clip[20:30] + nobody[30:40] + clip[40:50] + nobody[50:]
    record(tmp_path / "motion.bvh", results)
    motion = read(tmp_path / "motion.bvh")
    assert motion.nframes == 30

    def differs(frame, truth):
        places, wanted = positions_m(motion, frame), forward_kinematics(clip[truth].people[0].pose)
        return max(np.linalg.norm(places[name] - wanted[row]) for row, name in enumerate(HUMANOID.joints))

    for frame, shows in [(0, 20), (9, 29), (10, 29), (19, 29), (20, 40), (29, 49)]:
        assert differs(frame, shows) < 1e-3, frame


def test_each_person_has_a_file_as_long_as_their_presence(tmp_path):
    results = []
    for i in range(30):
        people = [make_person(7, track_id=7)] if i < 25 else []
        people += [make_person(3, track_id=3)] if i >= 10 else []
        results.append(make_result(people, index=i, time_ns=i * S // 30))
    record(tmp_path / "motion.bvh", results)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["motion.bvh", "motion_3.bvh"]
    assert [read(p).nframes for p in sorted(tmp_path.iterdir())] == [25, 20]
    hips = positions_m(read(tmp_path / "motion.bvh"), 0)["hips"]
    np.testing.assert_allclose(hips, make_pose(7).root_m, atol=1e-5)


def test_a_take_without_people_leaves_no_file(tmp_path):
    record(tmp_path / "motion.bvh", [make_result(), make_result([make_person(1, with_pose=False)])])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_gets_a_plain_sentence(tmp_path):
    recorder = BvhRecorder(tmp_path / "none" / "motion.bvh")
    with pytest.raises(RecordingError, match="cannot write"):
        recorder.send(make_result([make_person(1)]))
    recorder.close()


@pytest.mark.parametrize("frames", [1, 12])
def test_blanks_are_single_and_lines_end_without_one(tmp_path, frames):
    """bvhTools and bvhsdk split at each blank."""
    recorder = BvhRecorder(tmp_path / "motion.bvh", 30)
    for result in make_clip(frames):
        recorder.send(result)
    recorder.close()
    lines = (tmp_path / "motion.bvh").read_text().splitlines()
    for line in lines:
        assert line == line.rstrip()
        assert "" not in line.strip().split(" ")
    assert f"Frames: {frames}" in lines
