"""Rotations against scipy, over batch shapes, near the identity and at half turns."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp
from support.rotations import BATCHES, assert_same_rotation, make_rotations, make_rotvecs, of_scipy

from realtime_pose.utils import rotations as rot

X, Y, Z = np.eye(3)
every_batch = pytest.mark.parametrize("batch", BATCHES, ids=str)


def make_directions(batch=(), seed=0):
    v = np.random.default_rng(seed).normal(size=(*batch, 3))
    return v / np.linalg.norm(v, axis=-1, keepdims=True)


def quat(rotation, batch):
    return rotation.as_quat().reshape(*batch, 4)


# --- the helper itself --------------------------------------------------------------------------------------------


def test_the_comparison_can_fail_and_ignores_the_sign():
    q = make_rotations((24,))
    assert_same_rotation(q, -q)
    for other in (rot.inverse(q), q * 1.01, rot.multiply(q, rot.from_rotvec([2e-7, 0, 0])), q[:1]):
        with pytest.raises(AssertionError):
            assert_same_rotation(q, other)


# --- algebra ------------------------------------------------------------------------------------------------------


@every_batch
def test_a_product_rotates_by_the_right_factor_first(batch):
    a, b = make_rotations(batch, 1), make_rotations(batch, 2)
    assert_same_rotation(rot.multiply(a, b), quat(of_scipy(a) * of_scipy(b), batch))
    v = make_directions(batch, 3)
    assert np.allclose(rot.rotate(rot.multiply(a, b), v), rot.rotate(a, rot.rotate(b, v)), atol=1e-12)


@every_batch
def test_a_rotation_and_its_inverse_cancel(batch):
    q = make_rotations(batch)
    identity = np.broadcast_to(rot.IDENTITY_XYZW, q.shape)
    assert_same_rotation(rot.multiply(q, rot.inverse(q)), identity)
    assert_same_rotation(rot.multiply(rot.inverse(q), q), identity)


@every_batch
def test_vectors_rotate_as_in_scipy(batch):
    q, v = make_rotations(batch), 5 * make_directions(batch, 4)
    assert np.allclose(rot.rotate(q, v), of_scipy(q).apply(v.reshape(-1, 3)).reshape(v.shape), atol=1e-12)


def test_a_quarter_turn_is_right_handed_and_active():
    quarter = rot.from_axis_angle(Z, np.pi / 2)
    assert np.allclose(quarter, [0, 0, np.sqrt(0.5), np.sqrt(0.5)])
    assert np.allclose(rot.rotate(quarter, X), Y)


@pytest.mark.parametrize(("left", "right"), [((), (5,)), ((5,), ()), ((3, 1), (1, 5))], ids=str)
def test_batches_broadcast(left, right):
    a, b = make_rotations(left, 5), make_rotations(right, 6)
    shape = np.broadcast_shapes(left, right)
    wide_a, wide_b = np.broadcast_to(a, (*shape, 4)), np.broadcast_to(b, (*shape, 4))
    assert_same_rotation(rot.multiply(a, b), rot.multiply(wide_a, wide_b))
    assert np.allclose(rot.rotate(a, b[..., :3]), rot.rotate(wide_a, wide_b[..., :3]))
    assert np.allclose(rot.angle_between_rad(a, b), rot.angle_between_rad(wide_a, wide_b))


# --- the other ways to write a rotation ---------------------------------------------------------------------------


@every_batch
def test_axis_times_angle_and_back(batch):
    vectors = make_rotvecs(batch)
    q = rot.from_rotvec(vectors)
    assert_same_rotation(q, quat(Rotation.from_rotvec(vectors.reshape(-1, 3)), batch), 1e-12)
    assert_same_rotation(rot.from_rotvec(rot.to_rotvec(q)), q, 1e-12)


@every_batch
def test_rotvecs_are_the_short_way_whatever_the_sign_of_q(batch):
    vectors = make_rotvecs(batch)
    short = np.linalg.norm(vectors, axis=-1) < np.pi - 1e-6
    q = make_rotations(batch)
    for sign in (1, -1):
        got = rot.to_rotvec(sign * q)
        assert np.allclose(got[short], vectors[short], atol=1e-9)
        assert (np.linalg.norm(got, axis=-1) <= np.pi + 1e-12).all()


def test_tiny_rotations_keep_their_digits():
    tiny = np.array([3e-13, -4e-13, 0.0])
    assert np.allclose(rot.to_rotvec(rot.from_rotvec(tiny)), tiny, rtol=1e-12, atol=0)
    assert rot.angle_between_rad(rot.from_rotvec([1e-7, 0, 0]), rot.IDENTITY_XYZW) == pytest.approx(1e-7, rel=1e-9)


def test_zero_vectors_give_finite_numbers():
    for values in (rot.from_rotvec(np.zeros(3)), rot.to_rotvec(rot.IDENTITY_XYZW), rot.to_rotvec([0, 0, 0, -1.0])):
        assert np.isfinite(values).all()
    assert np.array_equal(rot.unit(np.zeros((2, 3))), np.zeros((2, 3)))


@every_batch
def test_axis_and_angle(batch):
    axis, angle = make_directions(batch), np.random.default_rng(7).uniform(-7, 7, batch)
    expected = Rotation.from_rotvec((axis * angle[..., None]).reshape(-1, 3))
    assert_same_rotation(rot.from_axis_angle(axis, angle), quat(expected, batch))


@every_batch
def test_matrices_and_back(batch):
    q = make_rotations(batch)
    matrix = rot.to_matrix(q)
    assert np.allclose(matrix, of_scipy(q).as_matrix().reshape(*batch, 3, 3), atol=1e-12)
    assert np.allclose(matrix[..., :, 0], rot.rotate(q, X), atol=1e-12)  # columns are the turned axes
    assert_same_rotation(rot.from_matrix(matrix), q)


@pytest.mark.parametrize("axis", [X, Y, Z, -X, np.ones(3) / np.sqrt(3)], ids=str)
@pytest.mark.parametrize("angle", [0.0, 1e-9, np.pi - 1e-9, np.pi])
def test_matrices_of_half_turns_and_of_almost_nothing(axis, angle):
    q = rot.from_axis_angle(axis, angle)
    assert_same_rotation(rot.from_matrix(Rotation.from_quat(q).as_matrix()), q)


# --- shortest arc -------------------------------------------------------------------------------------------------


@every_batch
def test_the_shortest_arc_takes_one_direction_into_the_other_and_is_the_shortest(batch):
    a, b = make_directions(batch, 8), make_directions(batch, 9)
    q = rot.shortest_arc(3 * a, 0.2 * b)  # lengths do not matter
    assert np.allclose(rot.rotate(q, a), b, atol=1e-12)
    angle = np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), np.sum(a * b, axis=-1))
    assert np.allclose(np.linalg.norm(rot.to_rotvec(q), axis=-1), angle, atol=1e-9)


@pytest.mark.parametrize("direction", [X, Y, Z, -X, -Y, -Z, *make_directions((4,), 10)], ids=lambda d: str(d.round(1)))
def test_opposite_directions_are_a_half_turn(direction):
    q = rot.shortest_arc(direction, -2 * direction)
    assert np.allclose(rot.rotate(q, direction), -direction, atol=1e-12)
    assert rot.angle_between_rad(q, rot.IDENTITY_XYZW) == pytest.approx(np.pi)


@pytest.mark.parametrize("off_rad", [1e-9, 1e-6, 1e-4, 2e-4, 1e-3])
def test_almost_opposite_directions_are_met_within_a_hundredth_of_a_degree(off_rad):
    almost = -np.array([np.cos(off_rad), np.sin(off_rad), 0.0])
    q = rot.shortest_arc(X, almost)
    assert np.linalg.norm(q) == pytest.approx(1)
    assert np.linalg.norm(rot.rotate(q, X) - almost) < np.radians(0.01)


def test_one_opposite_pair_leaves_the_rest_of_its_batch_alone():
    a = np.stack([X, X, Y])
    b = np.stack([Y, -X, Y])
    turned = rot.rotate(rot.shortest_arc(a, b), a)
    assert np.allclose(turned, b, atol=1e-12)
    assert_same_rotation(rot.shortest_arc(a, b)[0], rot.shortest_arc(X, Y))


def test_a_zero_direction_gives_the_identity():
    assert np.allclose(rot.shortest_arc(np.zeros(3), X), rot.IDENTITY_XYZW)


# --- twist --------------------------------------------------------------------------------------------------------


@every_batch
def test_the_twist_is_about_its_axis_and_the_swing_has_none(batch):
    q, axis = make_rotations(batch), make_directions(batch, 11)
    twist = rot.twist_about(q, axis)
    assert np.allclose(np.linalg.norm(twist, axis=-1), 1)
    assert np.allclose(np.cross(twist[..., :3], axis), 0, atol=1e-12)
    swing = rot.multiply(q, rot.inverse(twist))
    assert np.allclose(np.sum(swing[..., :3] * axis, axis=-1), 0, atol=1e-9)


def test_swing_times_twist_is_taken_apart_again():
    bend, spin = rot.from_axis_angle(X, 1.1), rot.from_axis_angle(Y, -2.3)
    assert_same_rotation(rot.twist_about(rot.multiply(bend, spin), Y), spin)
    assert_same_rotation(rot.twist_about(spin, Y), spin)
    assert_same_rotation(rot.twist_about(bend, Y), rot.IDENTITY_XYZW)


def test_a_swing_by_a_half_turn_has_no_twist():
    assert np.array_equal(rot.twist_about(rot.from_axis_angle(X, np.pi) * [1, 1, 1, 0], Y), rot.IDENTITY_XYZW)


# --- in between ---------------------------------------------------------------------------------------------------


@every_batch
def test_slerp_is_scipys(batch):
    a = make_rotations(batch, 12)
    step = np.random.default_rng(13).uniform(-1.5, 1.5, (*batch, 3))
    b = -rot.multiply(a, rot.from_rotvec(step))  # with the opposite sign: still the short way
    for fraction in (0.0, 0.25, 0.5, 1.0):
        pairs = zip(a.reshape(-1, 4), b.reshape(-1, 4), strict=True)
        expected = [Slerp([0, 1], Rotation.from_quat(pair))(fraction).as_quat() for pair in pairs]
        assert_same_rotation(rot.slerp(a, b, np.full(batch, fraction)), np.reshape(expected, (*batch, 4)))


def test_slerp_starts_at_a_with_as_sign_and_moves_evenly():
    a, b = rot.from_axis_angle(Y, -0.3), -rot.from_axis_angle(Y, 0.9)
    assert np.allclose(rot.slerp(a, b, 0.0), a)
    path = rot.slerp(a, b, np.linspace(0, 1, 7))
    assert np.allclose(rot.angle_between_rad(path[1:], path[:-1]), 0.2)
    assert (np.sum(path[1:] * path[:-1], axis=-1) > 0.9).all()


def test_slerp_over_a_half_turn_stays_a_rotation():
    middle = rot.slerp(rot.IDENTITY_XYZW, [0, 1, 0, 0], 0.5)
    assert rot.angle_between_rad(middle, rot.IDENTITY_XYZW) == pytest.approx(np.pi / 2)
    assert np.linalg.norm(middle) == pytest.approx(1)


@every_batch
def test_the_nearest_sign_is_the_same_rotation_on_the_references_side(batch):
    q, reference = make_rotations(batch, 14), make_rotations(batch, 15)
    near = rot.nearest_sign(q, reference)
    assert_same_rotation(near, q)
    assert (np.sum(near * reference, axis=-1) >= 0).all()
    assert np.array_equal(rot.nearest_sign(-q, reference), near)


@every_batch
def test_the_angle_between_is_scipys_and_ignores_signs(batch):
    a, b = make_rotations(batch, 16), make_rotations(batch, 17)
    expected = (of_scipy(a).inv() * of_scipy(b)).magnitude().reshape(batch)
    assert np.allclose(rot.angle_between_rad(a, b), expected, atol=1e-9)
    assert np.allclose(rot.angle_between_rad(-a, b), expected, atol=1e-9)


@every_batch
def test_pitch_and_roll_are_those_of_the_rotation_made_of_them(batch):
    rng = np.random.default_rng(18)
    pitch, roll = rng.uniform(-1.5, 1.5, batch), rng.uniform(-3.1, 3.1, batch)
    rotation = rot.from_pitch_roll(pitch, roll)
    assert np.allclose(rot.pitch_roll_of(rotation), np.stack((pitch, roll), axis=-1))
    turned = rot.multiply(rot.from_axis_angle((0.0, 1.0, 0.0), rng.uniform(-3, 3, batch)), rotation)
    assert np.allclose(rot.pitch_roll_of(turned), np.stack((pitch, roll), axis=-1))
    assert_same_rotation(rot.from_pitch_roll(*np.moveaxis(rot.pitch_roll_of(rotation), -1, 0)), rotation)


def test_a_pitched_camera_looks_down_and_in_a_rolled_one_the_world_leans_to_the_right():
    forward, up, right = (0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)
    down = rot.rotate(rot.from_pitch_roll(np.radians(30), 0.0), forward)
    assert down == pytest.approx((0, -0.5, -np.cos(np.radians(30))))
    seen_up = rot.rotate(rot.inverse(rot.from_pitch_roll(0.0, np.radians(10))), up)
    assert np.dot(seen_up, right) == pytest.approx(np.sin(np.radians(10)))
    assert rot.pitch_roll_of(rot.from_pitch_roll(np.pi / 2, 0.4)) == pytest.approx((np.pi / 2, 0))  # straight down


def test_the_shared_identity_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        rot.IDENTITY_XYZW[0] = 1
