"""The session: exact to the bit, readable after a crash, and plain about files that are none."""

import json
import struct
import zlib

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.datatypes import JointRotations, Person, PersonKeypoints, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.session import format as session
from realtime_pose.session.format import SessionRecorder, mark_finished, read_session
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import as_float32

S = 1_000_000_000
SETTINGS = {"estimator": "blazepose", "source": "Grüße.mp4", "config": {"persons": 2}}


def record(path, results, settings=SETTINGS):
    recorder = SessionRecorder(path, settings)
    for result in results:
        recorder.send(result)
    recorder.close()
    return path


def assert_same_people(got, wanted):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        assert a.box.score == b.box.score
        assert a.keypoints.layout is b.keypoints.layout
        pairs = [
            (a.box.bbox_xyxy_px, b.box.bbox_xyxy_px),
            (a.keypoints.xy_px, b.keypoints.xy_px),
            (a.keypoints.score, b.keypoints.score),
        ]
        for x, y in ((a.joints, b.joints), (a.pose, b.pose)):
            assert (x is None) == (y is None)
        if b.joints is not None:
            pairs += [(getattr(a.joints, n), getattr(b.joints, n)) for n in ("xyz_m", "root_m", "score")]
        if b.pose is not None:
            assert a.pose.rotations.skeleton is b.pose.rotations.skeleton
            pairs += [(getattr(a.pose, n), getattr(b.pose, n)) for n in ("root_m", "bone_m", "score")]
            pairs.append((a.pose.rotations.local_xyzw, b.pose.rotations.local_xyzw))
        for x, y in pairs:
            assert x.dtype == np.float32
            assert x.tobytes() == y.tobytes()  # NaN and the sign of zero included
        for noun in ("keypoints", "joints", "pose"):
            if getattr(b, noun) is not None:
                assert getattr(a, noun).track_id == getattr(b, noun).track_id
                assert getattr(a, noun).time_ns == getattr(b, noun).time_ns


def varied():
    odd = make_person(4, track_id=-1, layout=COCO17, with_pose=False, time_ns=3 * S)
    xy = odd.keypoints.xy_px.copy()
    xy[0] = np.nan, -0.0
    odd = Person(odd.box, PersonKeypoints(COCO17, xy, odd.keypoints.score, -1, 3 * S), None, None)
    return [
        make_result(),
        make_result([make_person(1, time_ns=S)], index=1, time_ns=S),
        make_result(
            [make_person(2, time_ns=2 * S), make_person(3, track_id=2**40, time_ns=2 * S)], index=5, time_ns=2 * S
        ),
        make_result([odd], index=6, time_ns=3 * S, width=33, height=21),
    ]


def test_what_is_read_is_what_was_sent_to_the_bit(tmp_path):
    results = varied()
    got = read_session(record(tmp_path / "a.rtpose", results))
    assert SETTINGS.items() <= got.settings.items()
    assert isinstance(got.settings["wall_offset_ns"], int)
    frames = list(got.frames())
    assert not got.cut
    assert len(frames) == len(results)
    for a, b in zip(frames, results, strict=True):
        for name in ("index", "time_ns", "captured_ns", "width", "height"):
            assert getattr(a.frame, name) == getattr(b.frame, name)
        assert not a.frame.image_bgr.any()
        assert_same_people(a.people, b.people)
    assert len(list(got.frames())) == len(results)  # it can be read again


def test_ten_minutes_of_one_person_stay_under_30_mb(tmp_path):
    one = record(tmp_path / "one", [make_result([make_person(1, layout=COCO17_FEET_HANDS)])] * 20).stat().st_size
    two = record(tmp_path / "two", [make_result([make_person(1, layout=COCO17_FEET_HANDS)])] * 40).stat().st_size
    assert (two - one) / 20 * 30 * 600 < 30e6


