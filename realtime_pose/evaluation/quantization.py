"""Int8 models: calibrated on the user's footage, then compared with fp32 on held-out parts of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.evaluation.calibration_crops import FootageCrops, Progress, collect_crops, tracking_config
from realtime_pose.evaluation.int8_models import write_onnxruntime_int8, write_openvino_int8
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.runtimes import onnx_runtime, openvino_runtime
from realtime_pose.inference.runtimes.artefacts import artefact_folder, put_artefact
from realtime_pose.inference.runtimes.base import Candidate, SourceModel
from realtime_pose.inference.runtimes.choose import JUDGEMENT
from realtime_pose.inference.runtimes.table import build_runtime
from realtime_pose.inference.vitpose.models import LoadedModel, load_model
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.atomic_files import write_text
from realtime_pose.utils.choices import check_choice

ACCEPTED_SHIFT = 0.01
"""`--runtime auto` may use a model if 95 % of its keypoints move by at most this share of the box's diagonal."""


@dataclass(frozen=True)
class Comparison:
    """Comparison of int8 with fp32 on the same runtime, on held-out crops.

    Attributes:
        model: Its name.
        runtime: The runtime it was quantized for.
        footage: The source of the crops.
        calibration_crops: Number of crops for calibration.
        held_back_crops: Number of held-out crops for the comparison.
        keypoints: Number of keypoints whose fp32 score reaches the threshold.
        shift_px_p50, shift_px_p95: Distance between int8 and fp32 keypoints, pixels of the frame.
        shift_of_box_p95: The same as a share of the box's diagonal.
        score_change_p50: Median of the int8 score minus the fp32 score.
        score_change_p95: 95th percentile of its absolute value.
        accepted: Whether `--runtime auto` may use the model.
    """

    model: str
    runtime: str
    footage: str
    calibration_crops: int
    held_back_crops: int
    keypoints: int
    shift_px_p50: float
    shift_px_p95: float
    shift_of_box_p95: float
    score_change_p50: float
    score_change_p95: float
    accepted: bool


def quantize(
    config: AppConfig, runtime: str, notify: Callable[[str], object], progress: Progress = lambda done, total: None
) -> tuple[Comparison, Path]:
    """Makes the int8 model of `config.inference`'s checkpoint and stores it where `runtime` looks for it.

    Args:
        config: The settings of a run over the footage `config.capture.source`.
        runtime: openvino or onnxruntime.
        notify: Called with a sentence at the start of each step.
        progress: Called with the progress of the step: done, total.

    Returns:
        The comparison, which is also stored beside the model, and the model's folder.

    Raises:
        UnknownChoiceError: Quantization does not support the runtime.
        ConfigError: The footage shows too few people, or a setting is wrong.
        CaptureError: The footage cannot be read.
        CheckpointError: The weights are not available, or the model cannot be written.
    """
    check_choice("--runtime", runtime, _MAKERS)
    config = tracking_config(config, runtime)
    model = load_model(config.inference)
    notify(f"looking for people in {config.capture.source}")
    footage = collect_crops(config, model.geometry, progress)
    name, make = _MAKERS[runtime]
    notify(f"calibrating {model.source.name} on {np.count_nonzero(~footage.held_out)} crops")
    folder = artefact_folder(model.source, name)

    def make_unaccepted(into: Path) -> None:
        try:
            make(model.source, footage.crops[~footage.held_out], into, progress)
        except ImportError as exc:
            raise ConfigError(f"quantization for {runtime} needs {exc.name}; pip install {exc.name}") from exc
        except Exception as exc:  # the quantizers' own errors have no common base
            raise ConfigError(
                f"{model.source.name} cannot be quantized for {runtime}: {' '.join(str(exc).split())[:300]}; "
                "try the other --runtime"
            ) from exc
        _write_comparison(into, {"accepted": False})  # until it has been compared

    put_artefact(folder, make_unaccepted)
    notify(f"comparing it on {np.count_nonzero(footage.held_out)} others")
    comparison = _compare(model, runtime, footage, config)
    _write_comparison(folder, asdict(comparison))
    for timings in folder.parent.glob("timings-*.json"):  # of the previous model
        timings.unlink(missing_ok=True)
    return comparison, folder


def _compare(model: LoadedModel, runtime: str, footage: FootageCrops, config: AppConfig) -> Comparison:
    held = footage.held_out
    xy_px, score = _keypoints(model, Candidate(runtime, "fp32"), footage)
    xy_int8_px, score_int8 = _keypoints(model, Candidate(runtime, "int8"), footage)
    seen = score >= config.inference.score_threshold
    if not seen.any():
        raise ConfigError(f"{model.source.name} finds no keypoint in the held-out footage; give footage of people")
    shift_px = np.linalg.norm(xy_int8_px - xy_px, axis=-1)
    of_box = shift_px / footage.diagonal_px[held][:, None]
    change = (score_int8 - score)[seen]
    of_box_p95 = float(np.percentile(of_box[seen], 95))
    return Comparison(
        model=model.source.name,
        runtime=runtime,
        footage=config.capture.source,
        calibration_crops=int(np.count_nonzero(~held)),
        held_back_crops=int(np.count_nonzero(held)),
        keypoints=int(np.count_nonzero(seen)),
        shift_px_p50=round(float(np.median(shift_px[seen])), 3),
        shift_px_p95=round(float(np.percentile(shift_px[seen], 95)), 3),
        shift_of_box_p95=round(of_box_p95, 5),
        score_change_p50=round(float(np.median(change)), 4),
        score_change_p95=round(float(np.percentile(np.abs(change), 95)), 4),
        accepted=of_box_p95 <= ACCEPTED_SHIFT,
    )


def _keypoints(model: LoadedModel, candidate: Candidate, footage: FootageCrops) -> tuple[Float32, Float32]:
    """Keypoints (N, K, 2) in pixels of the frame, and scores (N, K), of the held-out crops."""
    runtime = build_runtime(model.source, candidate, "cpu")
    crops = footage.crops[footage.held_out]
    heatmaps = np.concatenate([runtime.heatmaps(crop[None]).copy() for crop in crops])
    runtime.close()
    xy_cells, score = decode_heatmaps(heatmaps, model.geometry.blur_kernel)
    return xy_in_frame(xy_cells, footage.regions_of_held_out, (heatmaps.shape[3], heatmaps.shape[2])), score


def _write_comparison(folder: Path, comparison: Mapping[str, Any]) -> None:
    write_text(folder / JUDGEMENT, json.dumps(comparison, indent=1))


_Make = Callable[[SourceModel, Float32, Path, Progress], None]
_MAKERS: Mapping[str, tuple[str, _Make]] = {
    "openvino": (openvino_runtime.INT8, write_openvino_int8),
    "onnxruntime": (onnx_runtime.INT8, write_onnxruntime_int8),
}
