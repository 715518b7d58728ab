"""Evaluation of lifting: known errors give known figures, and predictions are those of a live run."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.lifting import CAMERA, make_case

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.evaluation import lifting
from realtime_pose.evaluation.lifting import Prediction, evaluate, predict_cases, report_of
from realtime_pose.skeletons import LIMB_NAMES

GEOMETRIC = AppConfig().with_values({"body": {"lifter": "geometric"}}, "test")
LEGS = [LIMB_NAMES.index(f"{side}_{name}") for side in ("left", "right") for name in ("knee", "ankle")]


def truth_of(case):
    return case.limbs_m - case.limbs_m[:, 6:8].mean(axis=1, keepdims=True)


def predicted(case, limbs_m, lift_ms=1.0, solve_ms=2.0):
    return Prediction(case, limbs_m, limbs_m * 2, np.full(len(case), lift_ms), np.full(len(case), solve_ms))


def test_a_perfect_answer():
    case = make_case()
    found = evaluate([predicted(case, truth_of(case))])
    errors = (found.mpjpe_mm, found.pa_mpjpe_mm, found.n_mpjpe_mm, found.seen_mpjpe_mm)
    assert np.allclose(errors, 0, atol=1e-9)
    assert found.jitter_ratio == pytest.approx(1)
    assert (found.cases, found.frames, found.ms_per_frame, found.lift_ms_per_frame) == (1, 40, 3.0, 1.0)


def test_each_figure_ignores_the_scale_or_alignment_it_should():
    case = make_case()
    truth = truth_of(case)
    larger = evaluate([predicted(case, truth * 1.3)])
    assert larger.mpjpe_mm == pytest.approx(0, abs=1e-9)  # one scale per clip
    assert larger.jitter_ratio == pytest.approx(1.3)
    breathing = evaluate([predicted(case, truth * np.linspace(0.8, 1.2, 40)[:, None, None])])
    assert breathing.mpjpe_mm > 20
    assert breathing.n_mpjpe_mm == pytest.approx(0, abs=1e-9)  # one scale per frame
    turned = evaluate(
        [predicted(case, Rotation.from_euler("y", 30, degrees=True).apply(truth.reshape(-1, 3)).reshape(truth.shape))]
    )
    assert turned.n_mpjpe_mm > 50
    assert turned.pa_mpjpe_mm == pytest.approx(0, abs=1e-9)


def test_the_error_after_the_best_scale():
    case = make_case()
    truth = truth_of(case)
    limbs = truth.copy()
    limbs[:, LIMB_NAMES.index("left_knee")] += (0.0, 0.0, 0.05)
    scale = np.linalg.lstsq(limbs.reshape(-1, 1), truth.ravel(), rcond=None)[0][0]  # an independent least squares
    expected = np.linalg.norm(scale * limbs - truth, axis=-1).mean() * 1e3
    assert 50 / 12 <= expected < 5.5
    assert evaluate([predicted(case, limbs)]).mpjpe_mm == pytest.approx(expected)


def test_cases_are_pooled_by_frames():
    short, long = make_case(10), make_case(30, seed=1)
    wrong = truth_of(short)[:, ::-1]
    alone = evaluate([predicted(short, wrong)]).mpjpe_mm
    both = evaluate([predicted(short, wrong), predicted(long, truth_of(long))])
    assert both.mpjpe_mm == pytest.approx(alone / 4)
    assert (both.cases, both.frames) == (2, 40)


def test_varying_bone_lengths_are_bone_drift():
    case = make_case(40)
    limbs = truth_of(case)
    still = limbs[:1].repeat(40, axis=0)
    assert evaluate([predicted(case, still)]).bone_drift_percent == pytest.approx(0, abs=1e-9)
    by_turns = still * np.tile([0.9, 1.1], 20)[:, None, None]
    assert evaluate([predicted(case, by_turns)]).bone_drift_percent == pytest.approx(10)


def test_a_truth_that_stands_still_has_no_jitter_ratio():
    case = make_case(3)
    case = replace(case, limbs_m=case.limbs_m[:1].repeat(3, axis=0))
    found = evaluate([predicted(case, truth_of(case))])
    assert np.isnan(found.jitter_ratio)
    assert found.as_dict()["jitter_ratio"] is None
    assert np.isnan(evaluate([predicted(make_case(1), truth_of(make_case(1)))]).jitter_ratio)  # one frame


def test_joints_outside_the_image_are_not_in_the_visible_error():
    case = make_case()
    seen = case.seen.copy()
    seen[:, LEGS] = False
    case = replace(case, seen=seen)
    limbs = truth_of(case) + np.array([0.3, 0.0, 0.0])  # an error of the root does not count
    limbs[:, LEGS] += 1.0
    assert evaluate([predicted(case, limbs)]).seen_mpjpe_mm == pytest.approx(0, abs=1e-9)
    nothing = replace(case, seen=np.zeros_like(seen))
    assert np.isnan(evaluate([predicted(nothing, limbs)]).seen_mpjpe_mm)


def test_gravity_is_measured_where_case_and_program_know_it():
    tilted = np.array([0.0, np.cos(0.1), np.sin(0.1)])
    case = replace(make_case(40), up=np.array([0.0, 1.0, 0.0]))
    up = np.repeat(tilted[None], 40, axis=0)
    up[:4] = case.up
    found = evaluate([replace(predicted(case, truth_of(case)), up=up), predicted(case, truth_of(case))])
    assert found.gravity_deg == pytest.approx(np.degrees(0.1))
    assert found.as_dict()["gravity_p95_deg"] == pytest.approx(np.degrees(0.1), abs=1e-3)
    assert found.mpjpe_mm == pytest.approx(0, abs=1e-9)
    unknown = evaluate([replace(predicted(make_case(), truth_of(case)), up=up)])
    assert np.isnan(unknown.gravity_deg)
    assert "gravity_deg" not in unknown.as_dict()
    assert np.isnan(evaluate([replace(predicted(case, truth_of(case)), up=up)], lifted=True).gravity_deg)


def test_the_up_direction_is_the_programs_own():
    pitch = AppConfig().with_values({"body": {"lifter": "geometric", "camera_pitch_deg": 20.0}}, "test")
    case = replace(make_case(10), up=np.array([0.0, 1.0, 0.0]))
    assert evaluate(predict_cases(pitch, [case])).gravity_deg == pytest.approx(20.0)
    assert predict_cases(pitch, [case], filtered=False)[0].up is None


def test_the_report_has_the_documented_keys():
    case = make_case()
    figures = evaluate([predicted(case, truth_of(case))])
    keys = [
        "cases", "frames", "mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "jitter_ratio", "bone_drift_percent",
        "ms_per_frame",
    ]  # fmt: skip
    assert list(report_of({"": figures})) == keys
    others = report_of({"desk: upper body": figures, "actor": figures})
    assert list(others["others"]) == ["desk", "actor"]
    assert list(others["others"]["desk"]) == [*keys, "seen_mpjpe_mm"]


# --- through the program ------------------------------------------------------------------------------------------


def test_the_answer_follows_the_body_in_the_image():
    (prediction,) = predict_cases(GEOMETRIC, [make_case()])
    found = evaluate([prediction])
    assert found.mpjpe_mm < 100
    assert np.allclose(prediction.limbs_m[:, 6:8].mean(axis=1), 0, atol=1e-6)
    assert found.ms_per_frame > found.lift_ms_per_frame > 0


def test_answers_are_causal():
    whole = make_case(30)
    changed = replace(whole, xy_px=np.concatenate((whole.xy_px[:20], whole.xy_px[20:] + 30.0)))
    (before,), (after,) = (predict_cases(GEOMETRIC, [case]) for case in (whole, changed))
    assert np.array_equal(before.limbs_m[:20], after.limbs_m[:20])
    assert not np.allclose(before.limbs_m[20:], after.limbs_m[20:])


def test_cases_do_not_affect_each_other():
    first, second = make_case(25), make_case(25, seed=3, intrinsics=CameraIntrinsics(400, 400, 320, 240, 640, 480))
    apart = predict_cases(GEOMETRIC, [second])[0]
    after = predict_cases(GEOMETRIC, [first, second])[1]
    assert np.array_equal(apart.limbs_m, after.limbs_m)


def test_the_cases_camera_is_the_lifters():
    case = make_case(10)
    wrong = replace(case, intrinsics=replace(CAMERA, fx=900.0, fy=900.0, cx=100.0))
    right, off = (predict_cases(GEOMETRIC, [c])[0] for c in (case, wrong))
    assert not np.allclose(right.limbs_m, off.limbs_m, atol=0.01)


def test_unfiltered_leaves_the_filters_out():
    case = make_case(30)
    rng = np.random.default_rng(0)
    noisy = replace(case, xy_px=case.xy_px + rng.normal(0, 2, case.xy_px.shape).astype(np.float32))
    filtered, bare = (evaluate(predict_cases(GEOMETRIC, [noisy], filtered=f)) for f in (True, False))
    assert filtered.jitter_ratio < 0.7 * bare.jitter_ratio


def test_a_pose_in_world_axes_is_judged_in_the_cameras():
    """The camera is given a pitch, so the floor filter turns every pose; the prediction is turned back."""
    case, level = make_case(10), GEOMETRIC.with_values({"body": {"smoothing": "none", "feet": "never"}}, "test")
    pitched = level.with_values({"body": {"camera_pitch_deg": 20.0}}, "test")
    (plain,), (turned,) = (predict_cases(config, [case]) for config in (level, pitched))
    assert np.allclose(plain.limbs_m, turned.limbs_m, atol=1e-5)
    assert build_body(pitched).filters.world_from_camera_xyzw[0] < -0.1


def test_an_occluded_body_still_gets_a_pose_in_every_frame():
    case = make_case(10)
    hidden = replace(case, score=np.zeros_like(case.score))
    (prediction,) = predict_cases(GEOMETRIC, [hidden])
    assert np.isfinite(prediction.limbs_m).all()


def test_an_unknown_lifter_is_refused():
    with pytest.raises(UnknownChoiceError, match="geometric"):
        predict_cases(AppConfig().with_values({"body": {"lifter": "magic"}}, "test"), [make_case(3)])


def test_progress_is_reported():
    steps = []
    predict_cases(GEOMETRIC, [make_case(4), make_case(6)], progress=lambda done, total: steps.append((done, total)))
    assert steps == [(4, 10), (10, 10)]


def test_every_case_has_a_floor_of_its_own(monkeypatch):
    """People in one image share a floor; cases are not one image."""
    made = []
    monkeypatch.setattr(lifting, "build_body", lambda *a, **k: made.append(build_body(*a, **k)) or made[-1])
    predict_cases(GEOMETRIC, [make_case(2), make_case(2, seed=1)])
    assert len({id(body.filters.floor) for body in made}) == 2
