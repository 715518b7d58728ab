"""File groups: one file's failure is its own, except on a full disk."""

import errno

import pytest
from support.people import make_clip

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.file_group import FileGroup


class Sink:
    """Counts its frames, and fails at one of them, or at the end."""

    def __init__(self, fails_at=None, failure=None):
        self.fails_at, self.failure = fails_at, failure
        self.frames = self.closed = 0

    def send(self, result):
        if self.frames == self.fails_at:
            raise self.failure
        self.frames += 1

    def close(self):
        self.closed += 1
        if self.fails_at == "end":
            raise self.failure


def sent(**sinks):
    group = FileGroup(sinks)
    for result in make_clip(5):
        group.send(result)
    return group


@pytest.mark.parametrize("at", [0, 2, "end"])
def test_the_others_go_on_and_the_failure_is_raised_at_the_end(at):
    whole, broken = Sink(), Sink(at, RecordingError("cannot write motion.bvh: a reason"))
    group = sent(bvh=broken, csv=whole)
    with pytest.raises(RecordingError, match=r"^cannot write motion\.bvh: a reason; the other files are complete$"):
        group.close()
    group.close()
    assert (whole.frames, whole.closed, broken.closed) == (5, 1, 1)
    assert list(group.failures) == ["bvh"]


def test_several_failures_are_one_sentence():
    group = sent(bvh=Sink(1, RecordingError("no bvh")), csv=Sink(2, RecordingError("no csv")))
    with pytest.raises(RecordingError, match=r"^motion\.bvh: no bvh; joints\.csv: no csv$"):
        group.close()


def test_a_fault_of_the_program_and_the_only_file_are_raised_as_they_are():
    with pytest.raises(ValueError, match=r"^a fault$"):
        sent(bvh=Sink(1, ValueError("a fault")), csv=Sink()).close()
    with pytest.raises(RecordingError, match=r"^no bvh$"):
        sent(bvh=Sink(1, RecordingError("no bvh"))).close()


def test_a_full_disk_ends_all_at_the_same_frame():
    failure = RecordingError("cannot write a.bvh; free some space there")
    failure.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    whole = Sink()
    with pytest.raises(RecordingError, match="free some space there"):
        sent(csv=whole, bvh=Sink(2, failure))
    assert whole.frames == 3
