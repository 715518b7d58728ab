"""Input features of the trained lifter."""

import numpy as np
import pytest

from realtime_pose.lifting.network_input import INPUT_BASIS, INPUT_COUNTS, LAYOUT, OUTPUT_BASIS, WINDOW_S, features_of


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
    up = np.array([0.3, 0.9, 0.316])
    here, _ = features_of(xy, score, up, 0.05)
    there, _ = features_of(xy[:, mirror] * (-1, 1), score[:, mirror], up * (-1, 1, 1), 0.05)
    np.testing.assert_allclose(there.even, here.even, atol=1e-9)
    np.testing.assert_allclose(there.odd, -here.odd, atol=1e-9)


@pytest.mark.parametrize("basis", [*INPUT_BASIS, *OUTPUT_BASIS])
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


def _body(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(0.1, 0.2, (len(WINDOW_S), 27, 2)), np.full((len(WINDOW_S), 27), 0.8)


def test_a_vertical_that_is_not_known_adds_zeros() -> None:
    up = np.array([0.1, 0.9, 0.3])
    plain, infinite = features_of(*_body())[0], features_of(*_body(), up, np.inf)[0]
    for part, other in zip(plain, infinite, strict=True):
        np.testing.assert_array_equal(part, other)
    np.testing.assert_array_equal(plain.even[-3:], 0)
    assert plain.odd[-1] == 0


def test_a_known_vertical_is_in_the_views_axes_and_weighs_more_the_surer_it_is() -> None:
    up = np.array([0.2, 0.9, 0.387])
    up /= np.linalg.norm(up)
    plain = features_of(*_body())[0]
    weights = []
    for error_rad in (0.3, 0.0873, 0.01):
        features, view = features_of(*_body(), up, error_rad)
        weight = features.even[-1]
        in_view = view.camera_from_view.T @ up
        np.testing.assert_allclose((features.odd[-1], *features.even[-3:-1]), weight * in_view, atol=1e-9)
        np.testing.assert_array_equal(features.even[:-3], plain.even[:-3])
        weights.append(weight)
    assert weights == sorted(weights)
    assert weights[1] == pytest.approx(0.5, abs=0.01)  # at 5 degrees
    assert weights[2] > 0.85


def test_gravity_view_axes_are_upright_and_face_the_camera() -> None:
    up = np.array([0.2, 0.9, 0.387])
    up /= np.linalg.norm(up)
    _, view = features_of(*_body())
    axes = view.camera_from_gravity_view(up)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(axes), 1.0)
    np.testing.assert_allclose(axes[:, 1], up, atol=1e-9)
    assert axes[0, 0] > 0.9  # X to the image's right
    assert axes[:, 2] @ view.camera_from_view[:, 2] > 0.5  # Z to the camera
    straight_down = view.camera_from_gravity_view(view.camera_from_view[:, 2])
    assert np.isfinite(straight_down).all()
