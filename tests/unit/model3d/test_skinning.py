"""Skinning: a mesh follows its joints, and points on one joint move as a rigid body."""

import numpy as np
import pytest

from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.model3d.skinning import skin, skin_matrices
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from tools.actor.body.measures import FIRST
from tools.actor.body.weights import MAX_JOINTS, joint_weights

J = len(HUMANOID.joints)


@pytest.fixture
def pose() -> np.ndarray:
    return rot.from_rotvec(np.random.default_rng(3).normal(0.0, 0.5, (J, 3)))


@pytest.fixture
def cloud() -> np.ndarray:
    return np.random.default_rng(4).uniform([-0.9, 0.0, -0.15], [0.9, 1.8, 0.2], (3000, 3))


def test_the_rest_pose_leaves_the_mesh_alone(cloud):
    still = np.tile(rot.IDENTITY_XYZW, (J, 1))
    matrices = skin_matrices(HUMANOID, still, FIRST.rest_joints_m[0], FIRST.bone_m, FIRST.rest_joints_m)
    points, normals = skin(cloud, rot.unit(cloud), joint_weights(cloud), matrices)
    np.testing.assert_allclose(points, cloud, atol=1e-12)
    np.testing.assert_allclose(normals, rot.unit(cloud), atol=1e-12)


def test_points_on_one_joint_move_with_it(pose):
    root = np.array([0.3, 1.0, -0.4])
    matrices = skin_matrices(HUMANOID, pose, root, FIRST.bone_m, FIRST.rest_joints_m)
    offset = np.array([0.01, -0.02, 0.05])
    points, normals = skin(FIRST.rest_joints_m + offset, np.tile([0.0, 0.0, 1.0], (J, 1)), np.eye(J), matrices)
    turned = global_rotations(HUMANOID, pose)
    expected = joint_positions(HUMANOID, pose, root, FIRST.bone_m) + rot.rotate(turned, offset)
    np.testing.assert_allclose(points, expected, atol=1e-12)
    np.testing.assert_allclose(normals, rot.rotate(turned, [0.0, 0.0, 1.0]), atol=1e-12)


def test_weights_are_few_whole_and_alike_on_both_sides(cloud):
    weights = joint_weights(cloud)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)
    assert weights.min() >= 0.0
    assert (weights > 0).sum(axis=1).max() <= MAX_JOINTS
    mirrored = joint_weights(cloud * [-1.0, 1.0, 1.0])[:, list(HUMANOID.mirror)]
    np.testing.assert_allclose(mirrored, weights, atol=1e-12)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((0.35, 1.44, 0.0), "leftUpperArm"), ((-0.60, 1.44, 0.0), "rightLowerArm"), ((0.82, 1.44, 0.03), "leftHand"),
        ((-0.10, 0.70, 0.05), "rightUpperLeg"), ((0.10, 0.30, 0.0), "leftLowerLeg"), ((0.10, 0.03, 0.15), "leftFoot"),
        ((0.0, 1.0, 0.1), "hips"), ((0.16, 1.33, 0.0), "chest"), ((0.0, 1.70, 0.08), "head"),
    ],
)  # fmt: skip
def test_a_limbs_middle_follows_its_own_joint(place, name):
    assert joint_weights(np.array([place]))[0, HUMANOID.index[name]] > 0.95


def test_weights_change_smoothly_over_the_body(cloud):
    slope = np.abs(joint_weights(cloud + np.array([1e-4, 0.0, 0.0])) - joint_weights(cloud)).max() / 1e-4
    assert slope < 40.0  # weights change over at least some centimetres


def test_an_elbow_bent_square_keeps_its_girth():
    ring = [
        (0.4747, 1.4441 + 0.04 * np.cos(a), 0.04 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ]
    bent = np.tile(rot.IDENTITY_XYZW, (J, 1))
    bent[HUMANOID.index["leftLowerArm"]] = rot.from_axis_angle([0.0, -1.0, 0.0], np.pi / 2)
    matrices = skin_matrices(HUMANOID, bent, FIRST.rest_joints_m[0], FIRST.bone_m, FIRST.rest_joints_m)
    points, _ = skin(ring, ring, joint_weights(np.array(ring)), matrices)
    assert np.ptp(points[:, 1]) == pytest.approx(0.08, abs=0.001)
    assert np.linalg.norm(points - FIRST.rest_joints_m[HUMANOID.index["leftLowerArm"]], axis=1).min() > 0.025
