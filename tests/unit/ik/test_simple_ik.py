import numpy as np
import pytest
from support.bodies import POINT_OF, human_local, joints_of

from realtime_pose.datatypes import Joints3D
from realtime_pose.ik.base import BodyConfig
from realtime_pose.ik.limits import LIMB_LIMITS
from realtime_pose.ik.simple_ik import RELAXED_XYZW, SimpleIKSolver
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

ROW = HUMANOID.index
FRAME_NS = 33_333_333


def solver():
    return SimpleIKSolver(BodyConfig())


def distances_m(pose, joints):
    """How far each limb joint is from the point that it was solved for."""
    found = forward_kinematics(pose) - pose.root_m
    return np.array([np.linalg.norm(found[ROW[j]] - joints.xyz_m[COCO17.index[p]]) for p, j in POINT_OF.items()])


def test_poses_inside_the_limits_are_met():
    away = []
    for seed in range(40):
        joints = joints_of(human_local(seed))
        away.append(distances_m(solver().solve(joints), joints))
    assert np.median(away) < 0.002
    assert np.percentile(away, 95) < 0.02


def test_the_rest_pose_gives_identity_rotations():
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    pose = solver().solve(joints_of(local))
    assert np.degrees(rot.angle_between_rad(pose.rotations.local_xyzw, local)).max() < 0.5


def test_rotations_themselves_are_recovered():
    """Not only places: the spin of bent limbs comes from the plane of their bend."""
    for seed in range(20):
        local = human_local(seed)
        pose = solver().solve(joints_of(local))
        for joint in LIMB_LIMITS:
            bend = np.linalg.norm(rot.to_rotvec(local[ROW[joint] + 1]))
            if bend > 0.7:
                angle = rot.angle_between_rad(local[ROW[joint]], pose.rotations.local_xyzw[ROW[joint]])
                assert np.degrees(angle) < 3.0, (seed, joint)


def test_answers_stay_inside_the_limits_whatever_comes():
    rng = np.random.default_rng(5)
    for _ in range(60):
        joints = Joints3D(
            COCO17, as_float32(rng.normal(size=(17, 3)) * 0.5), as_float32([0, 0, -3]), as_float32(np.ones(17)), 1, 0
        )
        local = solver().solve(joints).rotations.local_xyzw.astype(float)
        assert np.allclose(np.linalg.norm(local, axis=-1), 1.0, atol=1e-5)
        for joint, limits in LIMB_LIMITS.items():
            bend = float(rot.to_rotvec(local[ROW[joint] + 1]) @ limits.hinge_axis)
            assert limits.offence_rad(local[ROW[joint]], bend) < 1e-3, joint


def test_a_knee_that_seems_to_bend_backwards_is_bent_forwards_by_ikpy():
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    joints = joints_of(local)
    xyz = joints.xyz_m.copy()
    knee, ankle, hip = (COCO17.index[f"left_{p}"] for p in ("knee", "ankle", "hip"))
    xyz[knee] = xyz[hip] + [0.0, -0.36, -0.20]
    xyz[ankle] = xyz[hip] + [0.0, -0.72, 0.0]
    body = solver()
    pose = body.solve(Joints3D(COCO17, xyz, joints.root_m, joints.score, 1, 0))
    found = forward_kinematics(pose) - pose.root_m
    assert np.linalg.norm(found[ROW["leftFoot"]] - xyz[ankle]) < 0.05
    hips_to_foot = (found[ROW["leftUpperLeg"]] + found[ROW["leftFoot"]]) / 2
    assert found[ROW["leftLowerLeg"]][2] > hips_to_foot[2]  # the knee is in front


def test_no_sign_flips_and_no_jumps_along_a_smooth_motion():
    start, end = human_local(1), human_local(2)
    body, before = solver(), None
    for i in range(90):
        local = rot.slerp(start, end, np.full(17, i / 89))
        pose = body.solve(joints_of(local, time_ns=i * FRAME_NS))
        got = pose.rotations.local_xyzw.astype(float)
        if before is not None:
            assert np.all(np.sum(got * before, axis=-1) > 0)
            assert np.degrees(rot.angle_between_rad(got, before)).max() < 60
        before = got


