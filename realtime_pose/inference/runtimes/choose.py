"""Automatic choice of runtime and precision: the fastest on this machine whose keypoints agree with fp32.

Each candidate is timed once with one person and compared with torch at fp32 on packaged crops of a person. The choice
is cached until the model, the libraries or the processor change.
"""

import hashlib
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np

from realtime_pose.errors import CheckpointError, RealtimePoseError
from realtime_pose.inference.crops import Cropper
from realtime_pose.inference.heatmaps import decode_heatmaps
from realtime_pose.inference.runtimes.artefacts import artefact_folder
from realtime_pose.inference.runtimes.base import Candidate, HeatmapRuntime, SourceModel
from realtime_pose.inference.runtimes.table import build_runtime, candidates
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.utils.arrays import Bool, Float32, Float64, as_float32
from realtime_pose.utils.atomic_files import write_text
from realtime_pose.utils.paths import cache_folder, data_path

AGREEMENT_PX = 0.5
"""Largest distance of a candidate's keypoints from fp32's at the 95th percentile, in px of the crop."""

JUDGEMENT = "judgement.json"
"""In an int8 artefact: the result on the footage it was quantized with; auto uses it only if "accepted" is true."""

_REFERENCES = (Candidate("torch", "fp32"), Candidate("onnxruntime", "fp32"))
_CALIBRATION_CROPS = "resources/calibration/crops.png"  # side by side, BGR
_CLEAR_SCORE = 0.3  # a heatmap with a lower peak shows no joint
_SECOND_PEAK = 0.7  # of the highest: with a second peak this high, rounding decides between the two
_ROUNDS, _BUDGET_S = 12, 2.0
_LIBRARIES = ("torch", "onnxruntime", "openvino", "realtime-pose")

Notify = Callable[[str], None]


@dataclass(frozen=True)
class Timing:
    """Measurement of one candidate.

    Attributes:
        runtime: Its runtime.
        precision: Its precision.
        ms: Median time for one person; None if it does not run.
        shift_px: Distance of its keypoints from fp32's, 95th percentile, px of the crop; None if unknown.
        accepted: Whether auto may use it.
        why_not: The reason, if not.
    """

    runtime: str
    precision: str
    ms: float | None
    shift_px: float | None
    accepted: bool
    why_not: str = ""


@dataclass(frozen=True)
class Choice:
    """The measurements of one model on one device of this machine, fastest first."""

    model: str
    device: str
    timings: tuple[Timing, ...]

    @property
    def best(self) -> Candidate:
        """The fastest accepted candidate."""
        first = next(timing for timing in self.timings if timing.accepted)
        return Candidate(first.runtime, first.precision)


def choose_runtime(
    source: SourceModel,
    geometry: CropGeometry,
    device: str,
    runtime: str = "auto",
    precision: str = "auto",
    notify: Notify = lambda sentence: None,
) -> HeatmapRuntime:
    """The model, ready to run: as named, else on the fastest candidate that agrees with fp32.

    Raises:
        ConfigError: What was named cannot run here.
        CheckpointError: No candidate runs the model.
    """
    left = candidates(source, device, runtime, precision)
    if len(left) == 1:
        if left[0].precision == "int8" and not _is_accepted(source, left[0]):
            notify(f"{left[0]} was chosen, but it moves keypoints too far on the footage it was quantized with.")
        return build_runtime(source, left[0], device)
    path = _choice_file(source, device, left)
    choice = _read(path)
    if choice is None:
        notify(f"Timing the runtimes of {source.name} on {device}, once: {', '.join(map(str, left))}.")
        choice = measure(source, geometry, device, left)
        _write(path, choice)
        notify(f"{choice.best} is the fastest here; realtime-pose doctor lists the timings.")
    return build_runtime(source, choice.best, device)


def measure(source: SourceModel, geometry: CropGeometry, device: str, left: Sequence[Candidate]) -> Choice:
    """Measure each candidate on this machine.

    Raises:
        CheckpointError: None of them runs.
    """
    crops = calibration_crops(geometry)
    wanted = _reference_keypoints(source, crops)
    timings = [_time(source, candidate, device, crops, wanted) for candidate in left]
    timings.sort(key=lambda timing: (timing.ms is None, timing.ms))
    if not any(timing.accepted for timing in timings):
        reasons = "; ".join(f"{t.runtime} {t.precision}: {t.why_not}" for t in timings)
        raise CheckpointError(f"no runtime can run {source.name} on {device}: {reasons}")
    return Choice(source.name, device, tuple(timings))


def read_choices() -> list[Choice]:
    """All valid measurements of this machine, for `doctor`."""
    files = sorted((cache_folder() / "models").glob(f"*/timings-*-{_machine()}.json"))
    return [choice for choice in map(_read, files) if choice is not None]


def calibration_crops(geometry: CropGeometry) -> Float32:
    """Packaged images of a person as the network's input: (N, 3, H, W)."""
    path = data_path(_CALIBRATION_CROPS)
    sheet = cv2.imread(str(path))
    if sheet is None:
        raise CheckpointError(f"{path} is missing or damaged; reinstall the program")
    height, width = sheet.shape[0], sheet.shape[0] * 3 // 4
    middle = np.array([[left + width / 2, height / 2] for left in range(0, sheet.shape[1], width)])
    half = np.array([width, height]) / 2 / CropGeometry.padding
    return Cropper(geometry).crop(sheet, as_float32(np.hstack((middle - half, middle + half))))[0]


