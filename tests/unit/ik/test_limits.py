import math

import numpy as np
import pytest

from realtime_pose.ik.limits import JOINT_LIMITS, LIMB_LIMITS
from realtime_pose.skeletons import HUMANOID, RELAXED_XYZW
from realtime_pose.utils import vec3 as vec


def any_turn(rng):
    return vec.unit_quat(tuple(rng.normal(size=4).tolist()))


def any_direction(rng):
    return vec.unit(tuple(rng.normal(size=3).tolist()))


def turn(axis, degrees):
    return vec.from_axis_angle(axis, math.radians(degrees))


def test_every_joint_but_the_hips_has_limits():
    assert set(JOINT_LIMITS) == set(HUMANOID.joints) - {"hips"}


@pytest.mark.parametrize("joint", JOINT_LIMITS)
def test_the_t_pose_and_the_relaxed_pose_are_inside(joint):
    assert JOINT_LIMITS[joint].violation_rad(vec.IDENTITY_XYZW) <= 1e-9
    assert JOINT_LIMITS[joint].violation_rad(tuple(RELAXED_XYZW[HUMANOID.index[joint]].tolist())) <= 1e-9


@pytest.mark.parametrize("joint", [*LIMB_LIMITS, "spine", "head", "leftHand", "rightHand", "leftFoot"])
def test_compose_and_decompose_are_inverses(joint):
    limits = JOINT_LIMITS[joint]
    rng = np.random.default_rng(0)
    for _ in range(50):
        local = any_turn(rng)
        assert vec.angle_between_rad(limits.compose(*limits.decompose(local)), local) < 1e-6


@pytest.mark.parametrize("joint", JOINT_LIMITS)
def test_clamping_brings_anything_inside_and_leaves_the_inside_alone(joint):
    limits = JOINT_LIMITS[joint]
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(200):
        local = any_turn(rng)
        broken += limits.violation_rad(local) > 0
        clamped = limits.clamp(local)
        assert limits.violation_rad(clamped) < 1e-6
        assert vec.angle_between_rad(limits.clamp(clamped), clamped) < 1e-6
    assert broken > 20


@pytest.mark.parametrize("joint", ["leftUpperArm", "rightUpperLeg", "spine", "leftHand", "rightFoot"])
def test_clamping_is_continuous_at_the_edge(joint):
    """A small violation is clamped by a small rotation."""
    limits = JOINT_LIMITS[joint]
    rng = np.random.default_rng(2)
    for _ in range(50):
        edge = limits.clamp(any_turn(rng))
        near = vec.multiply(edge, vec.from_axis_angle(any_direction(rng), 0.01))
        assert vec.angle_between_rad(limits.clamp(near), near) < 0.05


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_a_bone_opposite_to_the_cones_axis_is_clamped_too(joint):
    limits = LIMB_LIMITS[joint]
    clamped, bend = limits.clamp(limits.swing(vec.scale(limits.cone_axis, -1.0)), 0.3)
    assert limits.violation_rad(clamped, bend) < 1e-6


