"""Avatar poses, and the person that single-avatar protocols select."""

import numpy as np
import pytest
from support.people import make_person, make_pose, make_result

from realtime_pose.axes import mirrored_positions
from realtime_pose.communication.avatar import PersonSelector, avatar_pose
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

MS = 1_000_000
ONE, TWO = make_person(1, track_id=1), make_person(2, track_id=2)
ONE_WITHOUT_POSE = make_person(1, track_id=1, with_pose=False)


def selected(frames):
    """The id selected in each frame (milliseconds, people)."""
    selector = PersonSelector()
    people = [selector.select(make_result(people, time_ns=ms * MS)) for ms, people in frames]
    return [person and person.keypoints.track_id for person in people]


def test_the_selected_person_stays_selected_in_any_order():
    assert selected([(0, [ONE, TWO]), (33, [TWO, ONE]), (66, [ONE]), (99, [TWO, ONE])]) == [1, 1, 1, 1]


def test_another_person_is_selected_after_half_a_second_of_absence():
    frames = [(0, [ONE, TWO]), (33, [TWO]), (499, [TWO]), (500, [TWO]), (533, [ONE, TWO])]
    assert selected(frames) == [1, None, None, 2, 2]


def test_a_short_absence_changes_nothing():
    assert selected([(0, [ONE]), (400, [TWO]), (499, [TWO, ONE]), (900, [TWO])]) == [1, None, 1, None]


def test_selection_needs_a_pose_and_survives_its_loss():
    assert selected([(0, [ONE_WITHOUT_POSE, TWO])]) == [2]
    assert selected([(0, [ONE_WITHOUT_POSE])]) == [None]
    assert selected([(0, [ONE, TWO]), (600, [ONE_WITHOUT_POSE, TWO]), (700, [ONE])]) == [1, 1, 1]


def test_a_jump_back_in_time_resets_the_selection():
    assert selected([(5000, [ONE]), (0, [TWO])]) == [1, 2]


@pytest.mark.parametrize("mirror", [False, True])
def test_offsets_and_rotations_lead_to_the_poses_joints(mirror):
    pose = make_pose(3)
    body = avatar_pose(pose, mirror=mirror)
    xyz, _ = body.global_joints()
    wanted = forward_kinematics(pose)
    np.testing.assert_allclose(xyz, mirrored_positions(HUMANOID, wanted) if mirror else wanted, atol=1e-6)


def test_no_avatar_pose_without_a_pose_or_with_nan_or_infinity():
    good = make_pose(1)
    assert avatar_pose(None, mirror=False) is None
    for root in ([np.nan, 0, 0], [0, np.inf, 0]):
        bad = SkeletonPose(good.rotations, as_float32(root), good.bone_m, good.score, 0, 0)
        assert avatar_pose(bad, mirror=False) is None
