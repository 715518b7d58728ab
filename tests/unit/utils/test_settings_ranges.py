"""Ranges of settings, both ends included."""

import math

import pytest

from realtime_pose.errors import ConfigError
from realtime_pose.utils.settings import check_range


@pytest.mark.parametrize("value", [0.5, 1, 2.5])
def test_inside_and_on_the_ends_is_fine(value):
    check_range("body.height_m", value, 0.5, 2.5)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.49, "0.49"), (2.51, "2.51"), (-3, "-3"), (math.nan, "nan"), (math.inf, "inf")]
)
def test_a_value_out_of_range_names_what_came_and_what_was_wanted(value, shown):
    with pytest.raises(ConfigError) as caught:
        check_range("body.height_m", value, 0.5, 2.5)
    assert str(caught.value) == f"body.height_m is {shown}, wanted 0.5 to 2.5"
