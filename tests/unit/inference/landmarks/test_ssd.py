"""Detector outputs: anchors, boxes with points, and one box for each object."""

import numpy as np
import pytest

from realtime_pose.inference.landmarks.ssd import anchor_centres, decode


def test_anchors_are_the_middles_of_the_cells_two_for_each_time_a_stride_is_named():
    anchors = anchor_centres(224, (8, 16, 32, 32, 32))
    assert anchors.shape == (2 * 28 * 28 + 2 * 14 * 14 + 6 * 7 * 7, 2)
    assert np.allclose(anchors[0], 0.5 / 28)
    assert np.allclose(anchors[2], [1.5 / 28, 0.5 / 28])  # along a row first
    assert np.allclose(anchors[-1], 6.5 / 7)


ANCHORS = np.array([[0.25, 0.25], [0.25, 0.25], [0.75, 0.75]])
BOXES = np.array([[0, 0, 20, 20, 5, -5], [2, 0, 20, 20, 7, -5], [0, 0, 20, 20, 0, 0]], np.float32)


def test_boxes_and_points_are_relative_to_their_anchor():
    found = decode(BOXES, np.array([[-9.0], [-9], [2]], np.float32), ANCHORS, 100, 0.5)
    assert np.allclose(found.xyxy, [[0.65, 0.65, 0.85, 0.85]])
    assert np.allclose(found.points, [[[0.75, 0.75]]])
    assert found.score == pytest.approx([1 / (1 + np.exp(-2))])


def test_overlapping_boxes_become_their_mean_weighted_by_score():
    found = decode(BOXES, np.array([[0.0], [np.log(3)], [3]], np.float32), ANCHORS, 100, 0.4)
    assert len(found.score) == 2
    assert found.score[1] == pytest.approx(0.75)  # that of the best
    assert found.points[1, 0] == pytest.approx([0.25 + (0.5 * 0.05 + 0.75 * 0.07) / 1.25, 0.2])


@pytest.mark.parametrize("logit", [-200, np.nan])
def test_nothing_is_found_without_a_score(logit):
    found = decode(BOXES, np.full((3, 1), logit, np.float32), ANCHORS, 100, 0.5)
    assert found.xyxy.shape == (0, 4)
    assert found.points.shape == (0, 1, 2)