def test_hidden_joints_hold_then_ease_to_rest():
    config = BodyConfig(hold_s=0.5, ease_s=0.3)
    body = SimpleIKSolver(config)
    local = human_local(3)
    seen = body.solve(joints_of(local, time_ns=0)).rotations.local_xyzw.astype(float)
    score = np.ones(17)
    score[[COCO17.index["left_elbow"], COCO17.index["left_wrist"]]] = 0
    arm = [ROW["leftUpperArm"], ROW["leftLowerArm"]]
    for i in range(1, 150):
        pose = body.solve(joints_of(local, time_ns=i * FRAME_NS, score=score))
        got = pose.rotations.local_xyzw.astype(float)
        if i * FRAME_NS < 0.5e9:
            assert np.allclose(got[arm], seen[arm], atol=1e-5)
    assert np.all(pose.score[arm] == 0)
    assert np.degrees(rot.angle_between_rad(got[arm], RELAXED_XYZW[arm])).max() < 1.0
    assert np.degrees(rot.angle_between_rad(got[ROW["rightUpperArm"]], seen[ROW["rightUpperArm"]])) < 1.0


def test_nobody_seen_is_a_body_at_ease():
    joints = joints_of(human_local(0), score=np.zeros(17))
    pose = solver().solve(joints)
    assert np.allclose(pose.rotations.local_xyzw, RELAXED_XYZW, atol=1e-6)
    assert not pose.score.any()


def test_a_seen_upper_body_alone_turns_the_hips_with_it():
    local = human_local(4)
    score = np.ones(17)
    score[[COCO17.index[n] for n in COCO17.names if n.split("_")[-1] in ("hip", "knee", "ankle")]] = 0
    pose = solver().solve(joints_of(local, score=score))
    turned = rot.rotate(pose.rotations.local_xyzw[0], [0.0, 0.0, 1.0])
    truth = rot.rotate(local[0], [0.0, 0.0, 1.0])
    assert pose.score[ROW["hips"]] > 0  # they follow the chest, and are not held
    assert pose.score[ROW["leftUpperLeg"]] == 0
    assert abs(np.arctan2(turned[0], turned[2]) - np.arctan2(truth[0], truth[2])) < 0.2


@pytest.mark.parametrize("hidden", [["left_hip", "right_hip"], ["left_hip"]])
def test_a_body_cut_off_by_a_desk_keeps_its_turn_and_its_hands(hidden):
    local = RELAXED_XYZW.copy()
    local[0] = rot.from_axis_angle([0.0, 1.0, 0.0], np.array(np.radians(50)))
    score = np.ones(17)
    score[COCO17.rows([*hidden, "left_knee", "right_knee", "left_ankle", "right_ankle"])] = 0
    joints = joints_of(local, score=score)
    body = solver()
    for i in range(60):  # long enough for held joints to have eased to rest
        pose = body.solve(joints_of(local, score=score, time_ns=i * FRAME_NS))
    assert np.degrees(rot.angle_between_rad(pose.rotations.local_xyzw[0], local[0])) < 3
    hand = forward_kinematics(pose)[ROW["leftHand"]] - pose.root_m
    assert np.linalg.norm(hand - joints.xyz_m[COCO17.index["left_wrist"]]) < 0.02


def test_a_straight_limb_too_short_for_its_bones_still_reaches():
    joints = joints_of(np.tile(rot.IDENTITY_XYZW, (17, 1)))
    xyz = joints.xyz_m.copy()
    hip, knee, ankle = (COCO17.index[f"left_{p}"] for p in ("hip", "knee", "ankle"))
    xyz[knee], xyz[ankle] = xyz[hip] + [0, -0.40, 0], xyz[hip] + [0, -0.80, 0]
    pose = solver().solve(Joints3D(COCO17, xyz, joints.root_m, joints.score, 1, 0))
    found = forward_kinematics(pose) - pose.root_m
    assert np.linalg.norm(found[ROW["leftFoot"]] - xyz[ankle]) < 0.005
    assert found[ROW["leftLowerLeg"]][2] > 0.02  # and the knee bends to the front


def test_bone_lengths_follow_body_height():
    tall = SimpleIKSolver(BodyConfig(height_m=2.04)).solve(joints_of(human_local(0)))
    assert tall.bone_m == pytest.approx(HUMANOID.rest_bone_m * 1.2, rel=1e-5)


def test_time_that_runs_backwards_starts_the_person_anew():
    body = solver()
    body.solve(joints_of(human_local(1), time_ns=10**9))
    again = body.solve(joints_of(human_local(2), time_ns=0)).rotations.local_xyzw
    assert np.allclose(np.abs(again), np.abs(solver().solve(joints_of(human_local(2))).rotations.local_xyzw), atol=1e-6)
