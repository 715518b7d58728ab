"""Drawn bodies are bodies, in the pictures that their groups promise, and their noise is an estimator's."""

import numpy as np
import pytest

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.evaluation.drawn import bodies as bodies
from realtime_pose.evaluation.drawn.cases import SCENES, draw_cases
from realtime_pose.evaluation.drawn.views import estimated, look
from realtime_pose.skeletons import COCO17, LIMB_NAMES

LIMB = {name: i for i, name in enumerate(LIMB_NAMES)}
KEYPOINT = COCO17.rows(LIMB_NAMES)
BONES = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")]


@pytest.fixture(scope="module")
def drawn():
    return draw_cases(clips=2)


def projected(case):
    k, at = case.intrinsics, case.limbs_m
    return at[..., :2] * (1, -1) / np.maximum(-at[..., 2:], 0.05) * (k.fx, k.fy) + (k.cx, k.cy)


def test_the_groups_are_those_asked_for_and_always_the_same(drawn):
    assert list(drawn) == list(SCENES) == ["desk", "seated", "lying", "squat", "crossed", "close", "far"]
    again = draw_cases(clips=1)
    for name, (first, second) in drawn.items():
        (same,) = again[name]
        assert np.array_equal(first.xy_px, same.xy_px)
        assert np.array_equal(first.score, same.score)
        assert np.array_equal(first.limbs_m, same.limbs_m)
        assert not np.array_equal(first.xy_px, second.xy_px)


def test_bones_keep_their_length(drawn):
    for cases in drawn.values():
        for case in cases:
            for side in ("left", "right"):
                for a, b in BONES:
                    length = np.linalg.norm(
                        case.limbs_m[:, LIMB[f"{side}_{a}"]] - case.limbs_m[:, LIMB[f"{side}_{b}"]], axis=-1
                    )
                    assert np.ptp(length) < 1e-6
                    assert 0.15 < length[0] < 0.6


def test_people_move_as_people_do(drawn):
    for name, cases in drawn.items():
        for case in cases:
            speed = np.linalg.norm(np.diff(case.limbs_m, axis=0), axis=-1) * case.fps
            assert 0.02 < speed.mean() < 2.5, name
            assert np.percentile(speed, 99.5) < 5, name


def test_each_group_shows_what_it_says(drawn):
    def seen(name, *parts):
        rows = [LIMB[f"{side}_{part}"] for side in ("left", "right") for part in parts]
        return np.mean([case.seen[:, rows].mean() for case in drawn[name]])

    def hips_m(name):
        return np.concatenate([case.limbs_m[:, 6:8].mean(axis=1) for case in drawn[name]])

    assert seen("desk", "shoulder") > 0.8
    assert seen("desk", "knee", "ankle") == 0
    assert seen("close", "ankle") < 0.1
    assert min(seen(name, "hip", "knee", "ankle") for name in ("seated", "squat", "crossed", "far")) > 0.9
    assert -hips_m("far")[:, 2].min() > 4.5
    assert -hips_m("far")[:, 2].max() < 8
    assert -np.concatenate([case.limbs_m[:, :2, 2].mean(axis=1) for case in drawn["close"]]).mean() < 0.85
    assert min(case.intrinsics.width / case.intrinsics.fx for case in drawn["close"]) > 1.8  # a wide lens
    trunk = np.concatenate(
        [case.limbs_m[:, :2].mean(axis=1) - case.limbs_m[:, 6:8].mean(axis=1) for case in drawn["lying"]]
    )
    assert (
        np.abs(trunk[:, 1]).mean() < 0.75 * np.linalg.norm(trunk, axis=-1).mean()
    )  # not upright, whatever the camera's pitch


def test_keypoints_are_of_the_body_that_is_there(drawn):
    for name, cases in drawn.items():
        for case in cases:
            away = np.linalg.norm(case.xy_px[:, KEYPOINT] - projected(case), axis=-1)
            tall = case.intrinsics.fy * 1.7 / np.maximum(-case.limbs_m[:, :2, 2].mean(axis=1, keepdims=True), 0.05)
            share = (away / tall)[case.seen]
            assert 0.002 < np.median(share) < 0.02, name  # 3 to 34 mm
            assert np.percentile(share, 99) > 0.04, name  # and now and then far off


def test_scores_tell_what_is_seen(drawn):
    score = np.concatenate([case.score[:, KEYPOINT][case.seen] for cases in drawn.values() for case in cases])
    unseen = np.concatenate([case.score[:, KEYPOINT][~case.seen] for cases in drawn.values() for case in cases])
    assert np.median(score) > 0.7
    assert np.median(unseen) < 0.3
    assert (unseen > 0.3).mean() > 0.05  # and sometimes an estimator believes in what it cannot see
    assert score.min() >= 0
    assert score.max() < 1


# --- what a camera sees -------------------------------------------------------------------------------------------

CAMERA = CameraIntrinsics.from_field_of_view(60.0, 640, 480)


def standing(turn_deg=0.0, frames=30):
    """Somebody with hanging arms, 3 m before the camera: COCO points (T, 17, 3) from the camera."""
    rng = np.random.default_rng(2)
    build = bodies.Build.drawn(rng)
    points = bodies.points_of(build, bodies.standing(rng, build, frames, 30.0, "hanging"))
    points = points - points[:, 11:13].mean(axis=(0, 1))
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    return points @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + (0, 0, -3)


def hidden_share(view, name):
    return view.hidden[:, COCO17.index[name]].mean()


def test_a_body_hides_its_far_side():
    front, side, back = (look(standing(turn), CAMERA) for turn in (0, 90, 180))
    assert hidden_share(front, "left_shoulder") == hidden_share(front, "nose") == 0
    assert {hidden_share(back, name) for name in ("nose", "left_eye", "right_eye")} == {1.0}
    far, near = ("left", "right") if hidden_share(side, "left_ear") > 0.5 else ("right", "left")
    assert hidden_share(side, f"{far}_wrist") > 0.5 > hidden_share(side, f"{near}_wrist")
    assert hidden_share(side, f"{far}_shoulder") > 0.5 > hidden_share(side, f"{near}_shoulder")


def test_a_desk_hides_what_is_below_its_edge():
    points = standing()
    edge = np.array([[1.0, -0.1, -2.5], [-1.0, -0.1, -2.5]])  # below the camera, before the body
    view = look(points, CAMERA, (edge[0], edge[1]))
    assert not view.inside[:, COCO17.rows(["left_knee", "right_ankle"])].any()
    assert view.inside[:, COCO17.rows(["left_shoulder", "nose"])].all()


def test_noise_lasts_and_is_worse_where_nothing_is_seen():
    points = standing(frames=900)
    view = look(points, CAMERA)
    hidden = view.hidden.copy()
    hidden[:, COCO17.index["left_knee"]] = True
    view = type(view)(view.xy_px, view.inside, hidden, view.size_px)
    xy, score = estimated(np.random.default_rng(0), view, CAMERA, 30.0)
    error = xy - view.xy_px
    left, right = (np.median(np.linalg.norm(error[:, COCO17.index[f"{s}_knee"]], axis=-1)) for s in ("left", "right"))
    assert left > 2 * right
    assert np.median(score[:, COCO17.index["left_knee"]]) < np.median(score[:, COCO17.index["right_knee"]]) - 0.2
    x = error[:, COCO17.index["nose"], 0]
    assert 0.4 < np.corrcoef(x[1:], x[:-1])[0, 1] < 0.99  # neither white nor standing still
    assert abs(np.corrcoef(x[90:], x[:-90])[0, 1]) < 0.5  # and forgotten after seconds
