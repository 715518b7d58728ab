"""What runs a model: the promise every runtime keeps, and the model that each is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from realtime_pose.utils.arrays import Float32

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class SourceModel:
    """A model as its checkpoint holds it, before a runtime is chosen.

    Attributes:
        name: What people call it, e.g. "vitpose-s".
        key: Hash of everything that decides its answers; names what is made of it.
        network: The model in torch on the CPU; None for an ONNX file.
        onnx: The user's own ONNX file; None for a model in torch.
        input_wh: Width and height of a crop in px.
        dataset: Whose keypoints it finds; goes into exported files.
        batch: How many crops an ONNX file takes at a time; None for any number.
    """

    name: str
    key: str
    network: "nn.Module | None" = None
    onnx: Path | None = None
    input_wh: tuple[int, int] = (192, 256)
    dataset: str = ""
    batch: int | None = None


@dataclass(frozen=True, order=True)
class Candidate:
    """One way to run a model, such as openvino at bf16."""

    runtime: str
    precision: str

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}"


class HeatmapRuntime(Protocol):
    """A model that is ready to run.

    Attributes:
        runtime: torch, onnxruntime, openvino or tensorrt.
        precision: fp32, bf16, fp16, int8 or int4.
        device: Where it runs, e.g. "cpu", "cuda:0", for ONNX Runtime with the provider in use.
    """

    runtime: str
    precision: str
    device: str

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, h, w) for normalised RGB crops (N, 3, H, W), any N; the next call may overwrite them."""
        ...

    def close(self) -> None:
        """Give memory back."""
        ...


def in_batches(crops: Float32, batch: int | None, infer: Callable[[Float32], Float32]) -> Float32:
    """The heatmaps of all crops from a model that takes exactly `batch` at a time; None takes any number."""
    if batch is None or len(crops) == batch:
        return infer(crops)
    missing = -len(crops) % batch
    filled = np.concatenate((crops, np.zeros((missing, *crops.shape[1:]), crops.dtype)))
    parts = [infer(filled[i : i + batch]).copy() for i in range(0, len(filled), batch)]
    return np.concatenate(parts)[: len(crops)]
