"""Table of person detectors, and the choice that `auto` makes for the number of people on this machine."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from realtime_pose.checkpoints import Progress, download, find_local, is_offline, read_detectors
from realtime_pose.errors import CheckpointError, ConfigError, MissingPackageError
from realtime_pose.inference.base import InferenceConfig, PersonDetector
from realtime_pose.inference.devices import pick_device
from realtime_pose.utils.choices import check_choice, load_choice
from realtime_pose.utils.extras import check_installed, is_installed

log = logging.getLogger(__name__)

_RTDETR = "realtime_pose.inference.detectors.rtdetr:RtDetrDetector"
_YOLOX = "realtime_pose.inference.detectors.yolox:YoloxDetector"
DETECTORS = {
    "blazepose": "realtime_pose.inference.landmarks.blazepose:BlazePoseDetector",
    "rtdetr": _RTDETR,
    "rtdetr-r18": _RTDETR,
    "rtdetr-r34": _RTDETR,
    "yolox": _YOLOX,
    "yolox-nano": _YOLOX,
    "yolox-s": _YOLOX,
    "whole-frame": "realtime_pose.inference.detectors.whole_frame:WholeFrameDetector",
}
_PACKAGE = {
    _RTDETR: ("vitpose", "transformers"),
    _YOLOX: ("onnx", "onnxruntime"),
}  # extra, and its package
_AUTO, _BLAZEPOSE, _WHOLE_FRAME = "auto", "blazepose", "whole-frame"
_WEIGHTS = {"rtdetr": "rtdetr-r50", "yolox": "yolox-tiny"}  # for the others it is the name

# What auto looks for, best first. One detection takes RT-DETR 0.8 s (ResNet-18) to 1.6 s (ResNet-50) of a CPU core,
# and YOLOX-Nano 14 ms; on a GPU the difference does not matter.
_ON_GPU = ("rtdetr", "rtdetr-r34", "rtdetr-r18", "yolox-s", "yolox", "yolox-nano")
_ON_CPU = ("yolox", "yolox-s", "yolox-nano", "rtdetr-r18", "rtdetr-r34", "rtdetr")

Notify = Callable[[str], None]


def build_detector(
    config: InferenceConfig, notify: Notify = log.warning, progress: Progress = lambda had, total: None
) -> PersonDetector:
    """The detector that `config.detector` names, ready to run; missing weights are downloaded if that is allowed.

    `auto` is BlazePose's for one person. For more it is the best one with weights on this machine; else one that
    fits the device, downloaded unless the estimator is BlazePose; else BlazePose's, which misses small people.

    Args:
        config: The settings.
        notify: Callback with one sentence for a download, and for people who will not be found.
        progress: Callback for a download.

    Raises:
        UnknownChoiceError: There is no such detector.
        ConfigError: The settings do not fit each other.
        CheckpointError: Weights that were named are missing, damaged, unsafe or of another architecture.
        MissingPackageError: What was named needs an extra that is not installed.
    """
    check_detector_name(config)
    chosen = _auto(config, notify, progress) if config.detector == _AUTO else _named(config, notify, progress)
    detector: PersonDetector = load_choice("inference.detector", chosen.detector, DETECTORS)(chosen)
    return detector


def check_detector_name(config: InferenceConfig) -> None:
    """Check the detector's name.

    Raises:
        UnknownChoiceError: It is unknown; the message lists the valid names.
    """
    check_choice("inference.detector", config.detector, (_AUTO, *DETECTORS))


def _named(config: InferenceConfig, notify: Notify, progress: Progress) -> InferenceConfig:
    """The settings with the path of the weights filled in."""
    if DETECTORS[config.detector] not in (_RTDETR, _YOLOX):
        if config.detector_checkpoint:
            raise ConfigError(f"detector {config.detector} uses no --detector-checkpoint; rtdetr and yolox do")
        if config.persons > 1 and config.detector == _WHOLE_FRAME:
            notify(f"The detector {config.detector} finds one person, not {config.persons}; rtdetr and yolox find all.")
        return config
    extra, package = _PACKAGE[DETECTORS[config.detector]]
    check_installed(extra, f"the detector {config.detector}", package)
    name = config.detector_checkpoint or _WEIGHTS.get(config.detector, config.detector)
    if name not in read_detectors():
        return config  # the user's own file
    path = find_local(name) or _fetch(name, config, notify, progress)
    return replace(config, detector_checkpoint=str(path))


def _fetch(name: str, config: InferenceConfig, notify: Notify, progress: Progress) -> Path:
    if not config.download:
        raise CheckpointError(
            f"the weights of {name} are not on this machine and downloads are off; "
            f"get them with: realtime-pose models download {name}"
        )
    if not is_offline():
        notify(f"Downloading the weights of {name} from {read_detectors()[name].repo}.")
    return download(name, progress)


def _auto(config: InferenceConfig, notify: Notify, progress: Progress) -> InferenceConfig:
    if config.detector_checkpoint:  # weights that the user named are used or refused, never replaced
        is_yolox = config.detector_checkpoint.startswith("yolox") or config.detector_checkpoint.endswith(".onnx")
        return _named(replace(config, detector="yolox" if is_yolox else "rtdetr"), notify, progress)
    if config.persons == 1:
        return replace(config, detector=_BLAZEPOSE)
    on_cpu = pick_device(config.device) in ("cpu", "gpu")
    wanted = _ON_CPU if on_cpu else _ON_GPU
    names = [name for name in wanted if is_installed(_PACKAGE[DETECTORS[name]][1])] or wanted
    local = [name for name in names if find_local(_WEIGHTS.get(name, name))]
    if not local and config.estimator == _BLAZEPOSE:  # which is there to need no download
        return replace(config, detector=_BLAZEPOSE)
    try:
        return _named(replace(config, detector=(local or names)[0]), notify, progress)
    except (CheckpointError, MissingPackageError) as exc:
        notify(f"Finding people with BlazePose's detector, which misses small ones: {exc}.")
    return replace(config, detector=_BLAZEPOSE)
