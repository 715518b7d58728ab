"""Motion of the background between two frames: a camera that is moved or shaken, and zoom."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from realtime_pose.datatypes import PersonBox
from realtime_pose.utils.arrays import UInt8

_LONG_SIDE_PX = 320  # of the image in which points are followed
_POINTS, _FEWEST, _APART_PX = 50, 12, 10  # points: at most, at least, and their distance
_SPREAD = 0.12  # least standard deviation of their positions, of the image's sides: a corner tells nothing of zoom
_BACK_PX = 0.5  # a point that is followed there and back ends within this
_AGREE, _OFF_PX = 0.6, 1.0  # share of the points that must move as one, within this


class BackgroundStep(NamedTuple):
    """How the background moved between two frames.

    Attributes:
        shift: How far the image's centre moved and its border turned, as a share of the image's longer side.
        log_zoom: Natural logarithm of the enlargement.
    """

    shift: float
    log_zoom: float


class BackgroundMotion:
    """Follows points outside people's boxes from frame to frame, in a small grey image.

    Sources: pyramidal Lucas-Kanade (Bouguet, 2001) on good features (Shi and Tomasi, 1994), a similarity by RANSAC.
    """

    def __init__(self) -> None:
        self._before: UInt8 | None = None
        self._before_mask: UInt8 | None = None

    def step(self, image_bgr: UInt8, people: Sequence[PersonBox]) -> BackgroundStep | None:
        """The motion since the last call; None at first, and where too little of the background can be followed."""
        import cv2

        every = max(max(image_bgr.shape[:2]) // (2 * _LONG_SIDE_PX), 1)
        green = image_bgr[::every, ::every, 1]  # nearest to brightness; the mean of all pixels would take longer
        scale = _LONG_SIDE_PX / max(image_bgr.shape[:2])
        size = tuple(max(round(side * scale), 1) for side in (image_bgr.shape[1], image_bgr.shape[0]))
        small = cv2.resize(green, size, interpolation=cv2.INTER_AREA)
        mask = np.full(small.shape, 255, np.uint8)
        for person in people:
            left, top, right, bottom = np.rint(person.bbox_xyxy_px * scale).astype(int)
            mask[max(top, 0) : bottom, max(left, 0) : right] = 0
        before, before_mask = self._before, self._before_mask
        self._before, self._before_mask = small, mask
        if before is None or before_mask is None or before.shape != small.shape:
            return None
        here = cv2.goodFeaturesToTrack(before, _POINTS, 0.01, _APART_PX, mask=cv2.bitwise_and(before_mask, mask))
        if here is None or len(here) < _FEWEST:
            return None
        there, found, _ = cv2.calcOpticalFlowPyrLK(before, small, here, None)
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(small, before, there, None)
        good = (found & found_back).ravel() > 0
        good &= np.linalg.norm(back - here, axis=-1).ravel() < _BACK_PX
        if good.sum() < _FEWEST or (here[good].std(axis=(0, 1)) < _SPREAD * np.array(size)).any():
            return None
        matrix, agree = cv2.estimateAffinePartial2D(here[good], there[good], ransacReprojThreshold=_OFF_PX)
        if matrix is None or agree.mean() < _AGREE:
            return None
        zoom, turn_rad = np.hypot(matrix[0, 0], matrix[1, 0]), np.arctan2(matrix[1, 0], matrix[0, 0])
        centre = np.array(size) / 2
        moved_px = np.linalg.norm(matrix[:, :2] @ centre + matrix[:, 2] - centre)
        return BackgroundStep(float(moved_px / _LONG_SIDE_PX + abs(turn_rad) / 2), float(np.log(zoom)))
