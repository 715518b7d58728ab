"""Themes: contrast, and one counterpart for each colour."""

from dataclasses import asdict

import numpy as np
import pytest

from realtime_pose import drawing
from realtime_pose.figures.theme import DARK, LIGHT, colour_map


def luminance(colour):
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_colours_contrast_with_their_background(theme):
    """Contrast as WCAG 2 defines it: 3 for lines, 4.5 for text."""
    for name, colour in asdict(theme).items():
        least = {"paper": 0, "grid": 0, "zero": 0, "text": 4.5, "muted": 4.5}.get(name, 3)
        high, low = sorted((luminance(colour), luminance(theme.paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, name


def test_each_colour_has_a_counterpart_in_the_other_theme():
    assert len({*asdict(LIGHT).values()}) == len(asdict(LIGHT))
    assert colour_map(LIGHT, DARK)[LIGHT.left] == DARK.left


def test_sides_in_the_dark_have_the_overlays_own_colours():
    for side, bgr in drawing.SIDE_BGR.items():
        assert getattr(DARK, side) == "#{2:02x}{1:02x}{0:02x}".format(*bgr)
