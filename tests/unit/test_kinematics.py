"""Forward kinematics against an independent one with scipy's rotations."""

import gc
import sys
import threading

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.people import make_pose
from support.rotations import assert_same_rotation, make_rotations

from realtime_pose import kinematics
from realtime_pose.kinematics import (
    forward_kinematics,
    global_pose_of,
    global_rotations,
    joint_positions,
    local_rotations,
)
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

J = len(HUMANOID.joints)
GLOBAL_POSE = kinematics.global_pose
BATCHES = pytest.mark.parametrize("batch", [(), (1,), (3, 24)], ids=str)


def walk(local, root, bone):
    """One pose's joint positions and rotations by 4x4 matrices, joint by joint."""
    turn = np.zeros((J, 4, 4))
    for j, (name, parent) in enumerate(zip(HUMANOID.joints, HUMANOID.parents, strict=True)):
        own = np.eye(4)
        own[:3, :3] = Rotation.from_quat(local[j]).as_matrix()
        rest = HUMANOID.rest_offset_m[j]
        own[:3, 3] = root if name == "hips" else rest / np.linalg.norm(rest) * bone[j]
        turn[j] = own if parent < 0 else turn[parent] @ own
    return turn[:, :3, 3], turn[:, :3, :3]


def make_input(batch, seed=0):
    rng = np.random.default_rng(seed)
    return make_rotations((*batch, J), seed), rng.normal(size=(*batch, 3)), rng.uniform(0.1, 0.5, (*batch, J))


@BATCHES
def test_positions_and_rotations_are_those_of_an_independent_traversal(batch):
    local, root, bone = make_input(batch)
    joints, turned = joint_positions(HUMANOID, local, root, bone), global_rotations(HUMANOID, local)
    assert joints.shape == (*batch, J, 3)
    assert turned.shape == (*batch, J, 4)
    for i in np.ndindex(*batch):
        positions, matrices = walk(local[i], root[i], bone[i])
        assert np.allclose(joints[i], positions, atol=1e-9)
        assert np.allclose(rot.to_matrix(turned[i]), matrices, atol=1e-9)


@BATCHES
def test_local_and_global_are_inverses(batch):
    local, _, _ = make_input(batch, 1)
    assert_same_rotation(local_rotations(HUMANOID, global_rotations(HUMANOID, local)), local)
    assert_same_rotation(global_rotations(HUMANOID, local_rotations(HUMANOID, local)), local)


def test_bones_keep_the_lengths_that_were_given():
    local, root, bone = make_input((5,), 2)
    joints = joint_positions(HUMANOID, local, root, bone)
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, HUMANOID.parents[1:]], axis=-1)
    assert np.allclose(lengths, bone[:, 1:])
    assert np.allclose(joints[:, 0], root)


def test_one_body_may_serve_many_frames():
    local, root, bone = make_input((4,), 3)
    shared = joint_positions(HUMANOID, local, root, bone[0])
    assert np.allclose(shared, joint_positions(HUMANOID, local, root, np.broadcast_to(bone[0], (4, J))))


def test_a_rotation_moves_only_the_joints_below_it():
    local = np.tile(rot.IDENTITY_XYZW, (J, 1))
    rest = joint_positions(HUMANOID, local, np.zeros(3), HUMANOID.rest_bone_m)
    local[HUMANOID.index["leftUpperArm"]] = rot.from_axis_angle([0, 0, 1], -np.pi / 2)  # the left arm hangs down
    joints = joint_positions(HUMANOID, local, np.zeros(3), HUMANOID.rest_bone_m)
    moved = {HUMANOID.joints[j] for j in np.flatnonzero(np.abs(joints - rest).max(axis=-1) > 1e-9)}
    assert moved == {"leftLowerArm", "leftHand"}
    shoulder, hand = joints[HUMANOID.index["leftUpperArm"]], joints[HUMANOID.index["leftHand"]]
    assert np.allclose(hand - shoulder, [0, -0.54, 0])


def test_a_whole_body_turn_carries_everything_along():
    local, root, bone = make_input((), 4)
    turn = rot.from_axis_angle([0, 1, 0], 1.0)
    before = joint_positions(HUMANOID, local, root, bone)
    local[0] = rot.multiply(turn, local[0])
    assert np.allclose(joint_positions(HUMANOID, local, root, bone) - root, rot.rotate(turn, before - root))


def test_inputs_stay_as_they_are():
    given = make_input((2,), 5)
    kept = [array.copy() for array in given]
    joint_positions(HUMANOID, *given)
    local_rotations(HUMANOID, given[0])
    assert all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))


def test_a_poses_joints():
    pose = make_pose(6)
    joints = forward_kinematics(pose)
    assert joints.dtype == np.float64
    assert np.allclose(joints, walk(pose.rotations.local_xyzw, pose.root_m, pose.bone_m)[0], atol=1e-6)


def test_a_poses_joints_are_a_new_array():
    pose = make_pose(7)
    kept = forward_kinematics(pose)
    forward_kinematics(pose)[:] = 0.0
    assert np.array_equal(forward_kinematics(pose), kept)
    with pytest.raises(ValueError, match="read-only"):
        global_pose_of(pose).joints_m[0] = 0.0


def test_a_poses_forward_kinematics_is_computed_once(monkeypatch):
    computed = []
    monkeypatch.setattr(kinematics, "global_pose", lambda *given: (computed.append(given), GLOBAL_POSE(*given))[1])
    people = [make_pose(seed) for seed in range(20, 26)]
    for _ in ("udp", "csv", "overlay"):
        for pose in people:
            assert np.allclose(global_pose_of(pose).global_xyzw, global_rotations(HUMANOID, pose.rotations.local_xyzw))
    assert len(computed) == len(people)


def test_only_the_latest_poses_are_kept():
    gc.collect()
    first = make_pose(30)
    unused = sys.getrefcount(first)
    global_pose_of(first)
    assert sys.getrefcount(first) > unused
    for seed in range(100):
        global_pose_of(make_pose(seed))
    assert sys.getrefcount(first) == unused


def test_threads_share_the_latest_poses():
    poses = [make_pose(seed) for seed in range(50)]
    wanted = [joint_positions(HUMANOID, pose.rotations.local_xyzw, pose.root_m, pose.bone_m) for pose in poses]
    wrong = []

    def ask():
        for _ in range(5):
            wrong.extend(i for i, pose in enumerate(poses) if not np.array_equal(forward_kinematics(pose), wanted[i]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
