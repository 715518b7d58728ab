"""Cases before any camera: reproducible, true to the motion, tilted and far as described, half in view at least."""

from dataclasses import replace

import numpy as np
import pytest
from support.lifting import make_case

from realtime_pose.errors import ConfigError
from realtime_pose.evaluation.errors3d import aligned_by_similarity
from realtime_pose.evaluation.synthetic.any_camera import before_any_camera
from realtime_pose.skeletons import COCO17, LIMB_NAMES
from realtime_pose.utils import rotations as rot

UP = np.array([0.0, 1.0, 0.0])
ROWS = COCO17.rows(LIMB_NAMES)


@pytest.fixture(scope="module")
def case():
    return replace(make_case(12), up=UP)


@pytest.fixture(scope="module")
def drawn(case):
    return before_any_camera([case], cameras=60)


def test_they_are_the_same_on_every_call(case, drawn):
    first, second = before_any_camera([case], cameras=2)
    assert np.array_equal(first.xy_px, drawn[0].xy_px)
    assert np.array_equal(first.score, drawn[0].score)
    assert (second.name, second.intrinsics) == (drawn[1].name, drawn[1].intrinsics)
    assert not np.array_equal(first.limbs_m, second.limbs_m)


def test_the_motion_is_the_cases_own_and_up_is_up(case, drawn):
    for seen in drawn:
        assert np.allclose(aligned_by_similarity(seen.limbs_m, case.limbs_m), case.limbs_m, atol=1e-6)
        upright = rot.rotate(rot.shortest_arc(seen.up, UP), seen.limbs_m)
        assert np.allclose(np.ptp(upright[..., 1], axis=1), np.ptp(case.limbs_m[..., 1], axis=1))


def test_cameras_have_every_pitch_roll_distance_and_field_of_view(drawn):
    up = np.array([seen.up for seen in drawn])
    pitch_deg = np.degrees(np.arctan2(up[:, 2], np.hypot(up[:, 0], up[:, 1])))
    roll_deg = np.degrees(np.arctan2(up[:, 0], up[:, 1]))
    distance_m = np.array([np.linalg.norm(seen.limbs_m[:, 6:8].mean(axis=(0, 1))) for seen in drawn])
    fov_deg = np.array([seen.intrinsics.fov_deg for seen in drawn])
    for values, (low, high) in (
        (pitch_deg, (-30, 60)), (roll_deg, (-20, 20)), (distance_m, (0.5, 12)), (fov_deg, (35, 110)),
    ):  # fmt: skip
        assert low <= values.min() < low + 0.25 * (high - low)
        assert high - 0.35 * (high - low) < values.max() <= high


def test_half_of_the_body_is_in_view_and_the_camera_is_over_the_floor(drawn):
    for seen in drawn:
        lens, at = seen.intrinsics, seen.limbs_m
        xy = at[..., :2] * (1, -1) / np.maximum(-at[..., 2:], 0.05) * (lens.fx, lens.fy) + (lens.cx, lens.cy)
        assert np.array_equal(seen.seen, ((xy > 0) & (xy < (lens.width, lens.height))).all(-1) & (at[..., 2] < 0))
        assert seen.seen.mean() > 0.3  # the face counts too
        assert (at @ seen.up).min() < 0  # the ankles are below the camera
    assert 0.1 < np.mean([seen.seen.all() for seen in drawn]) < 0.9


def test_keypoints_are_an_estimators(drawn):
    away = np.concatenate([
        (np.linalg.norm(seen.xy_px[:, ROWS] - pixels(seen), axis=-1) / height_px(seen))[seen.seen] for seen in drawn
    ])  # fmt: skip
    assert 0.002 < np.median(away) < 0.03
    assert all(seen.score.shape == (12, 17) for seen in drawn)


def pixels(seen):
    lens, at = seen.intrinsics, seen.limbs_m
    return at[..., :2] * (1, -1) / np.maximum(-at[..., 2:], 0.05) * (lens.fx, lens.fy) + (lens.cx, lens.cy)


def height_px(seen):
    return seen.intrinsics.fy * 1.7 / np.maximum(-seen.limbs_m[:, :2, 2].mean(axis=1, keepdims=True), 0.05)


def test_a_case_that_does_not_tell_where_up_is_is_refused():
    with pytest.raises(ConfigError, match="made up does not tell where up is"):
        before_any_camera([make_case(3)])
