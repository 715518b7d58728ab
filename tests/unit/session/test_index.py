"""Session index: any frame at once, exactly as when read in order."""

import pytest
from support.people import make_camera, make_clip, make_result
from support.sessions import record_session, session_head, varied_results

from realtime_pose.errors import RecordingError
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import read_session


def test_any_frame_is_the_one_that_reading_in_order_gives(tmp_path):
    session = read_session(record_session(tmp_path / "a", varied_results()))
    index = SessionIndex(session)
    frames = list(session.frames())
    assert index.times_ns == [result.frame.time_ns for result in frames]
    assert index.captured_ns == frames[0].frame.captured_ns
    assert (index.people, index.damage) == (2, "")
    for row in (3, 0, 2, 1):
        got = index.result(row)
        assert got.frame.index == frames[row].frame.index
        wanted = [person.keypoints.xy_px.tobytes() for person in frames[row].people]
        assert [person.keypoints.xy_px.tobytes() for person in got.people] == wanted
    index.close()


def test_any_frame_has_its_own_camera(tmp_path):
    pitches = (None, 5, 10, 10, 15)
    sent = [
        make_result(index=i, time_ns=i, camera=None if pitch is None else make_camera(pitch_deg=pitch))
        for i, pitch in enumerate(pitches)
    ]
    index = SessionIndex(read_session(record_session(tmp_path / "a", sent)))
    for row in (4, 0, 3, 1, 2):
        camera = index.result(row).camera
        assert (camera and round(camera.pitch_deg)) == pitches[row]
    index.close()


def test_a_damaged_session_can_be_used_up_to_the_damage(tmp_path):
    path = record_session(tmp_path / "a", make_clip(3))
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    index = SessionIndex(read_session(path))
    assert len(index.times_ns) == 2
    assert index.damage.startswith("The end of ")
    path.write_bytes(whole[:-5] + b"\0" + whole[-4:] + whole[-100:])
    assert "is damaged at byte" in SessionIndex(read_session(path)).damage


def test_a_session_without_frames_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(session_head())
    with pytest.raises(RecordingError, match="has no whole frame; record it again"):
        SessionIndex(read_session(tmp_path / "a"))


def test_a_file_that_changed_since_is_an_error(tmp_path):
    path = record_session(tmp_path / "a", make_clip(3))
    index = SessionIndex(read_session(path))
    record_session(path, make_clip(3)[:1])
    with pytest.raises(RecordingError):
        index.result(2)
    index.close()
