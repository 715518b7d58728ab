"""ViTPose through mmpose: mmpose's model, our own batched crops before it and heatmap decoding after it.

Source: Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation" (2022).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from realtime_pose.checkpoints import VitPoseWeights, find_local, load_vitpose, read_manifest
from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.errors import CheckpointError, ConfigError, UnknownChoiceError
from realtime_pose.inference.base import DEVICES, RUNTIMES, InferenceConfig
from realtime_pose.inference.crops import Cropper, visible_boxes
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.mmpose_compat import TopdownModel, build_topdown_model
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.paths import data_path


class ViTPoseEstimator:
    """The `PoseEstimator` for ViTPose of every size and checkpoint family.

    Args:
        config: `estimator` is vitpose-s, -b, -l or -h, which the checkpoint must then be; anything else takes the size
            that the checkpoint has. `checkpoint` is a file or a name of the manifest; empty looks for the estimator's
            own on this machine. Nothing is fetched here.

    Raises:
        CheckpointError: The checkpoint is missing, damaged, unsafe, or of another architecture than wanted.
        ConfigError: The device is not on this machine, or the model config does not fit.
        UnknownChoiceError: There is no such runtime or device.
    """

    finds_people = False
    runtime = "torch"

    def __init__(self, config: InferenceConfig) -> None:
        if config.runtime not in RUNTIMES:
            raise UnknownChoiceError("runtime", config.runtime, RUNTIMES)
        self._device = pick_device(config.device)
        path = _checkpoint_path(config)
        weights = load_vitpose(path)
        _check_size(config.estimator, path, weights)
        model = build_topdown_model(_model_config_path(config, path, weights))
        _fill(model, weights, path)
        self._network = model.network.to(self._device)
        self._cropper = Cropper(model.input_wh, model.padding, model.mean_rgb, model.std_rgb)
        self._blur_kernel = model.blur_kernel
        self.name = f"vitpose-{weights.size or 'custom'}"
        self.device = str(self._device)
        self.layout = model.layout
        self.checkpoint = path

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """Keypoints for each box, in its order; scores are 0 for a box without area or outside the frame."""
        if not boxes:
            return []
        count = len(self.layout.names)
        xyxy = np.stack([box.bbox_xyxy_px for box in boxes])
        xy, score = np.zeros((len(boxes), count, 2), np.float32), np.zeros((len(boxes), count), np.float32)
        seen = visible_boxes(xyxy, frame.width, frame.height)
        if seen.any():
            xy[seen], score[seen] = self._keypoints(frame, xyxy[seen])
        return [
            PersonKeypoints(self.layout, xy[i].copy(), score[i].copy(), box.track_id, frame.time_ns)
            for i, box in enumerate(boxes)
        ]

    def heatmaps(self, crops: Float32) -> Float32:
        """The network's heatmaps (N, K, H, W) for normalised RGB crops (N, 3, H, W)."""
        with torch.inference_mode():
            answer = self._network(torch.from_numpy(crops).to(self._device), None, mode="tensor")
        return answer.float().cpu().numpy()

    def close(self) -> None:
        """Give memory back: the network goes with this object, and a GPU's cache is emptied."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _keypoints(self, frame: Frame, xyxy: Float32) -> tuple[Float32, Float32]:
        crops, regions = self._cropper.crop(frame.image_bgr, xyxy)
        heatmaps = self.heatmaps(crops)
        xy_cells, score = decode_heatmaps(heatmaps, self._blur_kernel)
        return xy_in_frame(xy_cells, regions, (heatmaps.shape[3], heatmaps.shape[2])), score


def pick_device(wanted: str) -> torch.device:
    """The torch device for auto, cpu, cuda, mps or one GPU such as cuda:1; auto takes the fastest that is here.

    Raises:
        UnknownChoiceError: It is none of these.
        ConfigError: This machine has no such device.
    """
    here = {"cpu": 1}
    if torch.backends.mps.is_available():
        here["mps"] = 1
    if torch.cuda.is_available():
        here["cuda"] = torch.cuda.device_count()
    if wanted == "auto":
        return torch.device(list(here)[-1])
    kind, _, number = wanted.partition(":")
    if kind not in DEVICES or (number and not number.isdecimal()):
        raise UnknownChoiceError("device", wanted, DEVICES)
    if int(number or 0) >= here.get(kind, 0):
        names = ", ".join(name if n == 1 else f"{name}:0 to {name}:{n - 1}" for name, n in here.items())
        raise ConfigError(f"device={wanted!r} is not on this machine, which has: {names}; or leave the choice to auto")
    return torch.device(wanted)


def _checkpoint_path(config: InferenceConfig) -> Path:
    name = config.checkpoint or config.estimator
    if name not in read_manifest():
        if not config.checkpoint:
            raise CheckpointError(
                f"estimator {config.estimator} has no weights of its own; give some with --checkpoint"
            )
        return Path(config.checkpoint).expanduser()
    path = find_local(name)
    if path is None:
        raise CheckpointError(
            f"the weights of {name} are not on this machine; get them with: realtime-pose models download {name}"
        )
    return path


def _check_size(estimator: str, path: Path, weights: VitPoseWeights) -> None:
    wanted = estimator.removeprefix("vitpose-")
    if estimator.startswith("vitpose-") and weights.size != wanted:
        instead = f"--estimator vitpose-{weights.size}" if weights.size else "--estimator mmpose with --model-config"
        raise CheckpointError(f"{path} holds {weights}, wanted ViTPose-{wanted.upper()}; use {instead}")


def _model_config_path(config: InferenceConfig, path: Path, weights: VitPoseWeights) -> Path:
    if config.model_config:
        return Path(config.model_config).expanduser()
    if weights.size is None:
        raise CheckpointError(f"{path} holds {weights}; give its mmpose config with --model-config")
    decoder = "-simple" if weights.decoder == "simple" else ""
    return data_path(f"configs/vitpose/vitpose-{weights.size}{decoder}.py")


def _fill(model: TopdownModel, weights: VitPoseWeights, path: Path) -> None:
    """Give the model its weights, which must fit it tensor by tensor."""
    wanted = {name: tuple(tensor.shape) for name, tensor in model.network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.tensors.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            f"{path} holds {weights}, which is not the model of the config: {name} is {found.get(name, 'missing')}, "
            f"wanted {wanted.get(name, 'nothing of that name')} ({len(wrong)} tensors differ); "
            "give the --model-config that belongs to it"
        )
    model.network.load_state_dict(weights.tensors, assign=True)
