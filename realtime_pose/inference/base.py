"""What detectors, trackers and 2D estimators promise, and their settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.checks import check_range

RUNTIMES = ("auto", "torch")
DEVICES = ("auto", "cpu", "cuda", "mps")
"""What ViTPose runs with and on; one GPU of several is cuda:1."""


@dataclass(frozen=True)
class InferenceConfig:
    """Settings of the 2D part.

    Attributes:
        estimator: auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h or mmpose.
        checkpoint: File or manifest name of the weights; empty takes the estimator's own.
        model_config: mmpose model config (.py); empty takes the estimator's own. A config is code: use only your own.
        runtime: auto or torch.
        device: auto, cpu, cuda or mps.
        download: Whether weights may be fetched.
        detector: Name in the detector table.
        detect_every: Frames between two looks for people while somebody is tracked.
        persons: People followed at most.
        score_threshold: Below it a keypoint counts as not seen.
    """

    estimator: str = "auto"
    checkpoint: str = ""
    model_config: str = ""
    runtime: str = "auto"
    device: str = "auto"
    download: bool = True
    detector: str = "blazepose"
    detect_every: int = 30
    persons: int = 1
    score_threshold: float = 0.3

    def __post_init__(self) -> None:
        check_range("inference.detect_every", self.detect_every, 1, 1_000_000)
        check_range("inference.persons", self.persons, 1, 100)
        check_range("inference.score_threshold", self.score_threshold, 0, 1)


class PersonDetector(Protocol):
    """Finds people in a frame."""

    def detect(self, frame: Frame) -> list[PersonBox]:
        """Everybody in the frame, best first, unnamed; empty if there is nobody (never the whole frame)."""
        ...

    def close(self) -> None:
        """Give memory and threads back."""
        ...


class PoseEstimator(Protocol):
    """Finds the keypoints of people.

    Attributes:
        name: What reports call it, e.g. "vitpose-s".
        runtime: What runs the model, e.g. "torch", "mediapipe".
        device: Where it runs, e.g. "cpu".
        layout: The layout of every answer.
        finds_people: True for an estimator with a tracker of its own (BlazePose): it is given no boxes, and answers
            with the one person it follows, or nobody. This is the one declared exception to `estimate`'s promise.
    """

    name: str
    runtime: str
    device: str
    layout: KeypointLayout
    finds_people: bool

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """Keypoints for each box: same order, length and ids. Frame and boxes stay as they are."""
        ...

    def close(self) -> None:
        """Give memory and threads back."""
        ...


class Tracker(Protocol):
    """Names people over time, and says where each is in the next frame."""

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        """Boxes of the people in this frame, each with its name, from fresh detections and the last keypoints."""
        ...

    def forget(self, track_id: int) -> None:
        """Drop what is known of one person."""
        ...
