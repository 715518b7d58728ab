"""3D skeleton figure, compared with the pose it is made from."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.axes import BLENDER
from realtime_pose.figures.skeleton import GRID, GRID_M, JOINTS, LEFT, MIDDLE, OCCLUDED, RIGHT, skeleton_figure
from realtime_pose.figures.theme import DARK
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, Skeleton

POSES = [result.people[0].pose for result in make_clip(40, seed=5)]


def occluded(pose, *joints):
    score = pose.score.copy()
    score[[HUMANOID.index[joint] for joint in joints]] = 0
    return replace(pose, score=score)


def lines(trace):
    """A trace's separate lines, each by its two ends."""
    xyz = np.stack([np.array(getattr(trace, axis), float) for axis in "xyz"], axis=1).reshape(-1, 3, 3)
    assert np.isnan(xyz[:, 2]).all()
    return xyz[:, :2]


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


def test_occluded_joints_are_grey_and_labelled():
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
