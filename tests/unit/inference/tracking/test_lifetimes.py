"""Lifetimes: known track ids, and ids that are gone for good."""

from realtime_pose.inference.tracking.lifetimes import Lifetimes

SECOND_NS = 10**9


def test_a_person_is_gone_after_more_than_two_seconds_and_only_once():
    lifetimes = Lifetimes(single=False)
    assert lifetimes.update([1, 2], 0) == frozenset()
    assert lifetimes.update([2], 2 * SECOND_NS) == frozenset()
    assert lifetimes.known == {1, 2}
    assert lifetimes.update([2], 2 * SECOND_NS + 1) == {1}
    assert lifetimes.update([2], 3 * SECOND_NS) == frozenset()
    assert lifetimes.known == {2}


def test_the_only_person_keeps_the_id_until_another_comes():
    lifetimes = Lifetimes(single=True)
    lifetimes.update([1], 0)
    assert lifetimes.update([], 3600 * SECOND_NS) == frozenset()
    assert lifetimes.update([2], 3600 * SECOND_NS + 1) == {1}
    assert lifetimes.known == {2}
