"""Person motion: points as in forward kinematics, known points, and gaps."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_clip, make_pose

from realtime_pose.figures.person_motion import StickFigure, motion_of
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

FIGURE = StickFigure.of(HUMANOID)
POSES = [result.people[0].pose for result in make_clip(12, seed=3)]


def motion(poses=POSES):
    return motion_of(poses, [10 + i for i in range(len(poses))], [i / 30 for i in range(len(poses))])


def scored(pose, **scores):
    score = pose.score.copy()
    for joint, value in scores.items():
        score[HUMANOID.index[joint]] = value
    return replace(pose, score=score)


def test_the_joints_lie_where_forward_kinematics_puts_them():
    made = motion()
    for pose, points in zip(POSES, made.points_m, strict=True):
        assert points[: len(HUMANOID.joints)] == pytest.approx(forward_kinematics(pose), abs=1e-6)


def test_tips_rotate_with_their_joint_and_scale_with_the_body():
    pose = make_pose(4)
    points = FIGURE.points(pose.rotations.local_xyzw, pose.root_m, 2 * HUMANOID.rest_bone_m)
    for name, tip in HUMANOID.tip_offset_m.items():
        away = points[FIGURE.names.index(f"{name}Tip")] - points[HUMANOID.index[name]]
        assert np.linalg.norm(away) == pytest.approx(2 * np.linalg.norm(tip))
    rest = FIGURE.points(np.tile([0.0, 0, 0, 1], (17, 1)), np.zeros(3), HUMANOID.rest_bone_m)
    assert rest[FIGURE.names.index("leftHandTip")] - rest[HUMANOID.index["leftHand"]] == pytest.approx((0.17, 0, 0))


def test_only_joints_below_an_unknown_rotation_are_unknown():
    known = FIGURE.known(scored(POSES[0], leftUpperArm=0, rightFoot=0).score)
    hidden = {name for name, seen in zip(FIGURE.names, known, strict=True) if not seen}
    assert hidden == {"leftLowerArm", "leftHand", "leftHandTip", "rightFootTip"}


def test_a_frame_without_the_person_is_a_gap():
    made = motion([POSES[0], None, POSES[2]])
    assert made.present.tolist() == [True, False, True]
    assert made.known.any(axis=1).tolist() == [True, False, True]
    assert made.row_of(10) == 0
    assert made.row_of(11) is None
    assert made.row_of(12) == 2


def test_poses_that_are_not_finite_are_absent():
    broken = replace(POSES[1], root_m=as_float32([np.nan, 0.9, 0.0]))
    assert motion([POSES[0], broken, POSES[2]]).present.tolist() == [True, False, True]
    bones = POSES[1].bone_m.copy()
    bones[3] = np.inf
    assert motion([POSES[0], replace(POSES[1], bone_m=bones)]).present.tolist() == [True, False]


def test_some_rows_of_a_motion():
    part = motion().at(np.array([2, 5]))
    assert part.frame.tolist() == [12, 15]
    assert part.points_m == pytest.approx(motion().points_m[[2, 5]])
