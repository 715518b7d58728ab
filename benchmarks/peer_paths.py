"""Other programs' ways from an image and boxes to keypoints, as they document them.

Each function makes one from the same transformers model with random weights: (image_bgr, boxes_xyxy) -> (N, 17, 2) px.
"""

import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from realtime_pose.inference.vitpose.mmpose_compat import import_mmpose
from realtime_pose.utils.paths import data_path

Way = Callable[[np.ndarray, np.ndarray], np.ndarray]

_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def transformers_way(model: torch.nn.Module, device: str, dtype: torch.dtype) -> Way:
    """Processor, model and post-processing, as on transformers' ViTPose page."""
    from transformers import logging

    logging.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import VitPoseImageProcessor

    processor = VitPoseImageProcessor()
    model = model.to(device, dtype)

    def way(image_bgr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        image = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        xywh = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
        inputs = processor(image, boxes=[xywh], return_tensors="pt").to(device, dtype)
        with torch.inference_mode():
            outputs = model(**inputs)
        outputs.heatmaps = outputs.heatmaps.float().cpu()
        people = processor.post_process_pose_estimation(outputs, boxes=[xywh])[0]
        return np.stack([person["keypoints"].numpy() for person in people])

    return way


def mmpose_way(weights: dict[str, torch.Tensor], size: str, device: str) -> Way:
    """mmpose's `inference_topdown`, without flip test."""
    import_mmpose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mmengine.config import Config
        from mmpose.apis import inference_topdown, init_model

        config = Config.fromfile(str(data_path(f"configs/vitpose/vitpose-{size}.py")))
        config.model.backbone.type = "PlainVisionTransformer"
        config.train_dataloader = config.test_dataloader
        model = init_model(config, device=device)
    model.load_state_dict(weights)

    def way(image_bgr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        people = inference_topdown(model, image_bgr, boxes)
        return np.concatenate([person.pred_instances.keypoints for person in people])

    return way


def onnx_way(file: Path, device: str) -> Way:
    """The steps that easy_ViTPose publishes for its ONNX files: person by person, at fp32, on ONNX Runtime's defaults.

    The box is grown by 10 px, cropped, padded with black to 3:4, scaled and normalised in double precision; each
    whole heatmap is blurred; then DARK's step. Only the steps are theirs (JunkyByte/easy_ViTPose, inference.py).
    """
    import onnxruntime

    wanted = ["CUDAExecutionProvider", "CPUExecutionProvider"] if device == "cuda" else ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(str(file), providers=wanted)
    if session.get_providers()[0] != wanted[0]:
        raise SystemExit(f"ONNX Runtime has no {wanted[0]} here; install onnxruntime-gpu")
    name = session.get_inputs()[0].name

    def person(image_rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
        height, width = image_rgb.shape[:2]
        grown = np.round(box).astype(int) + np.array([-10, -10, 10, 10])
        left, top, right, bottom = np.clip(grown, 0, [width, height, width, height])
        cut = image_rgb[top:bottom, left:right]
        missing_x = max(0, int(0.75 * cut.shape[0]) - cut.shape[1])
        missing_y = max(0, int(cut.shape[1] / 0.75) - cut.shape[0]) if not missing_x else 0
        before_x, before_y = missing_x // 2, missing_y // 2
        padded = np.pad(cut, ((before_y, missing_y - before_y), (before_x, missing_x - before_x), (0, 0)))
        scaled = cv2.resize(padded, (192, 256), interpolation=cv2.INTER_LINEAR) / 255
        crop = ((scaled - _MEAN) / _STD).transpose(2, 0, 1)[None].astype(np.float32)
        cells = _peaks(session.run(None, {name: crop})[0][0])
        padded_wh = np.array(padded.shape[1::-1])
        return cells * padded_wh / (47, 63) + (left - before_x, top - before_y)

    def way(image_bgr: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        image_rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        return np.stack([person(image_rgb, box) for box in boxes])

    return way


def _peaks(heatmaps: np.ndarray) -> np.ndarray:
    """Peaks of heatmaps (K, 64, 48) in cells (K, 2): blur, log, and Newton's step from the highest cell."""
    count, _, width = heatmaps.shape
    row, column = np.divmod(heatmaps.reshape(count, -1).argmax(axis=1), width)
    blurred = np.stack([cv2.GaussianBlur(heatmap, (11, 11), 0) for heatmap in heatmaps])
    log = np.pad(np.log(np.clip(blurred, 1e-3, 50)), ((0, 0), (1, 1), (1, 1)), mode="edge")
    each = np.arange(count)

    def at(dy: int, dx: int) -> np.ndarray:
        return log[each, row + 1 + dy, column + 1 + dx]

    gradient = np.stack(((at(0, 1) - at(0, -1)) / 2, (at(1, 0) - at(-1, 0)) / 2), axis=-1)
    dxx, dyy = at(0, 1) - 2 * at(0, 0) + at(0, -1), at(1, 0) - 2 * at(0, 0) + at(-1, 0)
    dxy = (at(1, 1) - at(0, 1) - at(1, 0) + 2 * at(0, 0) - at(0, -1) - at(-1, 0) + at(-1, -1)) / 2
    hessian = np.stack((dxx, dxy, dxy, dyy), axis=-1).reshape(count, 2, 2) + np.finfo(np.float32).eps * np.eye(2)
    return np.stack((column, row), axis=-1) - np.linalg.solve(hessian, gradient[..., None])[..., 0]
