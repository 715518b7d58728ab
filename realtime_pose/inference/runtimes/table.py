"""The table of runtimes, and which ways of running a model this machine has."""

from collections.abc import Callable
from typing import NamedTuple

from realtime_pose.errors import ConfigError, MissingPackageError
from realtime_pose.inference.runtimes.base import Candidate, HeatmapRuntime, SourceModel
from realtime_pose.utils.choices import load_attribute
from realtime_pose.utils.extras import needs_extra

_AUTO = "auto"


class RuntimeEntry(NamedTuple):
    """Where a runtime's class and the function that lists its precisions lie, and the extra that brings its library."""

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
    """Every way to run the model on `device` that `runtime` and `precision` leave open.

    Raises:
        ConfigError: None is left; the message says what there is.
        MissingPackageError: The library of the runtime that was asked for is missing.
    """
    here = [
        Candidate(name, precision_here)
        for name in RUNTIME_TABLE
        for precision_here in _precisions(name, source, device, required=name == runtime)
    ]
    asked = Candidate(runtime, precision)
    if _AUTO not in (runtime, precision) and precision != "int8":
        return [asked]  # it runs, or says itself why not
    left = [c for c in here if runtime in (_AUTO, c.runtime) and precision in (_AUTO, c.precision)]
    if not left:
        wanted = " ".join(name for name in (runtime, precision) if name != _AUTO)
        there = ", ".join(map(str, here)) or "nothing"
        raise ConfigError(
            f"{wanted} cannot run {source.name} on {device} here; what can: {there}{_advice(runtime, precision)}"
        )
    return left


def build_runtime(source: SourceModel, candidate: Candidate, device: str) -> HeatmapRuntime:
    """The model, ready to run.

    Raises:
        ConfigError: It cannot run here; the message says why.
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
        return "; int8 must be made first, with: realtime-pose models quantize"
    if runtime == "tensorrt":
        return "; TensorRT needs a CUDA GPU and onnxruntime-gpu"
    return ""
