"""OSC messages and bundles, read back by an independent reader."""

import pytest
from support.osc import read_osc

from realtime_pose.communication.osc import bundles, message


def test_bundles_are_filled_up_to_the_limit():
    one = message("/abc", "x" * 43)  # 8 + 4 + 44 bytes, and 4 for its size
    assert one.size == 56
    assert [len(b) for b in bundles([one] * 4, 16 + 2 * 60)] == [136, 136]
    assert [len(b) for b in bundles([one] * 4, 16 + 2 * 60 - 1)] == [76] * 4
    assert [len(b) for b in bundles([one] * 2, 10)] == [76, 76]  # a single message is sent even if over the limit
    assert list(bundles([])) == []


def test_arguments_keep_their_types():
    (datagram,) = bundles([message("/x", "name", 3, 0.5)])
    assert read_osc(datagram) == [("/x", ["name", 3, pytest.approx(0.5)])]
