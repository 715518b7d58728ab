"""Crops of the actor's clip with their heatmaps: what a top-down model learns from, and is judged on.

Source of the targets: Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking" (2018), a Gaussian a
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
_HELD_BACK_EVERY = 5
_SHIFT, _ZOOM, _TURN_RAD, _BRIGHTNESS = 0.06, 0.15, 0.25, 0.15  # how far augmentation goes


@dataclass(frozen=True, eq=False)
class ActorFrame:
    """One frame of the clip.

    Attributes:
        frame: The picture.
        box_xyxy_px: (4,) the actor, as tracking by true keypoints would box them.
        xy_px: (17, 2) COCO17's keypoints, truth; those that the body hides count too.
    """

    frame: Frame
    box_xyxy_px: Float32
    xy_px: Float32


def actor_frames() -> Iterator[ActorFrame]:
    """Every frame of the packaged clip with its truth.

    Raises:
        CaptureError: The clip and its truth differ in length, or one is missing.
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


def is_held_back(frame: Frame) -> bool:
    """Whether a frame is kept for judging: nothing learns from it."""
    return frame.index % _HELD_BACK_EVERY == _HELD_BACK_EVERY // 2


class CropMaker:
    """Cuts augmented crops with their targets, the same ones in the same order for one seed.

    Args:
        frames: What to cut from.
        geometry: Size, padding and colours of a crop.
        seed: Draws frames and augmentation.
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
        """crop_from_image (2, 3): the region moved, zoomed and turned a little, and perhaps mirrored."""
        draw = self._random.uniform
        size = region.size_px[0]
        middle = region.corner_px[0] + size / 2 + draw(-_SHIFT, _SHIFT, 2) * size
        scale = (wh[0] - 1) / size[0] * np.exp(draw(-_ZOOM, _ZOOM))
        angle = draw(-_TURN_RAD, _TURN_RAD)
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        if mirrored:
            turn[0] = -turn[0]
        return np.column_stack((turn, (np.array(wh) - 1) / 2 - turn @ middle))

    def _coloured(self, crop_bgr: UInt8) -> Float32:
        gain = 1 + self._random.uniform(-_BRIGHTNESS, _BRIGHTNESS, 3)
        rgb = np.clip(crop_bgr[..., ::-1] * gain, 0, 255)
        normalised = (rgb - self._geometry.mean_rgb) / self._geometry.std_rgb
        return np.ascontiguousarray(normalised.transpose(2, 0, 1), np.float32)


def heatmaps_of(xy_cells: Float64) -> Float32:
    """A Gaussian of height 1 about each point (N, K, 2): (N, K, 64, 48); empty where the point lies outside."""
    width, height = HEATMAP_WH
    across = np.exp(-((np.arange(width) - xy_cells[..., :1]) ** 2) / (2 * _SIGMA_CELLS**2))
    down = np.exp(-((np.arange(height) - xy_cells[..., 1:]) ** 2) / (2 * _SIGMA_CELLS**2))
    inside = np.all((xy_cells >= 0) & (xy_cells <= np.array(HEATMAP_WH) - 1), axis=-1, keepdims=True)
    return as_float32((down * inside)[..., :, None] * across[..., None, :])
