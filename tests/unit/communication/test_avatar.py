"""Whose body a protocol for one avatar shows, and the body that is sent."""

import numpy as np
import pytest
from support.people import make_person, make_pose, make_result

from realtime_pose.axes import mirrored_positions
from realtime_pose.communication.avatar import OnePerson, body_of
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import as_float32

MS = 1_000_000
ONE, TWO = make_person(1, track_id=1), make_person(2, track_id=2)
HIDDEN_ONE = make_person(1, track_id=1, with_pose=False)


def shown(frames, one=None):
    """Who is shown in each frame (milliseconds, people)."""
    one = one or OnePerson()
    people = [one.of(make_result(people, time_ns=ms * MS)) for ms, people in frames]
    return [person and person.keypoints.track_id for person in people]


def test_who_was_shown_is_shown_on_whatever_the_order():
    assert shown([(0, [ONE, TWO]), (33, [TWO, ONE]), (66, [ONE]), (99, [TWO, ONE])]) == [1, 1, 1, 1]


def test_somebody_else_is_shown_only_when_they_are_gone_for_half_a_second():
    frames = [(0, [ONE, TWO]), (33, [TWO]), (499, [TWO]), (500, [TWO]), (533, [ONE, TWO])]
    assert shown(frames) == [1, None, None, 2, 2]


def test_a_short_absence_changes_nothing():
    assert shown([(0, [ONE]), (400, [TWO]), (499, [TWO, ONE]), (900, [TWO])]) == [1, None, 1, None]


def test_the_first_shown_has_a_pose_and_keeps_the_place_without_one():
    assert shown([(0, [HIDDEN_ONE, TWO])]) == [2]
    assert shown([(0, [HIDDEN_ONE])]) == [None]
    assert shown([(0, [ONE, TWO]), (600, [HIDDEN_ONE, TWO]), (700, [ONE])]) == [1, 1, 1]


def test_time_that_jumps_back_begins_anew():
    assert shown([(5000, [ONE]), (0, [TWO])]) == [1, 2]


@pytest.mark.parametrize("mirror", [False, True])
def test_offsets_and_rotations_lead_to_the_poses_joints(mirror):
    pose = make_pose(3)
    body = body_of(pose, mirror=mirror)
    xyz, _ = body.joints_in_space()
    wanted = forward_kinematics(pose)
    np.testing.assert_allclose(xyz, mirrored_positions(HUMANOID, wanted) if mirror else wanted, atol=1e-6)


def test_there_is_no_body_without_a_pose_or_with_numbers_that_are_none():
    good = make_pose(1)
    assert body_of(None, mirror=False) is None
    for root in ([np.nan, 0, 0], [0, np.inf, 0]):
        bad = SkeletonPose(good.rotations, as_float32(root), good.bone_m, good.score, 0, 0)
        assert body_of(bad, mirror=False) is None
