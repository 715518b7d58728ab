"""Affine crops: boxes in a frame become one batch of network input, with one warp per person.

With UDP the first pixel of a crop is its region's top left corner and the last pixel the bottom right one, so a crop
of w pixels spans w - 1 steps; heatmaps are mapped back in the same way. Models older than UDP span w steps.
Source: Huang et al., "The Devil is in the Details: Delving into Unbiased Data Processing" (2020), section 3.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.utils.arrays import Bool, Float32, Float64, UInt8


@dataclass(frozen=True, eq=False)
class CropRegions:
    """Regions of a frame that become crops.

    Attributes:
        corner_px: (N, 2) left and top, pixels of the full frame.
        size_px: (N, 2) width and height.
    """

    corner_px: Float64
    size_px: Float64


def regions_of_boxes(boxes_xyxy_px: Float32, aspect: float, padding: float) -> CropRegions:
    """The regions around boxes (N, 4), grown to width / height = `aspect`, then by the factor `padding`."""
    boxes = boxes_xyxy_px.astype(np.float64)
    low, high = boxes[:, :2], boxes[:, 2:]
    width, height = (high - low).T
    size = np.stack((np.maximum(width, height * aspect), np.maximum(height, width / aspect)), axis=-1) * padding
    return CropRegions((low + high - size) / 2, size)


def visible_boxes(boxes_xyxy_px: Float32, width: int, height: int) -> Bool:
    """Mask (N,) of the boxes (N, 4) that have an area and overlap a frame of `width` x `height`."""
    left, top, right, bottom = boxes_xyxy_px.T
    inside = (left < width) & (top < height) & (right > 0) & (bottom > 0)
    return np.isfinite(boxes_xyxy_px).all(axis=1) & (right > left) & (bottom > top) & inside


class Cropper:
    """Crops, scales and normalises people; reuses the memory of its largest batch.

    Args:
        geometry: Size, padding and colour normalisation of a crop.
    """

    def __init__(self, geometry: CropGeometry) -> None:
        self._wh = input_wh = geometry.input_wh
        self._padding = geometry.padding
        self._steps = np.array(input_wh) - geometry.unbiased
        self._aspect = input_wh[0] / input_wh[1]
        levels = np.arange(256, dtype=np.float32)
        gain = (1 / np.array(geometry.std_rgb)).astype(np.float32)
        offset = (-np.array(geometry.mean_rgb) / np.array(geometry.std_rgb)).astype(np.float32)
        self._normalised_rgb = [levels * g + o for g, o in zip(gain, offset, strict=True)]  # a lookup table per channel
        width, height = input_wh
        self._crop_bgr: UInt8 = np.empty((height, width, 3), np.uint8)
        self._planes_bgr: list[UInt8] = [np.empty((height, width), np.uint8) for _ in range(3)]
        self._batch: Float32 = np.empty((0, 3, input_wh[1], input_wh[0]), np.float32)

    def crop(self, image_bgr: UInt8, boxes_xyxy_px: Float32) -> tuple[Float32, CropRegions]:
        """The network's input (N, 3, H, W) for boxes (N, 4), and each crop's region of the frame.

        The next call overwrites the input. Outside of the frame it is black.
        """
        regions = regions_of_boxes(boxes_xyxy_px, self._aspect, self._padding)
        if len(boxes_xyxy_px) > len(self._batch):
            self._batch = np.empty((len(boxes_xyxy_px), *self._batch.shape[1:]), np.float32)
        scale = self._steps / regions.size_px
        shift = -scale * regions.corner_px
        for crop, (sx, sy), (x, y) in zip(self._batch, scale.tolist(), shift.tolist(), strict=False):
            crop_from_image = np.array([[sx, 0, x], [0, sy, y]])
            cv2.warpAffine(image_bgr, crop_from_image, self._wh, dst=self._crop_bgr, flags=cv2.INTER_LINEAR)
            cv2.split(self._crop_bgr, self._planes_bgr)
            # A lookup table takes half the time of multiplying and adding, with the same result.
            for channel, plane, normalised in zip(crop, reversed(self._planes_bgr), self._normalised_rgb, strict=True):
                cv2.LUT(plane, normalised, dst=channel)
        return self._batch[: len(boxes_xyxy_px)], regions
