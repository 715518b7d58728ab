"""Table of pose estimators, and the choice that `auto` makes on this machine."""

import logging
from collections.abc import Callable
from dataclasses import replace

from realtime_pose.checkpoints import Progress, download, find_local, is_offline, read_manifest
from realtime_pose.errors import CheckpointError, ConfigError, MissingPackageError
from realtime_pose.inference.base import DEVICES, PRECISIONS, RUNTIMES, InferenceConfig, PoseEstimator
from realtime_pose.utils.choices import check_choice, load_choice
from realtime_pose.utils.extras import check_installed

log = logging.getLogger(__name__)

_VITPOSE = "realtime_pose.inference.vitpose.estimator:ViTPoseEstimator"
ESTIMATORS = {
    "blazepose": "realtime_pose.inference.landmarks.blazepose:BlazePoseEstimator",
    "vitpose-s": _VITPOSE,
    "vitpose-b": _VITPOSE,
    "vitpose-l": _VITPOSE,
    "vitpose-h": _VITPOSE,
    "mmpose": _VITPOSE,
}
_VITPOSE_ONLY = ("checkpoint", "model_config", "dataset", "flip_test")
_BLAZEPOSE_RUNS = {"runtime": ("openvino",), "device": ("cpu",), "precision": ("fp32", "bf16")}
_DEFAULTS = InferenceConfig()
_AUTO = "auto"
_AUTO_DOWNLOADS = "vitpose-s"

Notify = Callable[[str], None]


def build_estimator(
    config: InferenceConfig, notify: Notify = log.warning, progress: Progress = lambda had, total: None
) -> PoseEstimator:
    """The estimator that `config` names, ready to run; missing weights are downloaded if that is allowed.

    `auto` is the smallest ViTPose with weights on this machine; else ViTPose-S, downloaded; else BlazePose.

    Args:
        config: The settings.
        notify: Callback with one sentence for a download, for weights that are skipped, and for the use of BlazePose.
        progress: Callback for a download.

    Raises:
        UnknownChoiceError: There is no such estimator, runtime or device.
        ConfigError: The settings do not fit each other, or this machine.
        CheckpointError: Weights that were named are missing, damaged, unsafe or of another architecture.
        MissingPackageError: What was named needs an extra that is not installed.
    """
    check_names(config)
    if config.estimator == _AUTO:
        return _build_auto(config, notify, progress)
    if config.estimator == "mmpose" and not (config.model_config and config.checkpoint):
        missing = "--checkpoint" if config.model_config else "--model-config"
        raise ConfigError(f"estimator mmpose needs --model-config FILE.py and --checkpoint FILE; {missing} is missing")
    if config.estimator == "blazepose":
        return _build_blazepose(config, notify)
    _ensure_weights(config, notify, progress)
    return _build_vitpose(config, notify)


def describe(estimator: PoseEstimator) -> str:
    """The pose model with its runtime, precision and device: "vitpose-s with openvino fp32 on cpu"."""
    return f"{estimator.name} with {estimator.runtime} {estimator.precision} on {estimator.device}"


def check_names(config: InferenceConfig) -> None:
    """Check the names of estimator, runtime, precision and device.

    Raises:
        UnknownChoiceError: One is unknown; the message lists the valid names.
    """
    check_choice("estimator", config.estimator, (_AUTO, *ESTIMATORS))
    check_choice("runtime", config.runtime, RUNTIMES)
    check_choice("precision", config.precision, PRECISIONS)
    check_choice("device", config.device.partition(":")[0], DEVICES)


def _build_blazepose(config: InferenceConfig, notify: Notify) -> PoseEstimator:
    for name, here in _BLAZEPOSE_RUNS.items():
        value = getattr(config, name)
        if value not in (_AUTO, *here):
            notify(f"BlazePose's {name} is {' or '.join(here)}; {name} {value} is for ViTPose.")
    if config.estimator == "blazepose":
        given = [name for name in _VITPOSE_ONLY if getattr(config, name) != getattr(_DEFAULTS, name)]
        if given:
            notify(f"BlazePose brings its own model; without effect, as for ViTPose only: {', '.join(given)}.")
    estimator: PoseEstimator = load_choice("estimator", "blazepose", ESTIMATORS)(config)
    return estimator


def _ensure_weights(config: InferenceConfig, notify: Notify, progress: Progress) -> None:
    """Download the checkpoint's file if the manifest has it and this machine does not."""
    name = config.checkpoint or config.estimator
    if name in read_manifest() and find_local(name) is None:
        _fetch(name, config, notify, progress)


def _fetch(name: str, config: InferenceConfig, notify: Notify, progress: Progress) -> None:
    if not config.download:
        raise CheckpointError(
            f"the weights of {name} are not on this machine and downloads are off; "
            f"get them with: realtime-pose models download {name}"
        )
    if not is_offline():
        notify(f"Downloading the weights of {name} from {read_manifest()[name].repo}.")
    download(name, progress)


def _build_auto(config: InferenceConfig, notify: Notify, progress: Progress) -> PoseEstimator:
    if config.checkpoint:  # weights that the user named are used or refused, never replaced
        _ensure_weights(config, notify, progress)
        return _build_vitpose(config, notify)
    try:
        for name, entry in read_manifest().items():
            if entry.auto and find_local(name) is not None:
                try:
                    return _build_vitpose(replace(config, checkpoint=name), notify)
                except CheckpointError as exc:
                    notify(f"Skipping {name}: {exc}.")
        check_installed("vitpose", "ViTPose", "torch")  # before a download that could not be used
        _fetch(_AUTO_DOWNLOADS, config, notify, progress)
        return _build_vitpose(replace(config, checkpoint=_AUTO_DOWNLOADS), notify)
    except (CheckpointError, MissingPackageError) as exc:
        notify(f"Using BlazePose instead of ViTPose: {exc}.")
    return _build_blazepose(config, notify)


def _build_vitpose(config: InferenceConfig, notify: Notify) -> PoseEstimator:
    """ViTPose of its checkpoint's size."""
    if config.hands:
        notify("Hands are BlazePose's; ViTPose has them with a checkpoint of 133 points (--dataset wholebody).")
    estimator: PoseEstimator = load_choice("estimator", _AUTO_DOWNLOADS, ESTIMATORS)(config, notify)
    return estimator
