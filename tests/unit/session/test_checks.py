"""Session checks: a right checksum does not make the contents right."""

import json
import struct
from contextlib import closing

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result
from support.sessions import record_session, session_head

from realtime_pose.datatypes import JointRotations, Person, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.session import format
from realtime_pose.session.checks import MAX_JSON_BYTES, check_layout, check_skeleton, read_json
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder, mark_finished
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils.arrays import as_float32


@pytest.mark.parametrize(
    "settings",
    [
        b"[]",
        b'{"config": []}',
        b'{"config": {"capture": "0"}}',
        b'{"config": {"body": 3}}',
        b'{"config": {"inference": [[]]}}',
        b'{"config": {"capture": {"source": 0}}}',
        b'{"config": {"capture": {"rotate_deg": 45}}}',
        b'{"config": {"capture": {"rotate_deg": "90"}}}',
        b'{"wall_offset_ns": 1' + b"0" * 400 + b"}",
        b'{"wall_offset_ns": "soon"}',
        b'{"fps": -1}',
        b'{"fps": 1e999}',
        b'{"fps": true}',
        b'{"anything": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"anything": ' + b"[" * 3000 + b"]" * 3000 + b"}",
        b'{"anything": "' + b"x" * MAX_JSON_BYTES + b'"}',
    ],
    ids=lambda settings: settings[:40].decode(),
)
def test_settings_of_a_wrong_kind_get_a_plain_sentence(tmp_path, settings):
    path = tmp_path / "a.rtpose"
    path.write_bytes(session_head(payload=b"H" + settings))
    with pytest.raises(RecordingError, match="settings that are not a JSON object") as error:
        read_session(path)
    assert len(str(error.value)) < 500


def test_settings_that_the_program_does_not_know_stay_as_they_are(tmp_path):
    settings = {"mine": [1.5, None, {"a": "ä"}], "config": {"persons": 2, "body": None}, "fps": 25}
    assert read_session(record_session(tmp_path / "a", [], settings)).settings.items() >= settings.items()


def test_not_a_number_in_settings_is_read_as_null(tmp_path):
    assert read_session(record_session(tmp_path / "a", [], {"mine": float("nan")})).settings["mine"] is None


def test_what_could_not_be_read_again_is_not_recorded(tmp_path):
    with pytest.raises(RecordingError, match="more than 64 bits"):
        SessionRecorder(tmp_path / "a", {"wall_offset_ns": 10**400})
    assert not (tmp_path / "a").exists()


RIGHT_LAYOUT = {"name": "mine", "names": ["a", "b"], "links": [[0, 1]]}
RIGHT_SKELETON = {
    "name": "mine",
    "joints": ["a", "b"],
    "parents": [-1, 0],
    "rest_offset_m": [[0, 1, 0], [0, 0.5, 0]],
    "tip_offset_m": {"b": [0, 0.1, 0]},
}


@pytest.mark.parametrize(
    "change",
    [
        {"name": ["a"]},
        {"name": {}},
        {"name": ""},
        {"name": "a\nb"},
        {"names": []},
        {"names": ["a", "a"]},
        {"names": ["a", 3]},
        {"names": "ab"},
        {"names": ["a", "\ud800"]},
        {"names": ["a", "b" * 300]},
        {"names": [str(i) for i in range(2000)]},
        {"links": [[0, 2]]},
        {"links": [[0, -1]]},
        {"links": [[0]]},
        {"links": [[0, True]]},
        {"links": None},
    ],
)
def test_a_layout_that_is_none_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        check_layout(RIGHT_LAYOUT | change, [])


@pytest.mark.parametrize(
    "change",
    [
        {"name": [[]]},
        {"joints": ["a"]},
        {"joints": []},
        {"parents": [0, 0]},
        {"parents": [-1, 1]},
        {"parents": [-1, -1]},
        {"parents": [-1, 0.0]},
        {"parents": [-1]},
        {"rest_offset_m": [[0, 1, 0]]},
        {"rest_offset_m": [[0, 1, 0], [0, 1]]},
        {"rest_offset_m": [[0, 1, 0], [0, 1e300, 0]]},
        {"rest_offset_m": 0},
        {"tip_offset_m": {"c": [0, 0, 0]}},
        {"tip_offset_m": {"b": 1}},
        {"tip_offset_m": []},
    ],
)
def test_a_skeleton_that_is_none_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        check_skeleton(RIGHT_SKELETON | change, [])


