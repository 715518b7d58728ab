"""Calibration pose: which bodies stand upright facing the camera, and the lengths they show."""

from dataclasses import replace

import numpy as np
import pytest
from support.bodies import keypoints_of, points_of, turned_about_vertical
from support.people import CAMERA

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.body.standing_pose import faces_upright, flat_joints
from realtime_pose.datatypes import Joints3D
from realtime_pose.skeletons import COCO17, HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

ROOT_M = (0.0, 0.0, -3.0)


def joints_at(points_m, root_m=ROOT_M):
    """Perfectly lifted points (17, 3), given from the camera."""
    score = as_float32(np.ones(len(points_m)))
    return Joints3D(COCO17, as_float32(points_m - np.asarray(root_m)), as_float32(root_m), score, 1, 0)


def standing(yaw_deg=0.0, **turned_deg):
    local = turned_about_vertical(RELAXED_XYZW, yaw_deg)
    for joint, degrees in turned_deg.items():
        local[HUMANOID.index[joint]] = rot.from_axis_angle([1.0, 0.0, 0.0], np.array(np.radians(degrees)))
    return points_of(local, root_m=ROOT_M)


@pytest.mark.parametrize(("yaw_deg", "faces"), [(0, True), (20, True), (45, False), (180, False)])
def test_only_a_body_that_faces_the_camera_counts(yaw_deg, faces):
    assert faces_upright(joints_at(standing(yaw_deg)), 0.0) is faces


@pytest.mark.parametrize("turned_deg", [{"leftLowerLeg": 50}, {"rightUpperLeg": -60}, {"hips": 40}])
def test_a_bent_body_does_not_count(turned_deg):
    assert not faces_upright(joints_at(standing(**turned_deg)), 0.0)


def test_the_cameras_pitch_is_taken_out():
    """Seen by a camera that looks 30 degrees down, an upright body seems to lean."""
    tilt = rot.from_axis_angle([1.0, 0.0, 0.0], np.array(np.radians(30)))
    seen = joints_at(rot.rotate(tilt, standing()), rot.rotate(tilt, ROOT_M))
    assert faces_upright(seen, np.radians(30))
    assert not faces_upright(joints_at(rot.rotate(rot.multiply(tilt, tilt), standing())), 0.0)


def test_lengths_are_the_bodys_whatever_depth_was_lifted():
    body = BodyDimensions.of_height(1.70)
    points = standing()
    lifted = joints_at(points)
    wrong = lifted.xyz_m.copy()
    wrong[COCO17.rows(["left_shoulder", "right_shoulder"]), 2] += 0.3
    flat = flat_joints(keypoints_of(points), CAMERA, replace(lifted, xyz_m=as_float32(wrong)), body, 0.0)
    at = {name: flat.xyz_m[row].astype(float) for name, row in COCO17.index.items()}
    assert np.linalg.norm(at["left_shoulder"] - at["right_shoulder"]) == pytest.approx(body.shoulder_width, rel=0.03)
    assert np.linalg.norm(at["left_hip"] - at["left_knee"]) == pytest.approx(body.thigh, rel=0.03)
    assert flat.root_m == pytest.approx(ROOT_M, abs=0.1)
