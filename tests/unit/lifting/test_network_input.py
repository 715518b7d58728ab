"""Input features of the trained lifter."""

import numpy as np
import pytest

from realtime_pose.lifting.network_input import INPUT_BASIS, INPUT_COUNTS, LAYOUT, WINDOW_S, features_of


def test_features_do_not_depend_on_the_cameras_yaw() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(0, 0.4, (len(WINDOW_S), 27, 3)) - (0, 0, 3)
    yaw = 0.3
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    score = np.full(points.shape[:2], 0.8)
    here = features_of(points[..., :2] / -points[..., 2:], score)
    turned = points @ turn.T
    there = features_of(turned[..., :2] / -turned[..., 2:], score)
    # The mean of projected points changes a little with the projection, so the features are only nearly the same.
    np.testing.assert_allclose(there[0].even, here[0].even, atol=0.1)
    np.testing.assert_allclose(there[0].odd, here[0].odd, atol=0.1)
    assert tuple(len(part) for part in here[0]) == INPUT_COUNTS


def test_mirrored_keypoints_keep_the_even_features_and_negate_the_odd_ones() -> None:
    rng = np.random.default_rng(0)
    xy, score = rng.normal(0, 0.2, (len(WINDOW_S), 27, 2)), rng.uniform(0.1, 1, (len(WINDOW_S), 27))
    mirror = list(LAYOUT.mirror)
    here, _ = features_of(xy, score)
    there, _ = features_of(xy[:, mirror] * (-1, 1), score[:, mirror])
    np.testing.assert_allclose(there.even, here.even, atol=1e-9)
    np.testing.assert_allclose(there.odd, -here.odd, atol=1e-9)


@pytest.mark.parametrize("basis", INPUT_BASIS._asdict().values(), ids=INPUT_BASIS._fields)
def test_the_basis_is_orthonormal(basis: np.ndarray) -> None:
    np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-12)


def test_an_occluded_point_has_no_influence() -> None:
    rng = np.random.default_rng(0)
    xy, score = rng.normal(0, 0.2, (len(WINDOW_S), 27, 2)), np.full((len(WINDOW_S), 27), 0.8)
    score[:, 9] = 0.0
    elsewhere = xy.copy()
    elsewhere[:, 9] = 5.0
    for part, other in zip(features_of(xy, score)[0], features_of(elsewhere, score)[0], strict=True):
        np.testing.assert_array_equal(part, other)
