"""Heatmap decoding: the highest cell, refined to a fraction of a cell, then mapped back into the frame.

Each model is decoded by the codec that it was trained with. ViTPose's is "udp": DARK's refinement on UDP's grid.

Sources: Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (2020), section 3.2, for
the Newton step on the log of the blurred heatmap; Huang et al., "The Devil is in the Details" (2020), for the grid;
Xiao et al., "Simple Baselines for Human Pose Estimation and Tracking" (2018), section 3, for the quarter-cell step.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from realtime_pose.inference.crops import CropRegions
from realtime_pose.utils.arrays import Float32, Float64

_Indices = npt.NDArray[np.integer[Any]]
_Weights = Sequence[Sequence[float]]

_FLOOR = 1e-3  # of the peak; below this the log would follow noise
_DARK_FLOOR = 1e-10  # as in DARK's own code
_MAX_STEP_CELLS = 2.0  # a peak that the blur moved further is not a single peak


def decode_heatmaps(heatmaps: Float32, blur_kernel: int = 11, codec: str = "udp") -> tuple[Float64, Float32]:
    """The position of each heatmap's peak, in cells, and its value.

    Args:
        heatmaps: (N, K, H, W); not modified.
        blur_kernel: Side of the Gaussian that smooths the heatmap first, in cells; odd. Not used by "msra".
        codec: "udp", "dark" or "msra".

    Returns:
        xy_cells (N, K, 2), and the peak's value in 0..1 (N, K). A value of 0 means no peak.
    """
    n, k, height, width = heatmaps.shape
    flat = heatmaps.reshape(n * k, height * width)
    peak = flat.argmax(axis=1)
    row, column = np.divmod(peak, width)
    cells = np.stack((column, row), axis=1)

    single = heatmaps.reshape(n * k, height, width)
    if codec == "msra":
        step = _quarter_step(single, row, column)
    elif codec == "dark":
        step = _newton_step(_log_blurred_around(single, row, column, blur_kernel, 2, _DARK_FLOOR), _DARK_DERIVATIVES)
        step[((cells < 2) | (cells > (width - 3, height - 3))).any(axis=1)] = 0.0
    else:
        step = _newton_step(_log_blurred_around(single, row, column, blur_kernel, 1, _FLOOR), _UDP_DERIVATIVES)
    top = flat[np.arange(n * k), peak]
    return (cells + step).reshape(n, k, 2), np.clip(top, 0.0, 1.0).reshape(n, k)


def xy_in_frame(xy_cells: Float64, regions: CropRegions, heatmap_wh: tuple[int, int], codec: str = "udp") -> Float32:
    """Points (N, K, 2) of heatmaps in pixels of the full frame.

    With UDP the centres of the first and last cell lie on the region's edges; otherwise the region spans all cells.
    """
    fraction = xy_cells / (np.array(heatmap_wh) - (codec == "udp"))
    return (fraction * regions.size_px[:, None] + regions.corner_px[:, None]).astype(np.float32)


def _log_blurred_around(
    heatmaps: Float32, row: _Indices, column: _Indices, blur_kernel: int, reach: int, floor: float
) -> Float64:
    """Log of the blurred heatmaps (M, H, W) at the cells within `reach` of (row, column): (M, 9) for 1, row by row.

    Only those cells are blurred: rows of a band matrix times the heatmap times columns of another. The blur pads the
    heatmap with zeros; cells beyond an edge repeat the edge.
    """
    _, height, width = heatmaps.shape
    down = _blur_around(height, blur_kernel, reach)[row]
    across = _blur_around(width, blur_kernel, reach)[column]
    blurred = (down @ heatmaps @ across.transpose(0, 2, 1)).reshape(len(heatmaps), -1).astype(np.float64)
    highest = np.maximum(blurred.max(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.log(np.maximum(blurred, floor * highest))


@lru_cache(maxsize=8)
def _blur_around(length: int, kernel: int, reach: int) -> Float32:
    """(length, 2 reach + 1, length): at i the Gaussians centred on cell i and its neighbours, as weights of all cells.

    The Gaussian's sigma follows OpenCV's rule: 2 cells for a kernel of 11.
    """
    gaussian = cv2.getGaussianKernel(kernel, 0)[:, 0]
    matrix = np.zeros((length, length + kernel - 1), np.float32)
    for i in range(length):
        matrix[i, i : i + kernel] = gaussian
    inside = matrix[:, kernel // 2 : kernel // 2 + length]
    cells = np.arange(length)[:, None] + np.arange(-reach, reach + 1)
    return inside[np.clip(cells, 0, length - 1)]


def _derivatives(dx: _Weights, dy: _Weights, dxx: _Weights, dyy: _Weights, dxy: _Weights) -> Float64:
    """Five columns: each derivative as weights of the cells around a peak, row by row."""
    return np.stack([np.array(weights, np.float64).ravel() for weights in (dx, dy, dxx, dyy, dxy)], axis=1)


_UDP_DERIVATIVES = _derivatives(
    dx=[[0, 0, 0], [-0.5, 0, 0.5], [0, 0, 0]],
    dy=[[0, -0.5, 0], [0, 0, 0], [0, 0.5, 0]],
    dxx=[[0, 0, 0], [1, -2, 1], [0, 0, 0]],
    dyy=[[0, 1, 0], [0, -2, 0], [0, 1, 0]],
    dxy=[[0.5, -0.5, 0], [-0.5, 1, -0.5], [0, -0.5, 0.5]],
)
_DARK_DERIVATIVES = _derivatives(  # second differences over two cells, as in DARK's own code
    dx=[[0] * 5, [0] * 5, [0, -0.5, 0, 0.5, 0], [0] * 5, [0] * 5],
    dy=[[0] * 5, [0, 0, -0.5, 0, 0], [0] * 5, [0, 0, 0.5, 0, 0], [0] * 5],
    dxx=[[0] * 5, [0] * 5, [0.25, 0, -0.5, 0, 0.25], [0] * 5, [0] * 5],
    dyy=[[0, 0, 0.25, 0, 0], [0] * 5, [0, 0, -0.5, 0, 0], [0] * 5, [0, 0, 0.25, 0, 0]],
    dxy=[[0] * 5, [0, 0.25, 0, -0.25, 0], [0] * 5, [0, -0.25, 0, 0.25, 0], [0] * 5],
)


def _newton_step(log: Float64, derivatives: Float64) -> Float64:
    """Steps x, y in cells (M, 2) from the highest cell to the peak of the parabola through the cells around it.

    `log` is (M, 9 or 25). The step is zero where the parabola has no peak.
    """
    dx, dy, dxx, dyy, dxy = (log @ derivatives).T
    det = dxx * dyy - dxy * dxy
    is_peak = (det > 1e-9) & (dxx < 0)
    step = np.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy)) / np.where(is_peak, det, np.inf)
    return step.T.clip(-_MAX_STEP_CELLS, _MAX_STEP_CELLS)


def _quarter_step(heatmaps: Float32, row: _Indices, column: _Indices) -> Float64:
    """A quarter of a cell towards the higher neighbour in heatmaps (M, H, W), x and y (M, 2); zero at the edges."""
    _, height, width = heatmaps.shape
    each = np.arange(len(heatmaps))
    right, left = np.minimum(column + 1, width - 1), np.maximum(column - 1, 0)
    below, above = np.minimum(row + 1, height - 1), np.maximum(row - 1, 0)
    dx = np.sign(heatmaps[each, row, right] - heatmaps[each, row, left])
    dy = np.sign(heatmaps[each, below, column] - heatmaps[each, above, column])
    inside_x = (column > 1) & (column < width - 1) & (row > 0)  # the original code leaves out one more cell
    inside_y = (row > 1) & (row < height - 1) & (column > 0)  # at the left and top edges
    return 0.25 * np.stack((dx * inside_x, dy * inside_y), axis=-1).astype(np.float64)