def test_a_crash_at_any_byte_loses_at_most_the_last_frame(tmp_path):
    whole = record(tmp_path / "whole", make_clip(3)).read_bytes()
    ends = [len(record(tmp_path / "part", make_clip(3)[:n]).read_bytes()) for n in range(4)]
    # two recorders differ only in the clock of their settings, so the sizes may be compared
    cut = tmp_path / "cut"
    for size in range(ends[0], len(whole), 23):
        cut.write_bytes(whole[:size])
        got = read_session(cut)
        frames = sum(1 for _ in got.frames())
        assert frames == sum(size >= end for end in ends[1:])
        assert got.cut == (size not in ends)


def test_a_file_that_is_still_being_written_can_be_read(tmp_path):
    recorder = SessionRecorder(tmp_path / "a", SETTINGS)
    for count, result in enumerate(make_clip(3)):
        assert len(list(read_session(tmp_path / "a").frames())) == count
        recorder.send(result)
    recorder.close()


def test_damage_in_the_middle_is_said_and_the_frames_before_it_come(tmp_path):
    whole = bytearray(record(tmp_path / "a", make_clip(3)).read_bytes())
    middle = len(record(tmp_path / "b", make_clip(3)[:1]).read_bytes()) + 100
    whole[middle] ^= 1
    (tmp_path / "a").write_bytes(whole)
    frames = read_session(tmp_path / "a").frames()
    next(frames)
    with pytest.raises(RecordingError, match="is damaged at byte"):
        next(frames)


def header(version=session.VERSION, payload=b'H{"estimator": "x"}'):
    return session.MAGIC + struct.pack("<H", version) + session._record(payload)


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "is no session"),
        (b"\x00\x00\x00\x18ftypmp42 and so on", "is no session"),
        (header().replace(b"\r\n", b"\n", 1), "is no session"),
        (session.MAGIC, "cut off"),
        (header()[:15], "cut off"),
        (header()[:-1], "cut off"),
        (header(version=2), "is a session of version 2, this program reads 1; update it"),
        (header(payload=b'F{"estimator": "x"}'), "damaged before its first frame"),
        (header(payload=b"H{estimator"), "settings that are no JSON object"),
        (header(payload=b"H\xff\xff"), "settings that are no JSON object"),
        (header(payload=b"H[1]"), "settings that are no JSON object"),
    ],
)
def test_files_that_are_no_sessions_get_a_plain_sentence(tmp_path, contents, says):
    path = tmp_path / "a.rtpose"
    path.write_bytes(contents)
    with pytest.raises(RecordingError, match=says):
        read_session(path)


def test_a_missing_file_gets_a_plain_sentence(tmp_path):
    with pytest.raises(RecordingError, match=r"cannot read .*check the path"):
        read_session(tmp_path / "none.rtpose")
    with pytest.raises(RecordingError, match="cannot read"):
        read_session(tmp_path)


def test_records_that_make_no_sense_give_recording_errors_only(tmp_path):
    """Whole records by their checksums, but with contents of a later or another program."""
    good = record(tmp_path / "good", varied()).read_bytes()
    rng = np.random.default_rng(5)
    at, payloads = len(session.MAGIC) + 2, []
    while at < len(good):
        size = struct.unpack_from("<I", good, at)[0]
        payloads.append(good[at + 8 : at + 8 + size])
        assert zlib.crc32(payloads[-1]) == struct.unpack_from("<I", good, at + 4)[0]
        at += 8 + size
    refused = 0
    for _ in range(300):
        changed = bytearray(payloads[rng.integers(1, len(payloads))])
        for _ in range(rng.integers(1, 4)):
            changed[rng.integers(min(60, len(changed)))] = rng.integers(256)
        changed = bytes(changed[: rng.integers(1, len(changed) + 1)])
        (tmp_path / "bad").write_bytes(header() + session._record(payloads[1]) + session._record(changed))
        try:
            list(read_session(tmp_path / "bad").frames())
        except RecordingError:
            refused += 1
    assert refused > 150


