from dataclasses import replace

import numpy as np
import pytest
from support.people import make_pose

from realtime_pose.ik.base import BodyConfig
from realtime_pose.ik.ground import GroundFilter
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]


def at(pose, root_m, time_ns=0, score=None):
    return replace(
        pose, root_m=as_float32(root_m), time_ns=time_ns, score=pose.score if score is None else as_float32(score)
    )


def test_the_first_position_stands_on_the_floor_at_the_origin():
    pose = at(make_pose(1), (0.4, -0.3, -2.7))
    grounded = GroundFilter(BodyConfig()).apply(pose)
    assert grounded.root_m[[0, 2]] == pytest.approx([0, 0], abs=1e-6)
    assert forward_kinematics(grounded)[FEET, 1].min() == pytest.approx(0.07, abs=1e-4)


def test_later_positions_are_measured_from_the_first():
    ground = GroundFilter(BodyConfig())
    first = ground.apply(at(make_pose(1), (0.4, -0.3, -2.7)))
    later = ground.apply(at(make_pose(1), (0.9, 0.1, -2.2), FRAME_NS))
    assert later.root_m - first.root_m == pytest.approx([0.5, 0.4, 0.5], abs=1e-5)


def test_without_feet_a_standing_body_is_assumed():
    score = np.ones(17)
    score[FEET] = 0
    grounded = GroundFilter(BodyConfig(height_m=2.04)).apply(at(make_pose(2), (0.4, 0.1, -1.0), score=score))
    assert grounded.root_m == pytest.approx([0, 0.9 * 1.2, 0], abs=1e-5)
