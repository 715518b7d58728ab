"""The performance can be made again, and its building blocks do what they say."""

import numpy as np
import pytest

from realtime_pose.model3d.actor.curves import minimum_jerk, through
from realtime_pose.model3d.actor.feet import Step, follow, footprint
from realtime_pose.model3d.actor.film import truth_of
from realtime_pose.model3d.actor.legs import SHANK_M, THIGH_M, bend, free_ankle
from realtime_pose.model3d.actor.measures import ANKLE_HEIGHT_M, HEIGHT_M, REST_JOINTS_M
from realtime_pose.model3d.actor.motion import perform
from realtime_pose.model3d.actor.truth import load_truth
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.paths import data_path


def test_the_default_seed_gives_the_shipped_truth_again():
    shipped, again = load_truth(data_path("resources/videos/default_truth.npz")), truth_of(perform(7))
    np.testing.assert_allclose(again.keypoints_m, shipped.keypoints_m, atol=1e-5)
    np.testing.assert_allclose(again.local_xyzw, shipped.local_xyzw, atol=1e-5)
    np.testing.assert_allclose(again.keypoints_px, shipped.keypoints_px, atol=0.01)
    np.testing.assert_allclose(again.camera_from_world, shipped.camera_from_world)
    np.testing.assert_array_equal(again.foot_contact, shipped.foot_contact)


def test_another_seed_moves_a_little_otherwise():
    apart = np.linalg.norm(truth_of(perform(1)).joints_m - truth_of(perform(2)).joints_m, axis=-1)
    assert 0.002 < apart.max() < 0.08


def test_the_actor_stands_on_its_soles_and_is_not_humanoid():
    assert REST_JOINTS_M[HUMANOID.index["leftFoot"], 1] == pytest.approx(ANKLE_HEIGHT_M)
    scaled = HUMANOID.rest_offset_m[0, 1] * HEIGHT_M / 1.70
    assert REST_JOINTS_M[0, 1] > scaled + 0.01


def test_a_curve_meets_its_keys_and_stays_between_them():
    time_s = np.linspace(0, 3, 301)
    curve = through([(0.5, 1.0), (1.5, 3.0), (2.5, 3.0)], time_s, soften_s=0.0)
    assert curve[[0, 50, 150, 250, 300]] == pytest.approx([1, 1, 3, 3, 3])
    assert curve.min() >= 1.0
    assert curve.max() <= 3.0
    assert np.diff(curve)[49:52].max() < 0.01  # leaves its first key without a jerk


def test_a_reach_takes_off_and_lands_softly():
    u = minimum_jerk(np.array([-1.0, 0.0, 0.01, 0.5, 0.99, 1.0, 2.0]))
    assert u == pytest.approx([0, 0, 0, 0.5, 1, 1, 1], abs=1e-4)


def test_a_step_goes_from_print_to_print_and_lifts_the_foot_between():
    time_s = np.arange(60) / 30
    start, end = footprint("left", 0.0, 0.0, 0.0), footprint("left", 0.0, 0.5, 90.0)
    track = follow(start, [Step(0.6, 1.0, end)], time_s)
    assert track.print_m[-1] == pytest.approx([0.0, 0.5 - 0.1])  # a body that faces left has its left foot behind it
    assert np.degrees(track.yaw_rad[[0, -1]]) == pytest.approx([6.0, 96.0])
    assert track.contact[:13].all()
    assert not track.contact[18:30].any()
    assert track.contact[-20:].all()
    assert track.ankle_m[track.contact, 1] == pytest.approx(ANKLE_HEIGHT_M)
    assert track.ankle_m[:, 1].max() > ANKLE_HEIGHT_M + 0.06


@pytest.mark.parametrize("yaw_deg", [0.0, 100.0, -170.0])
def test_a_leg_meets_its_ankle_with_the_knee_in_front(yaw_deg):
    yaw = np.full(5, np.radians(yaw_deg))
    body = rot.from_axis_angle([0.0, 1.0, 0.0], yaw)
    hip = np.array([0.2, 0.95, -0.3])
    lift = np.radians([-25.0, 0.0, 20.0, 60.0, 80.0])
    ankle = free_ankle(np.tile(hip, (5, 1)), body, lift, np.radians([70.0, 10.0, 40.0, 100.0, 15.0]))
    thigh, shank = bend(np.tile(hip, (5, 1)), ankle, yaw)
    knee = hip - THIGH_M * rot.rotate(thigh, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(knee - SHANK_M * rot.rotate(shank, [0.0, 1.0, 0.0]), ankle, atol=1e-9)
    raised = np.arcsin(np.sum((knee - hip) / THIGH_M * rot.rotate(body, [0.0, 0.0, 1.0]), axis=-1))
    np.testing.assert_allclose(raised, lift, atol=1e-6)
