"""Session reader: cut-off and damaged files, and plain errors about files that are not sessions."""

import pytest
from support.people import make_clip
from support.sessions import record_session, session_head

from realtime_pose.errors import RecordingError
from realtime_pose.session import format
from realtime_pose.session.reader import read_session


def test_a_crash_at_any_byte_loses_at_most_the_last_frame(tmp_path):
    whole = record_session(tmp_path / "whole", make_clip(3)).read_bytes()
    ends = [len(record_session(tmp_path / "part", make_clip(3)[:n]).read_bytes()) for n in range(4)]
    # two recorders differ only in the clock of their settings, so the sizes may be compared
    cut = tmp_path / "cut"
    for size in range(ends[0], len(whole), 23):
        cut.write_bytes(whole[:size])
        got = read_session(cut)
        frames = sum(1 for _ in got.frames())
        assert frames == sum(size >= end for end in ends[1:])
        assert got.truncated == (size not in ends)


def test_damage_in_the_middle_is_reported_after_the_frames_before_it(tmp_path):
    whole = bytearray(record_session(tmp_path / "a", make_clip(3)).read_bytes())
    middle = len(record_session(tmp_path / "b", make_clip(3)[:1]).read_bytes()) + 100
    whole[middle] ^= 1
    (tmp_path / "a").write_bytes(whole)
    frames = read_session(tmp_path / "a").frames()
    next(frames)
    with pytest.raises(RecordingError, match="is damaged at byte"):
        next(frames)


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"", "is not a session"),
        (b"\x00\x00\x00\x18ftypmp42 and so on", "is not a session"),
        (session_head().replace(b"\r\n", b"\n", 1), "is not a session"),
        (format.MAGIC, "cut off"),
        (session_head()[:15], "cut off"),
        (session_head()[:-1], "cut off"),
        (session_head(version=2), "is a session of version 2, this program reads 1; update it"),
        (session_head(payload=b'F{"estimator": "x"}'), "damaged before its first frame"),
        (session_head(payload=b"H{estimator"), "settings that are not a JSON object"),
        (session_head(payload=b"H\xff\xff"), "settings that are not a JSON object"),
        (session_head(payload=b"H[1]"), "settings that are not a JSON object"),
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


def test_bytes_read_grow_to_the_file_size(tmp_path):
    session = read_session(record_session(tmp_path / "a", make_clip(9)))
    seen = [session.bytes_read for _ in session.frames()]
    assert seen == sorted(set(seen))
    assert seen[-1] == session.size_bytes == (tmp_path / "a").stat().st_size
