"""3D error measures on data with known errors."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.rotations import make_rotations

from realtime_pose.evaluation.errors3d import (
    acceleration_m_s2,
    aligned_by_similarity,
    bone_drift_percent,
    foot_slide_cm_s,
    jitter_ratio,
    joint_angle_error_deg,
    lag_ms,
    largest_jump_deg,
    mpjpe_mm,
    scaled_as_one,
    scaled_by_frame,
)
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import HUMANOID, LIMB_JOINTS
from realtime_pose.utils import rotations as rot

T, J = 6, 12
MIRROR = np.array([-1.0, 1.0, 1.0])


def make_points(seed=0):
    return np.random.default_rng(seed).normal(size=(T, J, 3))


def similar(points, seed=1):
    """Each frame transformed by its own random similarity."""
    rng = np.random.default_rng(seed)
    turn = Rotation.random(T, rng=rng).as_matrix()
    scale = rng.uniform(0.3, 3.0, T)
    return scale[:, None, None] * (points @ turn.transpose(0, 2, 1)) + rng.normal(size=(T, 1, 3)) * 5


def test_limb_joints_are_the_twelve():
    assert len(set(LIMB_JOINTS)) == 12
    assert set(LIMB_JOINTS) < set(HUMANOID.joints)
    assert {HUMANOID.joints[HUMANOID.mirror[HUMANOID.index[name]]] for name in LIMB_JOINTS} == set(LIMB_JOINTS)
    assert not {"hips", "spine", "chest", "neck", "head"} & set(LIMB_JOINTS)


def test_mpjpe_of_a_known_offset():
    truth = make_points()
    assert mpjpe_mm(truth, truth) == 0
    assert mpjpe_mm(truth + np.array([0.003, 0.0, -0.004]), truth) == pytest.approx(5.0)
    one_joint = truth.copy()
    one_joint[:, 0, 1] += 0.012
    assert mpjpe_mm(one_joint, truth) == pytest.approx(12.0 / J)  # a mean of distances, not of squares


def test_alignment_undoes_any_similarity_frame_by_frame():
    truth = make_points()
    assert np.allclose(aligned_by_similarity(similar(truth), truth), truth, atol=1e-9)
    assert np.allclose(aligned_by_similarity(truth, truth), truth, atol=1e-12)


def test_alignment_is_the_least_squares_one():
    truth = make_points(2)
    prediction = similar(truth + np.random.default_rng(3).normal(size=truth.shape) * 0.1)
    aligned = aligned_by_similarity(prediction, truth)
    best = ((aligned - truth) ** 2).sum()
    rng = np.random.default_rng(4)
    for _ in range(50):
        turn = Rotation.from_rotvec(rng.normal(size=3) * 0.01).as_matrix()
        nudged = aligned @ turn.T * (1 + rng.normal() * 0.01) + rng.normal(size=3) * 0.01
        assert ((nudged - truth) ** 2).sum() > best
    # independent: scipy's rotation of the centred points, and the scale from their projections
    for a, b, got in zip(prediction, truth, aligned, strict=True):
        a0, b0 = a - a.mean(0), b - b.mean(0)
        turn = Rotation.align_vectors(b0, a0)[0]
        turned = turn.apply(a0)
        assert np.allclose(got, turned * (turned * b0).sum() / (a0**2).sum() + b.mean(0))


def test_a_reflection_is_never_used():
    truth = make_points(5)
    aligned = aligned_by_similarity(truth * MIRROR, truth)
    assert mpjpe_mm(aligned, truth) > 200  # a mirrored body is not the same body
    centred, wanted = aligned - aligned.mean(1, keepdims=True), truth - truth.mean(1, keepdims=True)
    for scale in (0.95, 1.05):  # its scale is still the best one
        assert ((scale * centred - wanted) ** 2).sum() > ((centred - wanted) ** 2).sum()
    # the result is the rotated prediction, so it keeps the prediction's handedness
    answer_side = np.linalg.det((truth * MIRROR)[:, 1:4] - (truth * MIRROR)[:, :1])
    aligned_side = np.linalg.det(aligned[:, 1:4] - aligned[:, :1])
    assert (np.sign(answer_side) == np.sign(aligned_side)).all()


@pytest.mark.parametrize("flat", ["plane", "line", "point"])
def test_flat_bodies_can_be_aligned(flat):
    keep = {"plane": [1, 1, 0], "line": [1, 0, 0], "point": [0, 0, 0]}[flat]
    truth = make_points(6) * keep
    assert np.allclose(aligned_by_similarity(similar(truth), truth), truth, atol=1e-6)


def test_angles_are_between_rotations_whatever_their_sign():
    truth = make_rotations((T, J), 7)
    off = rot.multiply(truth, rot.from_axis_angle([0, 1, 0], np.radians(10)))
    assert joint_angle_error_deg(-off, truth) == pytest.approx(10)
    off[:, 0] = truth[:, 0]
    assert joint_angle_error_deg(off, truth) == pytest.approx(10 * (J - 1) / J)


def test_bones_that_keep_their_length_do_not_drift():
    local, root = make_rotations((30, 17), 8), np.random.default_rng(9).normal(size=(30, 3))
    joints = joint_positions(HUMANOID, local, root, HUMANOID.rest_bone_m)
    assert bone_drift_percent(HUMANOID, joints) == pytest.approx(0, abs=1e-9)
    # one of the sixteen alternates between 90 % and 110 % of its length: a deviation of 10 %
    bone = np.tile(HUMANOID.rest_bone_m, (30, 1))
    bone[:, HUMANOID.index["leftHand"]] *= np.tile([0.9, 1.1], 15)
    assert bone_drift_percent(HUMANOID, joint_positions(HUMANOID, local, root, bone)) == pytest.approx(10 / 16)


def test_only_standing_feet_slide_and_only_along_the_floor():
    ankles = np.zeros((5, 2, 3))
    ankles[:, 0, 0] = np.arange(5) * 0.003  # left: 3 and 4 mm per frame sideways and forward
    ankles[:, 0, 2] = np.arange(5) * 0.004
    ankles[:, 0, 1] = np.arange(5) * 0.5  # vertical motion does not count
    ankles[:, 1, 0] = np.arange(5) * 9.0  # right: in the air all the time
    contact = np.tile([True, False], (5, 1))
    assert foot_slide_cm_s(ankles, contact, fps=30.0) == pytest.approx(0.5 * 30)
    assert foot_slide_cm_s(ankles, np.zeros((5, 2), bool), 30.0) == 0.0


def test_the_step_into_contact_is_no_slide():
    ankles = np.zeros((4, 2, 3))
    ankles[1:, :, 0] = 1.0  # both feet jump by a metre between the first two frames
    contact = np.ones((4, 2), bool)
    contact[0] = False
    assert foot_slide_cm_s(ankles, contact, 30.0) == 0.0


def test_jitter_is_acceleration_over_the_truths():
    t = np.linspace(0, 1, 40)[:, None, None]
    truth = t**2 * np.ones((1, J, 3))  # a constant acceleration
    assert jitter_ratio(truth, truth) == pytest.approx(1)
    assert jitter_ratio(truth * 3 + t * 50 + 7, truth) == pytest.approx(3)  # constant velocity is no jitter
    shaking = truth + 0.01 * (-1.0) ** np.arange(40)[:, None, None]
    assert jitter_ratio(shaking, truth) > 10
    assert np.isfinite(jitter_ratio(truth, np.zeros_like(truth)))


def test_one_scale_for_all_or_one_a_frame():
    truth = make_points(10)
    assert np.allclose(scaled_as_one(truth * 0.4, truth), truth)
    sizes = np.linspace(0.5, 2, T)[:, None, None]
    assert np.allclose(scaled_by_frame(truth * sizes, truth), truth)
    assert not np.allclose(scaled_as_one(truth * sizes, truth), truth, atol=0.1)
    assert np.isfinite(scaled_by_frame(truth * 0, truth)).all()


def test_acceleration_is_per_second():
    t = np.arange(10)[:, None, None] / 25.0
    joints = 0.5 * 3.0 * t**2 * np.array([0.0, 1.0, 0.0]) + 4 * t
    assert np.allclose(acceleration_m_s2(joints, fps=25.0), 3.0)
    assert acceleration_m_s2(joints[:1], 25.0).shape == (0, 1)


def wave(shift_s=0.0, seconds=4.0, fps=30.0):
    t = np.arange(round(seconds * fps))[:, None, None] / fps - shift_s
    return np.sin(2 * np.pi * np.array([0.5, 1.3, 0.8]) * t) + 0.2 * np.cos(7 * t)


@pytest.mark.parametrize("late_s", [0.0, 0.05, 0.1, 0.215, -0.07])
def test_lag_is_found_between_frames_too(late_s):
    rng = np.random.default_rng(0)
    prediction = wave(late_s) + 0.3 + rng.normal(0, 0.002, wave().shape)  # a constant error is no lag
    assert lag_ms(prediction, wave(), 30.0) == pytest.approx(late_s * 1e3, abs=5)


def test_no_motion_has_no_lag():
    assert np.isnan(lag_ms(np.zeros((30, 1, 3)), wave(seconds=1.0), 30.0))
    assert lag_ms(wave(0.9), wave(), 30.0) <= 400  # limited by the search range


def test_the_largest_jump_is_between_neighbours():
    local = np.tile(rot.IDENTITY_XYZW, (5, 3, 1))
    local[2:, 1] = rot.from_axis_angle([0, 0, 1], np.radians(50))
    local[4:, 0] = -rot.from_axis_angle([1, 0, 0], np.radians(20))
    assert largest_jump_deg(local) == pytest.approx(50)
    assert largest_jump_deg(local[:1]) == 0
