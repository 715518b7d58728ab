"""Table of lifters, by name."""

from realtime_pose.body.settings import BodyConfig
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.stabilized import StabilizedLifter
from realtime_pose.utils.choices import load_choice

LIFTERS = {
    "trained": "realtime_pose.lifting.trained:TrainedLifter",
    "geometric": "realtime_pose.lifting.geometric:GeometricLifter",
}


def build_lifter(config: BodyConfig) -> Lifter:
    """The lifter that `config.lifter` names, stabilized.

    Raises:
        UnknownChoiceError: The table has no such name.
    """
    return StabilizedLifter(load_choice("body.lifter", config.lifter, LIFTERS)(config), config)
