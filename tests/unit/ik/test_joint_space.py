import numpy as np
import pytest
from support.bodies import human_local

from realtime_pose.ik.joint_space import clamp_to_limits, from_joint_angles, to_joint_angles
from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec


def clamped(seed, joint):
    """A random rotation, clamped to the joint's limits."""
    return JOINT_LIMITS[joint].clamp(tuple(rot.unit(np.random.default_rng(seed).normal(size=4)).tolist()))


@pytest.mark.parametrize("joint", JOINT_LIMITS)
def test_conversion_to_joint_angles_and_back(joint):
    row = HUMANOID.index[joint]
    for seed in range(30):
        local = clamped(seed, joint)
        assert vec.angle_between_rad(from_joint_angles(row, to_joint_angles(row, local)), local) < 1e-6


@pytest.mark.parametrize("joint", JOINT_LIMITS)
def test_interpolation_between_allowed_rotations_is_allowed(joint):
    row, limits = HUMANOID.index[joint], JOINT_LIMITS[joint]
    for seed in range(40):
        a, b = (np.array(to_joint_angles(row, clamped(seed + 100 * side, joint))) for side in (0, 1))
        for share in (0.2, 0.5, 0.8):
            between = from_joint_angles(row, tuple((a + share * (b - a)).tolist()))
            assert limits.violation_rad(between) < 1e-3, seed


def test_only_the_chosen_rows_are_clamped():
    wild = rot.unit(np.random.default_rng(0).normal(size=(17, 4)))
    which = np.arange(17) % 2 == 0
    got = clamp_to_limits(wild, which)
    assert np.array_equal(got[~which], wild[~which])
    assert np.array_equal(got[0], wild[0])  # hips turn freely
    for joint, limits in JOINT_LIMITS.items():
        if which[HUMANOID.index[joint]]:
            assert limits.violation_rad(tuple(got[HUMANOID.index[joint]].tolist())) < 1e-6
    fine = human_local(3)
    assert np.allclose(np.abs((clamp_to_limits(fine, ~np.zeros(17, bool)) * fine).sum(axis=1)), 1.0)
