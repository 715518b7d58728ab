"""Table of runtimes, and the candidates that this machine has for a model."""

from collections.abc import Callable
from typing import NamedTuple

from realtime_pose.errors import ConfigError, MissingPackageError
from realtime_pose.inference.runtimes.base import Candidate, HeatmapRuntime, SourceModel
from realtime_pose.utils.choices import load_attribute
from realtime_pose.utils.extras import needs_extra

_AUTO = "auto"


class RuntimeEntry(NamedTuple):
    """Locations of a runtime's class and of the function that lists its precisions, and the extra of its library."""

    make: str
    precisions: str
    extra: str


_HERE = "realtime_pose.inference.runtimes"
RUNTIME_TABLE = {
    "torch": RuntimeEntry(f"{_HERE}.torch_runtime:TorchRuntime", f"{_HERE}.torch_runtime:precisions", "vitpose"),
    "onnxruntime": RuntimeEntry(f"{_HERE}.onnx_runtime:OnnxRuntime", f"{_HERE}.onnx_runtime:precisions", "onnx"),
    "openvino": RuntimeEntry(
        f"{_HERE}.openvino_runtime:OpenVinoRuntime", f"{_HERE}.openvino_runtime:precisions", "openvino"
    ),
    "tensorrt": RuntimeEntry(
        f"{_HERE}.onnx_runtime:TensorRtRuntime", f"{_HERE}.onnx_runtime:tensorrt_precisions", "onnx"
    ),
}


def candidates(source: SourceModel, device: str, runtime: str = _AUTO, precision: str = _AUTO) -> list[Candidate]:
    """Every candidate for the model on `device` that `runtime` and `precision` allow.

    Raises:
        ConfigError: There is none; the message lists what can run.
        MissingPackageError: The library of the named runtime is missing.
    """
    available = [
        Candidate(name, p)
        for name in RUNTIME_TABLE
        for p in _precisions(name, source, device, required=name == runtime)
    ]
    asked = Candidate(runtime, precision)
    if _AUTO not in (runtime, precision) and precision != "int8":
        return [asked]  # if it cannot run, its own error says why
    left = [c for c in available if runtime in (_AUTO, c.runtime) and precision in (_AUTO, c.precision)]
    if not left:
        wanted = " ".join(name for name in (runtime, precision) if name != _AUTO)
        listed = ", ".join(map(str, available)) or "nothing"
        raise ConfigError(
            f"{wanted} cannot run {source.name} on {device} here; what can: {listed}{_advice(runtime, precision)}"
        )
    return left


def build_runtime(source: SourceModel, candidate: Candidate, device: str) -> HeatmapRuntime:
    """The model, ready to run.

    Raises:
        ConfigError: It cannot run here; the message gives the reason.
        MissingPackageError: Its library is missing.
    """
    entry = RUNTIME_TABLE[candidate.runtime]
    with needs_extra(entry.extra, f"runtime {candidate.runtime}"):
        runtime: HeatmapRuntime = load_attribute(entry.make)(source, candidate.precision, device)
    return runtime


def _precisions(runtime: str, source: SourceModel, device: str, *, required: bool) -> tuple[str, ...]:
    """The precisions that a runtime has here; none where its library is missing, unless it is required."""
    entry = RUNTIME_TABLE[runtime]
    try:
        with needs_extra(entry.extra, f"runtime {runtime}"):
            function: Callable[[SourceModel, str], tuple[str, ...]] = load_attribute(entry.precisions)
            return function(source, device)
    except MissingPackageError:
        if required:
            raise
        return ()


def _advice(runtime: str, precision: str) -> str:
    if precision == "int8":
        return "; make the int8 model first, with: realtime-pose models quantize"
    if runtime == "tensorrt":
        return "; TensorRT needs a CUDA GPU and onnxruntime-gpu"
    return ""
