"""Performances are reproducible, and their parts are correct."""

import numpy as np
import pytest

from realtime_pose.model3d.actor_truth import TRUTHS, load_truth
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from tools.actor.body.measures import FIRST, SECOND
from tools.actor.motion.curves import minimum_jerk, through
from tools.actor.motion.feet import Step, follow, footprint
from tools.actor.motion.legs import free_ankle, solve_leg
from tools.actor.motion.script import FLAT
from tools.actor.scene.clips import CLIPS
from tools.actor.scene.props import BALL_RADIUS_M, ball_path

BOTH = pytest.mark.parametrize("name", sorted(CLIPS))
BODIES = pytest.mark.parametrize("body", [FIRST, SECOND], ids=["first", "second"])


@BOTH
def test_the_default_seed_gives_the_shipped_truth_again(name):
    shipped, again = load_truth(name), CLIPS[name].truth(7)
    np.testing.assert_allclose(again.keypoints_m, shipped.keypoints_m, atol=1e-5)
    np.testing.assert_allclose(again.local_xyzw, shipped.local_xyzw, atol=1e-5)
    np.testing.assert_allclose(again.keypoints_px, shipped.keypoints_px, atol=0.01)
    np.testing.assert_allclose(again.camera_from_world, shipped.camera_from_world)
    np.testing.assert_array_equal(again.foot_contact, shipped.foot_contact)
    assert again.activity == shipped.activity
    assert again.intrinsics == shipped.intrinsics


def test_every_clip_has_a_truth_under_its_name():
    assert set(CLIPS) == set(TRUTHS)


@BOTH
def test_another_seed_moves_a_little_otherwise(name):
    apart = np.linalg.norm(CLIPS[name].truth(1).joints_m - CLIPS[name].truth(2).joints_m, axis=-1)
    assert 0.002 < apart.max() < 0.08


@BODIES
def test_an_actor_stands_on_its_soles_and_is_not_humanoid(body):
    assert body.rest_joint("leftFoot")[1] == pytest.approx(body.ankle_height_m)
    ratio = body.bone_m[1:] / (HUMANOID.rest_bone_m[1:] * body.height_m / REST_HEIGHT_M)
    of = {name: ratio[HUMANOID.index[name] - 1] for name in HUMANOID.joints[1:]}
    legs = (of["leftLowerLeg"] + of["leftFoot"]) / 2
    arms = (of["leftLowerArm"] + of["leftHand"]) / 2
    assert (legs, arms) == pytest.approx((1.02, 0.97) if body is FIRST else (0.953, 1.053), abs=0.01)


def test_the_second_actor_is_another_person():
    assert FIRST.height_m - SECOND.height_m > 0.10
    hips, shoulders = (HUMANOID.index[name] for name in ("leftUpperLeg", "leftUpperArm"))
    of_height = [body.bone_m[[hips, shoulders]] / body.height_m for body in (FIRST, SECOND)]
    assert of_height[1][0] > 1.2 * of_height[0][0]
    assert of_height[1][1] < 0.97 * of_height[0][1]


def test_the_second_camera_looks_down_from_another_place_through_another_lens():
    first, second = (load_truth(name) for name in ("actor", "actor-2"))
    assert first.camera_from_world[2, 1] == pytest.approx(0.0)
    down = np.degrees(np.arcsin(-second.camera_from_world[2, 1]))
    assert down == pytest.approx(CLIPS["actor-2"].camera.down_deg) == 8.0
    np.testing.assert_allclose(
        second.camera_from_world[:3, :3] @ second.camera_from_world[:3, :3].T, np.eye(3), atol=1e-12
    )
    assert np.linalg.det(second.camera_from_world[:3, :3]) == pytest.approx(1.0)
    ratio = [truth.intrinsics.width / truth.intrinsics.height for truth in (first, second)]
    assert ratio == pytest.approx([4 / 3, 16 / 9])
    assert second.intrinsics.fx / second.intrinsics.width < 0.8 * first.intrinsics.fx / first.intrinsics.width


def test_a_curve_meets_its_keys_and_stays_between_them():
    time_s = np.linspace(0, 3, 301)
    curve = through([(0.5, 1.0), (1.5, 3.0), (2.5, 3.0)], time_s, smooth_s=0.0)
    assert curve[[0, 50, 150, 250, 300]] == pytest.approx([1, 1, 3, 3, 3])
    assert curve.min() >= 1.0
    assert curve.max() <= 3.0
    assert np.diff(curve)[49:52].max() < 0.01  # leaves its first key smoothly


