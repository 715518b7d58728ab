"""Scalar vector and quaternion maths agrees with numpy and `utils.rotations`."""

import math

import numpy as np
import pytest

from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec

RNG = np.random.default_rng(0)
VECTORS = [tuple(v) for v in RNG.normal(size=(12, 3)).tolist()]
TURNS = [tuple(q) for q in rot.unit(RNG.normal(size=(12, 4))).tolist()]
PAIRS = list(zip(VECTORS[:6], VECTORS[6:], strict=True))
TURN_PAIRS = list(zip(TURNS[:6], TURNS[6:], strict=True))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_vectors(a, b):
    x, y = np.array(a), np.array(b)
    assert np.allclose(vec.add(a, b), x + y)
    assert np.allclose(vec.sub(a, b), x - y)
    assert np.allclose(vec.scale(a, 2.5), 2.5 * x)
    assert np.allclose(vec.add_scaled(a, b, 0.3), x + 0.3 * y)
    assert np.allclose(vec.midpoint(a, b), (x + y) / 2)
    assert vec.dot(a, b) == pytest.approx(x @ y)
    assert np.allclose(vec.cross(a, b), np.cross(x, y))
    assert vec.norm(a) == pytest.approx(np.linalg.norm(x))
    assert np.allclose(vec.unit(a), x / np.linalg.norm(x))
    assert vec.dot(vec.reject(a, vec.unit(b)), b) == pytest.approx(0.0, abs=1e-12)
    assert vec.angle_rad(a, b) == pytest.approx(np.arccos(x @ y / np.linalg.norm(x) / np.linalg.norm(y)))


@pytest.mark.parametrize(("a", "b"), TURN_PAIRS)
def test_quaternions(a, b):
    assert np.allclose(vec.multiply(a, b), rot.multiply(a, b))
    assert np.allclose(vec.inverse(a), rot.inverse(a))
    assert np.allclose(vec.rotate(a, (0.1, 0.2, 0.3)), rot.rotate(a, [0.1, 0.2, 0.3]))
    assert vec.angle_between_rad(a, b) == pytest.approx(float(rot.angle_between_rad(a, b)))
    assert rot.angle_between_rad(vec.slerp(a, b, 0.3), rot.slerp(a, b, 0.3)) < 1e-7
    axes = [tuple(axis) for axis in rot.to_matrix(a).T.tolist()]
    assert rot.angle_between_rad(vec.from_axes(*axes), a) < 1e-7
    axis = vec.unit((0.3, -0.5, 0.8))
    twist = rot.to_rotvec(rot.twist_about(a, axis)) @ axis
    assert vec.twist_angle_rad(a, axis) == pytest.approx(float(twist))


@pytest.mark.parametrize("turn", [(0.0, 0.0, 1e-12, 1.0), (1.0, 0.0, 0.0, 1e-12), (0.0, 0.6, 0.8, 0.0)])
def test_quaternions_near_the_identity_and_near_a_half_turn(turn):
    axes = [tuple(axis) for axis in rot.to_matrix(turn).T.tolist()]
    assert rot.angle_between_rad(vec.from_axes(*axes), turn) < 1e-6
    assert vec.angle_between_rad(vec.slerp(vec.IDENTITY_XYZW, turn, 1.0), turn) < 1e-6


def test_the_smallest_rotation_between_directions():
    for a, b in PAIRS:
        u, v = vec.unit(a), vec.unit(b)
        arc = vec.shortest_arc(u, v, vec.X)
        assert np.allclose(vec.rotate(arc, u), v)
        assert vec.angle_between_rad(vec.IDENTITY_XYZW, arc) == pytest.approx(vec.angle_rad(u, v))
    half = vec.shortest_arc(vec.Y, vec.scale(vec.Y, -1.0), vec.X)
    assert np.allclose(vec.rotate(half, vec.Y), (0.0, -1.0, 0.0))
    assert vec.norm(half[:3]) == pytest.approx(1.0)


def test_zero_vectors_are_handled():
    assert vec.unit(vec.ZERO) == vec.ZERO
    assert vec.unit_quat((0.0, 0.0, 0.0, 0.0)) == vec.IDENTITY_XYZW
    assert vec.angle_rad(vec.ZERO, vec.X) == 0.0


def test_angles_are_wrapped_to_half_turns():
    assert vec.wrap_rad(math.radians(190)) == pytest.approx(math.radians(-170))
    assert vec.wrap_rad(math.radians(-190)) == pytest.approx(math.radians(170))


def test_smoothstep_rises_from_0_to_1():
    values = [vec.smoothstep(x / 20, 0.2, 0.6) for x in range(21)]
    assert values[4] == 0.0
    assert values[12] == 1.0
    assert vec.smoothstep(0.4, 0.2, 0.6) == pytest.approx(0.5)
    assert values == sorted(values)
