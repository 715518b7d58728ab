"""Table of lifters."""

import pytest

from realtime_pose.body.settings import BodyConfig
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.lifting.geometric import GeometricLifter
from realtime_pose.lifting.stabilized import StabilizedLifter
from realtime_pose.lifting.table import LIFTERS, build_lifter
from realtime_pose.lifting.trained import TrainedLifter


@pytest.mark.parametrize(("name", "wanted"), [("trained", TrainedLifter), ("geometric", GeometricLifter)])
def test_the_named_lifter_is_built_and_stabilized(name, wanted):
    lifter = build_lifter(BodyConfig(lifter=name))
    assert isinstance(lifter, StabilizedLifter)
    assert type(lifter._lifter) is wanted


def test_an_unknown_name_lists_the_valid_ones():
    with pytest.raises(UnknownChoiceError) as caught:
        build_lifter(BodyConfig(lifter="magic"))
    assert caught.value.known == tuple(sorted(LIFTERS))
