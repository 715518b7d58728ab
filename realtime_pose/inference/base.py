"""What detectors, trackers and 2D estimators promise, and their settings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.checks import check_range

RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "tensorrt")
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8", "int4")
DEVICES = ("auto", "cpu", "cuda", "mps", "gpu")
"""What ViTPose runs with, how it counts, and where; one GPU of several is cuda:1, and gpu is Intel's."""


@dataclass(frozen=True)
class InferenceConfig:
    """Settings of the 2D part.

    Attributes:
        estimator: auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h or mmpose.
        checkpoint: File or manifest name of the weights; empty takes the estimator's own.
        model_config: mmpose model config (.py); empty takes the estimator's own. A config is code: use only your own.
        dataset: Which head of a checkpoint with several is meant (ViTPose++: coco, aic, mpii, ap10k, apt36k or
            wholebody), and whose 17 keypoints a file with 17 has; empty means COCO's.
        runtime: auto, torch, onnxruntime, openvino or tensorrt.
        precision: auto, fp32, bf16, fp16, int8 or int4: how the runtime counts.
        device: auto, cpu, cuda, mps or gpu.
        flip_test: Look at each person twice, once mirrored, and take the mean.
        download: Whether weights may be fetched.
        detector: Name in the detector table; auto takes what the number of people asks for.
        detector_checkpoint: File or manifest name of the detector's weights; empty takes the detector's own.
        detect_every: Frames between two looks for people while somebody is tracked.
        persons: People followed at most.
        score_threshold: Below it a keypoint counts as not seen.
    """

    estimator: str = "auto"
    checkpoint: str = ""
    model_config: str = ""
    dataset: str = ""
    runtime: str = "auto"
    precision: str = "auto"
    device: str = "auto"
    flip_test: bool = False
    download: bool = True
    detector: str = "auto"
    detector_checkpoint: str = ""
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
        runtime: What runs the model, e.g. "torch", "openvino", "mediapipe".
        precision: How it counts, e.g. "fp32", "bf16", "int8".
        device: Where it runs, e.g. "cpu"; for ONNX Runtime with the provider in use.
        model_hash: SHA-256 of the weights, and of what else decides the answers: it names the model in a recording.
        layout: The layout of every answer.
        finds_people: True for an estimator with a tracker of its own (BlazePose): it is given no boxes, and answers
            with the one person it follows, or nobody. This is the one declared exception to `estimate`'s promise.
    """

    name: str
    runtime: str
    precision: str
    device: str
    model_hash: str
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
        """Where to look in this frame, each box with a name, from fresh detections and the keypoints last chosen.

        Those who are followed come first; passers-by who could be mistaken for them may come after.
        """
        ...

    def choose(self, boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
        """Those who are followed, out of what an estimator found in the boxes of `update`: in order, nobody twice."""
        ...

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        ...

    def gone(self, visible: Collection[int], time_ns: int) -> frozenset[int]:
        """Note who is visible in the frame of this media time; returns who is gone for good, each id once.

        The tracker alone decides this. It has forgotten them itself; every other stage then drops their state.
        """
        ...

    def forget(self, track_id: int) -> None:
        """Drop what is known of one person."""
        ...
