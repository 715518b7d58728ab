"""Root depth: from bone lengths, and from the floor where all bones are foreshortened."""

import numpy as np
import pytest
from support.bodies import points_of

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.lifting.root_depth import RootDepth
from realtime_pose.skeletons import COCO17, RELAXED_XYZW

FRAME_NS = 33_333_333


def test_the_distance_of_a_body_parallel_to_the_image_is_right_and_kept_while_occluded():
    depth = RootDepth(BodyDimensions.of_height(1.70))
    points = points_of(RELAXED_XYZW, root_m=(0.0, 0.0, -2.5))
    rays = {n: points[i] / -points[i, 2] for n, i in COCO17.index.items()}
    assert depth.update(rays, 0) == pytest.approx(2.5, rel=0.06)
    assert depth.update({}, FRAME_NS) == pytest.approx(2.5, rel=0.06)


def test_foreshortened_bones_do_not_move_a_standing_body_away():
    """The ankles stay where they are seen, below the horizon; all bones appear 30 % shorter."""
    depth = RootDepth(BodyDimensions.of_height(1.70))
    points = points_of(RELAXED_XYZW, root_m=(0.0, -0.4, -3.0))
    rays = {name: points[i] / -points[i, 2] for name, i in COCO17.index.items()}
    for i in range(90):
        standing_m = depth.update(rays, i * FRAME_NS)
    ankles = np.mean([rays["left_ankle"], rays["right_ankle"]], axis=0)
    crouched = {name: ankles + 0.7 * (ray - ankles) for name, ray in rays.items()}
    for i in range(90, 100):
        crouched_m = depth.update(crouched, i * FRAME_NS)
    assert standing_m == pytest.approx(3.0, rel=0.06)
    assert crouched_m < 1.1 * standing_m  # by bones alone: 1 / 0.7
