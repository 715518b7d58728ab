"""Synthetic bodies: paths between positions, mirrored positions, and limbs of constant length."""

import numpy as np
import pytest

from realtime_pose.evaluation.synthetic import bodies as bodies
from realtime_pose.skeletons import COCO17

MOTIONS = [
    bodies.at_a_desk, bodies.seated, bodies.arms_crossed, bodies.near_the_lens, bodies.squatting, bodies.lying,
    bodies.walking,
]  # fmt: skip


@pytest.mark.parametrize("motion", MOTIONS)
def test_limb_bones_have_the_lengths_of_the_build(motion):
    rng = np.random.default_rng(1)
    build = bodies.Build.random(rng)
    points = bodies.points_of(build, motion(rng, build, 60, 30.0))
    assert points.shape == (60, 17, 3)
    for side in ("left", "right"):
        for start, end, length_m in (
            ("shoulder", "elbow", build.upper_arm), ("elbow", "wrist", build.forearm),
            ("hip", "knee", build.thigh), ("knee", "ankle", build.shank),
        ):  # fmt: skip
            bone = points[:, COCO17.index[f"{side}_{end}"]] - points[:, COCO17.index[f"{side}_{start}"]]
            np.testing.assert_allclose(np.linalg.norm(bone, axis=-1), length_m, atol=1e-9)


def test_a_path_rests_at_the_places_it_is_given():
    places = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    path = bodies.wander(np.random.default_rng(3), 300, 30.0, places, 0.0, (0.5, 1.0))
    away = np.linalg.norm(path[:, None] - places, axis=-1).min(axis=1)
    assert path.shape == (300, 3)
    assert (away < 1e-9).sum() > 100  # rests
    assert away.max() > 0.4  # moves


def test_a_mirrored_pair_differs_in_the_sign_of_x():
    assert bodies.mirrored_pair(1.0, 2.0, 3.0).tolist() == [[1.0, 2.0, 3.0], [-1.0, 2.0, 3.0]]
