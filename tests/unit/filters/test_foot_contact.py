"""Foot contact: the lifter's probabilities with hysteresis, and the motion of the ankles without them."""

from dataclasses import replace

import numpy as np
import pytest

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.filters.foot_contact import FootContactFilter, contacts_of
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FPS = 30.0
FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]


HIPS_M = float(HUMANOID.rest_offset_m[0, 1])


def body(i, *, x_m=0.0, y_m=0.0, left_knee_rad=0.0, score=None, track_id=1):
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    local[HUMANOID.index["leftLowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), left_knee_rad)
    root_m = as_float32((x_m, HIPS_M + y_m, -3.0))
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(local)), root_m, as_float32(HUMANOID.rest_bone_m),
        np.ones(17, np.float32) if score is None else as_float32(score), track_id, round(i * 1e9 / FPS),
    )  # fmt: skip


def says(left, right):
    """What the lifter says: the probabilities that heel and toe stand."""
    return Observation(as_float32(np.full((2, 2), np.nan)), as_float32((left, right)))


def found(contacts, pose, observation=None):
    return contacts.apply(pose, observation).foot_contact.tolist()


def test_the_lifters_probabilities_decide_with_hysteresis():
    contacts, got = FootContactFilter(), []
    for i, p in enumerate((0.2, 0.35, 0.2, 0.15, 0.05, 0.15, 0.2, 0.6)):
        got.append(found(contacts, body(i), says((p, 0.0), (0.0, 0.0)))[0])
    assert got == [False, True, True, True, False, False, False, True]


def test_speed_speaks_against_contact_unless_the_lifter_is_certain():
    for p, stands in ((0.5, False), (0.999, True)):
        contacts = FootContactFilter()
        for i in range(15):
            last = found(contacts, body(i, x_m=0.04 * i), says((p, p), (p, p)))  # 1.2 m/s
        assert last == [stands, stands]


def test_heel_or_toe_is_enough_and_feet_are_independent():
    assert found(FootContactFilter(), body(0), says((0.1, 0.9), (0.1, 0.1))) == [True, False]
    assert found(FootContactFilter(), body(0), says((0.1, 0.1), (0.9, 0.1))) == [False, True]


def test_only_the_contacts_of_a_pose_change():
    pose = body(0)
    out = FootContactFilter().apply(pose)
    assert replace(out, foot_contact=None).rotations is pose.rotations
    assert np.array_equal(out.root_m, pose.root_m)
    assert np.array_equal(out.foot_contact, [True, True])


def test_without_probabilities_still_feet_stand_and_moving_ones_do_not():
    contacts = FootContactFilter()
    assert found(contacts, body(0)) == [True, True]  # a new person's, at once
    moving = [found(contacts, body(i, x_m=0.03 * i)) for i in range(1, 20)]  # 0.9 m/s
    assert moving[5:] == [[False, False]] * 14
    resting = [found(contacts, body(i, x_m=0.57)) for i in range(20, 40)]
    assert resting[0] == [False, False]
    assert resting[-1] == [True, True]


def test_without_probabilities_a_raised_foot_does_not_stand_however_still_it_is():
    contacts = FootContactFilter()
    for i in range(30):
        last = found(contacts, body(i, left_knee_rad=1.2))
    assert last == [False, True]


def test_feet_do_not_stand_at_the_top_of_a_jump():
    contacts = FootContactFilter()
    for i in range(60):
        t = i / FPS - 0.5
        up = max(0.0, 9.81 * t * (0.5 - t) / 2) if 0 < t < 0.5 else 0.0
        stands = found(contacts, body(i, y_m=up))
        if up > 0.06:
            assert stands == [False, False], i
    assert stands == [True, True]


@pytest.mark.parametrize(("occluded_frames", "keeps"), [(4, True), (12, False)])
def test_a_foot_keeps_its_contact_through_a_brief_occlusion(occluded_frames, keeps):
    contacts, score = FootContactFilter(), np.ones(17)
    score[FEET[0]] = 0
    found(contacts, body(0))
    for i in range(1, 1 + occluded_frames):
        last = found(contacts, body(i, score=score))
    assert last == [keeps, True]


def test_a_new_persons_occluded_feet_stand_only_if_the_lifter_says_so():
    score = np.ones(17)
    score[FEET] = 0
    contacts = FootContactFilter()
    assert [found(contacts, body(i, score=score)) for i in range(10)] == [[False, False]] * 10
    assert found(FootContactFilter(), body(0, score=score), says((0.9, 0.9), (0.0, 0.0))) == [True, False]


@pytest.mark.parametrize("later", [-10, 60])
def test_after_a_gap_or_when_time_runs_backwards_feet_start_from_scratch(later):
    contacts = FootContactFilter()
    for i in range(20, 30):
        found(contacts, body(i), says((0.9, 0.9), (0.9, 0.9)))
    assert found(contacts, body(29 + later), says((0.2, 0.2), (0.2, 0.2))) == [False, False]


def test_people_have_contacts_of_their_own_until_they_are_forgotten():
    contacts = FootContactFilter()
    assert found(contacts, body(0), says((0.9, 0.0), (0.9, 0.0))) == [True, True]
    half = says((0.2, 0.0), (0.2, 0.0))
    assert found(contacts, body(1, track_id=2), half) == [False, False]
    assert found(contacts, body(1), half) == [True, True]
    contacts.forget(1)
    contacts.forget(99)  # unknown id
    assert found(contacts, body(2), half) == [False, False]


def test_contacts_of_a_session_come_from_its_poses():
    walk = [body(i, x_m=0.03 * max(0, i - 15)) for i in range(40)]
    contacts = contacts_of(walk)
    assert contacts.shape == (40, 2)
    assert contacts[:15].all()
    assert not contacts[20:].any()
    assert contacts_of([]).shape == (0, 2)
