"""Occluded joints: they are extrapolated, held, eased to rest, and come back without a pop."""

from dataclasses import replace

import numpy as np
import pytest
from support.bodies import human_local

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.occlusion import OcclusionFilter
from realtime_pose.skeletons import HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

ROW = HUMANOID.index
ARM = [ROW["leftUpperArm"], ROW["leftLowerArm"], ROW["leftHand"]]
FRAME_NS = 33_333_333


def pose(local, i, *, occluded=(), root_m=(0.0, 0.9, 0.0), frame_ns=FRAME_NS, time_ns=None):
    score = np.ones(17)
    score[list(occluded)] = 0
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(local)), as_float32(root_m), as_float32(HUMANOID.rest_bone_m),
        as_float32(score), 1, i * frame_ns if time_ns is None else time_ns,
    )  # fmt: skip


def turned(a, b):
    """Angles (J,) in degrees between two poses."""
    return np.degrees(rot.angle_between_rad(a.rotations.local_xyzw, b.rotations.local_xyzw))


def swinging(i, rate_hz=30.0):
    """A body whose left arm swings at 1 Hz."""
    local = human_local(3)
    swing = rot.from_axis_angle([0.0, 0.0, 1.0], np.array(0.6 * np.sin(2 * np.pi * i / rate_hz)))
    local[ARM[0]] = rot.multiply(swing, local[ARM[0]])
    return local


def test_visible_joints_pass_unchanged():
    occlusion = OcclusionFilter(BodyConfig())
    for i in range(30):
        given = pose(swinging(i), i)
        got = occlusion.apply(given)
        assert turned(got, given).max() < 0.1
        assert np.array_equal(got.root_m, given.root_m)


