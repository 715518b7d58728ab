"""OpenVINO runtime: the fastest on Intel's CPUs and GPUs."""

import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_pose.errors import ConfigError
from realtime_pose.inference.runtimes.artefacts import artefact_folder, find_or_make
from realtime_pose.inference.runtimes.base import SourceModel, in_batches
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.extras import needs_extra

if TYPE_CHECKING:
    import openvino

MODEL_FILE = "model.xml"
INT8 = "openvino-int8"
"""Name of the artefact that quantization writes."""

_HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16", "int8": "f32"}


def precisions(source: SourceModel, device: str) -> tuple[str, ...]:
    """Precisions of OpenVINO on `device` (cpu, or gpu for Intel's); int8 if the model has been quantized."""
    if device == "gpu":
        return ("fp16", "fp32") if "GPU" in openvino_core().available_devices else ()
    if device != "cpu":
        return ()
    capabilities = openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    quantized = ("int8",) if artefact_folder(source, INT8).is_dir() else ()
    return (*quantized, "bf16", "fp32") if "BF16" in capabilities else (*quantized, "fp32")


class OpenVinoRuntime:
    """A model compiled by OpenVINO for one device and precision, with any batch size."""

    runtime = "openvino"

    def __init__(self, source: SourceModel, precision: str, device: str) -> None:
        if precision not in _HINTS:
            raise ConfigError(f"openvino has no precision {precision}; use one of: {', '.join(_HINTS)}")
        path = artefact_folder(source, INT8) / MODEL_FILE if precision == "int8" else exported(source)
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": _HINTS[precision]}
        if precision == "int8" and "BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            settings["INFERENCE_PRECISION_HINT"] = "bf16"  # for the layers that are not quantized
        try:
            compiled = openvino_core().compile_model(str(path), device.upper(), settings)
        except RuntimeError as exc:
            raise ConfigError(
                f"openvino cannot run {source.name} on {device}: {_first_line(exc)}; use another --runtime"
            ) from exc
        self._request = compiled.create_infer_request()
        self._batch = source.batch
        self.precision, self.device = precision, device

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, h, w) for normalised RGB crops (N, 3, H, W); the next call overwrites them."""
        return in_batches(crops, self._batch, self._infer)

    def close(self) -> None:
        """Nothing to do: the compiled model is freed with this object."""

    def _infer(self, crops: Float32) -> Float32:
        return self._request.infer({0: crops}, share_inputs=True, share_outputs=True)[0]


def exported(source: SourceModel) -> Path:
    """The model as OpenVINO's IR (fp32, any batch size), exported once; an ONNX file is used as it is."""
    if source.onnx is not None:
        return source.onnx
    with needs_extra("openvino", "OpenVINO"):
        import openvino

    name = f"openvino-fp32-{openvino.__version__.split('-')[0]}"
    return find_or_make(source, name, lambda folder: _export(source, folder)) / MODEL_FILE


def convert(source: SourceModel) -> "openvino.Model":
    """The model as an OpenVINO model in memory."""
    if source.onnx is not None:
        return openvino_core().read_model(str(source.onnx))
    with needs_extra("openvino", "OpenVINO"):
        import openvino
    import torch

    width, height = source.input_wh
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that tracing is deprecated
        model = openvino.convert_model(source.network, example_input=torch.zeros(2, 3, height, width))
    model.reshape([-1, 3, height, width])
    model.inputs[0].get_tensor().set_names({"crops"})
    model.outputs[0].get_tensor().set_names({"heatmaps"})
    return model


def _export(source: SourceModel, folder: Path) -> None:
    import openvino

    openvino.save_model(convert(source), str(folder / MODEL_FILE), compress_to_fp16=False)


@cache
def openvino_core() -> Any:  # noqa: ANN401 - openvino.Core, imported late
    """OpenVINO, started once."""
    with needs_extra("openvino", "OpenVINO"):
        import openvino

    return openvino.Core()


def _first_line(exc: Exception) -> str:
    return " ".join(str(exc).split())[:300]
