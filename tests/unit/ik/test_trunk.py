import math

import numpy as np
import pytest

from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.ik.trunk import TrunkState, solve_trunk, split_rotation
from realtime_pose.utils import vec3 as vec

HEIGHTS = (0.10, 0.17, 0.22)
CORNERS = {
    "left_hip": (0.1, 0.0, 0.0), "right_hip": (-0.1, 0.0, 0.0),
    "left_shoulder": (0.18, 0.49, 0.0), "right_shoulder": (-0.18, 0.49, 0.0),
}  # fmt: skip
KNEES = {"left_knee": (0.1, -0.42, 0.0), "right_knee": (-0.1, -0.42, 0.0)}
SITTING = {"left_knee": (0.1, 0.0, 0.42), "right_knee": (-0.1, 0.0, 0.42)}
STILL = (vec.IDENTITY_XYZW, vec.IDENTITY_XYZW)


def trunk(points, held=STILL, ease=0.0, state=None):
    return solve_trunk(points, HEIGHTS, held, ease, state or TrunkState())


def shoulders_m(found):
    """Position of the shoulders' midpoint for these rotations."""
    below, between, above = HEIGHTS
    spine = vec.multiply(found.hips, found.spine)
    place = vec.add_scaled(vec.rotate(found.hips, (0, below, 0)), vec.rotate(spine, (0, between, 0)), 1.0)
    return vec.add_scaled(place, vec.rotate(found.chest_world, (0, above, 0)), 1.0)


def test_an_upright_trunk_is_at_rest():
    found = trunk(CORNERS | KNEES)
    assert found.whole
    assert max(vec.angle_between_rad(turn, vec.IDENTITY_XYZW) for turn in found[:4]) < 1e-9


def test_a_trunk_that_leans_and_rotates_as_one_does_so_at_the_hips():
    turn = vec.multiply(vec.from_axis_angle(vec.Y, 0.7), vec.from_axis_angle(vec.X, 0.5))
    found = trunk({name: vec.rotate(turn, at) for name, at in (CORNERS | KNEES).items()})
    assert vec.angle_between_rad(found.hips, turn) < 1e-6
    assert vec.angle_between_rad(found.spine, vec.IDENTITY_XYZW) < 1e-6


def test_shoulders_rotated_against_hips_twist_spine_and_chest_equally():
    turn = vec.from_axis_angle(vec.Y, 0.6)
    found = trunk(CORNERS | {n: vec.rotate(turn, CORNERS[n]) for n in ("left_shoulder", "right_shoulder")})
    assert vec.angle_between_rad(found.hips, vec.IDENTITY_XYZW) < 1e-6
    assert vec.angle_between_rad(found.spine, vec.from_axis_angle(vec.Y, 0.3)) < 1e-6
    assert vec.angle_between_rad(found.chest, found.spine) < 1e-9


def test_a_sitting_pelvis_leans_back_and_the_shoulders_stay():
    found = trunk(CORNERS | SITTING)
    leaning = vec.rotate(found.hips, vec.Y)
    assert -math.sin(math.radians(20)) < leaning[2] < -math.sin(math.radians(5))
    assert vec.rotate(found.chest_world, vec.Y)[2] > 0
    assert np.allclose(shoulders_m(found), (0, 0.49, 0), atol=0.012)


def test_hips_not_perpendicular_to_the_trunk_are_corrected_in_part():
    aslant = {"left_hip": (0.098, 0.02, 0.0), "right_hip": (-0.098, -0.02, 0.0)}
    found = trunk(CORNERS | aslant)
    rise = math.atan2(*vec.rotate(found.hips, vec.X)[1::-1])
    assert 0.3 < rise / math.atan2(0.02, 0.098) < 0.8


def test_too_large_a_twist_stops_at_the_limits():
    backwards = {
        n: vec.rotate(vec.from_axis_angle(vec.Y, 2.8), CORNERS[n]) for n in ("left_shoulder", "right_shoulder")
    }
    found = trunk(CORNERS | backwards)
    for joint, local in (("spine", found.spine), ("chest", found.chest)):
        assert JOINT_LIMITS[joint].violation_rad(local) == pytest.approx(0.0, abs=1e-6)
    whole = vec.multiply(vec.multiply(found.hips, found.spine), found.chest)
    assert vec.angle_between_rad(whole, found.chest_world) < 1e-9


def test_one_visible_end_carries_the_held_trunk():
    held = (vec.from_axis_angle(vec.X, 0.2), vec.from_axis_angle(vec.X, 0.2))
    upper = {name: at for name, at in CORNERS.items() if "shoulder" in name}
    found = trunk(upper, held)
    assert not found.whole
    assert vec.angle_between_rad(found.chest_world, vec.IDENTITY_XYZW) < 1e-9
    assert vec.angle_between_rad(found.hips, vec.from_axis_angle(vec.X, -0.4)) < 1e-9
    lower = {name: at for name, at in CORNERS.items() if "hip" in name}
    found = trunk(lower, held)
    assert vec.angle_between_rad(found.hips, vec.IDENTITY_XYZW) < 1e-9
    assert vec.angle_between_rad(found.chest_world, vec.from_axis_angle(vec.X, 0.4)) < 1e-9


def test_the_lean_of_a_half_occluded_trunk_is_held_then_eases_upright():
    state = TrunkState()
    bow = vec.from_axis_angle(vec.X, 0.6)
    trunk({name: vec.rotate(bow, at) for name, at in CORNERS.items()}, state=state)
    upper = {name: vec.rotate(bow, at) for name, at in CORNERS.items() if "shoulder" in name}
    assert vec.angle_between_rad(trunk(upper, state=state).chest_world, bow) < 1e-6
    for _ in range(60):
        found = trunk(upper, ease=0.1, state=state)
    assert vec.angle_between_rad(found.chest_world, vec.IDENTITY_XYZW) < 0.01


@pytest.mark.parametrize("missing", [("left_hip", "left_shoulder"), ("left_hip", "right_shoulder")])
def test_without_a_pair_there_is_no_trunk(missing):
    assert trunk({name: at for name, at in CORNERS.items() if name not in missing}) is None


def test_hips_that_coincide_are_not_a_pair():
    found = trunk(CORNERS | {"left_hip": (0.0, 0.0, 0.0), "right_hip": (0.0, 0.0, 0.0)})
    assert found is not None
    assert not found.whole


def test_two_joints_share_a_rotation_evenly_inside_their_limits():
    lower, upper = split_rotation(vec.from_axis_angle(vec.Y, 0.3), vec.from_axis_angle(vec.Y, 1.3), "neck", "head")
    assert vec.angle_between_rad(lower, vec.from_axis_angle(vec.Y, 0.5)) < 1e-9
    assert lower == upper
    lower, _ = split_rotation(vec.IDENTITY_XYZW, vec.from_axis_angle(vec.Y, 3.0), "neck", "head")
    assert vec.angle_between_rad(lower, vec.from_axis_angle(vec.Y, math.radians(42))) < 1e-6
