"""Synthetic cases: reproducible, humanly possible, framed as described, with plausible keypoint noise."""

import numpy as np
import pytest

from realtime_pose.evaluation.synthetic.cases import SCENES, synthetic_cases
from realtime_pose.skeletons import COCO17, LIMB_NAMES

LIMB = {name: i for i, name in enumerate(LIMB_NAMES)}
KEYPOINT = COCO17.rows(LIMB_NAMES)
BONES = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")]


@pytest.fixture(scope="module")
def cases_by_scene():
    return synthetic_cases(clips=2)


def projected(case):
    k, at = case.intrinsics, case.limbs_m
    return at[..., :2] * (1, -1) / np.maximum(-at[..., 2:], 0.05) * (k.fx, k.fy) + (k.cx, k.cy)


def test_the_cases_are_the_same_on_every_call(cases_by_scene):
    assert list(cases_by_scene) == list(SCENES) == ["desk", "seated", "lying", "squat", "crossed", "close", "far"]
    again = synthetic_cases(clips=1)
    for name, (first, second) in cases_by_scene.items():
        (same,) = again[name]
        assert np.array_equal(first.xy_px, same.xy_px)
        assert np.array_equal(first.score, same.score)
        assert np.array_equal(first.limbs_m, same.limbs_m)
        assert not np.array_equal(first.xy_px, second.xy_px)


def test_bones_keep_their_length(cases_by_scene):
    for cases in cases_by_scene.values():
        for case in cases:
            for side in ("left", "right"):
                for a, b in BONES:
                    length = np.linalg.norm(
                        case.limbs_m[:, LIMB[f"{side}_{a}"]] - case.limbs_m[:, LIMB[f"{side}_{b}"]], axis=-1
                    )
                    assert np.ptp(length) < 1e-6
                    assert 0.15 < length[0] < 0.6


def test_up_is_where_the_standing_bodies_point(cases_by_scene):
    for name in ("crossed", "far"):
        for case in cases_by_scene[name]:
            trunk = (case.limbs_m[:, :2].mean(axis=1) - case.limbs_m[:, 6:8].mean(axis=1)).mean(axis=0)
            assert np.degrees(np.arccos(trunk @ case.up / np.linalg.norm(trunk))) < 15


def test_speeds_are_human(cases_by_scene):
    for name, cases in cases_by_scene.items():
        for case in cases:
            speed = np.linalg.norm(np.diff(case.limbs_m, axis=0), axis=-1) * case.fps
            assert 0.02 < speed.mean() < 2.5, name
            assert np.percentile(speed, 99.5) < 5, name


def test_each_scene_shows_what_its_name_describes(cases_by_scene):
    def seen(name, *parts):
        rows = [LIMB[f"{side}_{part}"] for side in ("left", "right") for part in parts]
        return np.mean([case.seen[:, rows].mean() for case in cases_by_scene[name]])

    def hips_m(name):
        return np.concatenate([case.limbs_m[:, 6:8].mean(axis=1) for case in cases_by_scene[name]])

    assert seen("desk", "shoulder") > 0.8
    assert seen("desk", "knee", "ankle") == 0
    assert seen("close", "ankle") < 0.1
    assert min(seen(name, "hip", "knee", "ankle") for name in ("seated", "squat", "crossed", "far")) > 0.9
    assert -hips_m("far")[:, 2].min() > 4.5
    assert -hips_m("far")[:, 2].max() < 8
    assert -np.concatenate([case.limbs_m[:, :2, 2].mean(axis=1) for case in cases_by_scene["close"]]).mean() < 0.85
    assert min(case.intrinsics.width / case.intrinsics.fx for case in cases_by_scene["close"]) > 1.8  # a wide lens
    trunk = np.concatenate(
        [case.limbs_m[:, :2].mean(axis=1) - case.limbs_m[:, 6:8].mean(axis=1) for case in cases_by_scene["lying"]]
    )
    # not upright, whatever the camera's pitch
    assert np.abs(trunk[:, 1]).mean() < 0.75 * np.linalg.norm(trunk, axis=-1).mean()


def test_keypoints_follow_the_body_with_outliers(cases_by_scene):
    for name, cases in cases_by_scene.items():
        for case in cases:
            away = np.linalg.norm(case.xy_px[:, KEYPOINT] - projected(case), axis=-1)
            tall = case.intrinsics.fy * 1.7 / np.maximum(-case.limbs_m[:, :2, 2].mean(axis=1, keepdims=True), 0.05)
            share = (away / tall)[case.seen]
            assert 0.002 < np.median(share) < 0.02, name  # 3 to 34 mm
            assert np.percentile(share, 99) > 0.04, name  # outliers


def test_scores_are_lower_for_unseen_points(cases_by_scene):
    score = np.concatenate([case.score[:, KEYPOINT][case.seen] for cases in cases_by_scene.values() for case in cases])
    unseen = np.concatenate(
        [case.score[:, KEYPOINT][~case.seen] for cases in cases_by_scene.values() for case in cases]
    )
    assert np.median(score) > 0.7
    assert np.median(unseen) < 0.3
    assert (unseen > 0.3).mean() > 0.05  # some guesses have a high score
    assert score.min() >= 0
    assert score.max() < 1
