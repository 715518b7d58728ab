"""Motion figures, compared with the poses they are made from."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.body.joint_angles import ANGLES, angles_over_time
from realtime_pose.figures.motion import INTERVALS, PANELS, angles_figure, foot_height_figure, root_path_figure, thinned
from realtime_pose.figures.person_motion import motion_of
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, Skeleton

POSES = [result.people[0].pose for result in make_clip(40, seed=5)]
TIMES_S = [i / 30 for i in range(len(POSES))]
MOTION = motion_of(POSES, range(len(POSES)), TIMES_S)


def occluded(pose, *joints):
    score = pose.score.copy()
    score[[HUMANOID.index[joint] for joint in joints]] = 0
    return replace(pose, score=score)


def test_the_path_has_one_scale_the_camera_below_and_gaps():
    poses = [occluded(pose, "hips") if 10 <= i < 15 else pose for i, pose in enumerate(POSES)]
    poses[20] = None
    figure = root_path_figure(motion_of(poses, range(len(poses)), TIMES_S))
    path, ends = figure.data
    assert np.flatnonzero(np.isnan(path.x)).tolist() == [10, 11, 12, 13, 14, 20]
    assert path.x[3] == pytest.approx(poses[3].root_m[0])
    assert path.y[3] == pytest.approx(poses[3].root_m[2])
    assert figure.layout.yaxis.scaleanchor == "x"
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert ends.x == pytest.approx([poses[0].root_m[0], poses[-1].root_m[0]])
    assert figure.layout.xaxis.range[1] - figure.layout.xaxis.range[0] >= 1


def test_feet_in_centimetres_with_gaps_and_contacts():
    poses = [occluded(pose, "leftUpperLeg") if i == 5 else pose for i, pose in enumerate(POSES)]
    contacts = np.zeros((len(poses), 2), bool)
    contacts[3:6, 0] = contacts[38:, 0] = True
    figure = foot_height_figure(motion_of(poses, range(len(poses)), TIMES_S), contacts)
    left, right, stands_left, stands_right = figure.data
    assert np.isnan(left.y[5])
    assert not np.isnan(right.y).any()
    assert left.y[8] == pytest.approx(100 * forward_kinematics(poses[8])[HUMANOID.index["leftFoot"], 1], abs=1e-3)
    assert stands_left.x[[0, 1, 3, 4]] == pytest.approx([TIMES_S[3], TIMES_S[6], TIMES_S[38], TIMES_S[39]])
    assert len(stands_right.x) == 0
    assert {stands_left.yaxis, stands_right.yaxis} == {"y2"}  # below the heights
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    assert "bars" in figure.layout.title.text
    assert "bars" not in foot_height_figure(MOTION).layout.title.text
    assert len(foot_height_figure(MOTION).data) == 2


def test_a_skeleton_without_feet_has_no_foot_figure():
    skeleton = Skeleton("stick", ("a", "b"), (-1, 0), np.array([[0.0, 1, 0], [0, 1, 0]]), {})
    turns = type(POSES[0].rotations)(skeleton, np.float32([[0, 0, 0, 1]] * 2))
    pose = replace(POSES[0], rotations=turns, bone_m=np.float32([0, 1]), score=np.float32([1, 1]))
    assert foot_height_figure(motion_of([pose], [0], [0.0])) is None


def test_every_angle_is_drawn_once_with_gaps_where_its_joints_were_occluded():
    poses = [occluded(pose, "rightLowerLeg", "neck") if i in (4, 5) else pose for i, pose in enumerate(POSES)]
    motion = motion_of(poses, range(len(poses)), TIMES_S)
    angles = dict(zip(ANGLES, angles_over_time(motion.local_xyzw, motion.score).T, strict=True))
    figure = angles_figure(motion.time_s, angles)
    drawn = [name for panel in PANELS for name, _, _ in panel.curves]
    assert sorted(drawn) == sorted(ANGLES)
    curves = dict(zip(drawn, figure.data, strict=True))
    gaps = {name for name, curve in curves.items() if np.isnan(curve.y).any()}
    assert gaps == {"knee_angle_r", "neck_extension", "neck_bending", "neck_rotation"}
    assert np.flatnonzero(np.isnan(curves["knee_angle_r"].y)).tolist() == [4, 5]
    assert curves["elbow_flex_l"].y == pytest.approx(angles["elbow_flex_l"], abs=1e-4)
    axes = {curve.yaxis for curve in figure.data}
    assert len(axes) == len(PANELS)
    assert all(figure.layout[axis.replace("y", "yaxis")].ticksuffix == "°" for axis in axes)


def test_angles_that_are_not_there_take_no_row():
    figure = angles_figure(np.arange(3.0), {"knee_angle_l": np.zeros(3)})
    assert len(figure.data) == 1
    assert sum("Elbow" in note.text for note in figure.layout.annotations) == 0


def test_thinning_keeps_each_peak_the_ends_and_the_gaps():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20_000, 1))
    values[7_777], values[15_000] = 100, -100
    values[9_000:9_003] = np.nan
    rows = thinned(values)
    assert {0, 7_777, 15_000, 19_999} <= {*rows.tolist()}
    assert np.isnan(values[rows]).any()
    assert len(rows) <= 3 * INTERVALS + 2
    assert (np.diff(rows) > 0).all()
    assert thinned(values[:500]).tolist() == list(range(500))


def test_thinning_what_is_all_occluded_leaves_nothing_to_see():
    rows = thinned(np.full((10_000, 2), np.nan))
    assert 0 < len(rows) <= INTERVALS + 2
