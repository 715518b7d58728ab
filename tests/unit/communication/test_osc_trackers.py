"""OSC trackers: applying the angles in the documented order gives the positions and rotations that were sent."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.osc import read_osc
from support.people import make_clip, make_person, make_result
from support.rotations import assert_same_rotation, make_rotations

from realtime_pose.axes import UNITY
from realtime_pose.communication.osc_trackers import TRACKERS, OscTrackerSink, unity_euler_deg
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.skeletons import HUMANOID


def rotation_of(angles_deg):
    """The quaternion of turning about z, then x, then y, of the fixed world axes (lower case in SciPy)."""
    x, y, z = angles_deg
    return Rotation.from_euler("zxy", [z, x, y], degrees=True).as_quat()


def test_angles_are_those_of_turning_about_z_then_x_then_y():
    straight_up_or_down = [rotation_of((x, y, 40)) for x in (90, -90) for y in (0, 30, 200)]
    for q in [*make_rotations((200,), 4), *straight_up_or_down]:
        assert_same_rotation(rotation_of(unity_euler_deg(q)), q)


def test_trackers_have_the_positions_and_rotations_of_their_joints(ear):
    sink = OscTrackerSink(ear.address)
    for result in make_clip(5):
        sink.send(result)
        (datagram,) = ear.datagrams(1)
        assert len(datagram) <= 1200
        messages = dict(read_osc(datagram))
        assert len(messages) == 2 * len(TRACKERS) == 18
        pose = result.people[0].pose
        places = UNITY.positions(forward_kinematics(pose))
        turns = UNITY.rotations(global_rotations(HUMANOID, pose.rotations.local_xyzw))
        for tracker, joint in TRACKERS.items():
            row = HUMANOID.index[joint]
            place, angles = (messages[f"/tracking/trackers/{tracker}/{what}"] for what in ("position", "rotation"))
            np.testing.assert_allclose(place, places[row], atol=1e-5)
            assert_same_rotation(rotation_of(angles), turns[row], 1e-3)
    sink.close()
    assert sink.packets_sent == 5


def test_nothing_is_sent_without_a_pose(ear):
    sink = OscTrackerSink(ear.address)
    sink.send(make_result())
    sink.send(make_result([make_person(1, with_pose=False)]))
    sink.close()
    assert ear.is_empty()


def test_the_port_may_be_left_out():
    sink = OscTrackerSink("127.0.0.1")
    assert sink._address == ("127.0.0.1", 9000)
    sink.close()


def test_only_some_trackers_are_sent(ear):
    sink = OscTrackerSink(f"{ear.address},only=hips,feet")
    sink.send(make_clip(1)[0])
    sink.close()
    addresses = dict(read_osc(ear.datagrams(1)[0]))
    assert {address.split("/")[3] for address in addresses} == {"1", "3", "4"}


def test_an_unknown_tracker_is_refused_by_name():
    with pytest.raises(UnknownChoiceError, match="only='hip' is not one of: chest, elbows, feet, head, hips, knees"):
        OscTrackerSink("127.0.0.1,only=hip")
