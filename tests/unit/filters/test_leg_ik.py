import numpy as np
import pytest
from support.bodies import human_local
from support.people import make_pose

from realtime_pose.datatypes import JointRotations
from realtime_pose.filters.leg_ik import FOOT, legs_of, local_rotations, reach, rotate_foot
from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import as_float32


def pose_of(seed):
    from dataclasses import replace

    return replace(make_pose(seed), rotations=JointRotations(HUMANOID, as_float32(human_local(seed, reach=0.3))))


def violation_rad(leg, side):
    names = [f"{('left', 'right')[side]}{joint}" for joint in ("UpperLeg", "LowerLeg", "Foot")]
    return [JOINT_LIMITS[n].violation_rad(turn) for n, turn in zip(names, local_rotations(leg), strict=True)]


@pytest.mark.parametrize("seed", range(5))
def test_legs_are_where_forward_kinematics_has_them(seed):
    pose = pose_of(seed)
    joints = forward_kinematics(pose) - pose.root_m
    turned = global_rotations(HUMANOID, pose.rotations.local_xyzw)
    for leg, row in zip(legs_of(pose), FOOT, strict=True):
        assert leg.ankle_m == pytest.approx(joints[row], abs=1e-5)
        assert leg.hip_m == pytest.approx(joints[row - 2], abs=1e-5)
        assert rot.angle_between_rad(leg.foot, turned[row]) < 1e-3
    local = pose.rotations.local_xyzw
    for leg, row in zip(legs_of(pose), FOOT, strict=True):
        for turn, joint in zip(local_rotations(leg), (row - 2, row - 1, row), strict=True):
            assert rot.angle_between_rad(turn, local[joint]) < 1e-3


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("side", [0, 1])
def test_an_ankle_within_reach_comes_to_its_target_within_the_joint_limits(seed, side):
    leg = legs_of(pose_of(seed))[side]
    away = np.random.default_rng(seed).normal(size=3) * 0.04
    goal = vec.add(leg.ankle_m, tuple(away.tolist()))
    if vec.norm(vec.sub(goal, leg.hip_m)) > leg.max_reach_m:
        goal = vec.add_scaled(leg.hip_m, vec.sub(leg.ankle_m, leg.hip_m), 0.9)
    moved = reach(leg, side, goal)
    assert max(violation_rad(moved, side)[:2]) < 1e-6
    assert vec.norm(vec.sub(moved.ankle_m, goal)) < 0.03
    assert moved.hip_m == leg.hip_m


def test_most_ankles_reach_their_targets_exactly():
    missed = []
    for seed in range(40):
        for side, leg in enumerate(legs_of(pose_of(seed))):
            goal = vec.add_scaled(leg.hip_m, vec.sub(leg.ankle_m, leg.hip_m), 0.95)
            missed.append(vec.norm(vec.sub(reach(leg, side, goal).ankle_m, goal)))
    assert np.median(missed) < 1e-6


@pytest.mark.parametrize("goal", [(0.1, -0.6, -0.9), (-0.9, 0.2, 0.0), (0.1, 0.6, 0.0), (0.1, -0.01, 0.0)])
def test_joint_limits_win_over_unreachable_targets(goal):
    leg = legs_of(pose_of(1))[0]
    moved = reach(leg, 0, goal)
    assert max(violation_rad(moved, 0)[:2]) < 1e-6


def test_out_of_reach_the_leg_is_straight_towards_the_target():
    leg = legs_of(pose_of(1))[0]
    goal = vec.add(leg.hip_m, (0.0, -2.0, 0.3))
    moved = reach(leg, 0, goal)
    way = vec.sub(moved.ankle_m, moved.hip_m)
    assert vec.norm(way) == pytest.approx(leg.max_reach_m, abs=1e-6)
    assert vec.angle_rad(way, vec.sub(goal, leg.hip_m)) < 0.02


def test_a_foot_rotates_within_the_limits_of_its_ankle():
    leg = legs_of(pose_of(2))[0]
    near = vec.multiply(leg.shank, vec.from_axis_angle(vec.X, 0.3))
    assert vec.angle_between_rad(rotate_foot(leg, 0, near).foot, near) < 1e-6
    far = rotate_foot(leg, 0, vec.multiply(leg.shank, vec.from_axis_angle(vec.X, 2.5)))
    assert violation_rad(far, 0)[2] < 1e-6
