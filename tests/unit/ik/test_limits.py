import numpy as np
import pytest

from realtime_pose.ik.chains import LimbChain
from realtime_pose.ik.limits import LIMB_LIMITS
from realtime_pose.utils import rotations as rot


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_rest_is_inside_and_split_puts_together_again(joint):
    limits = LIMB_LIMITS[joint]
    assert limits.offence_rad(rot.IDENTITY_XYZW, 0.0) <= 0
    rng = np.random.default_rng(0)
    for _ in range(30):
        local = rot.unit(rng.normal(size=4))
        direction, twist = limits.split(local)
        again = rot.multiply(limits.swing(direction), rot.from_axis_angle(limits.bone_axis, np.array(twist)))
        assert rot.angle_between_rad(again, local) < 1e-6


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_clamping_brings_anything_inside_and_leaves_the_inside_alone(joint):
    limits = LIMB_LIMITS[joint]
    rng = np.random.default_rng(1)
    broken = 0
    for _ in range(100):
        local, bend = rot.unit(rng.normal(size=4)), rng.uniform(-1, 4)
        broken += limits.offence_rad(local, bend) > 0
        clamped, clamped_bend = limits.clamped(local, bend)
        assert limits.offence_rad(clamped, clamped_bend) < 1e-6
        again, again_bend = limits.clamped(clamped, clamped_bend)
        assert rot.angle_between_rad(again, clamped) < 1e-6
        assert again_bend == clamped_bend
    assert broken > 20


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_a_bone_exactly_away_from_the_cone_is_clamped_too(joint):
    limits = LIMB_LIMITS[joint]
    clamped, bend = limits.clamped(limits.swing(-limits.cone_axis), 0.3)
    assert limits.offence_rad(clamped, bend) < 1e-6


@pytest.mark.parametrize(
    ("joint", "bone_direction", "possible"),
    [
        ("leftUpperArm", (0, -1, 0), True),  # hanging
        ("leftUpperArm", (0, 1, 0), True),  # overhead
        ("leftUpperArm", (0, 0, 1), True),  # forward
        ("leftUpperArm", (-0.7, 0, 0.7), True),  # across the chest
        ("leftUpperArm", (-0.7, 0, -0.7), False),  # behind the back
        ("leftUpperLeg", (0, -1, 0), True),
        ("leftUpperLeg", (0, 0.3, 0.95), True),  # a squat
        ("leftUpperLeg", (0, -0.5, -0.87), False),  # 60 degrees back
        ("leftUpperLeg", (-1, 0, 0), False),  # through the other leg
    ],
)
def test_what_a_body_can_do(joint, bone_direction, possible):
    limits = LIMB_LIMITS[joint]
    assert (limits.offence_rad(limits.swing(rot.unit(bone_direction)), 0.3) <= 0) is possible


@pytest.mark.parametrize("joint", LIMB_LIMITS)
def test_ikpy_reaches_what_can_be_reached(joint):
    """From a start 40 degrees off, the chain's end comes to a place that is known to be inside the limits."""
    limits = LIMB_LIMITS[joint]
    chain = LimbChain(limits, 0.3, 0.26)
    rng = np.random.default_rng(2)
    away = []
    for _ in range(12):
        goal, bend = limits.clamped(
            limits.swing(rot.unit(limits.cone_axis + 0.3 * rng.normal(size=3))), rng.uniform(0.4, 1.2)
        )
        lower = rot.rotate(rot.from_axis_angle(limits.hinge_axis, np.array(bend)), limits.bone_axis * 0.26)
        end = rot.rotate(goal, limits.bone_axis * 0.3 + lower)
        start = rot.multiply(goal, rot.from_rotvec(0.7 * rot.unit(rng.normal(size=3))))
        local, found_bend = chain.solve(end, start, bend)
        assert limits.offence_rad(local, found_bend) < 1e-6
        lower = rot.rotate(rot.from_axis_angle(limits.hinge_axis, np.array(found_bend)), limits.bone_axis * 0.26)
        away.append(np.linalg.norm(rot.rotate(local, limits.bone_axis * 0.3 + lower) - end))
    assert np.median(away) < 0.02
