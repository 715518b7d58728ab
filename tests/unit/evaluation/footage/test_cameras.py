"""The directions in a camera are the image's; a pose put back through the pipeline's lies where it was lifted."""

import numpy as np
import pytest
from support.people import CAMERA, make_person
from support.tracks import camera

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import SceneCamera
from realtime_pose.evaluation.footage.cameras import depth_m, heading_of, up_of
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.utils.stopwatch import Stopwatch


def test_up_leans_as_the_image_shows_it():
    assert np.allclose(up_of(camera()), (0, 1, 0))
    assert up_of(camera(pitch_deg=-20)) == pytest.approx((0, np.cos(np.radians(20)), np.sin(np.radians(20))))
    leans = camera(roll_deg=13)
    assert up_of(leans)[0] == pytest.approx(np.sin(np.radians(13)))
    foot, head = leans.project(np.array([[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))
    assert head[0] > foot[0]


def test_depth_is_along_the_cameras_axis():
    assert depth_m(camera(position_m=(0, 1, 4)), np.array([2.0, 1.0, 1.0])) == pytest.approx(3)
    assert depth_m(camera(pitch_deg=-90, position_m=(0, 5, 0)), np.array([2.0, 1.0, 1.0])) == pytest.approx(4)


def test_headings_are_horizontal_whatever_the_pitch_and_roll():
    right, towards = heading_of(camera(pitch_deg=-30, roll_deg=20))
    assert np.allclose(right, (1, 0, 0), atol=0.1)
    assert np.allclose(towards, (0, 0, 1), atol=0.2)
    assert abs(right @ towards) < 1e-9
    assert right[1] == towards[1] == 0


@pytest.mark.parametrize("pitch_deg", [0.0, 15.0])
def test_the_final_pose_projects_onto_the_lifted_one(pitch_deg):
    config = AppConfig().with_values(
        {"body": {"lifter": "geometric", "feet": "never", "smoothing": "none", "camera_pitch_deg": pitch_deg}}, "test"
    )
    body = build_body(config)
    joints, pose = body.pose_of(make_person(1).keypoints.sane(), CAMERA, Stopwatch())
    bare = body.solver.solve(joints)  # in camera axes, from the camera
    at_origin = SceneCamera(CAMERA.fov_deg, CAMERA.width, CAMERA.height, np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))
    seen = body.filters.floor.camera(CAMERA)
    assert np.allclose(seen.project(forward_kinematics(pose)), at_origin.project(forward_kinematics(bare)), atol=1.0)
    assert seen.pitch_deg == pytest.approx(pitch_deg)
