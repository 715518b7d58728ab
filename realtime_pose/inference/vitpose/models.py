"""Model loading: settings in, a source model with its layout and crop geometry out."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_pose.checkpoints import (
    VitPoseWeights,
    find_local,
    is_onnx,
    is_vitpose,
    load_vitpose,
    read_manifest,
    read_notes,
    read_onnx_contract,
    read_tensors,
    recognise_vitpose,
)
from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.vitpose.mmpose_compat import load_mmpose_model
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.extras import needs_extra


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model before a runtime is chosen, with its layout and geometry.

    Attributes:
        source: The model that runtimes are built from.
        layout: The keypoints it predicts.
        geometry: Its crops and the decoding of its heatmaps.
        path: Its file.
    """

    source: SourceModel
    layout: KeypointLayout
    geometry: CropGeometry
    path: Path


def load_model(config: InferenceConfig) -> LoadedModel:
    """The model that the settings name. Nothing is downloaded.

    Raises:
        CheckpointError: The checkpoint is missing, damaged, unsafe, or of another architecture than wanted.
        ConfigError: The model config does not match.
        MissingPackageError: torch is missing, or onnx for an ONNX file.
    """
    path = _checkpoint_path(config)
    entry = read_manifest().get(config.checkpoint or config.estimator)
    if entry is not None and not config.dataset:  # the manifest has the data set of a file with 17 keypoints
        config = replace(config, dataset=entry.datasets[0])
    if is_onnx(path):
        return _load_onnx(path, config)
    with needs_extra("vitpose", "ViTPose"):
        from realtime_pose.inference.vitpose.network import build_network
    if config.model_config:
        return _load_with_config(path, Path(config.model_config).expanduser(), config)
    weights = load_vitpose(path, config.dataset)
    _check_size(config.estimator, path, weights)
    network = build_network(weights, path)
    source = SourceModel(_name_of(weights), _hash(path, config.dataset), network, dataset=weights.dataset)
    return LoadedModel(source, weights.layout, CropGeometry(), path)


def _load_with_config(path: Path, config_path: Path, config: InferenceConfig) -> LoadedModel:
    """The model of an mmpose config: a ViTPose of any family, or any other whose weights match tensor by tensor."""
    tensors = read_tensors(path)
    name, described = config_path.stem, f"{path} holds {len(tensors)} tensors"
    if is_vitpose(tensors):
        weights = recognise_vitpose(tensors, path, config.dataset, read_notes(path))
        _check_size(config.estimator, path, weights)
        tensors, name, described = weights.tensors, _name_of(weights), f"{path} holds {weights}"
    model = load_mmpose_model(config_path, tensors, described)
    key = _hash(path, config_path.read_text("utf-8"), config.dataset)
    source = SourceModel(name, key, model.network, input_wh=model.geometry.input_wh)
    return LoadedModel(source, model.layout, model.geometry, path)


def _name_of(weights: VitPoseWeights) -> str:
    return f"vitpose-{weights.size}" if weights.size else "vitpose-custom"


def _load_onnx(path: Path, config: InferenceConfig) -> LoadedModel:
    """An ONNX file with ViTPose's contract."""
    if config.model_config:
        raise ConfigError(f"{path} is an ONNX file and needs no --model-config; leave out {config.model_config}")
    contract = read_onnx_contract(path, config.dataset)
    source = SourceModel(path.stem, _hash(path), onnx=path.resolve(), input_wh=contract.input_wh, batch=contract.batch)
    return LoadedModel(source, contract.layout, CropGeometry(input_wh=contract.input_wh), path)


def _hash(path: Path, *settings: str) -> str:
    """A hash of the file and of the settings that decide the model's results."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    for setting in settings:
        digest.update(setting.encode())
    return digest.hexdigest()


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
