"""ikpy fallback: closer to the target, inside the limits."""

import numpy as np
import pytest

from realtime_pose.ik.ikpy_fallback import IkpyLimb
from realtime_pose.ik.limits import LIMB_LIMITS
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec


def any_direction(rng):
    return vec.unit(tuple(rng.normal(size=3).tolist()))


@pytest.mark.parametrize("joint", LIMB_LIMITS)
@pytest.mark.parametrize(("upper_m", "lower_m"), [(0.3, 0.26), (0.45, 0.45)])
def test_ikpy_comes_closer_to_a_reachable_target(joint, upper_m, lower_m):
    limits = LIMB_LIMITS[joint]
    chain = IkpyLimb(limits)
    rng = np.random.default_rng(2)
    before, after = [], []
    for _ in range(12):
        direction = vec.unit(tuple((np.array(limits.cone_axis) + 0.3 * rng.normal(size=3)).tolist()))
        goal, bend = limits.clamp(limits.swing(direction), rng.uniform(0.4, 1.2))
        end = chain.end_m(goal, bend, upper_m, lower_m)
        start = vec.multiply(goal, vec.from_axis_angle(any_direction(rng), 0.26))
        before.append(np.linalg.norm(np.subtract(chain.end_m(start, bend, upper_m, lower_m), end)))
        local, found_bend, missed = chain.solve(end, start, bend, upper_m, lower_m)
        assert limits.violation_rad(local, found_bend) < 1e-6
        found = chain.end_m(local, found_bend, upper_m, lower_m)
        assert missed == pytest.approx(np.linalg.norm(np.subtract(found, end)))
        after.append(missed)
    assert np.median(after) < 0.25 * np.median(before)


def test_ends_of_a_limb_are_where_forward_kinematics_puts_them():
    limits = LIMB_LIMITS["rightUpperArm"]
    local, bend = limits.clamp(vec.from_axis_angle(vec.Y, 0.4), 0.8)
    lower = rot.rotate(limits.hinge.compose(bend), np.array(limits.bone_axis) * 0.2)
    wanted = rot.rotate(local, np.array(limits.bone_axis) * 0.3 + lower)
    assert np.allclose(IkpyLimb(limits).end_m(local, bend, 0.3, 0.2), wanted)
