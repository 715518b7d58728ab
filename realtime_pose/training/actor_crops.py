"""Training data for top-down models: augmented crops of the actor's clip with their heatmaps.

Source of the targets: Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking" (2018), one Gaussian per
keypoint; on the grid of Huang et al., "The Devil is in the Details: Delving into Unbiased Data Processing" (2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from realtime_pose.capture.actor import open_actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.datatypes import Frame, PersonKeypoints
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.inference.crops import CropRegions, regions_of_boxes
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float32, Float64, UInt8, as_float32
from realtime_pose.utils.paths import data_path

HEATMAP_WH = (48, 64)
_SIGMA_CELLS = 2.0
_HELD_OUT_EVERY = 5
_SHIFT, _ZOOM, _ROTATION_RAD, _BRIGHTNESS = 0.06, 0.15, 0.25, 0.15  # ranges of the augmentation


@dataclass(frozen=True, eq=False)
class ActorFrame:
    """One frame of the clip.

    Attributes:
        frame: The frame.
        box_xyxy_px: (4,) the box that tracking by true keypoints would give.
        xy_px: (17, 2) true COCO17 keypoints, including occluded ones.
    """

    frame: Frame
    box_xyxy_px: Float32
    xy_px: Float32


def actor_frames() -> Iterator[ActorFrame]:
    """Every frame of the packaged clip with its truth.

    Raises:
        CaptureError: The clip is shorter than its truth, or one is missing.
    """
    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    xy_px = truth.keypoints_px[:, COCO17_FEET_HANDS.rows(COCO17.names)]
    clip = open_actor(CaptureConfig())
    try:
        for row in xy_px:
            frame = clip.read()
            seen = PersonKeypoints(COCO17, as_float32(row), np.ones(len(row), np.float32), 0, frame.time_ns)
            box = box_of_keypoints(seen, 0.5, frame.width, frame.height)
            if box is not None:
                yield ActorFrame(frame, box.bbox_xyxy_px, seen.xy_px)
    except EndOfStream as exc:
        raise CaptureError("the actor's clip is shorter than its truth; make both with: python -m tools.actor") from exc
    finally:
        clip.close()


def is_held_out(frame: Frame) -> bool:
    """Whether a frame is held out for evaluation."""
    return frame.index % _HELD_OUT_EVERY == _HELD_OUT_EVERY // 2


class CropMaker:
    """Makes augmented crops and their targets; the sequence is repeatable by its seed.

    Args:
        frames: Frames to crop from.
        geometry: Size, padding and colours of a crop.
        seed: Seed of the order of frames and of the augmentation.
    """

    def __init__(self, frames: list[ActorFrame], geometry: CropGeometry, seed: int) -> None:
        self._frames, self._geometry = frames, geometry
        self._random = np.random.default_rng(seed)
        self._order: list[int] = []

    def batch(self, count: int) -> tuple[Float32, Float32]:
        """Normalised RGB crops (N, 3, H, W) and their heatmaps (N, 17, 64, 48)."""
        crops, points = zip(*(self._one() for _ in range(count)), strict=True)
        return np.stack(crops), heatmaps_of(np.stack(points))

    def _one(self) -> tuple[Float32, Float64]:
        if not self._order:
            self._order = list(self._random.permutation(len(self._frames)))
        chosen = self._frames[self._order.pop()]
        wh = self._geometry.input_wh
        region = regions_of_boxes(chosen.box_xyxy_px[None], wh[0] / wh[1], self._geometry.padding)
        mirrored = bool(self._random.random() < 0.5)
        crop_from_image = self._augmented(region, wh, mirrored)
        crop = cv2.warpAffine(chosen.frame.image_bgr, crop_from_image, wh, flags=cv2.INTER_LINEAR)
        points = chosen.xy_px @ crop_from_image[:, :2].T + crop_from_image[:, 2]
        cells = points * ((np.array(HEATMAP_WH) - 1) / (np.array(wh) - 1))
        return self._coloured(crop), cells[list(COCO17.mirror)] if mirrored else cells

    def _augmented(self, region: CropRegions, wh: tuple[int, int], mirrored: bool) -> Float64:
        """crop_from_image (2, 3): the region with random shift, zoom, rotation and mirroring."""
        draw = self._random.uniform
        size = region.size_px[0]
        middle = region.corner_px[0] + size / 2 + draw(-_SHIFT, _SHIFT, 2) * size
        scale = (wh[0] - 1) / size[0] * np.exp(draw(-_ZOOM, _ZOOM))
        angle = draw(-_ROTATION_RAD, _ROTATION_RAD)
        linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if mirrored:
            linear[0] = -linear[0]
        return np.column_stack((linear, (np.array(wh) - 1) / 2 - linear @ middle))

    def _coloured(self, crop_bgr: UInt8) -> Float32:
        gain = 1 + self._random.uniform(-_BRIGHTNESS, _BRIGHTNESS, 3)
        rgb = np.clip(crop_bgr[..., ::-1] * gain, 0, 255)
        normalised = (rgb - self._geometry.mean_rgb) / self._geometry.std_rgb
        return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)


def heatmaps_of(xy_cells: Float64) -> Float32:
    """A Gaussian of height 1 at each point (N, K, 2): (N, K, 64, 48); all zero for points outside."""
    width, height = HEATMAP_WH
    across = np.exp(-((np.arange(width) - xy_cells[..., :1]) ** 2) / (2 * _SIGMA_CELLS**2))
    down = np.exp(-((np.arange(height) - xy_cells[..., 1:]) ** 2) / (2 * _SIGMA_CELLS**2))
    inside = np.all((xy_cells >= 0) & (xy_cells <= np.array(HEATMAP_WH) - 1), axis=-1, keepdims=True)
    return as_float32((down * inside)[..., :, None] * across[..., None, :])
