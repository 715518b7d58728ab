"""Keypoints of random bodies: segment lengths follow the drawn proportions."""

import numpy as np

from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.poses import draw_poses


def test_bodies_have_the_drawn_proportions() -> None:
    rng = np.random.default_rng(4)
    motion, proportions = draw_poses(rng, -WINDOW_S, 400), draw_proportions(rng, 400)
    points = body_points(motion, proportions)
    index = LAYOUT.index
    for a, b, part in (("elbow", "wrist", "forearm"), ("hip", "knee", "thigh"), ("knee", "ankle", "shank")):
        for side in ("left", "right"):
            length = np.linalg.norm(points[:, :, index[f"{side}_{a}"]] - points[:, :, index[f"{side}_{b}"]], axis=-1)
            np.testing.assert_allclose(length, proportions[part][:, None].repeat(len(WINDOW_S), 1), atol=1e-9)
