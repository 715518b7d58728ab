"""One landmark model on OpenVINO: images as OpenCV has them in, its tensors out."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.landmarks.model_files import find_model
from realtime_pose.inference.runtimes.openvino_runtime import openvino_core
from realtime_pose.utils.arrays import Float32, UInt8

PRECISIONS = {"fp32": "f32", "bf16": "bf16"}
"""Precisions that the models run at, and OpenVINO's names for them."""


class LandmarkNetwork:
    """A model of MediaPipe, ready to run.

    Args:
        name: Its name in `model_files`.
        outputs: The tensors wanted, by their names in the file; what only others need is not computed.
        level_range: The input's values for the levels 0 and 255.
        precision: fp32 or bf16.

    Raises:
        CheckpointError: The file is missing or not the one that was tested, or OpenVINO cannot run it.
        ConfigError: This processor has no bf16.
        MissingPackageError: OpenVINO is missing.
    """

    def __init__(
        self,
        name: str,
        outputs: Sequence[str],
        level_range: tuple[float, float] = (0.0, 1.0),
        precision: str = "fp32",
    ) -> None:
        model = _compiled(find_model(name), tuple(outputs), level_range, precision)
        self._request = model.create_infer_request()
        self._count = len(outputs)
        self.input_wh: tuple[int, int] = (model.input(0).shape[2], model.input(0).shape[1])

    def infer(self, image_bgr: UInt8) -> list[Float32]:
        """The tensors of one image (H, W, 3), without their first axis; the next call leaves them unchanged."""
        found = self._request.infer({0: image_bgr[None]}, share_inputs=True)
        return [np.array(found[row][0]) for row in range(self._count)]


@lru_cache(maxsize=16)  # a detector and an estimator share what they both run
def _compiled(path: Path, outputs: tuple[str, ...], level_range: tuple[float, float], precision: str) -> Any:  # noqa: ANN401 - OpenVINO's, imported late
    core = openvino_core()
    import openvino
    from openvino.preprocess import ColorFormat, PrePostProcessor

    if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ConfigError("this processor has no bf16; use --precision fp32")
    low, high = level_range
    try:
        model = core.read_model(str(path))
        model = openvino.Model([model.output(name) for name in outputs], model.get_parameters())
        steps = PrePostProcessor(model)
        image = steps.input()
        image.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
        image.tensor().set_color_format(ColorFormat.BGR)
        image.model().set_layout(openvino.Layout("NHWC"))
        image.preprocess().convert_element_type(openvino.Type.f32).convert_color(ColorFormat.RGB)
        scale = 255 / (high - low)
        image.preprocess().mean(-low * scale).scale(scale)
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": PRECISIONS[precision]}
        return core.compile_model(steps.build(), "CPU", settings)
    except RuntimeError as exc:
        reason = " ".join(str(exc).split())[:300]
        raise CheckpointError(f"OpenVINO cannot run {path.name}: {reason}; reinstall openvino") from exc
