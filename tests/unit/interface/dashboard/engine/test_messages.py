"""Messages of the dashboard's WebSocket."""

import json
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from support.people import make_camera, make_person, make_result

from realtime_pose.axes import mirrored_positions, mirrored_rotations
from realtime_pose.datatypes import Frame, FrameResult, PersonBox, PersonKeypoints
from realtime_pose.errors import PacketError
from realtime_pose.interface.dashboard.engine.messages import (
    Command,
    frame_message,
    hello,
    jpeg_of,
    read_camera_frame,
    read_text,
)
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, LAYOUTS, KeypointLayout
from realtime_pose.utils.arrays import as_float32


def taken_apart(message):
    length = struct.unpack_from("<I", message)[0]
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def sent(result, mirror=False):
    return taken_apart(frame_message(result, seq=3, run=2, mirror=mirror, sent_unix_s=12.5))


def test_a_frame_holds_its_people_in_the_frames_pixels():
    person = make_person(4, track_id=7)
    header, jpeg = sent(make_result([person], time_ns=1_500_000_000))
    assert (header["seq"], header["run"], header["time_s"], header["sent_unix_s"]) == (3, 2, 1.5, 12.5)
    assert header["size"] == [640, 480]
    (told,) = header["people"]
    assert told["id"] == 7
    assert told["layout"] == person.keypoints.layout.name
    np.testing.assert_allclose(told["keypoints"], person.keypoints.xy_px, atol=0.051)
    np.testing.assert_allclose(told["scores"], person.keypoints.score, atol=0.0051)
    np.testing.assert_allclose(told["box"], person.box.bbox_xyxy_px, atol=0.051)
    np.testing.assert_allclose(told["joints"], forward_kinematics(person.pose), atol=1e-4)
    np.testing.assert_allclose(told["rotations"], person.pose.rotations.local_xyzw, atol=1e-4)
    np.testing.assert_allclose(told["root"], person.pose.root_m, atol=1e-4)
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape == (480, 640, 3)


def test_a_frame_has_its_camera_and_mirrored_poses_the_mirrored_one():
    assert sent(make_result())[0]["camera"] is None
    camera = make_camera()
    for mirror, wanted in ((False, camera), (True, camera.mirrored())):
        told = sent(make_result(camera=camera), mirror)[0]["camera"]
        assert told["position"] == pytest.approx(wanted.position_m)
        assert told["rotation"] == pytest.approx(wanted.rotation_xyzw)
        assert told["yfov_deg"] == pytest.approx(camera.yfov_deg, abs=1e-3)


def test_mirror_changes_poses_and_not_pixels():
    person = make_person(4)
    score = np.linspace(0, 1, len(HUMANOID.joints)).astype(np.float32)
    person = replace(person, pose=replace(person.pose, score=score))
    (plain,), (told,) = (sent(make_result([person]), mirror)[0]["people"] for mirror in (False, True))
    assert told["keypoints"] == plain["keypoints"]
    assert told["box"] == plain["box"]
    np.testing.assert_allclose(told["joints"], mirrored_positions(HUMANOID, plain["joints"]), atol=2e-4)
    np.testing.assert_allclose(told["rotations"], mirrored_rotations(HUMANOID, plain["rotations"]), atol=2e-4)
    assert told["known"] == [plain["known"][row] for row in HUMANOID.mirror]


def test_a_person_without_a_pose_has_null_fields():
    (told,) = sent(make_result([make_person(with_pose=False)]))[0]["people"]
    assert [told[name] for name in ("joints", "rotations", "root", "known")] == [None] * 4


def test_values_that_are_not_finite_do_not_reach_the_browser():
    person = make_person()
    xy = person.keypoints.xy_px.copy()
    xy[0] = np.nan
    box = PersonBox(as_float32([np.nan, -np.inf, np.inf, 5]), 0.5)
    root = as_float32([np.nan, 0, 0])
    broken = replace(
        person, box=box, keypoints=replace(person.keypoints, xy_px=xy), pose=replace(person.pose, root_m=root)
    )
    (told,) = sent(make_result([broken]))[0]["people"]
    assert told["keypoints"][0] == [0, 0]
    assert told["scores"][0] == 0
    assert told["joints"] is None
    assert all(abs(value) < 1e5 for value in told["box"])


def test_a_layout_that_the_page_does_not_know_comes_as_one_that_it_does():
    layout = KeypointLayout("foreign", ("left_wrist", "horn"), ((0, 1),))
    points = PersonKeypoints(layout, as_float32([[5, 6], [7, 8]]), as_float32([0.5, 1]), 1, 0)
    (told,) = sent(make_result([replace(make_person(), keypoints=points)]))[0]["people"]
    known = LAYOUTS[told["layout"]]
    row = known.index["left_wrist"]
    assert told["keypoints"][row] == [5, 6]
    assert [score > 0 for score in told["scores"]].count(True) == 1


def test_a_frame_without_an_image_has_an_empty_one():
    black = np.broadcast_to(np.zeros((), np.uint8), (480, 640, 3))
    header, jpeg = sent(FrameResult(Frame(black, 0, 0, 0), ()))
    assert jpeg == b""
    assert header["size"] == [640, 480]
    assert jpeg_of(Frame(np.zeros((480, 640, 3), np.uint8), 0, 0, 0))  # black, but an image


@pytest.mark.parametrize(
    ("size", "shown"), [((1080, 1920), (540, 960)), ((1920, 1080), (960, 540)), ((9, 4000), (2, 960))]
)
def test_large_images_are_scaled_down(size, shown):
    jpeg = jpeg_of(Frame(np.zeros((*size, 3), np.uint8), 0, 0, 0))
    assert cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape[:2] == shown


def test_hello_has_the_layouts_skeleton_and_colours():
    told = json.loads(hello("/dashboard/x.glb"))
    assert told["type"] == "hello"
    assert told["character"] == "/dashboard/x.glb"
    assert set(told["layouts"]) == set(LAYOUTS)
    assert told["layouts"]["coco17"]["names"] == list(LAYOUTS["coco17"].names)
    assert told["skeleton"]["joints"] == list(HUMANOID.joints)
    assert told["colours"] == {"left": "#56b4e9", "right": "#d55e00", "middle": "#f0e442"}


def test_messages_of_clients_are_parsed():
    assert read_text('{"ack": 5}') == Command(ack=5)
    assert read_text('{"do":"pause"}') == Command(do="pause")
    grabbed_ms, jpeg = read_camera_frame(struct.pack("<d", 12.5) + b"\xff\xd8\xff")
    assert (grabbed_ms, jpeg) == (12.5, b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "text",
    ["", "{", "5", "[]", "null", '{"ack":true}', '{"ack":1.5}', '{"ack":"1"}', '{"do":"close"}', '{"do":["pause"]}',
     '{"ack":1,"do":"pause"}', "[" * 1000, '{"do":{}}'],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(PacketError):
        read_text(text)


@pytest.mark.parametrize("data", [b"", b"1234567", b"12345678"])
def test_a_camera_message_too_short_is_refused(data):
    with pytest.raises(PacketError):
        read_camera_frame(data)
