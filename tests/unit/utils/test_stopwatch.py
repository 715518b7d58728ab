"""Stopwatch, with a fake clock."""

import pytest

from realtime_pose.utils import stopwatch
from realtime_pose.utils.stopwatch import Stopwatch


@pytest.fixture
def pass_ms(monkeypatch):
    """Advance the fake clock by some milliseconds."""
    now_ns = [0]

    def move(ms):
        now_ns[0] += round(ms * 1e6)

    monkeypatch.setattr(stopwatch.time, "perf_counter_ns", lambda: now_ns[0])
    return move


def test_time_is_kept_by_name_and_adds_up(pass_ms):
    watch = Stopwatch()
    for name, ms in (("lift", 2.0), ("solve", 0.5), ("lift", 3.0)):
        with watch.measure(name):
            pass_ms(ms)
        pass_ms(100)  # outside any block
    assert watch.take() == {"lift": 5.0, "solve": 0.5}


def test_taking_resets_it(pass_ms):
    watch = Stopwatch()
    with watch.measure("lift"):
        pass_ms(1)
    watch.take()
    assert watch.take() == {}
    with watch.measure("lift"):
        pass_ms(2)
    assert watch.take() == {"lift": 2.0}


def test_a_block_inside_a_block_counts_for_both(pass_ms):
    watch = Stopwatch()
    with watch.measure("outer"):
        pass_ms(1)
        with watch.measure("inner"):
            pass_ms(2)
    assert watch.take() == {"outer": 3.0, "inner": 2.0}


def test_a_block_that_fails_is_timed_and_its_error_propagates(pass_ms):
    watch = Stopwatch()
    with pytest.raises(KeyError), watch.measure("lift"):
        raise KeyError(pass_ms(4))
    assert watch.take() == {"lift": 4.0}
