"""Refinement of points by their heatmaps."""

import numpy as np
import pytest

from realtime_pose.inference.landmarks.heatmap_refinement import refined


def peak(x, y, height=6.0, size=64):
    at = np.mgrid[:size, :size]
    return (height - 6 * ((at[1] - x) ** 2 + (at[0] - y) ** 2)).astype(np.float32)


def test_a_point_moves_to_the_peak_near_it():
    logits = np.stack((peak(20, 30), peak(40, 12)), axis=2)
    found = refined(np.array([[21.5, 31.5], [39.2, 12.9]]) / 64, logits)
    assert found * 64 == pytest.approx(np.array([[20, 30], [40, 12]]), abs=0.05)


def test_without_a_clear_peak_or_outside_of_the_crop_it_stays():
    logits = np.stack((peak(20, 30, height=-1), peak(50, 50), peak(0, 0)), axis=2)
    points = np.array([[20, 30], [20, 30], [-1, -1]]) / 64
    assert np.array_equal(refined(points, logits), points)


def test_at_an_edge_only_cells_of_the_heatmap_count():
    found = refined(np.array([[0.5, 63.5]]) / 64, peak(0, 63)[:, :, None])
    assert (found * 64)[0] == pytest.approx([0.25, 62.75], abs=0.05)  # half of the peak lies inside
