"""Table of lifters, by name."""

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.stabilized import StabilizedLifter
from realtime_pose.utils.choices import load_choice

LIFTERS = {
    "trained": "realtime_pose.lifting.trained:TrainedLifter",
    "geometric": "realtime_pose.lifting.geometric:GeometricLifter",
}


def build_lifter(config: BodyConfig, attitude: CameraAttitude | None = None) -> Lifter:
    """The lifter that `config.lifter` names, stabilized.

    Args:
        config: The settings.
        attitude: The camera's attitude, which the lifter uses and improves; by default one of its own.

    Raises:
        UnknownChoiceError: The table has no such name.
    """
    make = load_choice("body.lifter", config.lifter, LIFTERS)
    return StabilizedLifter(make(config, attitude or CameraAttitude(config)), config)
