"""Session writer: what is written is read back exactly, small, and readable at every moment."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_camera, make_clip, make_person, make_result
from support.sessions import SETTINGS, record_session, varied_results

from realtime_pose.errors import RecordingError
from realtime_pose.session.reader import read_session
from realtime_pose.session.writer import SessionRecorder, mark_finished
from realtime_pose.skeletons import COCO17_FEET_HANDS


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


def test_results_are_read_back_bit_for_bit(tmp_path):
    results = varied_results()
    got = read_session(record_session(tmp_path / "a.rtpose", results))
    assert SETTINGS.items() <= got.settings.items()
    assert isinstance(got.settings["wall_offset_ns"], int)
    frames = list(got.frames())
    assert not got.truncated
    assert len(frames) == len(results)
    for a, b in zip(frames, results, strict=True):
        for name in ("index", "time_ns", "captured_ns", "width", "height"):
            assert getattr(a.frame, name) == getattr(b.frame, name)
        assert not a.frame.image_bgr.any()
        assert_same_people(a.people, b.people)
    assert len(list(got.frames())) == len(results)  # it can be read again


@pytest.mark.parametrize("contact", [None, [True, False], [False, True], [False, False]])
def test_foot_contacts_are_kept(tmp_path, contact):
    contact = None if contact is None else np.array(contact)
    pose = replace(make_person(1).pose, foot_contact=contact)
    path = record_session(tmp_path / "a.rtpose", [make_result([make_person(1, pose=pose)])])
    (frame,) = read_session(path).frames()
    got = frame.people[0].pose.foot_contact
    assert (got is None) if contact is None else np.array_equal(got, contact)


def test_ten_minutes_of_one_person_stay_under_30_mb(tmp_path):
    one = (
        record_session(tmp_path / "one", [make_result([make_person(1, layout=COCO17_FEET_HANDS)])] * 20).stat().st_size
    )
    two = (
        record_session(tmp_path / "two", [make_result([make_person(1, layout=COCO17_FEET_HANDS)])] * 40).stat().st_size
    )
    assert (two - one) / 20 * 30 * 600 < 30e6


def test_a_file_that_is_still_being_written_can_be_read(tmp_path):
    recorder = SessionRecorder(tmp_path / "a", SETTINGS)
    for count, result in enumerate(make_clip(3)):
        assert len(list(read_session(tmp_path / "a").frames())) == count
        recorder.send(result)
    recorder.close()


def test_a_session_read_to_its_end_is_marked_finished(tmp_path):
    path = record_session(tmp_path / "a", make_clip(3))
    assert (read_session(path).finished, read_session(path).total_frames) == (False, None)
    mark_finished(path, 3)
    session = read_session(path)
    assert (session.finished, session.total_frames) == (True, 3)
    assert len(list(session.frames())) == 3
    assert not session.truncated
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert not read_session(path).finished
    path.write_bytes(whole[:-5] + b"\x09" + whole[-4:])
    assert not read_session(path).finished
    with pytest.raises(RecordingError, match="cannot write"):
        mark_finished(tmp_path / "none" / "a", 3)


def test_the_clock_that_is_given_is_kept(tmp_path):
    """A copy of a session is the same to the byte."""
    first = read_session(record_session(tmp_path / "a", make_clip(2)))
    record_session(tmp_path / "b", first.frames(), first.settings)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_each_frame_keeps_its_camera(tmp_path):
    cameras = [None, make_camera(), make_camera(), make_camera(pitch_deg=13), None]
    sent = [make_result([make_person(i)], index=i, time_ns=i, camera=c) for i, c in enumerate(cameras)]
    path = record_session(tmp_path / "a", sent)
    read = list(read_session(path).frames())
    assert [r.camera and r.camera.to_dict() for r in read] == [c and c.to_dict() for c in cameras]
    kinds = [payload[:1] for _, payload in read_session(path).records()]
    assert kinds == [b"L", b"S", b"F", b"C", b"F", b"F", b"C", b"F", b"C", b"F"]  # written where it changes
    again = record_session(tmp_path / "b", read, read_session(path).settings)
    assert again.read_bytes() == path.read_bytes()
