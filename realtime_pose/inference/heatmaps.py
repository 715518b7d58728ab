"""From heatmaps to keypoints: the highest cell, refined below a cell, then back into the frame.

Models are read as they were trained, by one of three codecs. ViTPose's is "udp": DARK's refinement on UDP's grid.

Sources: Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (2020), section 3.2, for
the Newton step on the log of the blurred heatmap; Huang et al., "The Devil is in the Details" (2020), for the grid;
Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking" (2018), section 3, for the quarter of a cell.
"""

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime_pose.inference.crops import CropRegions
from realtime_pose.utils.arrays import Float32, Float64

_Indices = npt.NDArray[np.integer[Any]]

_FLOOR = 1e-3  # of the peak; below it the log would follow noise
_DARK_FLOOR = 1e-10  # what DARK's own code takes
_MAX_STEP_CELLS = 2.0  # a peak that the blur moved further is no single peak


def decode_heatmaps(heatmaps: Float32, blur_kernel: int = 11, codec: str = "udp") -> tuple[Float64, Float32]:
    """Where each heatmap peaks, in cells, and how high.

    Args:
        heatmaps: (N, K, H, W); stays as it is.
        blur_kernel: Side of the Gaussian that smooths the heatmap first, in cells; odd. "msra" needs none.
        codec: "udp", "dark" or "msra".

    Returns:
        xy_cells (N, K, 2), and the peak's value in 0..1 (N, K). Where the value is 0 there is no peak.
    """
    n, k, height, width = heatmaps.shape
    flat = heatmaps.reshape(n, k, height * width)
    peak = np.argmax(flat, axis=-1)
    top = np.take_along_axis(flat, peak[..., None], axis=-1)[..., 0]
    row, column = np.divmod(peak, width)

    if codec == "msra":
        step = _quarter_step(heatmaps, row, column)
    elif codec == "dark":
        step = _dark_step(_log_blurred_about(heatmaps, row, column, blur_kernel, reach=2, floor=_DARK_FLOOR))
        step[(row < 2) | (row > height - 3) | (column < 2) | (column > width - 3)] = 0.0
    else:
        step = _newton_step(_log_blurred_about(heatmaps, row, column, blur_kernel))
    return np.stack((column, row), axis=-1) + step, np.clip(top, 0.0, 1.0)


def xy_in_frame(xy_cells: Float64, regions: CropRegions, heatmap_wh: tuple[int, int], codec: str = "udp") -> Float32:
    """Points (N, K, 2) of heatmaps as pixels of the full frame.

    UDP's first and last cell are the region's edges; to the others a heatmap is as many cells wide as the region.
    """
    fraction = xy_cells / (np.array(heatmap_wh) - (codec == "udp"))
    return (fraction * regions.size_px[:, None] + regions.corner_px[:, None]).astype(np.float32)


def _log_blurred_about(
    heatmaps: Float32, row: _Indices, column: _Indices, blur_kernel: int, reach: int = 1, floor: float = _FLOOR
) -> Float64:
    """The log of the blurred heatmaps at the cells up to `reach` about (row, column): (N, K, 3, 3) for 1, in y, x.

    Only those cells are blurred: rows of a band matrix times the heatmap times columns of another. To the blur, what
    lies outside the heatmap is 0; cells outside the edge repeat it.
    """
    height, width = heatmaps.shape[-2:]
    about = np.arange(-reach, reach + 1)
    rows = np.clip(row[..., None] + about, 0, height - 1)
    columns = np.clip(column[..., None] + about, 0, width - 1)
    down, across = _blur_matrix(height, blur_kernel)[rows], _blur_matrix(width, blur_kernel)[columns]
    blurred = (down @ heatmaps @ np.swapaxes(across, -1, -2)).astype(np.float64)
    highest = np.maximum(blurred.max(axis=(-2, -1), keepdims=True), np.finfo(np.float32).tiny)
    return np.log(np.maximum(blurred / highest, floor))


@lru_cache(maxsize=8)
def _blur_matrix(length: int, kernel: int) -> Float32:
    """(length, length): row i holds the Gaussian about cell i. OpenCV's rule gives its sigma, 2 cells for 11."""
    gaussian = cv2.getGaussianKernel(kernel, 0)[:, 0]
    matrix = np.zeros((length, length + kernel - 1), np.float32)
    for i in range(length):
        matrix[i, i : i + kernel] = gaussian
    return matrix[:, kernel // 2 : kernel // 2 + length].copy()


def _newton_step(log: Float64) -> Float64:
    """From the middle of 3x3 cells (N, K, 3, 3) to the peak of the parabola through them, in cells: x, y (N, K, 2)."""
    middle, left, right = log[..., 1, 1], log[..., 1, 0], log[..., 1, 2]
    above, below = log[..., 0, 1], log[..., 2, 1]
    dxx, dyy = right - 2 * middle + left, below - 2 * middle + above
    dxy = (log[..., 2, 2] - right - below + 2 * middle - left - above + log[..., 0, 0]) / 2
    return _to_the_peak((right - left) / 2, (below - above) / 2, dxx, dyy, dxy)


def _dark_step(log: Float64) -> Float64:
    """The same from 5x5 cells (N, K, 5, 5), with second differences over two cells, as DARK first had it."""
    middle = log[..., 2, 2]
    dx, dy = (log[..., 2, 3] - log[..., 2, 1]) / 2, (log[..., 3, 2] - log[..., 1, 2]) / 2
    dxx = (log[..., 2, 4] - 2 * middle + log[..., 2, 0]) / 4
    dyy = (log[..., 4, 2] - 2 * middle + log[..., 0, 2]) / 4
    dxy = (log[..., 3, 3] - log[..., 1, 3] - log[..., 3, 1] + log[..., 1, 1]) / 4
    return _to_the_peak(dx, dy, dxx, dyy, dxy)


def _to_the_peak(dx: Float64, dy: Float64, dxx: Float64, dyy: Float64, dxy: Float64) -> Float64:
    """Newton's step x, y (N, K, 2) from the first and second derivatives; none where they have no peak."""
    det = dxx * dyy - dxy**2
    is_peak = (det > 1e-9) & (dxx < 0)
    step = np.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), axis=-1) / np.where(is_peak, det, 1.0)[..., None]
    return np.where(is_peak[..., None], np.clip(step, -_MAX_STEP_CELLS, _MAX_STEP_CELLS), 0.0)


def _quarter_step(heatmaps: Float32, row: _Indices, column: _Indices) -> Float64:
    """A quarter of a cell towards the higher neighbour, in x and in y (N, K, 2); none at the edges."""
    height, width = heatmaps.shape[-2:]
    n, k = np.ogrid[: heatmaps.shape[0], : heatmaps.shape[1]]
    right, left = np.minimum(column + 1, width - 1), np.maximum(column - 1, 0)
    below, above = np.minimum(row + 1, height - 1), np.maximum(row - 1, 0)
    dx = np.sign(heatmaps[n, k, row, right] - heatmaps[n, k, row, left])
    dy = np.sign(heatmaps[n, k, below, column] - heatmaps[n, k, above, column])
    inside_x = (column > 1) & (column < width - 1) & (row > 0)  # the field's own code leaves out one cell more
    inside_y = (row > 1) & (row < height - 1) & (column > 0)  # at the left and top edges
    return 0.25 * np.stack((dx * inside_x, dy * inside_y), axis=-1).astype(np.float64)
