"""Packets of a stream of results: their fields, mirroring and `hello`."""

import json

import numpy as np
import pytest
from support.people import WIDTH, make_camera, make_person, make_pose, make_result

from realtime_pose.communication.packets.binary import encode_binary
from realtime_pose.communication.packets.packet_stream import FINE_PARTS, PARTS, PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, PartPacket, PosePacket, decode, encode
from realtime_pose.datatypes import JointRotations, Person, PersonKeypoints, SceneCamera, SkeletonPose
from realtime_pose.kinematics import forward_kinematics, joint_positions
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, COCO_WHOLEBODY133, HUMANOID, KeypointLayout
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

S = 1_000_000_000


def first(packets, kind):
    return next(packet for packet in packets if isinstance(packet, kind))


def test_a_pose_packet_holds_the_persons_values():
    person = make_person(1, track_id=3)
    packets = PacketStream(stream=7, wall_offset_ns=500 * S).packets_of(make_result([person], time_ns=2 * S))
    pose = first(packets, PosePacket)
    assert (pose.stream, pose.seq, pose.person, pose.meta) == (7, 0, 3, {})
    assert pose.timestamp == 503.0  # make_result captures at 3 s, on a clock 500 s behind Unix time
    rows = COCO17_FEET_HANDS.rows(COCO17.names)
    np.testing.assert_array_equal(pose.keypoints, person.keypoints.xy_px[rows])
    np.testing.assert_array_equal(pose.scores, person.keypoints.score[rows])
    np.testing.assert_array_equal(pose.joints_3d, forward_kinematics(person.pose))
    np.testing.assert_array_equal(pose.rotations, person.pose.rotations.local_xyzw)
    np.testing.assert_array_equal(pose.root, person.pose.root_m)


def test_keypoints_are_taken_by_name_whatever_their_order():
    names = COCO17_FEET_HANDS.names[::-1]
    backwards = KeypointLayout("backwards", names, ())
    plain, turned = (
        PacketStream(stream=1, wall_offset_ns=0).packets_of(make_result([make_person(1, layout=layout)]))
        for layout in (COCO17_FEET_HANDS, backwards)
    )
    for a, b in zip(plain[1:], turned[1:], strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)


def test_parts_travel_with_their_pose_and_stand_in_its_space():
    person = make_person(1, track_id=3)
    packets = PacketStream(stream=7).packets_of(make_result([person]))
    parts = {packet.part: packet for packet in packets if isinstance(packet, PartPacket)}
    assert parts.keys() == PARTS.keys()
    pose = first(packets, PosePacket)
    layout = person.keypoints.layout
    for part, names in PARTS.items():
        packet = parts[part]
        assert (packet.stream, packet.seq, packet.person) == (pose.stream, pose.seq, pose.person)
        np.testing.assert_array_equal(packet.keypoints, person.keypoints.xy_px[layout.rows(names)])
    # make_person's heel is 6 cm below and 5 cm behind the ankle, in the foot's local space
    foot = pose.joints_3d[HUMANOID.index["leftFoot"]]
    heel = parts["feet"].joints_3d[PARTS["feet"].index("left_heel")]
    assert np.linalg.norm(heel - foot) == pytest.approx(np.hypot(0.06, 0.05), abs=1e-5)


def whole_body(seed=0):
    """A person with 133 random points in the frame."""
    rng = np.random.default_rng(seed)
    k = len(COCO_WHOLEBODY133.names)
    person = make_person(seed, track_id=4)
    seen = PersonKeypoints(
        COCO_WHOLEBODY133, as_float32(rng.uniform(0, 9999, (k, 2))), as_float32(rng.uniform(0, 1, k)), 4, 0
    )
    return Person(person.box, seen, person.joints, person.pose)


@pytest.mark.parametrize("mirror", [False, True])
def test_a_whole_bodys_face_hands_and_toes_travel_in_datagrams_of_their_own(mirror):
    person = whole_body()
    packets = PacketStream(mirror=mirror, stream=7).packets_of(make_result([person], width=9999))
    parts = {packet.part: packet for packet in packets if isinstance(packet, PartPacket)}
    assert [*parts] == ["feet", "hands", "toes", "face", "left_hand", "right_hand"]
    assert [len(parts[part].keypoints) for part in FINE_PARTS] == [4, 68, 21, 21]
    layout = COCO_WHOLEBODY133
    for part, names in FINE_PARTS.items():
        rows = layout.rows(names)
        rows = [layout.mirror[row] for row in rows] if mirror else rows
        wanted = person.keypoints.xy_px[rows].astype(np.float64)
        if mirror:
            wanted[:, 0] = 9999 - wanted[:, 0]
        np.testing.assert_allclose(parts[part].keypoints, wanted)
        assert parts[part].joints_3d is None
        assert len(encode_binary(parts[part])) <= 700
    sent = [decode(encode(packet)) for packet in packets]
    assert all(len(encode(packet)) <= 1472 for packet in packets)
    face = next(packet for packet in sent if packet.type == "part" and packet.part == "face")
    assert np.abs(face.keypoints - parts["face"].keypoints).max() <= 0.5  # the longest packets have whole pixels