def clear_peaks(heatmaps: Float32) -> Bool:
    """Mask (N, K) of the heatmaps (N, K, h, w) with one high peak and no second, on which all precisions must agree."""
    n, k, h, w = heatmaps.shape
    flat = heatmaps.reshape(n * k, h, w)
    top = flat.max(axis=(1, 2))
    second = np.empty_like(top)
    for i, heatmap in enumerate(flat):
        row, column = np.divmod(int(heatmap.argmax()), w)
        around = np.s_[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5]
        rest = heatmap.copy()
        rest[around] = -np.inf
        second[i] = rest.max()
    return ((top >= _CLEAR_SCORE) & (second < _SECOND_PEAK * top)).reshape(n, k)


def _reference_keypoints(source: SourceModel, crops: Float32) -> tuple[Float64, Bool]:
    """Keypoints (N, K, 2) in px of the crop by fp32 on the CPU, and the mask of clear ones (N, K)."""
    reference = _REFERENCES[0] if source.network is not None else _REFERENCES[1]
    runtime = build_runtime(source, reference, "cpu")
    heatmaps = _heatmaps_one_by_one(runtime, crops)
    runtime.close()
    return _keypoints_px(heatmaps, crops), clear_peaks(heatmaps)


def _time(
    source: SourceModel, candidate: Candidate, device: str, crops: Float32, wanted: tuple[Float64, Bool]
) -> Timing:
    try:
        runtime = build_runtime(source, candidate, device)
        heatmaps = _heatmaps_one_by_one(runtime, crops)  # also the warm-up
        ms = _median_ms(runtime, crops[:1])
        runtime.close()
    except (RealtimePoseError, RuntimeError, ImportError) as exc:  # a candidate that does not run is only reported
        return Timing(candidate.runtime, candidate.precision, None, None, False, " ".join(str(exc).split()))
    shift_px = _shift_px(_keypoints_px(heatmaps, crops), *wanted)
    why_not = _why_not(source, candidate, shift_px)
    return Timing(candidate.runtime, candidate.precision, ms, shift_px, not why_not, why_not)


def _why_not(source: SourceModel, candidate: Candidate, shift_px: float | None) -> str:
    if candidate.precision == "fp32":
        return ""
    if shift_px is None:
        return "the model finds nobody in the packaged crops, so its agreement with fp32 is unknown"
    if candidate.precision == "int8" and not _is_accepted(source, candidate):
        return "it moves keypoints too far on the footage it was quantized with"
    if shift_px > AGREEMENT_PX:
        return f"its keypoints are {shift_px:.2f} px off fp32's, more than {AGREEMENT_PX} px"
    return ""


def _is_accepted(source: SourceModel, int8: Candidate) -> bool:
    """Whether this int8 model was close enough to fp32 on the user's own footage when it was quantized."""
    judgement = artefact_folder(source, f"{int8.runtime}-int8") / JUDGEMENT
    accepted: bool = json.loads(judgement.read_text("utf-8"))["accepted"]
    return accepted


def _heatmaps_one_by_one(runtime: HeatmapRuntime, crops: Float32) -> Float32:
    return np.concatenate([runtime.heatmaps(crops[i : i + 1]).copy() for i in range(len(crops))])


def _keypoints_px(heatmaps: Float32, crops: Float32) -> Float64:
    xy_cells, _ = decode_heatmaps(heatmaps)
    return xy_cells * (np.array(crops.shape[:1:-1]) - 1) / (np.array(heatmaps.shape[:1:-1]) - 1)


def _shift_px(xy_px: Float64, wanted_px: Float64, clear: Bool) -> float | None:
    if not clear.any():
        return None
    return round(float(np.percentile(np.linalg.norm(xy_px - wanted_px, axis=-1)[clear], 95)), 3)


def _median_ms(runtime: HeatmapRuntime, crop: Float32) -> float:
    taken: list[float] = []
    end = time.perf_counter() + _BUDGET_S
    while len(taken) < _ROUNDS and (len(taken) < 3 or time.perf_counter() < end):
        start = time.perf_counter()
        runtime.heatmaps(crop)
        taken.append(1e3 * (time.perf_counter() - start))
    return round(statistics.median(taken), 2)


def _choice_file(source: SourceModel, device: str, left: Sequence[Candidate]) -> Path:
    """The file of the cached choice; it depends on the candidates (a new int8 model, another --runtime)."""
    asked = hashlib.sha256(" ".join([device, *map(str, left)]).encode()).hexdigest()[:8]
    return artefact_folder(source, f"timings-{asked}-{_machine()}.json")


def _machine() -> str:
    """A short hash of the processor and libraries, for which timings are valid."""
    facts = [_cpu_name(), str(os.cpu_count()), *(f"{name}={_version(name)}" for name in _LIBRARIES)]
    return hashlib.sha256(" ".join(facts).encode()).hexdigest()[:12]


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = info.read_text("utf-8", errors="replace").splitlines()
        return " ".join(line for line in lines[:30] if line.startswith(("model", "stepping", "flags", "Features")))
    return f"{platform.machine()} {platform.processor()}"


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "none"


def _read(path: Path) -> Choice | None:
    """The cached choice; None if there is none, or it cannot be read."""
    try:
        kept = json.loads(path.read_text("utf-8"))
        return Choice(kept["model"], kept["device"], tuple(Timing(**row) for row in kept["timings"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _write(path: Path, choice: Choice) -> None:
    """Cache the choice; if the folder is not writable, it is measured again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(asdict(choice), indent=1))
    except OSError:
        return
