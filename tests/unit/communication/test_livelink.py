"""JSON Live Link: every field that the plugin needs, in Unreal's axes and centimetres."""

import json

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.communication.livelink import LiveLinkSink
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot


def subjects(ear, count):
    """The subjects in `count` datagrams, read as the plugin does: a missing field of a bone fails."""
    found = {}
    for datagram in ear.datagrams(count):
        for name, bones in json.loads(datagram).items():
            found[name] = [(b["Name"], b["Parent"], b["Location"], b["Rotation"], b["Scale"]) for b in bones]
    return found


def unreal_joints(bones):
    places, turns = [], []
    for _, parent, place, turn, _ in bones:
        here, turned = np.array(place), np.array(turn)
        if parent >= 0:
            here, turned = places[parent] + rot.rotate(turns[parent], place), rot.multiply(turns[parent], turn)
        places.append(here)
        turns.append(rot.unit(turned))
    return np.array(places)


def test_a_subjects_joints_are_those_that_were_sent(ear):
    sink = LiveLinkSink(ear.address)
    for result in make_clip(6):
        sink.send(result)
        bones = subjects(ear, 1)["person_0"]
        assert [(name, parent) for name, parent, *_ in bones] == list(
            zip(HUMANOID.joints, HUMANOID.parents, strict=True)
        )
        assert all(scale == [1, 1, 1] for *_, scale in bones)
        canonical_m = unreal_joints(bones)[:, [0, 2, 1]] / 100
        assert np.abs(canonical_m - forward_kinematics(result.people[0].pose)).max() < 1e-3
    sink.close()
    assert ear.is_empty()


def test_unreal_is_z_up_with_left_at_plus_x(ear):
    sink = LiveLinkSink(ear.address)
    sink.send(make_clip(1)[0])
    sink.close()
    hips, *others = subjects(ear, 1)["person_0"]
    assert hips[2][2] == pytest.approx(90, abs=15)
    upper_leg = next(bone for bone in others if bone[0] == "leftUpperLeg")
    assert upper_leg[2][0] == pytest.approx(10, abs=1)


def test_each_person_with_a_pose_is_a_subject(ear):
    people = [make_person(1, track_id=4), make_person(2, track_id=9), make_person(3, track_id=5, with_pose=False)]
    sink, filtered = LiveLinkSink(ear.address), LiveLinkSink(f"{ear.address},person=9")
    sink.send(make_result(people))
    assert {*subjects(ear, 2)} == {"person_4", "person_9"}
    filtered.send(make_result(people))
    assert {*subjects(ear, 1)} == {"person_9"}
    sink.send(make_result())
    for closing in (sink, filtered):
        closing.close()
    assert ear.is_empty()
    assert (sink.packets_sent, filtered.packets_sent) == (2, 1)


def test_numbers_are_short_and_never_minus_zero(ear):
    sink = LiveLinkSink(ear.address)
    sink.send(make_clip(1)[0])
    sink.close()
    (datagram,) = ear.datagrams(1)
    assert len(datagram) < 2200
    assert b"-0.0," not in datagram
    assert b"-0.0]" not in datagram
