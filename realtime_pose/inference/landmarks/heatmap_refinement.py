"""Refinement of regressed points by their heatmaps: the mean of the cells around each, weighted by their scores."""

import numpy as np

from realtime_pose.utils.arrays import Float32, Float64

_REACH = 3  # cells to each side
_MIN_SCORE = 0.5  # of the best cell there; otherwise the point stays as it was


def refined(xy: Float64, logits: Float32) -> Float64:
    """The points (K, 2), 0..1 across the crop, moved to the peaks of their heatmaps (H, W, K or more)."""
    height, width, _ = logits.shape
    count = len(xy)
    cell = np.floor(xy * (width, height)).astype(np.int64)
    inside = ((cell >= 0) & (cell < (width, height))).all(axis=1)
    steps = np.arange(-_REACH, _REACH + 1)
    column, row = cell[:, :1] + steps, cell[:, 1:] + steps  # (K, 7) each
    in_column, in_row = (column >= 0) & (column < width), (row >= 0) & (row < height)
    columns, rows = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    around = logits[rows[:, :, None], columns[:, None], np.arange(count)[:, None, None]].astype(np.float64)
    score = 1 / (1 + np.exp(-np.clip(around, -50, 50))) * (in_row[:, :, None] & in_column[:, None])
    total = np.maximum(score.sum(axis=(1, 2)), 1e-9)
    x = (score.sum(axis=1) * column).sum(axis=1) / total / width
    y = (score.sum(axis=2) * row).sum(axis=1) / total / height
    clear = inside & (score.max(axis=(1, 2)) >= _MIN_SCORE)
    return np.where(clear[:, None], np.stack((x, y), axis=1), xy)
