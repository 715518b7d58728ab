"""ViTPose estimator: boxes to keypoints with batched crops, the fastest runtime here and batched decoding.

Source: Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation" (2022).
"""

import logging
from collections.abc import Callable, Sequence

import numpy as np

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.crops import Cropper, visible_boxes
from realtime_pose.inference.devices import pick_device
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.runtimes.choose import choose_runtime
from realtime_pose.inference.vitpose.models import load_model
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.stopwatch import Stopwatch

log = logging.getLogger(__name__)


class ViTPoseEstimator:
    """`PoseEstimator` of ViTPose in every size, checkpoint family and runtime, and of mmpose's heatmap models.

    Args:
        config: With `estimator` vitpose-s, -b, -l or -h the checkpoint must have that size; anything else uses the
            checkpoint's own. `checkpoint` is a file or a name in the manifest; empty looks for the estimator's own on
            this machine. Nothing is downloaded here.
        notify: Callback with one sentence when runtimes are timed, and with the one that was chosen.

    Attributes:
        stopwatch: Times of `estimate` for "crop", "network" and "decode".

    Raises:
        CheckpointError: The checkpoint is missing, damaged, unsafe, or of another architecture than wanted.
        ConfigError: The runtime or device is not on this machine, or the model config does not fit.
        UnknownChoiceError: There is no such device.
        MissingPackageError: torch, or the library of the named runtime, is missing.
    """

    finds_people = False

    def __init__(self, config: InferenceConfig, notify: Callable[[str], None] = log.warning) -> None:
        self.stopwatch = Stopwatch()
        device = pick_device(config.device)
        model = load_model(config)
        self._runtime = choose_runtime(model.source, model.geometry, device, config.runtime, config.precision, notify)
        self._cropper = Cropper(model.geometry)
        self._geometry = model.geometry
        self._mirror = list(model.layout.mirror) if config.flip_test else None
        self.name, self.layout, self.checkpoint = model.source.name, model.layout, model.path
        self.model_hash = model.source.key
        self.runtime, self.precision, self.device = (
            self._runtime.runtime, self._runtime.precision, self._runtime.device,
        )  # fmt: skip

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """Keypoints for each box, in its order; scores are 0 for a box without area or outside the frame."""
        if not boxes:
            return []
        count = len(self.layout.names)
        xyxy = np.stack([box.bbox_xyxy_px for box in boxes])
        xy, score = np.zeros((len(boxes), count, 2), np.float32), np.zeros((len(boxes), count), np.float32)
        visible = visible_boxes(xyxy, frame.width, frame.height)
        if visible.any():
            xy[visible], score[visible] = self._keypoints(frame, xyxy[visible])
        return [
            PersonKeypoints(self.layout, xy[i].copy(), score[i].copy(), box.track_id, frame.time_ns)
            for i, box in enumerate(boxes)
        ]

    def heatmaps(self, crops: Float32) -> Float32:
        """Heatmaps (N, K, H, W) for normalised RGB crops (N, 3, H, W); the flip test averages two."""
        if self._mirror is None:
            return self._runtime.heatmaps(crops)
        both = self._runtime.heatmaps(np.concatenate((crops, crops[..., ::-1])))
        straight, flipped = np.split(both, 2)
        return np.float32(0.5) * (straight + flipped[:, self._mirror, :, ::-1])

    def close(self) -> None:
        """Release memory."""
        self._runtime.close()

    def _keypoints(self, frame: Frame, xyxy: Float32) -> tuple[Float32, Float32]:
        with self.stopwatch.measure("crop"):
            crops, regions = self._cropper.crop(frame.image_bgr, xyxy)
        with self.stopwatch.measure("network"):
            heatmaps = self.heatmaps(crops)
        with self.stopwatch.measure("decode"):
            codec = self._geometry.codec
            xy_cells, score = decode_heatmaps(heatmaps, self._geometry.blur_kernel, codec)
            return xy_in_frame(xy_cells, regions, (heatmaps.shape[3], heatmaps.shape[2]), codec), score
