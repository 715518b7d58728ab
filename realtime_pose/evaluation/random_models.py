"""Models with random weights for speed measurements, which take the same time as trained ones."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.evaluation.int8_models import write_openvino_int8
from realtime_pose.evaluation.selftest import TRUTH
from realtime_pose.inference.base import InferenceConfig, PoseEstimator
from realtime_pose.inference.runtimes import openvino_runtime
from realtime_pose.inference.runtimes.artefacts import artefact_folder, put_artefact
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.inference.runtimes.choose import JUDGEMENT
from realtime_pose.inference.vitpose.models import load_model
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float32, as_float32
from realtime_pose.utils.choices import check_choice
from realtime_pose.utils.extras import needs_extra
from realtime_pose.utils.paths import data_path

SIZES = {"s": (384, 12, 12), "b": (768, 12, 12), "l": (1024, 24, 16), "h": (1280, 32, 16)}
"""Width, layers and heads of each ViTPose size."""

_NOISE_CROPS = 16


def write_random_vitpose(size: str, path: Path) -> Path:
    """Writes a ViTPose of that size with random weights to `path`: classic decoder, COCO's 17 keypoints.

    Raises:
        UnknownChoiceError: There is no such size.
    """
    check_choice("size", size, SIZES)
    with needs_extra("vitpose", "a random ViTPose"):
        import torch
        from safetensors.torch import save_file

    from realtime_pose.inference.vitpose.network import VitPoseNetwork

    width, layers, heads = SIZES[size]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = VitPoseNetwork(width, layers, heads, "classic", len(COCO17.names))
    save_file(network.state_dict(), path)
    return path


def quantize_on_noise(config: InferenceConfig) -> None:
    """Store an OpenVINO int8 model of the checkpoint, calibrated on noise; only its speed is meaningful."""
    source = load_model(config).source
    put_artefact(artefact_folder(source, openvino_runtime.INT8), lambda folder: _quantize(source, folder))


def _quantize(source: SourceModel, folder: Path) -> None:
    width, height = source.input_wh
    noise = np.random.default_rng(0).normal(size=(_NOISE_CROPS, 3, height, width)).astype(np.float32)
    write_openvino_int8(source, noise, folder, lambda done, total: None)
    (folder / JUDGEMENT).write_text(json.dumps({"accepted": True}), encoding="utf-8")


class GroundTruthEstimator:
    """Runs an estimator, then returns the actor's true keypoints instead of its own.

    So the later stages have a person to track, even if the estimator's weights are random.

    Args:
        estimator: The estimator to run; it has COCO's 17 keypoints.
    """

    def __init__(self, estimator: PoseEstimator) -> None:
        self.name, self.runtime, self.precision = estimator.name, estimator.runtime, estimator.precision
        self.device, self.layout, self.finds_people = estimator.device, COCO17, False
        self.model_hash = estimator.model_hash
        self._estimator = estimator
        self._xy_px = load_truth(data_path(TRUTH)).keypoints_px[:, COCO17_FEET_HANDS.rows(COCO17.names)]

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """The actor's keypoints in this frame of the packaged clip for the first box; score 0 for further boxes."""
        self._estimator.estimate(frame, boxes)
        score: Float32 = np.ones(len(COCO17.names), np.float32)
        return [
            PersonKeypoints(COCO17, as_float32(self._xy_px[frame.index]), score * (i == 0), box.track_id, frame.time_ns)
            for i, box in enumerate(boxes)
        ]

    def close(self) -> None:
        """Release the estimator's memory."""
        self._estimator.close()