@pytest.mark.parametrize(
    ("joint", "bone_direction", "possible"),
    [
        ("UpperArm", (0, -1, 0), True),  # hanging
        ("UpperArm", (0, 1, 0), True),  # overhead
        ("UpperArm", (0, 0, 1), True),  # forward
        ("UpperArm", (0, -0.5, -0.87), True),  # 60 degrees back
        ("UpperArm", (-0.7, 0, 0.7), True),  # across the chest
        ("UpperArm", (-0.7, 0, -0.7), False),  # behind the back
        ("UpperArm", (0, 0, -1), False),
        ("UpperLeg", (0, -1, 0), True),
        ("UpperLeg", (0, 0.5, 0.86), True),  # a deep squat
        ("UpperLeg", (0, 0.85, 0.52), False),
        ("UpperLeg", (0.7, -0.7, 0), True),  # 45 degrees out
        ("UpperLeg", (-0.35, -0.94, 0), True),  # 20 degrees across the other leg
        ("UpperLeg", (-0.7, -0.7, 0), False),
        ("UpperLeg", (0, -0.9, -0.44), True),  # 26 degrees back
        ("UpperLeg", (0, -0.5, -0.87), False),  # 60 degrees back
        ("UpperLeg", (-1, 0, 0), False),  # through the other leg
    ],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_limits_of_limb_directions(side, joint, bone_direction, possible):
    limits = LIMB_LIMITS[side + joint]
    x, y, z = vec.unit(bone_direction)
    direction = (x if side == "left" else -x, y, z)
    assert (limits.ball.clamp_direction(direction) == direction) is possible


@pytest.mark.parametrize(
    ("joint", "axis", "most_deg", "least_deg"),
    [
        ("leftLowerArm", (0, -1, 0), 155, 0),  # bends to the front, never to the back
        ("rightLowerArm", (0, 1, 0), 155, 0),
        ("leftLowerLeg", vec.X, 155, 0),  # the heel goes back
        ("spine", vec.X, 43, 18),  # bows, leans back
        ("spine", vec.Y, 28, 28),
        ("head", vec.Y, 42, 42),
        ("leftHand", (0, 0, -1), 85, 75),  # palm down, then back
        ("rightHand", vec.Z, 85, 75),
        ("leftHand", (0, -1, 0), 25, 35),  # towards the thumb, then the little finger
        ("rightHand", vec.Y, 25, 35),
        ("leftFoot", vec.X, 55, 42),  # toes down, then up
        ("leftFoot", vec.Y, 35, 25),  # toes out, then in
        ("rightFoot", (0, -1, 0), 35, 25),
        ("leftFoot", vec.Z, 20, 35),  # sole outward, then inward
        ("rightFoot", (0, 0, -1), 20, 35),
    ],
)  # fmt: skip
def test_ranges_are_those_of_the_table(joint, axis, most_deg, least_deg):
    limits = JOINT_LIMITS[joint]
    assert limits.violation_rad(turn(axis, most_deg - 0.5)) <= 1e-9
    assert limits.violation_rad(turn(axis, most_deg + 1)) > 0
    assert limits.violation_rad(turn(axis, 0.5 - least_deg)) <= 1e-9 or least_deg == 0
    assert limits.violation_rad(turn(axis, -least_deg - 1)) > 0


@pytest.mark.parametrize("joint", ["leftLowerArm", "rightLowerLeg"])
def test_a_hinge_goes_no_other_way(joint):
    limits = JOINT_LIMITS[joint]
    aside = vec.cross(limits.bone_axis, limits.hinge_axis)
    assert limits.violation_rad(turn(aside, 10)) == pytest.approx(math.radians(10))
    assert limits.violation_rad(turn(limits.bone_axis, 60)) > 0
    bent = vec.multiply(turn(aside, 10), turn(limits.hinge_axis, 70))
    assert limits.violation_rad(limits.clamp(bent)) < 1e-9


def test_a_wrist_bends_after_the_twist_of_the_forearm():
    """A palm turned up by 40 degrees still flexes by 80, out of the plane of the elbow's hinge."""
    limits = JOINT_LIMITS["leftHand"]
    spun, flexed = turn(vec.X, 40), turn((0, 0, -1), 80)
    assert limits.violation_rad(vec.multiply(spun, flexed)) < 0
    assert limits.violation_rad(vec.multiply(flexed, spun)) > 0


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_sides_mirror_each_other(joint):
    limits, twin = (
        LIMB_LIMITS[joint],
        LIMB_LIMITS[joint.replace("left", "x").replace("right", "left").replace("x", "right")],
    )
    rng = np.random.default_rng(3)
    for _ in range(30):
        x, y, z, w = any_turn(rng)
        assert limits.violation_rad((x, y, z, w), 0.5) == pytest.approx(
            twin.violation_rad((x, -y, -z, w), 0.5), abs=1e-9
        )
