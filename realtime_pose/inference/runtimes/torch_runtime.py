"""torch runtime: runs everywhere, and is the reference for the others."""

import copy

import torch

from realtime_pose.errors import ConfigError
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.extras import needs_extra

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "int4": torch.bfloat16}


def gains_by_bf16(device: str) -> bool:
    """Whether `device` is known to multiply bfloat16 in hardware (CUDA, x86); emulated it is ten times slower."""
    if device.startswith("cuda"):
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def precisions(source: SourceModel, device: str) -> tuple[str, ...]:
    """Precisions that are of advantage in torch on `device`; int4 must be chosen by name."""
    if source.network is None:
        return ()
    half = ("fp16",) if device.startswith("cuda") or device == "mps" else ()
    return (*half, *(("bf16",) if gains_by_bf16(device) else ()), "fp32")


class TorchRuntime:
    """The network on one device at one precision."""

    runtime = "torch"

    def __init__(self, source: SourceModel, precision: str, device: str) -> None:
        if source.network is None:
            raise ConfigError(f"torch cannot run the ONNX file {source.onnx}; use --runtime onnxruntime or openvino")
        if device == "gpu":
            raise ConfigError("torch does not run on device gpu, which is Intel's; use --runtime openvino for it")
        self._device, self._dtype = torch.device(device), _DTYPES[precision]
        network = source.network if precision == "fp32" else copy.deepcopy(source.network)
        self._network = network.to(self._device, self._dtype)
        self.precision, self.device = precision, str(self._device)
        if precision == "int4":
            self._quantize()

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, h, w) for normalised RGB crops (N, 3, H, W)."""
        with torch.inference_mode():
            heatmaps = self._network(torch.from_numpy(crops).to(self._device, self._dtype))
        return heatmaps.float().cpu().numpy()

    def close(self) -> None:
        """Empty a GPU's cache; the network is freed with this object."""
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _quantize(self) -> None:
        """Quantize the linear layers to 4 bits, as transformers' documentation of ViTPose does for large models."""
        if self._device.type != "cuda":
            raise ConfigError(f"precision int4 needs a CUDA GPU, and this is {self.device}; use --precision auto")
        with needs_extra("gpu", "precision int4"):
            from torchao.quantization import Int4WeightOnlyConfig, quantize_
        quantize_(self._network, Int4WeightOnlyConfig(group_size=128))