def test_three_points_of_a_hand_are_no_whole_hand():
    packets = PacketStream().packets_of(make_result([make_person(1)]))
    assert {packet.part for packet in packets if isinstance(packet, PartPacket)} == {"feet", "hands"}


def test_hello_announces_every_part_that_there_is():
    hello = PacketStream(mirror=True).packets_of(make_result([whole_body()]))[0]
    assert hello.parts == PARTS | {"toes": (), "face": (), "left_hand": (), "right_hand": ()}
    assert len(encode(hello)) <= 1400  # room for longer numbers


def test_a_layout_without_parts_sends_none():
    packets = PacketStream().packets_of(make_result([make_person(1, layout=COCO17)]))
    assert [packet.type for packet in packets] == ["hello", "pose"]


def test_a_person_without_a_pose_has_nulls():
    packets = PacketStream().packets_of(make_result([make_person(1, with_pose=False)]))
    pose, part = first(packets, PosePacket), first(packets, PartPacket)
    assert (pose.joints_3d, pose.rotations, pose.root, part.joints_3d) == (None,) * 4


def test_points_that_are_not_there_have_score_0():
    few = KeypointLayout("few", ("left_wrist", "nose"), ())
    xy = as_float32([[10, 20], [np.nan, 5]])
    person = make_person(1)
    seen = PersonKeypoints(few, xy, as_float32([0.5, 0.9]), 0, 0)
    packets = PacketStream().packets_of(make_result([Person(person.box, seen, None, None)]))
    pose = first([decode(encode(packet)) for packet in packets], PosePacket)
    assert pose.keypoints[COCO17.index["left_wrist"]].tolist() == [10, 20]
    assert pose.scores.nonzero()[0].tolist() == [COCO17.index["left_wrist"]]


def test_a_pose_that_is_not_finite_is_not_sent():
    good = make_pose(1)
    root = as_float32([np.nan, 0, 0])
    bad = SkeletonPose(good.rotations, root, good.bone_m, good.score, 0, 0)
    person = make_person(1)
    broken = Person(person.box, person.keypoints, person.joints, bad)
    pose = first(PacketStream().packets_of(make_result([broken])), PosePacket)
    assert pose.rotations is None
    encode(pose)


def test_a_pose_far_away_still_fits():
    good = make_pose(1)
    far = SkeletonPose(good.rotations, as_float32([-5e7, 0, -5e7]), good.bone_m, good.score, 0, 0)
    person = make_person(1)
    packets = PacketStream().packets_of(make_result([Person(person.box, person.keypoints, person.joints, far)]))
    assert all(len(encode(packet)) <= 1472 for packet in packets)


def test_the_mirror_swaps_names_and_reflects_x():
    person = make_person(1)
    plain, mirror = (first(PacketStream(mirror=m).packets_of(make_result([person])), PosePacket) for m in (False, True))
    swap, joint_swap = list(COCO17.mirror), list(HUMANOID.mirror)
    np.testing.assert_allclose(mirror.keypoints[:, 0], WIDTH - plain.keypoints[swap, 0])
    np.testing.assert_array_equal(mirror.keypoints[:, 1], plain.keypoints[swap, 1])
    np.testing.assert_array_equal(mirror.scores, plain.scores[swap])
    np.testing.assert_allclose(mirror.joints_3d, plain.joints_3d[joint_swap] * [-1, 1, 1])
    np.testing.assert_allclose(mirror.root, plain.root * [-1, 1, 1])
    # the mirrored rotations give the mirrored positions
    driven = joint_positions(HUMANOID, mirror.rotations, mirror.root, person.pose.bone_m[joint_swap])
    np.testing.assert_allclose(driven, mirror.joints_3d, atol=1e-6)


