"""Regions of a frame: what is cut out, and where its points lie in the frame."""

import math

import cv2
import numpy as np
import pytest

from realtime_pose.inference.landmarks.regions import Region, region_around, whole_frame


@pytest.mark.parametrize("angle", [0.0, 0.5, -2.0])
def test_a_point_of_the_crop_goes_back_to_where_it_was(angle):
    image = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(image, (150, 100), 3, (255, 255, 255), -1)
    region = Region(160, 110, 120, angle)
    crop = region.crop(image, (240, 240))[..., 0].astype(float)
    y, x = (crop.sum(axis=axis) @ np.arange(240) / crop.sum() for axis in (1, 0))
    assert region.to_frame(np.array([[x, y]]) / 240) == pytest.approx(np.array([[150, 100]]), abs=0.1)


def test_the_top_of_a_circle_is_on_top_of_the_crop():
    region = region_around(np.array([100.0, 100.0]), np.array([140.0, 100.0]), 1.5)  # a person who lies, head right
    assert (region.x_px, region.y_px, region.size_px) == (100, 100, 120)
    assert region.angle_rad == pytest.approx(math.pi / 2)
    assert region.to_frame(np.array([[0.5, 0.0]])) == pytest.approx(np.array([[160, 100]]))


def test_beyond_the_frame_a_crop_repeats_the_edge_or_is_black():
    image = np.full((50, 100, 3), 200, np.uint8)
    assert whole_frame(100, 50) == Region(50, 25, 100)
    assert whole_frame(100, 50).crop(image, (20, 20)).min() == 200
    black = whole_frame(100, 50).crop(image, (20, 20), black_border=True)
    assert (black[0].max(), black[10].min(), black[-1].max()) == (0, 200, 0)


@pytest.mark.parametrize("numbers", [(math.nan, 0, 10), (0, 0, 0), (0, 0, math.inf), (0, 1e9, 10), (0, 0, 1e6)])
def test_what_cannot_be_cut_out_is_not_valid(numbers):
    assert not Region(*numbers).valid
    assert Region(-50, 20, 300, 3.0).valid
