"""Detector that returns the whole frame as one box: for footage cropped to one person, and only if chosen by name."""

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.utils.arrays import as_float32


class WholeFrameDetector:
    """One box per frame, the whole of it."""

    def __init__(self, config: InferenceConfig) -> None:
        pass

    def detect(self, frame: Frame) -> list[PersonBox]:
        """The whole frame as a person's box."""
        return [PersonBox(as_float32([0, 0, frame.width, frame.height]), 1.0)]

    def close(self) -> None:
        """Nothing to release."""