def test_layouts_and_skeletons_that_the_program_does_not_know_are_rebuilt_from_the_file(tmp_path):
    layout = KeypointLayout("later", ("a", "b"), ((0, 1),))
    skeleton = Skeleton("later", ("root", "tip"), (-1, 0), np.array([[0, 1.0, 0], [0, 0.5, 0]]), {"tip": (0, 0.1, 0)})
    pose = SkeletonPose(
        JointRotations(skeleton, as_float32([[0, 0, 0, 1]] * 2)),
        as_float32([0, 1, 0]),
        as_float32([0, 0.5]),
        as_float32([1, 1]),
        0,
        0,
    )
    keypoints = PersonKeypoints(layout, as_float32([[1, 2], [3, 4]]), as_float32([0.5, 0.6]), 0, 0)
    person = Person(make_person(1).box, keypoints, None, pose)
    path = record(tmp_path / "a", [make_result([person]), make_result([make_person(1)])])
    first, second = read_session(path).frames()
    assert first.people[0].keypoints.layout == layout
    got = first.people[0].pose.rotations.skeleton
    assert (got.joints, got.parents, got.tip_offset_m) == (skeleton.joints, skeleton.parents, {"tip": (0.0, 0.1, 0.0)})
    np.testing.assert_array_equal(got.rest_offset_m, skeleton.rest_offset_m)
    assert second.people[0].pose.rotations.skeleton is HUMANOID
    assert second.people[0].keypoints.layout is COCO17_FEET_HANDS


def test_a_session_that_was_gone_through_to_its_end_says_so(tmp_path):
    path = record(tmp_path / "a", make_clip(3))
    assert (read_session(path).finished, read_session(path).frames_in_all) == (False, None)
    mark_finished(path, 3)
    session = read_session(path)
    assert (session.finished, session.frames_in_all) == (True, 3)
    assert len(list(session.frames())) == 3
    assert not session.cut
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert not read_session(path).finished
    path.write_bytes(whole[:-5] + b"\x09" + whole[-4:])
    assert not read_session(path).finished
    with pytest.raises(RecordingError, match="cannot write"):
        mark_finished(tmp_path / "none" / "a", 3)


def test_how_far_reading_is(tmp_path):
    session = read_session(record(tmp_path / "a", make_clip(9)))
    seen = [session.bytes_read for _ in session.frames()]
    assert seen == sorted(set(seen))
    assert seen[-1] == session.size_bytes == (tmp_path / "a").stat().st_size


def test_the_clock_that_is_given_is_kept(tmp_path):
    """A copy of a session is the same to the byte."""
    first = read_session(record(tmp_path / "a", make_clip(2)))
    record(tmp_path / "b", first.frames(), first.settings)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_on_takes_describes_the_bytes(tmp_path):
    """docs/takes.md, section by section, is enough to read a file: this reader knows nothing else."""
    path = record(tmp_path / "a", [make_result([make_person(1, track_id=7)], index=4, time_ns=S)])
    mark_finished(path, 1)
    data, at = path.read_bytes(), 10
    assert data[:8] == b"RTPOSE\r\n"
    assert struct.unpack_from("<H", data, 8) == (1,)
    payloads = []
    while at < len(data):
        size, crc = struct.unpack_from("<II", data, at)
        payloads.append(data[at + 8 : at + 8 + size])
        assert zlib.crc32(payloads[-1]) == crc
        at += 8 + size
    assert [p[:1] for p in payloads] == [b"H", b"L", b"S", b"F", b"E"]
    layout, skeleton = json.loads(payloads[1][1:]), json.loads(payloads[2][1:])
    k, j = len(layout["names"]), len(skeleton["joints"])
    frame = payloads[3][1:]
    assert struct.unpack_from("<qqqIIH", frame) == (4, S, 2 * S, 640, 480, 1)
    person = frame[34:]
    assert struct.unpack_from("<qBB", person) == (7, 3, 0)
    sizes = [10, 16, 8, 8 * k, 4 * k, 1, 12 * k, 12, 4 * k, 1, 16 * j, 12, 4 * j, 4 * j]
    assert len(person) == sum(sizes)
    sent = make_person(1, track_id=7)
    turns = np.frombuffer(person, "<f4", 4 * j, sum(sizes[:10])).reshape(j, 4)
    assert np.array_equal(turns, sent.pose.rotations.local_xyzw)
    assert struct.unpack("<cQ", payloads[4]) == (b"E", 1)
