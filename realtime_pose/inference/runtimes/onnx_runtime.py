"""ONNX Runtime, and TensorRT through it, on exactly the provider that was chosen."""

import warnings
from pathlib import Path
from typing import Any

from realtime_pose.checkpoints import DATASET_NOTE
from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.runtimes.artefacts import artefact_folder, find_or_make
from realtime_pose.inference.runtimes.base import SourceModel, in_batches
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.extras import needs_extra

MODEL_FILE = "model.onnx"
INT8 = "onnxruntime-int8"
"""Name of the artefact that quantization writes."""

_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "mps": "CoreMLExecutionProvider"}
_TENSORRT = "TensorrtExecutionProvider"
_OPSET = 17


def precisions(source: SourceModel, device: str) -> tuple[str, ...]:
    """Precisions of ONNX Runtime on `device`; empty if its build has no provider for it."""
    provider = _PROVIDERS.get(device.partition(":")[0])
    if provider not in _available():
        return ()
    if device.startswith("cuda"):
        return ("fp16", "fp32") if source.network is not None else ("fp32",)
    quantized = device == "cpu" and artefact_folder(source, INT8).is_dir()
    return ("int8", "fp32") if quantized else ("fp32",)


def tensorrt_precisions(source: SourceModel, device: str) -> tuple[str, ...]:
    """Precisions of TensorRT, on a CUDA GPU and if ONNX Runtime's build has it."""
    return ("fp16", "fp32") if device.startswith("cuda") and _TENSORRT in _available() else ()


class OnnxRuntime:
    """An ONNX Runtime session on the provider of the device."""

    runtime = "onnxruntime"

    def __init__(self, source: SourceModel, precision: str, device: str) -> None:
        import onnxruntime

        self.precision, self.device = precision, device
        provider, settings = self._provider(source)
        if provider not in _available():
            raise ConfigError(
                f"this build of onnxruntime has no {provider} (it has {', '.join(_available())}); "
                "install onnxruntime-gpu for CUDA and TensorRT, or use another --runtime or --device"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # errors are raised, not logged
        try:
            self._session = onnxruntime.InferenceSession(
                str(self._model(source)), options, providers=[(provider, settings)]
            )
        except Exception as exc:  # ONNX Runtime's errors have no common base class
            raise ConfigError(
                f"{self.runtime} cannot run {source.name} on {device}: {' '.join(str(exc).split())[:300]}; "
                "use another --runtime"
            ) from exc
        used = self._session.get_providers()
        if used[0] != provider:  # it falls back silently
            raise ConfigError(
                f"{self.runtime} wanted {provider} on {device}, but only {', '.join(used)} started; "
                "check the GPU's driver and libraries, or use another --runtime"
            )
        self.device = f"{device} ({provider.removesuffix('ExecutionProvider')})"
        self._input = self._session.get_inputs()[0].name
        self._batch = source.batch

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, h, w) for normalised RGB crops (N, 3, H, W)."""
        return in_batches(crops, self._batch, self._infer)

    def close(self) -> None:
        """Nothing to do: the session is freed with this object."""

    def _infer(self, crops: Float32) -> Float32:
        return self._session.run(None, {self._input: crops})[0]

    def _provider(self, source: SourceModel) -> tuple[str, dict[str, Any]]:
        kind, _, number = self.device.partition(":")
        return _PROVIDERS.get(kind, f"provider for {kind}"), {"device_id": int(number or 0)} if kind == "cuda" else {}

    def _model(self, source: SourceModel) -> Path:
        if self.precision == "int8":
            return artefact_folder(source, INT8) / MODEL_FILE
        return exported(source, self.precision)


class TensorRtRuntime(OnnxRuntime):
    """TensorRT through ONNX Runtime; its engine is built once, which takes minutes, and cached."""

    runtime = "tensorrt"

    def _provider(self, source: SourceModel) -> tuple[str, dict[str, Any]]:
        engines = artefact_folder(source, "tensorrt")
        engines.mkdir(parents=True, exist_ok=True)
        _, _, number = self.device.partition(":")
        return _TENSORRT, {
            "device_id": int(number or 0),
            "trt_fp16_enable": self.precision == "fp16",
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(engines),
        }

    def _model(self, source: SourceModel) -> Path:
        return exported(source, "fp32")


def exported(source: SourceModel, precision: str = "fp32") -> Path:
    """The model as an ONNX file of any batch size, exported once; the user's own file is used as it is.

    With fp16 the weights have half precision; crops and heatmaps stay fp32.
    """
    if source.onnx is not None:
        return source.onnx
    return find_or_make(source, f"onnx-{precision}", lambda folder: _export(source, precision, folder)) / MODEL_FILE


def _export(source: SourceModel, precision: str, folder: Path) -> None:
    network = source.network
    if network is None:
        raise CheckpointError(f"{source.name} is not a torch model, so it cannot be exported to ONNX")
    with needs_extra("onnx", "the export to ONNX"):
        import onnx  # noqa: F401 - torch's exporter fails late without it
    import torch

    width, height = source.input_wh
    with warnings.catch_warnings(), torch.inference_mode():
        # torch calls the tracing exporter legacy; the new one needs one more package and has no benefit here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _halved(network) if precision == "fp16" else network,
            (torch.zeros(2, 3, height, width),),
            str(folder / MODEL_FILE),
            input_names=["crops"],
            output_names=["heatmaps"],
            dynamic_axes={"crops": {0: "people"}, "heatmaps": {0: "people"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    if source.dataset:
        _store_dataset(folder / MODEL_FILE, source.dataset)


def _store_dataset(path: Path, dataset: str) -> None:
    """Write the data set into the file, so that reading it needs no --dataset."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)  # the weights of a large model are in a file beside it
    onnx.helper.set_model_props(model, {DATASET_NOTE: dataset})
    onnx.save(model, str(path))


def _halved(network: Any) -> Any:  # noqa: ANN401 - torch's modules, imported late
    import copy

    from torch import Tensor, nn

    class Halved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = copy.deepcopy(network).half()

        def forward(self, crops: Tensor) -> Tensor:
            return self.network(crops.half()).float()

    return Halved().eval()


def _available() -> list[str]:
    with needs_extra("onnx", "ONNX Runtime"):
        import onnxruntime

    return onnxruntime.get_available_providers()