def test_the_mirror_reflects_parts_like_the_body():
    person = make_person(1)
    plain, mirror = (first(PacketStream(mirror=m).packets_of(make_result([person])), PartPacket) for m in (False, True))
    swap = [1, 0, 3, 2]  # left and right alternate in the feet
    np.testing.assert_allclose(mirror.joints_3d, plain.joints_3d[swap] * [-1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(mirror.keypoints[:, 0], WIDTH - plain.keypoints[swap, 0])


def test_seq_counts_frames_with_and_without_people():
    stream = PacketStream()
    seqs = [
        [packet.seq for packet in stream.packets_of(make_result(people, index=i * 10, time_ns=i))]
        for i, people in enumerate([[make_person(1)], [], [make_person(1), make_person(2, track_id=1)]])
    ]
    assert [set(s) for s in seqs] == [{0}, set(), {2}]


def test_streams_differ_from_start_to_start():
    streams = {PacketStream().packets_of(make_result())[0].stream for _ in range(20)}
    assert len(streams) == 20


def test_hello_comes_first_and_once_a_second_of_capture_time():
    stream = PacketStream()
    when = [
        i
        for i in range(65)
        if any(isinstance(p, HelloPacket) for p in stream.packets_of(make_result(index=i, time_ns=i * S // 30)))
    ]
    assert when == [0, 30, 60]
    jumped_back = stream.packets_of(make_result(index=65, time_ns=0))
    assert isinstance(jumped_back[0], HelloPacket)


def test_hello_announces_all_that_the_other_packets_leave_out():
    stream = PacketStream(mirror=True)
    hello = stream.packets_of(make_result([make_person(1)], width=320, height=200))[0]
    assert isinstance(hello, HelloPacket)
    assert (hello.keypoints, hello.joints, hello.parents) == (COCO17.names, HUMANOID.joints, HUMANOID.parents)
    np.testing.assert_array_equal(hello.rest_offsets, HUMANOID.rest_offset_m)
    assert (hello.image, hello.mirrored, hello.sent) == ((320, 200), True, 0)
    assert hello.axes == {"handedness": "right", "up": "+y", "front": "+z", "left": "+x"}
    (last,) = stream.closing_packets()
    assert (last.sent, last.seq) == (3, 1)
    assert PacketStream().closing_packets() == []


def test_rotations_sent_are_those_of_the_skeleton_we_announce():
    person = make_person(1)
    local = as_float32(np.tile([0, 0, 0, 1], (17, 1)))
    rest = SkeletonPose(
        JointRotations(HUMANOID, local),
        as_float32(HUMANOID.rest_offset_m[0]),
        as_float32(HUMANOID.rest_bone_m),
        np.ones(17, np.float32),
        0,
        0,
    )
    packets = PacketStream().packets_of(make_result([Person(person.box, person.keypoints, person.joints, rest)]))
    hello, pose = first(packets, HelloPacket), first(packets, PosePacket)
    walked = np.zeros((17, 3))
    for row, parent in enumerate(hello.parents):
        walked[row] = hello.rest_offsets[row] + (walked[parent] if parent >= 0 else 0)
    np.testing.assert_allclose(pose.joints_3d, walked, atol=1e-6)


def test_hello_has_the_newest_camera_and_a_mirrored_stream_the_mirrored_one():
    camera, later = make_camera(), make_camera(pitch_deg=20, roll_deg=0)
    for stream, wanted in ((PacketStream(), camera), (PacketStream(mirror=True), camera.mirrored())):
        assert first(stream.packets_of(make_result()), HelloPacket).meta == {}
        hello = first(stream.packets_of(make_result(time_ns=S, camera=camera)), HelloPacket)
        read = SceneCamera.from_dict(decode(encode(hello)).meta["camera"])
        assert read.project((0.1, 1, 0)) == pytest.approx(wanted.project((0.1, 1, 0)), abs=0.5)
        stream.packets_of(make_result(time_ns=S + S // 2, camera=later))
        (closing,) = stream.closing_packets()
        assert SceneCamera.from_dict(closing.meta["camera"]).pitch_deg == pytest.approx(20, abs=0.05)


def test_a_pose_and_its_camera_project_onto_the_same_pixels_in_a_mirrored_stream():
    camera, person = make_camera(), make_person(1)
    seen = camera.project(forward_kinematics(person.pose))
    packets = PacketStream(mirror=True).packets_of(make_result([person], camera=camera))
    hello, pose = (first([decode(encode(p)) for p in packets], kind) for kind in (HelloPacket, PosePacket))
    mirrored = SceneCamera.from_dict(hello.meta["camera"]).project(pose.joints_3d)
    wanted = (seen * (-1, 1) + (camera.width, 0))[list(HUMANOID.mirror)]
    assert mirrored == pytest.approx(wanted, abs=0.6)  # millimetres and 4 decimals of a quaternion


def test_the_longest_hello_fits_into_a_datagram():
    far = SceneCamera(
        159.9, 10000, 10000, np.full(3, -1234.5678), rot.from_pitch_roll(-0.6, -2.9), "estimated", 12.34
    )  # fmt: skip
    stream = PacketStream(mirror=True, stream=2**31 - 1)
    stream._seq, stream._sent = 999_999_998, 9_999_999_999
    hello = stream.packets_of(make_result(camera=far, width=10000, height=10000))[0]
    fields = json.loads(encode(hello))
    assert fields["meta"]["camera"]["position_m"] == [99, -99, -99]
    assert min(len(str(abs(value))) for value in fields["meta"]["camera"]["rotation_xyzw"]) >= 5
    assert fields["rest_offsets"] == HUMANOID.rest_offset_m.tolist()