def test_right_layouts_and_skeletons_pass():
    assert check_layout(RIGHT_LAYOUT, []).links == ((0, 1),)
    assert check_skeleton(RIGHT_SKELETON, []).tip_offset_m == {"b": (0.0, 0.1, 0.0)}
    for check, value in ((check_layout, RIGHT_LAYOUT), (check_skeleton, RIGHT_SKELETON), (check_layout, [])):
        with pytest.raises(ValueError, match=r"more than 256|no name"):
            check(value, [None] * 256 if value else [])


def test_json_is_read_within_bounds():
    assert read_json(b"[1, 2.5, null, NaN, -Infinity]") == [1, 2.5, None, None, None]
    for wrong in (b"{", b"[1e999]", b"[18446744073709551616]", b"[" * 100_000, b'"\xff"'):
        with pytest.raises(ValueError, match=r"."):
            read_json(wrong)


def session_with_frame(path, **changes):
    """A session with one frame without people, whose head has these numbers."""
    head = {"index": 0, "time_ns": 0, "captured_ns": 0, "width": 64, "height": 48, "people": 0} | changes
    path.write_bytes(session_head() + format.record(b"F" + format.FRAME_HEAD.pack(*head.values())))
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 0},
        {"height": 2**32 - 1},
        {"width": 100_000},
        {"time_ns": 2**63 - 1},
        {"time_ns": -(2**63)},
        {"captured_ns": 2**62},
        {"index": -(2**63)},
        {"people": 3},
    ],
    ids=str,
)
def test_a_frame_that_cannot_be_is_refused_by_every_reader(tmp_path, changes):
    session = read_session(session_with_frame(tmp_path / "a", **changes))
    with pytest.raises(RecordingError, match="does not know"):
        list(session.frames())
    with pytest.raises(RecordingError), closing(SessionIndex(session)) as index:
        index.result(0)


def test_an_end_record_counts_no_more_frames_than_fit(tmp_path):
    path = record_session(tmp_path / "a", make_clip(2))
    mark_finished(path, 2)
    assert read_session(path).total_frames == 2
    mark_finished(path, 2**63)
    assert read_session(path).total_frames is None


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 3.0])
def test_a_pose_of_wrong_numbers_is_left_out_and_the_rest_stays(tmp_path, wrong):
    """Not refused: a fault of the program itself must not cost the frames after it."""
    right = make_person(1)
    turns = right.pose.rotations.local_xyzw.copy()
    turns[3, 1] = wrong
    pose = SkeletonPose(
        JointRotations(HUMANOID, as_float32(turns)), right.pose.root_m, right.pose.bone_m, right.pose.score, 0, 0
    )
    people = [Person(right.box, right.keypoints, right.joints, pose)], [right]
    first, second = read_session(record_session(tmp_path / "a", map(make_result, people))).frames()
    assert first.people[0].pose is None
    assert first.people[0].joints is not None
    assert second.people[0].pose is not None


def test_a_box_without_a_place_is_refused(tmp_path):
    data = record_session(tmp_path / "a", [make_result([make_person(1, layout=COCO17, with_pose=False)])]).read_bytes()
    payload = data[data.rindex(b"F" + struct.pack("<q", 0)) :]
    at = 1 + format.FRAME_HEAD.size + struct.calcsize("<qBB")
    layout = format.json_record(b"L", {"name": "coco17", "names": COCO17.names, "links": COCO17.links})
    for changed, refused in ((payload[at : at + 4], False), (struct.pack("<f", np.nan), True)):
        body = payload[:at] + changed + payload[at + 4 :]
        (tmp_path / "b").write_bytes(session_head() + layout + format.record(body))
        frames = read_session(tmp_path / "b").frames()
        if refused:
            with pytest.raises(RecordingError, match="a person's box"):
                next(frames)
        else:
            assert len(next(frames).people) == 1


def test_the_settings_of_a_run_are_within_the_bounds(tmp_path):
    from dataclasses import asdict

    from realtime_pose.config import AppConfig

    settings = {"config": json.loads(json.dumps(asdict(AppConfig())))}
    assert read_session(record_session(tmp_path / "a", [], settings)).settings["config"] == settings["config"]
