"""Int8 quantization: for OpenVINO with NNCF, for ONNX Runtime with its static quantization.

Source: SmoothQuant (Xiao et al., 2023), which NNCF applies to transformers before it measures the ranges.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

from realtime_pose.evaluation.calibration_crops import Progress
from realtime_pose.inference.runtimes import onnx_runtime, openvino_runtime
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.extras import needs_extra


def write_openvino_int8(source: SourceModel, crops: Float32, folder: Path, progress: Progress) -> None:
    """Write NNCF's int8 model as OpenVINO IR into a folder, calibrated on crops (N, 3, H, W)."""
    with needs_extra("int8", "quantization for OpenVINO"):
        import nncf
        import openvino

    batches = _batches(source, crops)
    with _quiet("nncf"):
        model = nncf.quantize(
            openvino_runtime.convert(source),
            nncf.Dataset(range(len(batches)), lambda i: _batch(batches, i, progress)),
            model_type=nncf.ModelType.TRANSFORMER,
            subset_size=len(batches),
            # Attention gains nothing: converting its inputs to int8 takes longer than int8 saves.
            ignored_scope=nncf.IgnoredScope(types=["ScaledDotProductAttention"], validate=False),
        )
        openvino.save_model(model, str(folder / openvino_runtime.MODEL_FILE), compress_to_fp16=False)


def write_onnxruntime_int8(source: SourceModel, crops: Float32, folder: Path, progress: Progress) -> None:
    """Write ONNX Runtime's static int8 model into a folder, calibrated on crops (N, 3, H, W)."""
    with needs_extra("int8", "quantization for ONNX Runtime"):
        import onnx
        from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

    batches = _batches(source, crops)
    exported = onnx_runtime.exported(source)
    input_name = onnx.load(exported, load_external_data=False).graph.input[0].name

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._at = iter(range(len(batches)))

        def get_next(self) -> dict[str, Float32] | None:
            i = next(self._at, None)
            return None if i is None else {input_name: _batch(batches, i, progress)}

    with _quiet("root"):
        ready = folder / "ready.onnx"
        quant_pre_process(str(exported), str(ready), skip_symbolic_shape=True)
        quantize_static(
            str(ready),
            str(folder / onnx_runtime.MODEL_FILE),
            Reader(),
            per_channel=True,
            op_types_to_quantize=["MatMul", "Conv", "Gemm"],
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        ready.unlink()


def _batches(source: SourceModel, crops: Float32) -> list[Float32]:
    """The crops in batches of the model's fixed batch size, or one at a time."""
    size = source.batch or 1
    return [crops[i : i + size] for i in range(0, len(crops) - size + 1, size)]


def _batch(batches: list[Float32], i: int, progress: Progress) -> Float32:
    progress(i + 1, len(batches))
    return batches[i]


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Keep warnings, progress bars and log messages of third-party code off the terminal; errors are still raised."""
    silenced = logging.getLogger("" if logger == "root" else logger)
    level = silenced.level
    silenced.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        silenced.setLevel(level)
