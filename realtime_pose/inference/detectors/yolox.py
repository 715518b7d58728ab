"""YOLOX person detector from an ONNX file, on the CPU.

Reads the files as their authors publish them: images in BGR 0..255, outputs for the grids of three strides.

Sources: Ge et al., "YOLOX: Exceeding YOLO Series in 2021"; the contract of Megvii-BaseDetection/YOLOX@0.1.1rc0
(Apache-2.0), its demo of ONNX Runtime.
"""

from pathlib import Path

import cv2
import numpy as np

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.boxes import person_boxes
from realtime_pose.utils.arrays import Float32, Float64, UInt8
from realtime_pose.utils.extras import needs_extra

_STRIDES = (8, 16, 32)
_PADDING = 114
_PERSON, _CLASSES = 0, 80  # of COCO
_SCORE, _SAME_BOX_IOU = 0.3, 0.45  # as in the authors' demo
_BOX_AND_OBJECTNESS = 5


class YoloxDetector:
    """Boxes of all people in a frame, by YOLOX; `config.detector_checkpoint` is its file."""

    def __init__(self, config: InferenceConfig) -> None:
        self._session = _open(Path(config.detector_checkpoint))
        self._input = self._session.get_inputs()[0].name
        self._height, self._width = self._session.get_inputs()[0].shape[2:]
        self._cells, self._strides = _grid(self._height, self._width)

    def detect(self, frame: Frame) -> list[PersonBox]:
        """Boxes of everyone, best first."""
        image, scale = letterbox(frame.image_bgr, self._height, self._width)
        outputs = self._session.run(None, {self._input: image})[0][0]
        scores = outputs[:, 4] * outputs[:, _BOX_AND_OBJECTNESS + _PERSON]
        rows = np.flatnonzero(scores >= _SCORE)
        boxes = self._decoded(outputs[rows, :4].astype(np.float64), rows) / scale
        xywh = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), axis=1)
        kept = np.array(cv2.dnn.NMSBoxes(xywh.tolist(), scores[rows].tolist(), _SCORE, _SAME_BOX_IOU), int)
        return person_boxes(boxes[kept], scores[rows][kept], frame.width, frame.height)

    def close(self) -> None:
        """Nothing to do: the session is freed with this object."""

    def _decoded(self, offsets: Float64, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Float64:
        """Boxes (N, 4) xyxy in px of the network's input, from its outputs for the cells in `rows`."""
        stride = self._strides[rows, None]
        centres, halves = (offsets[:, :2] + self._cells[rows]) * stride, np.exp(offsets[:, 2:]) * stride / 2
        return np.concatenate((centres - halves, centres + halves), axis=1)


def letterbox(image_bgr: UInt8, height: int, width: int) -> tuple[Float32, float]:
    """The image as the network's input (1, 3, height, width), and the scale that was applied.

    It keeps its proportions and is placed in the top left corner; the rest is grey.
    """
    scale = min(height / image_bgr.shape[0], width / image_bgr.shape[1])
    size = max(1, int(image_bgr.shape[1] * scale)), max(1, int(image_bgr.shape[0] * scale))
    padded = np.full((height, width, 3), _PADDING, np.uint8)
    padded[: size[1], : size[0]] = cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32), scale


def _grid(height: int, width: int) -> tuple[Float64, Float64]:
    """Column and row (N, 2) of each cell of the network's output, and its stride (N,)."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        strides.append(np.full(rows.size, stride))
    return np.concatenate(cells).astype(np.float64), np.concatenate(strides).astype(np.float64)


def _open(path: Path):  # type: ignore[no-untyped-def]  # noqa: ANN202 - onnxruntime is imported late
    with needs_extra("onnx", "YOLOX"):
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised, not logged
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as exc:  # ONNX Runtime's errors have no common base class
        raise CheckpointError(
            f"{path} cannot be read as ONNX ({exc}); give a YOLOX file, or download it again"
        ) from exc
    in_shape, out_shape = (values[0].shape for values in (session.get_inputs(), session.get_outputs()))
    fixed = (
        len(in_shape) == 4
        and in_shape[1] == 3
        and all(isinstance(n, int) and n % _STRIDES[-1] == 0 for n in in_shape[2:])
    )
    cells = len(_grid(*in_shape[2:])[0]) if fixed else 0
    if not fixed or list(out_shape[1:]) != [cells, _BOX_AND_OBJECTNESS + _CLASSES]:
        raise CheckpointError(
            f"{path} takes {in_shape} and gives {out_shape}, wanted a YOLOX of COCO's classes as published, "
            "such as [1, 3, 416, 416] to [1, 3549, 85]; get one with: realtime-pose models download yolox-tiny"
        )
    return session
