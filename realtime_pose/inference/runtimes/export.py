"""Export of a model as the files that a runtime reads."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from realtime_pose.errors import CheckpointError
from realtime_pose.inference.runtimes import onnx_runtime, openvino_runtime
from realtime_pose.inference.runtimes.artefacts import artefact_folder, put_artefact
from realtime_pose.inference.runtimes.base import Candidate, SourceModel
from realtime_pose.inference.runtimes.table import build_runtime
from realtime_pose.utils.choices import check_choice

EXPORTS: dict[str, Callable[[SourceModel], Path]] = {
    "onnxruntime": lambda source: onnx_runtime.exported(source).parent,
    "openvino": lambda source: openvino_runtime.exported(source).parent,
    "tensorrt": lambda source: _tensorrt_engine(source),
}


def export_model(source: SourceModel, runtime: str, to: Path | None = None) -> list[Path]:
    """The files that `runtime` reads: in the cache, or copied into the folder `to`, which must be new or empty.

    Raises:
        UnknownChoiceError: The runtime has no export.
        ConfigError: TensorRT cannot run here, so it cannot build its engine.
        CheckpointError: The files cannot be written, or the model is already an ONNX file.
    """
    check_choice("runtime", runtime, EXPORTS)
    if source.onnx is not None and runtime != "tensorrt":
        raise CheckpointError(f"{source.onnx} is already an ONNX file; {runtime} reads it as it is")
    folder = EXPORTS[runtime](source)
    if to is not None:
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise CheckpointError(f"{to} is not empty; give a new folder with --out")
        put_artefact(to, lambda new: _copy(folder, new))
        folder = to
    return sorted(path for path in folder.iterdir() if path.is_file())


def _copy(folder: Path, to: Path) -> None:
    shutil.copytree(folder, to, dirs_exist_ok=True)


def _tensorrt_engine(source: SourceModel) -> Path:
    """The folder of the engine, which the first inference builds."""
    width, height = source.input_wh
    runtime = build_runtime(source, Candidate("tensorrt", "fp16"), "cuda")
    runtime.heatmaps(np.zeros((1, 3, height, width), np.float32))
    runtime.close()
    return artefact_folder(source, "tensorrt")