def test_a_reach_takes_off_and_lands_softly():
    u = minimum_jerk(np.array([-1.0, 0.0, 0.01, 0.5, 0.99, 1.0, 2.0]))
    assert u == pytest.approx([0, 0, 0, 0.5, 1, 1, 1], abs=1e-4)


@BODIES
def test_a_step_goes_from_print_to_print_and_lifts_the_foot_between(body):
    time_s = np.arange(60) / 30
    start, end = footprint("left", 0.0, 0.0, 0.0), footprint("left", 0.0, 0.5, 90.0)
    track = follow(body, start, [Step(0.6, 1.0, end)], FLAT, time_s)
    assert track.print_m[-1] == pytest.approx([0.0, 0.5 - 0.1])  # a body that faces left has its left foot behind it
    assert np.degrees(track.yaw_rad[[0, -1]]) == pytest.approx([6.0, 96.0])
    assert track.contact[:13].all()
    assert not track.contact[18:30].any()
    assert track.contact[-20:].all()
    assert track.ankle_m[track.contact, 1] == pytest.approx(body.ankle_height_m)
    assert track.ankle_m[:, 1].max() > body.ankle_height_m + 0.06


def test_a_raised_heel_rotates_the_foot_about_its_toes_and_ends_the_contact():
    time_s = np.arange(60) / 30
    track = follow(SECOND, footprint("right", 0.0, 0.0, 0.0), [], ((0.5, 0.0), (1.0, 30.0), (1.5, 0.0)), time_s)
    assert track.contact[[0, 14, 46, 59]].all()
    assert not track.contact[18:43].any()
    scale = SECOND.surface_scale[HUMANOID.index["rightFoot"]]
    toe = track.ankle_m + rot.rotate(track.rotation_xyzw, np.array([0.0, -FIRST.ankle_height_m, 0.165]) * scale)
    np.testing.assert_allclose(toe, np.tile(toe[0], (60, 1)), atol=1e-9)
    assert track.ankle_m[30, 1] > SECOND.ankle_height_m + 0.05


@BODIES
@pytest.mark.parametrize("yaw_deg", [0.0, 100.0, -170.0])
def test_a_leg_meets_its_ankle_with_the_knee_in_front(yaw_deg, body):
    yaw = np.full(5, np.radians(yaw_deg))
    upright = rot.from_axis_angle([0.0, 1.0, 0.0], yaw)
    hip = np.array([0.2, 0.95, -0.3])
    lift = np.radians([-25.0, 0.0, 20.0, 60.0, 80.0])
    ankle = free_ankle(body, np.tile(hip, (5, 1)), upright, lift, np.radians([70.0, 10.0, 40.0, 100.0, 15.0]))
    thigh, shank = solve_leg(body, np.tile(hip, (5, 1)), ankle, yaw)
    knee = hip - body.thigh_m * rot.rotate(thigh, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(knee - body.shank_m * rot.rotate(shank, [0.0, 1.0, 0.0]), ankle, atol=1e-9)
    raised = np.arcsin(np.sum((knee - hip) / body.thigh_m * rot.rotate(upright, [0.0, 0.0, 1.0]), axis=-1))
    np.testing.assert_allclose(raised, lift, atol=1e-6)


def test_the_ball_lies_then_is_held_then_flies_and_bounces():
    truth = load_truth("actor-2")
    wrist = truth.joints_m[:, HUMANOID.index["rightHand"]].astype(np.float64)
    ball = ball_path(262, 297, truth.fps, SECOND, truth.local_xyzw, truth.root_m)
    assert np.ptp(ball[:262], axis=0).max() == 0.0
    assert np.linalg.norm(np.diff(ball[260:298], axis=0), axis=1).max() < 0.2  # picked up and released without a jump
    assert np.linalg.norm(ball[262] - ball[261]) < 0.02
    held = np.linalg.norm(ball - wrist, axis=1)[262:297]
    assert np.ptp(held) < 1e-4
    assert held.max() < 0.14
    fall = np.diff(ball[297:303, 1], n=2) * truth.fps**2
    np.testing.assert_allclose(fall, -9.81, atol=1e-6)
    assert ball[:, 1].min() >= BALL_RADIUS_M - 1e-9
    assert ball[297:, 1].argmin() < 200
    assert np.diff(ball[297:, 1]).max() > 0.0
