"""Simulated views: projection of the bodies, scores, and errors."""

import numpy as np
import pytest

from realtime_pose.body.camera_attitude import _PRIOR_ERROR_RAD, _PRIOR_RAD
from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.poses import draw_poses
from realtime_pose.training.views import simulate_views


def test_confident_points_are_perspective_projections_of_the_bodies() -> None:
    rng = np.random.default_rng(5)
    points = body_points(draw_poses(rng, -WINDOW_S, 600), draw_proportions(rng, 600))
    views = simulate_views(rng, points)
    assert views.score.max() <= 1.0
    assert ((views.score == 0) | (views.score >= 0.3)).all()
    # Distances between points are kept by rotation and translation.
    for a, b in ((0, 16), (5, 12), (9, 10)):
        before = np.linalg.norm(points[:, 0, a] - points[:, 0, b], axis=-1)
        np.testing.assert_allclose(np.linalg.norm(views.truth[:, a] - views.truth[:, b], axis=-1), before, atol=1e-4)
    hips = views.truth[:, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=1)
    np.testing.assert_allclose(hips, 0, atol=1e-5)
    # A camera at some distance explains points with a high score; those with a low score have larger errors.
    sure, unsure = [], []
    for i in range(600):
        seen = views.score[i, 0] > 0.85
        if seen.sum() < 8:
            continue
        for kept, errors in ((seen, sure), ((views.score[i, 0] > 0) & (views.score[i, 0] < 0.6), unsure)):
            errors.extend(_misfit(views.truth[i], views.xy[i, 0], seen)[kept])
    assert np.median(sure) < 0.03
    assert np.median(unsure) > 1.5 * np.median(sure)


def test_cameras_are_pitched_and_rolled_and_their_vertical_is_known_in_half_of_the_views() -> None:
    rng = np.random.default_rng(8)
    views = simulate_views(rng, body_points(draw_poses(rng, -WINDOW_S, 500), draw_proportions(rng, 500)))
    np.testing.assert_allclose(np.linalg.norm(views.up, axis=1), 1.0, atol=1e-5)
    shoulders, hips = (LAYOUT.rows((f"left_{part}", f"right_{part}")) for part in ("shoulder", "hip"))
    trunk = views.truth[:, shoulders].mean(axis=1) - views.truth[:, hips].mean(axis=1)
    along = (trunk * views.up).sum(-1) / np.linalg.norm(trunk, axis=1)
    assert np.median(along) > 0.9  # most people are upright
    pitch_deg = np.degrees(np.arctan2(views.up[:, 2], views.up[:, 1]))
    assert np.percentile(pitch_deg, 2) < -12
    assert np.percentile(pitch_deg, 98) > 30
    assert np.abs(np.degrees(np.arcsin(views.up[:, 0]))).max() > 15
    known = np.isfinite(views.known_up_error_rad)
    assert 0.4 < known.mean() < 0.6
    off = np.arccos(np.clip((views.known_up * views.up).sum(-1), -1, 1))[known]
    ratio = off / views.known_up_error_rad[known]
    assert 0.6 < np.sqrt(np.mean(ratio**2)) < 1.2


def _misfit(truth: np.ndarray, xy: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Distance (K,) of points from their rays, in body heights, with the root that fits the seen ones best."""
    rows, wanted = [], []
    for p, ray in zip(truth[seen], xy[seen], strict=True):
        for axis in range(2):
            rows.append([float(axis == 0), float(axis == 1), ray[axis]])
            wanted.append(-p[axis] - ray[axis] * p[2])
    root = np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0]
    placed = truth + root
    return np.linalg.norm(placed[:, :2] / -placed[:, 2:] - xy, axis=-1) * -root[2]


def test_the_attitudes_prior_is_that_of_these_cameras() -> None:
    rng = np.random.default_rng(9)
    points = body_points(draw_poses(rng, -WINDOW_S, 1500), draw_proportions(rng, 1500))
    up = simulate_views(rng, points).up
    angles = np.stack((np.arctan2(up[:, 2], np.hypot(up[:, 0], up[:, 1])), np.arctan2(-up[:, 0], up[:, 1])))
    np.testing.assert_allclose(np.degrees(angles.mean(axis=1)), np.degrees(_PRIOR_RAD), atol=1.5)
    pitch_rad, roll_rad = angles
    assert np.degrees(pitch_rad.std()) == pytest.approx(np.degrees(_PRIOR_ERROR_RAD[0]), abs=1.5)
    rolled = np.abs(roll_rad) > np.radians(6)  # a third of the cameras; the others are level
    assert 0.15 < rolled.mean() < 0.3
    assert np.degrees(roll_rad[rolled].std()) == pytest.approx(np.degrees(_PRIOR_ERROR_RAD[1]), rel=0.3)
