"""Motions: mirroring, concatenation, and motion from joint positions."""

import numpy as np

from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.motions import Motion, motion_from_positions
from realtime_pose.training.poses import draw_poses


def test_a_mirrored_motion_gives_mirrored_points() -> None:
    rng = np.random.default_rng(3)
    motion, proportions = draw_poses(rng, -WINDOW_S, 40), draw_proportions(rng, 40)
    points, mirrored = body_points(motion, proportions), body_points(motion.mirrored(), proportions)
    np.testing.assert_allclose(mirrored, points[:, :, LAYOUT.mirror] * (-1, 1, 1), atol=1e-12)


def test_concatenation_and_rows_are_inverse() -> None:
    motion = draw_poses(np.random.default_rng(1), -WINDOW_S, 6)
    joined = Motion.concatenate([motion[:2], motion[2:]])
    assert len(joined) == 6
    np.testing.assert_array_equal(joined.arms, motion.arms)
    np.testing.assert_array_equal(joined.root, motion.root)


def test_motion_of_a_body_in_t_pose_is_at_rest() -> None:
    sides = {"left": 1.0, "right": -1.0}
    places = {}
    for side, x in sides.items():
        for name, at in {
            "shoulder": (0.2, 1.4, 0), "elbow": (0.5, 1.4, 0), "wrist": (0.75, 1.4, 0),
            "hip": (0.1, 0.9, 0), "knee": (0.1, 0.5, 0), "ankle": (0.1, 0.1, 0),
        }.items():  # fmt: skip
            places[f"{side}_{name}"] = np.array([at]) * (x, 1, 1)
    identity = np.array([[0.0, 0.0, 0.0, 1.0]])
    motion = motion_from_positions(places, identity, np.stack([identity] * 2, 1), np.stack([identity] * 2, 1), 1.7)
    np.testing.assert_allclose(motion.pelvis_xyzw, identity, atol=1e-12)
    np.testing.assert_allclose(motion.arms[0, 0], [(1, 0, 0), (1, 0, 0)], atol=1e-12)
    np.testing.assert_allclose(motion.legs[0, 1], [(0, -1, 0), (0, -1, 0)], atol=1e-12)
    np.testing.assert_allclose(motion.root[0], (0, 0.9 / 1.7, 0), atol=1e-12)
