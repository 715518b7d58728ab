"""Take clock: times of motion files, without long gaps."""

import pytest

from realtime_pose.exporters.take_clock import TakeClock

S = 1_000_000_000


def times(clock, given_s):
    return [clock.at(round(t * S)) / S for t in given_s]


def test_times_start_at_zero_and_never_run_back():
    clock = TakeClock(30.0)
    assert times(clock, [7.0, 7.5, 7.2, 7.5, 9.0]) == [0.0, 0.5, 0.5, 0.5, 2.0]
    assert clock.notes == []


def test_each_long_gap_counts_as_two_seconds():
    clock = TakeClock()
    assert times(clock, [0, 1, 11, 12, 864_012, 864_013]) == [0, 1, 3, 4, 6, 7]
    (note,) = clock.notes
    assert note.startswith("The source has 2 gaps without frames, first 1.0 s after the start: motion files keep 2 s")
    assert "leave out 864006.0 s" in note


def test_a_source_of_few_frames_has_no_gaps():
    """An image folder played at one image in five seconds."""
    clock = TakeClock(0.2)
    assert times(clock, range(0, 50, 5)) == list(range(0, 50, 5))
    assert clock.notes == []


@pytest.mark.parametrize("fps", [-1.0, 0.0, float("nan")])
def test_an_unknown_rate_is_no_obstacle(fps):
    assert times(TakeClock(fps), [0, 10]) == [0, 2]


def test_the_largest_times_of_a_session_are_within_reach():
    assert times(TakeClock(30.0), [-(2**62) / S, 2**62 / S]) == [0, 2]