@pytest.mark.parametrize("occluded_s", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("elsewhere_deg", [40, 160])
def test_a_limb_that_returns_elsewhere_does_not_pop(occluded_s, elsewhere_deg):
    occlusion, config = OcclusionFilter(BodyConfig()), BodyConfig()
    others = [human_local(seed, reach=1.5) for seed in range(4, 300)]
    apart_deg = [np.degrees(rot.angle_between_rad(human_local(3)[ARM[0]], o[ARM[0]])) for o in others]
    there = others[int(np.argmin(np.abs(np.array(apart_deg) - elsewhere_deg)))]
    assert min(np.abs(np.array(apart_deg) - elsewhere_deg)) < 5
    gone, back = 30, 30 + round(occluded_s * 30)
    before, steps = None, []
    for i in range(back + 60):
        given = pose(human_local(3) if i < back else there, i, occluded=ARM if gone <= i < back else ())
        got = occlusion.apply(given)
        if before is not None:
            steps.append(turned(got, before)[ARM].max())
            assert np.all(np.sum(got.rotations.local_xyzw * before.rotations.local_xyzw, axis=-1) > 0)
        if i == back + round(0.5 * 30):
            assert turned(got, given).max() < 0.1  # half a second later it is as measured
        if gone <= i < gone + config.hold_s * 30 and i < back:
            assert turned(got, pose(human_local(3), i)).max() < 0.1  # held
        before = got
    assert max(steps) < 25.0


def test_an_occluded_joint_is_extrapolated_and_stops():
    occlusion = OcclusionFilter(BodyConfig())
    for i in range(31):  # occluded in the middle of its swing, at 216 degrees a second
        last = occlusion.apply(pose(swinging(i), i))
    path = [turned(occlusion.apply(pose(swinging(i), i, occluded=ARM)), last)[ARM[0]] for i in range(31, 46)]
    assert 3 < path[1] < 15
    assert path[-1] < 25  # never far
    assert path[-1] - path[-3] < 0.2  # and it stops


def test_a_joint_occluded_for_long_eases_to_rest_but_the_body_keeps_its_rotation():
    occlusion = OcclusionFilter(BodyConfig(hold_s=0.5, ease_s=0.3))
    local = human_local(3)
    local[0] = rot.from_axis_angle([0.0, 1.0, 0.0], np.array(np.pi))
    for i in range(150):
        got = occlusion.apply(pose(local, i, occluded=range(17) if i else ()))
    assert np.degrees(rot.angle_between_rad(got.rotations.local_xyzw[1:], RELAXED_XYZW[1:])).max() < 1.0
    assert np.degrees(rot.angle_between_rad(got.rotations.local_xyzw[0], local[0])) < 0.1
    assert np.all(got.score == 0)


def test_a_joint_that_flickers_is_followed():
    """A joint that is visible in every second frame only must not lag."""
    occlusion, far = OcclusionFilter(BodyConfig()), []
    for i in range(90):
        got = occlusion.apply(pose(swinging(i), i, occluded=ARM if i % 2 else ()))
        far.append(turned(got, pose(swinging(i), i))[ARM[0]])
    assert np.max(far[10:]) < 10.0


def test_at_two_frames_a_second_poses_pass_unchanged():
    occlusion = OcclusionFilter(BodyConfig())
    for i in range(12):
        given = pose(human_local(i), i, frame_ns=500_000_000)
        got = occlusion.apply(given)
    assert turned(got, given).max() < 0.5


def test_one_mistaken_frame_hardly_shows():
    occlusion, wrong = OcclusionFilter(BodyConfig()), human_local(3)
    wrong[ARM[0]] = rot.multiply(rot.from_axis_angle([1.0, 0.0, 0.0], np.array(2.0)), wrong[ARM[0]])
    for i in range(40):
        got = occlusion.apply(pose(wrong if i == 20 else human_local(3), i))
        assert turned(got, pose(human_local(3), i)).max() < 8.0


@pytest.mark.parametrize("away_ns", [10_000_000_000, -5_000_000_000, 0, 400_000_000])
def test_after_a_gap_the_pose_continues_from_the_last_output(away_ns):
    occlusion = OcclusionFilter(BodyConfig())
    for i in range(30):
        before = occlusion.apply(pose(human_local(3), i))
    turned_round = human_local(8)
    turned_round[0] = rot.from_axis_angle([0.0, 1.0, 0.0], np.array(2.8))
    start_ns = 29 * FRAME_NS + away_ns
    steps, moves = [], []
    for i in range(60):
        given = pose(turned_round, 0, root_m=(2.0, 0.9, 0.5), time_ns=start_ns + i * FRAME_NS)
        got = occlusion.apply(given)
        steps.append(turned(got, before).max())
        moves.append(np.linalg.norm(got.root_m - before.root_m))
        before = got
    assert max(steps) < 25.0
    assert max(moves) < 0.2  # metres a frame
    assert turned(got, given).max() < 0.1
    assert got.root_m == pytest.approx(given.root_m)


def test_after_a_gap_a_small_step_of_the_body_fades_as_well():
    occlusion = OcclusionFilter(BodyConfig())
    for i in range(10):
        occlusion.apply(pose(human_local(3), i))
    way = [
        occlusion.apply(pose(human_local(3), 0, root_m=(0.2, 0.9, 0.0), time_ns=2 * 10**9 + i * FRAME_NS)).root_m[0]
        for i in range(12)
    ]
    assert 0 < way[0] < 0.03
    assert np.diff(way).max() < 0.04
    assert way[-1] == pytest.approx(0.2)


def test_values_that_are_no_numbers_count_as_occluded():
    occlusion = OcclusionFilter(BodyConfig())
    first = occlusion.apply(pose(human_local(3), 0))
    bad = human_local(3)
    bad[ARM] = np.nan
    got = occlusion.apply(replace(pose(bad, 1), root_m=as_float32([np.nan, 0, 0])))
    assert turned(got, first).max() < 0.1
    assert np.array_equal(got.root_m, first.root_m)
    fresh = OcclusionFilter(BodyConfig()).apply(replace(pose(bad, 1), root_m=as_float32([np.inf, 0, 0])))
    assert np.isfinite(fresh.rotations.local_xyzw).all()
    assert np.isfinite(fresh.root_m).all()


def test_a_forgotten_person_starts_from_scratch():
    occlusion = OcclusionFilter(BodyConfig())
    occlusion.apply(pose(human_local(3), 0))
    occlusion.forget(1)
    given = pose(human_local(8), 1)
    assert turned(occlusion.apply(given), given).max() < 0.1
