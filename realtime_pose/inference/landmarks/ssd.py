"""Single-shot detectors of MediaPipe: anchors, boxes with points, and their non-maximum suppression.

Source: Liu et al., "SSD: Single Shot MultiBox Detector" (2016); Bazarevsky et al., "BlazeFace: Sub-millisecond Neural
Face Detection on Mobile GPUs" (2019), for the weighted mean in the place of suppression.
"""

from dataclasses import dataclass

import numpy as np

from realtime_pose.inference.tracking.boxes import intersection_over_union
from realtime_pose.utils.arrays import Float32, Float64

_SAME_IOU = 0.3  # boxes that overlap by more are of one object
_MAX_LOGIT = 100.0


@dataclass(frozen=True, eq=False)
class Detections:
    """Objects found, best first, in shares of the input.

    Attributes:
        xyxy: (N, 4) boxes.
        points: (N, P, 2).
        score: (N,) 0..1.
    """

    xyxy: Float64
    points: Float64
    score: Float64


def anchor_centres(side: int, strides: tuple[int, ...]) -> Float64:
    """The middles (A, 2) of the anchors of a square input, 0..1: two a cell for each time that a stride is named."""
    grids = []
    for stride in dict.fromkeys(strides):
        cells = side // stride
        y, x = np.mgrid[:cells, :cells].reshape(2, -1)
        centres = (np.stack((x, y), axis=1) + 0.5) / cells
        grids.append(np.repeat(centres, 2 * strides.count(stride), axis=0))
    return np.concatenate(grids)


def decode(raw: Float32, logit: Float32, anchors: Float64, side: int, min_score: float) -> Detections:
    """The objects in the output of a detector.

    Args:
        raw: (A, 4 + 2 P) middle, size and points of each box, in px of the input, relative to its anchor's middle.
        logit: (A, 1).
        anchors: (A, 2) middles.
        side: Of the square input in px.
        min_score: Boxes with a lower score are left out.
    """
    score = 1 / (1 + np.exp(-np.clip(logit[:, 0].astype(np.float64), -_MAX_LOGIT, _MAX_LOGIT)))
    rows = np.flatnonzero(score >= min_score)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    numbers = raw[rows].astype(np.float64).reshape(len(rows), raw.shape[1] // 2, 2) / side
    middle, size = numbers[:, 0] + anchors[rows], numbers[:, 1]
    xyxy = np.concatenate((middle - size / 2, middle + size / 2), axis=1)
    return _merged(Detections(xyxy, numbers[:, 2:] + anchors[rows][:, None], score[rows]))


def _merged(found: Detections) -> Detections:
    """One box for each object: the mean of all that overlap its best one, weighted by their scores."""
    overlap = intersection_over_union(found.xyxy, found.xyxy)
    left = np.ones(len(found.score), bool)
    boxes, points, best = [], [], []
    while left.any():
        top = int(np.argmax(left))
        same = left & (overlap[top] > _SAME_IOU)
        same[top] = True
        weight = found.score[same] / found.score[same].sum()
        boxes.append(weight @ found.xyxy[same])
        points.append(np.tensordot(weight, found.points[same], axes=1))
        best.append(top)
        left &= ~same
    count = len(best)
    return Detections(
        np.array(boxes).reshape(count, 4), np.array(points).reshape(count, *found.points.shape[1:]), found.score[best]
    )
