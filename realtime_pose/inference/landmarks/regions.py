"""Rotated square regions of a frame: cut out for a network, and its points put back.

As in MediaPipe, the crop's left border is the region's, and pixel i of the frame lies at the coordinate i.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from realtime_pose.utils.arrays import Float64, UInt8


@dataclass(frozen=True, slots=True)
class Region:
    """A square of a frame.

    Attributes:
        x_px: Its middle.
        y_px: Its middle.
        size_px: Its side.
        angle_rad: Clockwise rotation, as y points down; 0 is upright.
    """

    x_px: float
    y_px: float
    size_px: float
    angle_rad: float = 0.0

    @property
    def valid(self) -> bool:
        """Whether it can be cut out: finite, of at least a pixel, and not absurdly large."""
        finite = all(map(math.isfinite, (self.x_px, self.y_px, self.size_px, self.angle_rad)))
        return finite and 1 <= self.size_px < 1e5 and max(abs(self.x_px), abs(self.y_px)) < 1e6

    def crop(self, image_bgr: UInt8, wh: tuple[int, int], *, black_border: bool = False) -> UInt8:
        """The region as an image of `wh`; beyond the frame it repeats its edge, or is black."""
        border = cv2.BORDER_CONSTANT if black_border else cv2.BORDER_REPLICATE
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frame_from_crop = self._frame_from_unit() @ np.diag((1 / wh[0], 1 / wh[1], 1.0))
        return cv2.warpAffine(image_bgr, frame_from_crop, wh, flags=flags, borderMode=border)

    def to_frame(self, xy: Float64) -> Float64:
        """Points (N, 2) of the region, 0..1, in px of the frame."""
        frame_from_unit = self._frame_from_unit()
        return xy @ frame_from_unit[:, :2].T + frame_from_unit[:, 2]

    def _frame_from_unit(self) -> Float64:
        """The affine map (2, 3) from 0..1 across the region to px of the frame."""
        cos, sin = self.size_px * math.cos(self.angle_rad), self.size_px * math.sin(self.angle_rad)
        return np.array([
            [cos, -sin, self.x_px - (cos - sin) / 2],
            [sin, cos, self.y_px - (sin + cos) / 2],
        ])  # fmt: skip


def whole_frame(width: int, height: int) -> Region:
    """The square around a frame."""
    return Region(width / 2, height / 2, max(width, height))


def region_around(centre_px: Float64, top_px: Float64, scale: float) -> Region:
    """The region around a circle (its middle and the point of it that is to be on top), grown by `scale`."""
    right, down = (top_px - centre_px).tolist()
    size_px = 2 * math.hypot(right, down) * scale
    return Region(float(centre_px[0]), float(centre_px[1]), size_px, math.atan2(right, -down))
