"""Euler angles: scipy's meaning, gimbal lock, and no jumps."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from realtime_pose.utils.rotations import euler_zxy_deg


def test_angles_mean_what_scipy_means_by_intrinsic_zxy():
    q = Rotation.random(500, rng=1).as_quat()
    zxy = euler_zxy_deg(q)
    back = Rotation.from_euler("ZXY", zxy, degrees=True)
    assert np.max((back * Rotation.from_quat(q).inv()).magnitude()) < 1e-6


@pytest.mark.parametrize("x", [90.0, -90.0])
def test_at_the_gimbal_the_rotation_is_right_and_y_stays(x):
    q = Rotation.from_euler("ZXY", [[30.0, x, 50.0]], degrees=True).as_quat()
    before = np.array([[0.0, x, 20.0]])
    zxy = euler_zxy_deg(q, before)
    assert zxy[0, 2] == pytest.approx(20.0)
    back = Rotation.from_euler("ZXY", zxy, degrees=True)
    assert np.max((back * Rotation.from_quat(q).inv()).magnitude()) < 1e-4


def test_angles_do_not_jump_where_the_rotation_does_not():
    """Two turns about each axis, and a swing through x = 90 degrees as in a deep squat."""
    steps = np.linspace(0, 720, 721)
    for axis in range(3):
        turns = np.zeros((721, 3))
        turns[:, axis] = steps
        before = None
        for i, q in enumerate(Rotation.from_rotvec(turns, degrees=True).as_quat()):
            now = euler_zxy_deg(q, before)
            if before is not None:
                assert np.max(np.abs(now - before)) < 2.0, (axis, i)
            before = now
    before = None
    for x in np.linspace(-120, 120, 481):
        now = euler_zxy_deg(Rotation.from_euler("ZXY", [10, x, 20], degrees=True).as_quat(), before)
        if before is not None:
            assert np.max(np.abs(now - before)) < 1.0, x
        before = now
