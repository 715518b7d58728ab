import numpy as np
import pytest

from realtime_pose.ik.hands_feet import foot_rotation, hand_rotation
from realtime_pose.utils import vec3 as vec

HAND = {"wrist": (0.0, 0.0, 0.0), "index": (0.09, 0.0, 0.03), "pinky": (0.08, 0.0, -0.03)}
FOOT = {"ankle": (0.0, 0.0, 0.0), "heel": (0.0, -0.05, -0.055), "toe": (0.0, -0.05, 0.165)}


def placed(points, turn, *, by=1.0, mirror=False, at=(0.3, 1.0, -2.0)):
    sign = -1.0 if mirror else 1.0
    return {n: vec.add(vec.scale(vec.rotate(turn, (sign * x, y, z)), by), at) for n, (x, y, z) in points.items()}


def turns():
    rng = np.random.default_rng(0)
    return [vec.unit_quat(tuple(q)) for q in rng.normal(size=(8, 4)).tolist()]


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_rotates_with_its_points(side):
    level = hand_rotation(side, **placed(HAND, vec.IDENTITY_XYZW, mirror=side == "right"), size=1.0)
    assert vec.angle_between_rad(level.world, vec.IDENTITY_XYZW) < 0.1  # the knuckles' line is slightly oblique
    for turn in turns():
        found = hand_rotation(side, **placed(HAND, turn, mirror=side == "right"), size=1.0)
        assert vec.angle_between_rad(found.world, vec.multiply(turn, level.world)) < 1e-6
        assert found.weight == pytest.approx(1.0)


def test_a_foot_rotates_with_its_points():
    for turn in turns():
        found = foot_rotation(**placed(FOOT, turn), size=1.0)
        assert vec.angle_between_rad(found.world, turn) < 1e-6
        assert found.weight == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("by", [0.0, 0.3, 5.0])
def test_implausible_points_have_no_weight(by):
    assert hand_rotation("left", **placed(HAND, vec.IDENTITY_XYZW, by=by), size=1.0).weight == 0.0
    assert foot_rotation(**placed(FOOT, vec.IDENTITY_XYZW, by=by), size=1.0).weight == 0.0


def test_foreshortened_points_have_less_weight():
    weights = [
        hand_rotation("left", **placed(HAND, vec.IDENTITY_XYZW, by=by), size=1.0).weight for by in (0.6, 0.8, 0.9, 1.0)
    ]
    assert weights == sorted(weights)
    assert weights[0] < 0.1 < weights[1] < weights[2] < 1.0


def test_a_large_persons_hand_is_measured_by_their_size():
    assert hand_rotation("left", **placed(HAND, vec.IDENTITY_XYZW, by=0.62), size=0.62).weight == pytest.approx(1.0)


def test_knuckles_behind_each_other_have_no_weight():
    assert hand_rotation("left", (0.0, 0.0, 0.0), (0.09, 0.0, 0.0), (0.09, 0.0, 0.0), 1.0).weight == 0.0
