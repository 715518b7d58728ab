"""VMC: an independent reader gets the motion that was sent."""

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle
from support.osc import read_osc
from support.people import make_clip, make_person, make_result

from realtime_pose.axes import mirrored_positions
from realtime_pose.communication.vmc import VmcSink, unity_bone
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

# Unity's human bones that are sent, and each one's nearest ancestor among them.
UNITY_PARENT = {
    "Hips": None, "Spine": "Hips", "Chest": "Spine", "Neck": "Chest", "Head": "Neck",
    **{f"{side}{bone}": parent if parent == "Chest" or parent == "Hips" else f"{side}{parent}"
       for side in ("Left", "Right")
       for bone, parent in (("UpperArm", "Chest"), ("LowerArm", "UpperArm"), ("Hand", "LowerArm"),
                            ("UpperLeg", "Hips"), ("LowerLeg", "UpperLeg"), ("Foot", "LowerLeg"))},
}  # fmt: skip


def unity_joints(bones):
    """Positions in Unity's world of bones (name, position, rotation), computed in the order of arrival."""
    places, turns = {}, {}
    for name, place, turn in bones:
        parent = UNITY_PARENT[name]
        if parent is None:
            places[name], turns[name] = np.array(place), np.array(turn)
        else:  # KeyError: a child came before its parent
            places[name] = places[parent] + rot.rotate(turns[parent], place)
            turns[name] = rot.multiply(turns[parent], turn)
    return places


def sent_frames(ear, sink, results):
    """The messages of each result, in order, as the independent reader decodes the datagrams."""
    frames = []
    for result in results:
        before = sink.datagrams_sent
        sink.send(result)
        datagrams = ear.datagrams(sink.datagrams_sent - before)
        assert all(len(datagram) <= 1200 for datagram in datagrams)
        frames.append([read_osc(datagram) for datagram in datagrams])
    sink.close()
    assert ear.is_empty()
    return frames


def bones_of(frame):
    messages = [message for bundle in frame for message in bundle]
    return [(a[0], a[1:4], a[4:8]) for address, a in messages if address == "/VMC/Ext/Bone/Pos"]


@pytest.mark.parametrize("mirror", [False, True])
def test_a_recorded_streams_joints_are_those_that_were_sent_within_a_millimetre(ear, mirror):
    clip = [*make_clip(12), *make_clip(12, seed=7)]
    frames = sent_frames(ear, VmcSink(ear.address, mirror=mirror), clip)
    for result, frame in zip(clip, frames, strict=True):
        places = unity_joints(bones_of(frame))
        canonical = np.array([places[unity_bone(joint)] for joint in HUMANOID.joints]) * [-1, 1, 1]
        wanted = forward_kinematics(result.people[0].pose)
        if mirror:
            wanted = mirrored_positions(HUMANOID, wanted)
        assert np.abs(canonical - wanted).max() < 1e-5  # the goal is 1e-3; float32 leaves a hundredth of that


def test_the_first_bundle_has_tracking_state_time_and_root(ear):
    (frame,) = sent_frames(ear, VmcSink(ear.address), make_clip(1))
    assert len(frame) == 2
    assert frame[0][:3] == [
        ("/VMC/Ext/OK", [1, 3, 0, 1]),
        ("/VMC/Ext/T", [0.0]),
        ("/VMC/Ext/Root/Pos", ["root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]),
    ]
    bones = [address for bundle in frame for address, _ in bundle[3 if bundle is frame[0] else 0 :]]
    assert bones == ["/VMC/Ext/Bone/Pos"] * 17


def test_every_bone_is_sent_with_a_position_that_is_not_zero(ear):
    (frame,) = sent_frames(ear, VmcSink(ear.address), make_clip(1))
    bones = bones_of(frame)
    assert {name for name, _, _ in bones} == {*UNITY_PARENT}
    assert all(np.linalg.norm(place) > 0.05 for _, place, _ in bones)


def test_without_people_the_state_and_time_are_sent(ear):
    results = [make_result([make_person(1)], time_ns=5_000_000_000), make_result(index=1, time_ns=5_500_000_000)]
    frames = sent_frames(ear, sink := VmcSink(ear.address), results)
    assert frames[1] == [[("/VMC/Ext/OK", [1, 3, 0, 0]), ("/VMC/Ext/T", [0.5])]]
    assert (sink.packets_sent, sink.datagrams_sent) == (1, 3)


def test_a_destination_with_a_person_gets_that_person(ear):
    people = [make_person(1, track_id=1), make_person(2, track_id=2)]
    (frame,) = sent_frames(ear, VmcSink(f"{ear.address},person=2"), [make_result(people)])
    hips = next(place for name, place, _ in bones_of(frame) if name == "Hips")
    np.testing.assert_allclose(hips, people[1].pose.root_m * [-1, 1, 1], atol=1e-6)


def test_python_osc_reads_what_the_independent_reader_reads(ear):
    sink = VmcSink(ear.address)
    sink.send(make_clip(1)[0])
    for datagram in ear.datagrams(2):
        parsed = [(content.address, list(content.params)) for content in OscBundle(datagram)]
        assert parsed == read_osc(datagram)
    sink.close()


def test_the_port_may_be_left_out():
    sink = VmcSink("127.0.0.1")
    assert sink._address == ("127.0.0.1", 39539)
    sink.close()
