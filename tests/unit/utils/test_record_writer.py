"""Record writer: whole records or none, also when the disk is full."""

import pytest
from support.full_disk import file_size_limit

from realtime_pose.errors import RecordingError
from realtime_pose.utils.record_writer import RecordWriter


def test_a_record_that_does_not_fit_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a"
    writer = RecordWriter(path)
    writer.append(b"one,", b"end")
    for size in range(8, 14):
        with file_size_limit(size), pytest.raises(RecordingError, match=r"cannot write .*File too large"):
            writer.append(b"two,three,", b"END!")
        assert path.read_bytes() == b"one,end"
    writer.append(b"two,", b".")
    writer.close()
    assert path.read_bytes() == b"one,two,."


def test_a_shorter_tail_leaves_nothing_of_the_longer_one(tmp_path):
    writer = RecordWriter(tmp_path / "a")
    writer.append(b"1", b"a long tail")
    writer.append(b"2", b".")
    writer.close()
    assert (tmp_path / "a").read_bytes() == b"12."


def test_a_file_may_be_closed_in_between(tmp_path):
    writer = RecordWriter(tmp_path / "a")
    writer.append(b"one")
    writer.close()
    writer.close()
    writer.append(b"two")
    writer.overwrite(0, b"O")
    writer.close()
    assert (tmp_path / "a").read_bytes() == b"Onetwo"
