"""The whole picture as one person's box: for footage already cut to one person, and only when asked for by name."""

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.utils.arrays import as_float32


class WholeFrameDetector:
    """Takes every picture for a picture of one person."""

    def __init__(self, config: InferenceConfig) -> None:
        pass

    def detect(self, frame: Frame) -> list[PersonBox]:
        """One box around everything."""
        return [PersonBox(as_float32([0, 0, frame.width, frame.height]), 1.0)]

    def close(self) -> None:
        """Nothing to give back."""
