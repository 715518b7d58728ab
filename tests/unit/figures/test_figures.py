"""Figures of a skeleton and its motion, compared with the poses they are made from."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose import drawing
from realtime_pose.axes import BLENDER
from realtime_pose.body.joint_angles import ANGLES, angles_over_time
from realtime_pose.figures.latency import latency_figure
from realtime_pose.figures.motion import INTERVALS, PANELS, angles_figure, foot_height_figure, root_path_figure, thinned
from realtime_pose.figures.person_motion import motion_of
from realtime_pose.figures.skeleton import GRID, GRID_M, JOINTS, LEFT, MIDDLE, OCCLUDED, RIGHT, skeleton_figure
from realtime_pose.figures.theme import DARK, LIGHT, colour_map
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, Skeleton

POSES = [result.people[0].pose for result in make_clip(40, seed=5)]
TIMES_S = [i / 30 for i in range(len(POSES))]
MOTION = motion_of(POSES, range(len(POSES)), TIMES_S)


def occluded(pose, *joints):
    score = pose.score.copy()
    score[[HUMANOID.index[joint] for joint in joints]] = 0
    return replace(pose, score=score)


def lines(trace):
    """A trace's separate lines, each as its two ends."""
    xyz = np.stack([np.array(getattr(trace, axis), float) for axis in "xyz"], axis=1).reshape(-1, 3, 3)
    assert np.isnan(xyz[:, 2]).all()
    return xyz[:, :2]


# --- the skeleton -----------------------------------------------------------------------------------------------------


def test_the_skeleton_stands_over_the_middle_of_the_scene_in_its_axes():
    pose = POSES[7]
    drawn = np.stack([skeleton_figure(pose).data[JOINTS][axis] for axis in "xyz"], axis=1)
    joints = forward_kinematics(pose)
    wanted = BLENDER.positions(joints - joints[0] * [1, 0, 1])
    assert drawn[: len(joints)] == pytest.approx(wanted, abs=1e-6)


def test_each_bone_is_drawn_once_in_its_sides_colour():
    figure = skeleton_figure(POSES[0], DARK)
    count = {trace: len(lines(figure.data[trace])) for trace in (LEFT, RIGHT, MIDDLE, OCCLUDED)}
    assert count == {LEFT: 8, RIGHT: 8, MIDDLE: 5, OCCLUDED: 0}
    assert [figure.data[trace].line.color for trace in (LEFT, RIGHT, MIDDLE)] == [DARK.left, DARK.right, DARK.middle]


def test_what_was_not_seen_is_grey_and_says_so():
    figure = skeleton_figure(occluded(POSES[0], "leftLowerArm"))
    assert len(lines(figure.data[OCCLUDED])) == 2  # to the hand, and to its tip
    said = dict(
        zip([text.split("<br>")[0] for text in figure.data[JOINTS].text], figure.data[JOINTS].text, strict=True)
    )
    assert "occluded" in said["leftHand"]
    assert "occluded" not in said["leftLowerArm"]


def test_hover_gives_places_in_canonical_axes():
    x, y, z = forward_kinematics(POSES[3])[HUMANOID.index["head"]]
    assert f"head<br>x {x:.2f}, y {y:.2f}, z {z:.2f} m" in skeleton_figure(POSES[3]).data[JOINTS].text


def test_the_grid_stays_with_the_world():
    for pose in POSES[::13]:
        x, _, _ = BLENDER.positions(pose.root_m * [1, 0, 1])
        grid = lines(skeleton_figure(pose).data[GRID])
        along_y = grid[np.abs(grid[:, 0, 0] - grid[:, 1, 0]) < 1e-9]
        assert (along_y[:, 0, 0] + x) / GRID_M == pytest.approx(np.round((along_y[:, 0, 0] + x) / GRID_M), abs=1e-6)
        assert grid[..., 2] == pytest.approx(0)


def test_a_jump_still_fits_the_scene():
    high = replace(POSES[0], root_m=POSES[0].root_m + np.float32([0, 1.5, 0]))
    low, top = skeleton_figure(high).layout.scene.zaxis.range
    assert low < 0
    assert top > forward_kinematics(high)[:, 1].max()
    ratio = skeleton_figure(high).layout.scene.aspectratio
    across = skeleton_figure(high).layout.scene.xaxis.range
    assert ratio.z / ratio.x == pytest.approx((top - low) / (across[1] - across[0]))


def test_names_from_a_file_are_escaped():
    evil = "<a href='https://example.org'>x</a>"
    skeleton = Skeleton("odd", (evil, "b"), (-1, 0), np.array([[0.0, 1, 0], [0, 1, 0]]), {})
    pose = replace(
        POSES[0],
        rotations=type(POSES[0].rotations)(skeleton, np.float32([[0, 0, 0, 1]] * 2)),
        bone_m=np.float32([0, 1]),
        score=np.float32([1, 1]),
    )
    assert "<a" not in skeleton_figure(pose).to_json().replace("\\u003c", "<")


# --- over time --------------------------------------------------------------------------------------------------------


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
    assert {stands_left.yaxis, stands_right.yaxis} == {"y2"}  # under the heights, not among them
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


# --- latency, colours -------------------------------------------------------------------------------------------------


def test_a_bar_for_each_stage_that_was_measured():
    figure = latency_figure(
        {"capture": {"p50": 1.0, "p95": 3.5}, "detect": {"p50": None, "p95": None}, "solve": {"p50": 0.5, "p95": 0.6}},
        {"p50": 4.0, "p95": 9.0},
    )
    (bars,) = figure.data
    assert bars.y == ("capture", "solve", "<b>capture to sent</b>")
    assert bars.x == (1.0, 0.5, 4.0)
    assert bars.error_x.array == pytest.approx((2.5, 0.1, 5.0))
    assert "ms" in figure.layout.xaxis.title.text


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_can_be_told_from_their_ground(theme):
    """Contrast as WCAG 2 defines it: 3 for lines, 4.5 for text."""
    for name, colour in asdict(theme).items():
        least = {"paper": 0, "grid": 0, "zero": 0, "text": 4.5, "muted": 4.5}.get(name, 3)
        high, low = sorted((luminance(colour), luminance(theme.paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, name


def test_each_colour_has_a_counterpart_in_the_other_theme():
    assert len({*asdict(LIGHT).values()}) == len(asdict(LIGHT))
    assert colour_map(LIGHT, DARK)[LIGHT.left] == DARK.left


def test_sides_in_the_dark_have_the_overlays_own_colours():
    for side, bgr in drawing.SIDE_BGR.items():
        assert getattr(DARK, side) == "#{2:02x}{1:02x}{0:02x}".format(*bgr)
