"""`realtime-pose eval`: the tables, the reports, and one sentence where there is nothing to measure."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.footage import make_clip
from support.lifting import case_arrays, make_case

from realtime_pose.evaluation import actor_cases
from realtime_pose.evaluation.footage import clip_keypoints, views
from realtime_pose.evaluation.lifting import Prediction
from realtime_pose.evaluation.synthetic import cases as synthetic_cases_module

REPORT = [
    "cases", "frames", "mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "jitter_ratio", "bone_drift_percent", "ms_per_frame",
]  # fmt: skip


@pytest.fixture
def call(call):
    """Run a command of `eval` in this process: (exit code, stdout, stderr)."""
    return lambda *arguments, command="lift": call("eval", command, *arguments)


@pytest.fixture
def cases(tmp_path):
    folder = tmp_path / "cases"
    folder.mkdir()
    for seed in (0, 1):
        np.savez(folder / f"{seed}.npz", **case_arrays(12, seed))
    return folder


def test_cases_are_measured_and_reported(call, cases, tmp_path):
    code, out, _ = call(cases, "--lifter", "geometric", "--unfiltered", "--report", tmp_path / "r.json")
    assert code == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert list(report) == REPORT
    assert (report["cases"], report["frames"]) == (2, 24)
    assert 0 < report["mpjpe_mm"] < 150
    for row in ("geometric ", "geometric, unfiltered", "geometric, before IK"):
        assert row in out
    assert f"{report['mpjpe_mm']:.1f}" in out


def test_files_and_folders_may_be_mixed(call, cases):
    code, out, _ = call(cases / "0.npz", cases, "--lifter", "geometric")
    assert code == 0
    assert "│    3│" in out
    assert "unfiltered" not in out


def test_drawn_bodies_and_actors_come_group_by_group(call, cases, tmp_path, monkeypatch):
    case = make_case(10)
    monkeypatch.setattr(synthetic_cases_module, "synthetic_cases", lambda: {"desk": [case], "far": [case]})
    watched = []

    def watch(name, config, progress):
        watched.append(name)
        truth = case.limbs_m - case.limbs_m[:, 6:8].mean(axis=1, keepdims=True)
        return case, Prediction(case, truth, truth, np.zeros(10), np.zeros(10))

    monkeypatch.setattr(actor_cases, "actor_case", watch)
    words = (cases, "--drawn", "--actor", "--lifter", "geometric", "--report", tmp_path / "r.json")
    code, out, _ = call(*words)
    assert code == 0
    assert watched == ["actor", "actor-2"]
    assert "desk: upper body at a desk" in out
    assert out.count("BlazePose's own") == 2
    report = json.loads((tmp_path / "r.json").read_text())
    assert list(report) == [*REPORT, "others"]
    assert list(report["others"]) == ["desk", "far", "actor", "actor-2"]
    assert report["others"]["far"]["frames"] == 10


def test_cases_are_put_before_any_camera(call, cases, tmp_path):
    ground = np.array([[0.0, 1.0, 3.0], [0.0, -1.0, 0.0]])
    np.savez(cases / "0.npz", **case_arrays(12, 0) | {"ground_camera": ground})
    words = ("--any-camera", "--lifter", "geometric", "--report", tmp_path / "r.json")
    code, out, _ = call(cases / "0.npz", *words)
    assert code == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert list(report) == [*REPORT, "gravity_deg", "gravity_p95_deg"]
    assert (report["cases"], report["frames"]) == (3, 36)
    assert 0 < report["gravity_deg"] < report["gravity_p95_deg"] < 90
    assert f"{report['gravity_p95_deg']:.1f}" in out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "there is nothing to measure; name lifting cases"),
        (("nowhere.npz",), 1, "cannot read the lifting case nowhere.npz"),
        (("CASES", "--any-camera"), 2, "the case 0 does not tell where up is; give cases with ground_camera"),
        (("--actor", "--any-camera"), 2, "--any-camera is for lifting cases and --drawn"),
        (("CASES", "--lifter", "magic"), 2, "body.lifter='magic' is not one of: geometric"),
    ],
)
def test_failures_are_reported_in_one_sentence(call, cases, arguments, code, says):
    got, _, err = call(*(cases if word == "CASES" else word for word in arguments))
    assert got == code
    assert err.startswith("error ")
    assert says in err
    assert len(err.strip().splitlines()) == 1


@pytest.fixture
def footage(tmp_path, monkeypatch):
    """A folder with two clips and facts about the first, in which a fake estimator finds a standing person."""
    case = make_case(12)

    class Estimator:
        name, layout, finds_people = "fake", case.layout, True

        def estimate(self, frame, boxes):
            return [replace(case.keypoints(frame.index, 1), xy_px=case.xy_px[frame.index] * np.float32(0.1))]

        def close(self): ...

    monkeypatch.setattr(clip_keypoints, "build_estimator", lambda config, notify: Estimator())
    folder = tmp_path / "clips"
    (folder / "more").mkdir(parents=True)
    make_clip(folder / "a.avi", 12)
    make_clip(folder / "more" / "a.avi", 10)
    facts = [
        {"frames": [0, 11], "kind": "standing", "text": "she stands", "trunk_deg_max": 10},
        {"frames": [0, 11], "kind": "walking", "text": "she walks away", "direction": "away"},
        {"frames": [0, 11], "kind": "arm", "text": "an arm hangs"},
    ]
    (folder / "facts.json").write_text(json.dumps([{"file": "a.avi", "facts": facts}]))
    return folder


def test_footage_is_measured_judged_and_drawn(call, footage, tmp_path):
    options = ("--facts", footage / "facts.json", "--keypoints-cache", tmp_path / "kp", "--sheet", tmp_path / "sheets")
    code, out, err = call(footage, *options, "--report", tmp_path / "r.json", "--fov", "60", command="footage")
    assert code == 0, err
    assert "fails clips/a.avi 0..11 direction: " in out
    assert "she walks away" in out
    assert "she stands" not in out
    assert "not judged: 1 facts of arms" in out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["estimator"], report["frames"], report["checks_hold"], report["checks_total"]) == ("fake", 22, 2, 3)
    assert list(report["clips"]) == ["clips/a.avi", "more/a.avi"]
    assert report["clips"]["clips/a.avi"]["checks"][0]["holds"] is True
    assert report["clips"]["more/a.avi"]["checks_total"] == 0
    assert report["reprojection_percent"] < 10
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["clips-a.avi.png", "more-a.avi.png"]
    assert len(list((tmp_path / "kp").iterdir())) == 2
    code, out, _ = call(footage, *options[:4], "--verbose", command="footage")
    assert code == 0
    assert "holds clips/a.avi 0..11 trunk_deg_max: " in out


def test_footage_that_is_missing_is_said(call, footage):
    code, _, err = call("nowhere", command="footage")
    assert (code, err) == (1, "error there is no file or folder nowhere; give clips or folders of them\n")
    code, _, err = call(footage, "--facts", footage / "a.avi", command="footage")
    assert code == 1
    assert "is not a list of files with facts" in err


def test_views_are_measured_and_reported(call, tmp_path, monkeypatch):
    row = views.ViewFigures("cam1.mp4", "person 1", 90, 51.04, 70.0, 90.0, 4.0, 12.5)
    given = []

    def measured(videos, calibration, config, **options):
        given.append((videos, calibration, config.inference.persons, options["cache"]))
        return views.ViewsResult("fake", {"person 1": 95}, 5.52, [row, replace(row, view="cam2.mp4", frames=30)])

    monkeypatch.setattr(views, "evaluate_views", measured)
    options = ("--calibration", "c.qca.txt", "--keypoints-cache", "kp", "--report", tmp_path / "r.json")
    code, out, err = call("cam1.mp4", "cam2.mp4", *options, command="views")
    assert code == 0, err
    assert given == [([Path("cam1.mp4"), Path("cam2.mp4")], Path("c.qca.txt"), 2, Path("kp"))]
    assert "51.0" in out
    assert "all views" in out
    assert "off their keypoints by 5.5 px" in out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["frames"], report["gravity_deg"], report["truth"]["frames"]) == (120, 12.5, {"person 1": 95})
    assert report["views"][1]["view"] == "cam2.mp4"
    call("cam1.mp4", "--calibration", "c.qca.txt", "--persons", "1", command="views")
    assert given[1][2] == 1


def test_views_without_a_calibration_are_refused(call):
    code, _, err = call("cam1.mp4", command="views")
    assert code == 2
    assert "--calibration" in err
    code, _, err = call("cam1.mp4", "cam2.mp4", "--calibration", "nowhere", command="views")
    assert (code, err) == (
        1,
        "error cannot read the calibration nowhere (No such file or directory); give a .qca.txt file\n",
    )
