"""Axes of other programs, as in the table of docs/conventions.md."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.rotations import assert_same_rotation, make_rotations, of_scipy

from realtime_pose.axes import (
    BLENDER,
    OPENSIM,
    UNITY,
    UNREAL,
    Axes,
    canonical_from_opencv,
    mirrored_positions,
    mirrored_rotations,
    opencv_from_canonical,
)
from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

J = len(HUMANOID.joints)
MIRROR = np.diag([-1.0, 1.0, 1.0])
BATCHES = pytest.mark.parametrize("batch", [(), (1,), (3, 24)], ids=str)


@pytest.mark.parametrize(
    ("opencv", "canonical"),
    [
        ((1, 0, 0), (1, 0, 0)),  # right in the image stays +X
        ((0, 1, 0), (0, -1, 0)),  # down in the image is -Y
        ((0, 0, 1), (0, 0, -1)),  # away from the camera is -Z, so a person who looks at it faces +Z
        ((1, 2, 3), (1, -2, -3)),
    ],
)
def test_opencvs_camera(opencv, canonical):
    assert canonical_from_opencv(opencv).tolist() == list(canonical)
    assert opencv_from_canonical(canonical).tolist() == list(opencv)


@BATCHES
def test_conversion_and_back_is_the_identity_without_mirroring(batch):
    points = np.random.default_rng(0).normal(size=(*batch, 3))
    assert np.array_equal(canonical_from_opencv(opencv_from_canonical(points)), points)
    assert np.linalg.det(canonical_from_opencv(np.eye(3))) == pytest.approx(1)  # both are right-handed


def test_rotations_in_opencv_agree_with_the_table():
    """(x, y, z, w) of OpenCV's camera is (x, -y, -z, w) here."""
    q, v = make_rotations((8,)), np.random.default_rng(1).normal(size=(8, 3))
    turned = canonical_from_opencv(rot.rotate(q, v))
    assert np.allclose(rot.rotate(q * [1, -1, -1, 1], canonical_from_opencv(v)), turned)


ENGINES = pytest.mark.parametrize(
    ("axes", "position", "rotation"),
    [
        (UNITY, (-1, 2, 3), (1, -2, -3, 4)),
        (UNREAL, (100, 300, 200), (-1, -3, -2, 4)),
        (BLENDER, (1, -3, 2), (1, -3, 2, 4)),
        (OPENSIM, (3, 2, -1), (3, 2, -1, 4)),
    ],
    ids=["Unity", "Unreal", "Blender", "OpenSim"],
)


@ENGINES
def test_engines_axes_are_those_of_the_table(axes, position, rotation):
    assert axes.positions((1, 2, 3)).tolist() == list(position)
    assert axes.rotations((1, 2, 3, 4)).tolist() == list(rotation)


@pytest.mark.parametrize("axes", [UNITY, UNREAL, BLENDER, OPENSIM, Axes((1, 2, 0), (1, -1, 1), 2.0)])
@BATCHES
def test_rotations_in_an_engine_move_points_as_they_do_here(axes, batch):
    q, v = make_rotations(batch), np.random.default_rng(1).normal(size=(*batch, 3))
    there = rot.rotate(axes.rotations(q), axes.positions(v))
    assert np.allclose(there, axes.positions(rot.rotate(q, v)), atol=1e-9)


@BATCHES
def test_mirroring_twice_is_the_identity(batch):
    points = np.random.default_rng(2).normal(size=(*batch, J, 3))
    local = make_rotations((*batch, J), 3)
    assert np.array_equal(mirrored_positions(HUMANOID, mirrored_positions(HUMANOID, points)), points)
    assert np.array_equal(mirrored_rotations(HUMANOID, mirrored_rotations(HUMANOID, local)), local)


@BATCHES
def test_mirrored_joints_are_the_joints_of_mirrored_rotations(batch):
    rng = np.random.default_rng(4)
    local, root = make_rotations((*batch, J), 5), rng.normal(size=(*batch, 3))
    bone = rng.uniform(0.1, 0.5, (*batch, J))
    joints = joint_positions(HUMANOID, local, root, bone)
    of_mirrored = joint_positions(
        HUMANOID, mirrored_rotations(HUMANOID, local), root * [-1, 1, 1], bone[..., HUMANOID.mirror]
    )
    assert np.allclose(of_mirrored, mirrored_positions(HUMANOID, joints), atol=1e-9)


def test_a_mirrored_rotation_is_the_rotation_between_mirrored_spaces():
    local = make_rotations((J,), 6)
    ours = of_scipy(global_rotations(HUMANOID, mirrored_rotations(HUMANOID, local))).as_matrix()
    theirs = MIRROR @ of_scipy(global_rotations(HUMANOID, local)).as_matrix()[list(HUMANOID.mirror)] @ MIRROR
    assert np.allclose(ours, theirs, atol=1e-9)


def test_a_raised_left_hand_is_the_right_one_when_mirrored():
    local = np.tile(rot.IDENTITY_XYZW, (J, 1))
    local[HUMANOID.index["leftUpperArm"]] = Rotation.from_euler("z", 80, degrees=True).as_quat()
    mirrored = mirrored_rotations(HUMANOID, local)
    expected = Rotation.from_euler("z", -80, degrees=True).as_quat()
    assert_same_rotation(mirrored[HUMANOID.index["rightUpperArm"]], expected)
    assert_same_rotation(mirrored[HUMANOID.index["leftUpperArm"]], rot.IDENTITY_XYZW)
    hand = joint_positions(HUMANOID, mirrored, np.zeros(3), HUMANOID.rest_bone_m)[HUMANOID.index["rightHand"]]
    assert hand[0] < 0
    assert hand[1] > 0.9


def test_inputs_stay_as_they_are():
    points = np.ones((J, 3), np.float32)
    points.flags.writeable = False
    assert mirrored_positions(HUMANOID, points).dtype == np.float64
    assert canonical_from_opencv(points)[0].tolist() == [1, -1, -1]
    assert (points == 1).all()
