"""The pipeline's camera: a pose put back through it lies on its keypoints, and its angles have the facts' signs."""

import numpy as np
import pytest
from support.people import CAMERA, make_person
from support.tracks import INTRINSICS, camera

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.evaluation.footage.scene_camera import SceneCamera
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.utils.stopwatch import Stopwatch


def test_a_point_on_the_axis_is_in_the_middle_and_others_keep_their_sides():
    level = camera()
    assert np.allclose(level.project(np.array([0.0, 1.0, 0.0])), (640, 360))
    x, y = level.project(np.array([0.5, 1.5, 0.0]))
    assert (x, y) == pytest.approx((640 + 900 * 0.5 / 4, 360 - 900 * 0.5 / 4))


def test_angles_have_the_signs_of_facts():
    looks_down, leans = camera(pitch_deg=-20), camera(roll_deg=13)
    assert (looks_down.pitch_deg, looks_down.roll_deg) == pytest.approx((-20, 0), abs=1e-9)
    assert (leans.pitch_deg, leans.roll_deg) == pytest.approx((0, 13), abs=1e-9)
    # Looking down, the horizon is in the image's upper half; a world that leans right has its up to the right.
    assert looks_down.project(np.array([0.0, 1.0, -1e6]))[1] < 360
    foot, head = leans.project(np.array([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    assert head[0] > foot[0]


def test_headings_are_horizontal_whatever_the_pitch_and_roll():
    right, towards = camera(pitch_deg=-30, roll_deg=20).heading
    assert np.allclose(right, (1, 0, 0), atol=0.1)
    assert np.allclose(towards, (0, 0, 1), atol=0.2)
    assert abs(right @ towards) < 1e-9
    assert right[1] == towards[1] == 0


def test_a_point_behind_the_camera_stays_finite():
    assert np.isfinite(camera().project(np.array([0.0, 1.0, 9.0]))).all()


@pytest.mark.parametrize("pitch_deg", [0.0, 15.0])
def test_the_final_pose_projects_onto_the_lifted_one(pitch_deg):
    config = AppConfig().with_values(
        {"body": {"lifter": "geometric", "feet": "never", "smoothing": "none", "camera_pitch_deg": pitch_deg}}, "test"
    )
    body = build_body(config)
    keypoints = make_person(1).keypoints.sane()
    joints, pose = body.pose_of(keypoints, CAMERA, Stopwatch())
    bare: SkeletonPose = body.solver.solve(joints)  # in camera axes, from the camera
    seen = SceneCamera.of(body, CAMERA)
    before = SceneCamera(CAMERA, np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3)).project(forward_kinematics(bare))
    assert np.allclose(seen.project(forward_kinematics(pose)), before, atol=1.0)
    assert seen.pitch_deg == pytest.approx(-pitch_deg)


def test_without_filters_poses_are_in_camera_axes():
    seen = SceneCamera.of(build_body(AppConfig(), filtered=False), INTRINSICS)
    assert np.allclose(seen.position_m, 0)
    assert np.allclose(seen.up, (0, 1, 0))
