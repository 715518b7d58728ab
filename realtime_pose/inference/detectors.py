"""The table of person detectors."""

from realtime_pose.inference.base import InferenceConfig, PersonDetector
from realtime_pose.utils.choices import load_choice

DETECTORS = {
    "blazepose": "realtime_pose.inference.blazepose:BlazePoseDetector",
}


def build_detector(config: InferenceConfig) -> PersonDetector:
    """The detector that `config.detector` names.

    Raises:
        UnknownChoiceError: The table has no such name.
    """
    detector: PersonDetector = load_choice("inference.detector", config.detector, DETECTORS)(config)
    return detector
