"""Protocol of model runtimes, and the source model that each is built from."""

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
    """A model as loaded from its checkpoint, before a runtime is chosen.

    Attributes:
        name: Its name in messages and reports, e.g. "vitpose-s".
        key: Hash of everything that decides its results; part of its artefacts' path.
        network: The model in torch on the CPU; None for an ONNX file.
        onnx: The user's own ONNX file; None for a model in torch.
        input_wh: Width and height of a crop in px.
        dataset: The data set whose keypoints it finds; written into exported files.
        batch: Fixed batch size of an ONNX file; None for any.
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
    """A model on a runtime, ready to run.

    Attributes:
        runtime: torch, onnxruntime, openvino or tensorrt.
        precision: fp32, bf16, fp16, int8 or int4.
        device: Device it runs on, e.g. "cpu", "cuda:0", for ONNX Runtime with the provider in use.
    """

    runtime: str
    precision: str
    device: str

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, h, w) for normalised RGB crops (N, 3, H, W), any N; the next call may overwrite them."""
        ...

    def close(self) -> None:
        """Release memory."""
        ...


def in_batches(crops: Float32, batch: int | None, infer: Callable[[Float32], Float32]) -> Float32:
    """The heatmaps of all crops from a model of fixed batch size; None is any size."""
    if batch is None or len(crops) == batch:
        return infer(crops)
    missing = -len(crops) % batch
    filled = np.concatenate((crops, np.zeros((missing, *crops.shape[1:]), crops.dtype)))
    parts = [infer(filled[i : i + batch]).copy() for i in range(0, len(filled), batch)]
    return np.concatenate(parts)[: len(crops)]
