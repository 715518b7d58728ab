"""Body yaw: found from true points, steady without evidence, and learnt widths."""

import numpy as np
import pytest
from support.bodies import points_of, turned_about_vertical

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.lifting.body_yaw import FrontalWidths, Points, choose_yaw_rad, yaw_costs
from realtime_pose.skeletons import COCO17, RELAXED_XYZW


@pytest.mark.parametrize("yaw_deg", range(-180, 180, 30))
def test_the_yaw_is_found_from_true_points(yaw_deg):
    points = points_of(turned_about_vertical(RELAXED_XYZW, yaw_deg))
    seen = Points({n: points[i, :2] for n, i in COCO17.index.items()}, dict.fromkeys(COCO17.names, 1.0))
    cost = yaw_costs(seen, FrontalWidths(BodyDimensions.of_height(1.70)))
    off = np.angle(np.exp(1j * (choose_yaw_rad(cost, None, 0.0) - np.radians(yaw_deg))))
    assert abs(np.degrees(off)) < 30


def test_the_yaw_does_not_jump_to_the_other_side_on_one_bad_frame():
    calm = yaw_costs(Points(), FrontalWidths(BodyDimensions.of_height(1.70)))
    assert choose_yaw_rad(calm, np.radians(40.0), 1 / 30) == pytest.approx(np.radians(40.0), abs=0.01)


def test_frontal_widths_grow_to_the_widest_projection_and_no_further():
    body = BodyDimensions.of_height(1.70)
    widths = FrontalWidths(body)
    start_m = widths.frontal_m["shoulder"]
    widths.update("shoulder", 0.5 * body.shoulder_width)  # a turned body
    assert widths.frontal_m["shoulder"] == start_m
    for _ in range(300):
        widths.update("shoulder", 1.02 * body.shoulder_width)
    assert widths.frontal_m["shoulder"] == pytest.approx(1.02 * body.shoulder_width, rel=1e-3)
    for _ in range(300):
        widths.update("shoulder", 2.0 * body.shoulder_width)  # a misplaced point
    assert widths.frontal_m["shoulder"] == pytest.approx(1.08 * body.shoulder_width, rel=1e-3)
    assert widths.frontal_m["hip"] < body.hip_width
