"""Protocols of the 2D stages (person detector, pose estimator, tracker), and their settings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.settings import Shortcut, check_settings, setting
from realtime_pose.utils.stopwatch import Stopwatch

RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "tensorrt")
PRECISIONS = ("auto", "fp32", "bf16", "fp16", "int8", "int4")
DEVICES = ("auto", "cpu", "cuda", "mps", "gpu")
"""Runtimes, numeric precisions and devices of ViTPose; one GPU of several is cuda:1, and gpu is Intel's."""
_MODEL, _DETECTION = "Pose model", "Person detection"


@dataclass(frozen=True)
class InferenceConfig:
    """Settings of the 2D stages; each field says what it is."""

    estimator: str = setting(
        "auto",
        help="Pose model: {choices}.",
        more="auto uses a local ViTPose; without one it downloads vitpose-s, and without a network it uses BlazePose.",
        option="--estimator",
        metavar="NAME",
        choices="realtime_pose.inference.estimators:ESTIMATORS",
        also=("auto",),
    )
    checkpoint: str = setting(
        "",
        help="Weights of the pose model: a file, or a name that `models list` shows.",
        more="Empty uses the model's own.",
        option="--checkpoint",
        panel=_MODEL,
        metavar="FILE|NAME",
        variable="VITPOSE_CHECKPOINT",
    )
    model_config: str = setting(
        "",
        help="mmpose model config (.py). It is code: use only your own.",
        more="Empty uses the model's own.",
        option="--model-config",
        panel=_MODEL,
        metavar="FILE",
        variable="VITPOSE_CONFIG",
    )
    dataset: str = setting(
        "",
        help="Which data set's keypoints to use (ViTPose+, ViTPose++): coco, aic, mpii, ap10k, apt36k or wholebody.",
        more="It also says whose keypoints a checkpoint with 17 has; empty is coco.",
        option="--dataset",
        panel=_MODEL,
        metavar="NAME",
    )
    runtime: str = setting(
        "auto",
        help="Runtime of the pose model: {choices}.",
        more="auto times them once and uses the fastest.",
        option="--runtime",
        panel=_MODEL,
        metavar="NAME",
        choices=RUNTIMES,
    )
    precision: str = setting(
        "auto",
        help="Numeric precision: {choices}.",
        option="--precision",
        panel=_MODEL,
        metavar="NAME",
        choices=PRECISIONS,
    )
    device: str = setting(
        "auto",
        help="Device: auto, cpu, cuda (or cuda:1), mps, or gpu (Intel's, by OpenVINO).",
        option="--device",
        panel=_MODEL,
        metavar="NAME",
        choices=DEVICES,
        variable="VITPOSE_DEVICE",
    )
    flip_test: bool = setting(
        False,
        help="Average with a mirrored copy of each person: steadier, half the speed.",
        option="--flip-test",
        panel=_MODEL,
    )
    hands: bool = setting(
        False,
        help="Find 21 points of each hand, with BlazePose.",
        more="A ViTPose of 133 points has them too.",
        option="--hands",
        panel=_MODEL,
    )
    download: bool = setting(
        True,
        help="Whether missing weights may be downloaded.",
        option="--no-download",
        option_help="Never download weights.",
        panel=_MODEL,
    )
    detector: str = setting(
        "auto",
        help="Person detector: {choices}.",
        more="auto chooses by the number of people.",
        option="--detector",
        panel=_DETECTION,
        metavar="NAME",
        choices="realtime_pose.inference.detectors.table:DETECTORS",
        also=("auto",),
    )
    detector_checkpoint: str = setting(
        "",
        help="Weights of the person detector: a file (.onnx of YOLOX, .safetensors of RT-DETR), or a name.",
        more="Empty uses the detector's own.",
        option="--detector-checkpoint",
        panel=_DETECTION,
        metavar="FILE|NAME",
    )
    detect_every: int = setting(
        30,
        help="Run the person detector every N frames while a person is tracked.",
        option="--detect-every",
        panel=_DETECTION,
        metavar="N",
        low=1,
        high=1_000_000,
    )
    persons: int = setting(
        1,
        help="How many people to track at most.",
        option="--persons",
        metavar="N",
        low=1,
        high=100,
        shortcut=Shortcut("--single", 1, "Follow one person, ignore others: --persons 1."),
    )
    score_threshold: float = setting(0.3, help="Keypoints with a lower score are treated as missing.", low=0, high=1)

    def __post_init__(self) -> None:
        check_settings("inference", self)


class PersonDetector(Protocol):
    """Finds people in a frame."""

    def detect(self, frame: Frame) -> list[PersonBox]:
        """Boxes of everyone in the frame, best first, without ids; empty if nobody is found (never the whole frame)."""
        ...

    def close(self) -> None:
        """Release memory and threads."""
        ...


class PoseEstimator(Protocol):
    """Finds the keypoints of people.

    Attributes:
        name: Name in reports, e.g. "vitpose-s".
        runtime: What runs the model, e.g. "torch", "openvino".
        precision: Numeric precision, e.g. "fp32", "bf16", "int8".
        device: Device it runs on, e.g. "cpu"; for ONNX Runtime with the provider in use.
        model_hash: SHA-256 of the weights and of all else that decides the results; identifies the model in a session.
        layout: Keypoint layout of every result.
        finds_people: True for an estimator with a tracker of its own: it gets no boxes and returns the one person it
            follows, or nobody. This is the only exception to the contract of `estimate`.
    """

    name: str
    runtime: str
    precision: str
    device: str
    model_hash: str
    layout: KeypointLayout
    finds_people: bool

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """Keypoints for each box: same order, length and ids. Frame and boxes are not modified."""
        ...

    def close(self) -> None:
        """Release memory and threads."""
        ...


@runtime_checkable
class Resettable(Protocol):
    """An estimator that remembers people from frame to frame."""

    def reset(self) -> None:
        """Forget everyone: the next frame stands alone."""
        ...


@runtime_checkable
class HasStopwatch(Protocol):
    """An estimator that times the parts of `estimate`, such as "crop", "network" and "decode"."""

    stopwatch: Stopwatch


class Tracker(Protocol):
    """Gives people track ids over time, and predicts where each is in the next frame."""

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        """The boxes to estimate in this frame, with track ids, from new detections and the keypoints last chosen.

        Followed people come first; bystanders who could be confused with them may come after.
        """
        ...

    def choose(self, boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
        """The followed people, out of those found in the boxes of `update`: in order, no duplicates."""
        ...

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        ...

    def update_lifetimes(self, visible: Collection[int], time_ns: int) -> frozenset[int]:
        """Update with the ids visible at this media time; returns those that are gone for good, each once.

        The tracker alone decides this, and has dropped their state; every other stage then drops its own.
        """
        ...

    def forget(self, track_id: int) -> None:
        """Drop one person's state."""
        ...
