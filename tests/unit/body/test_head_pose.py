"""Head orientation from face points, in the image and in 3D."""

import numpy as np
import pytest

from realtime_pose.body.head_pose import FACE_TEMPLATE_M, fit_head_rotation, head_rotation
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec


@pytest.mark.parametrize("turn_deg", [(0, 0, 0), (0, 40, 0), (25, 0, 0), (-15, -50, 10)])
def test_the_head_orientation_is_found(turn_deg):
    turn = rot.from_rotvec(np.radians(turn_deg))
    seen = rot.rotate(turn, FACE_TEMPLATE_M)[:, :2] + [0.3, 1.5]
    found = head_rotation(seen, [1.0] * 5, rot.IDENTITY_XYZW)
    assert np.degrees(rot.angle_between_rad(found, turn)) < 12


def face_of(turn_xyzw, weights=(1.0,) * 5):
    """Points of a head 3 m away, their place in the template, and their weights."""
    points = rot.rotate(turn_xyzw, FACE_TEMPLATE_M) + np.array([0.1, 0.2, -3.0])
    face = zip(points.tolist(), FACE_TEMPLATE_M.tolist(), weights, strict=True)
    return [(tuple(point), tuple(template), weight) for point, template, weight in face if weight > 0]


@pytest.mark.parametrize("turn_deg", [(0, 0, 0), (0, 70, 0), (40, -30, 20)])
def test_3d_points_give_the_orientation(turn_deg):
    turn = rot.from_rotvec(np.radians(turn_deg))
    assert np.degrees(rot.angle_between_rad(fit_head_rotation(face_of(turn), vec.IDENTITY_XYZW), turn)) < 4


def test_the_prior_decides_what_two_points_leave_open():
    """Both ears fix all but the pitch, which follows the chest."""
    chest = vec.from_axis_angle(vec.X, 0.4)
    ears = face_of(np.array(chest), weights=(0, 0, 0, 1.0, 1.0))
    assert vec.angle_between_rad(fit_head_rotation(ears, chest), chest) < 1e-3
