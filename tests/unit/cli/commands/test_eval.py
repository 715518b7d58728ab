"""`realtime-pose eval lift`: the table, the report, and one sentence where there is nothing to measure."""

import json
import sys

import numpy as np
import pytest
from support.lifting import case_arrays, make_case

from realtime_pose.cli import app as cli
from realtime_pose.evaluation import actor_cases
from realtime_pose.evaluation.lifting import Prediction
from realtime_pose.evaluation.synthetic import cases as synthetic_cases_module

REPORT = [
    "cases", "frames", "mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "jitter_ratio", "bone_drift_percent", "ms_per_frame",
]  # fmt: skip


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run `eval lift` in this process: (exit code, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["realtime-pose", "eval", "lift", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        said = capsys.readouterr()
        return caught.value.code or 0, said.out, said.err

    return run


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
    assert "│     3 │" in out
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


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "there is nothing to measure; name lifting cases"),
        (("nowhere.npz",), 1, "cannot read the lifting case nowhere.npz"),
        (("CASES", "--lifter", "magic"), 2, "body.lifter='magic' is not one of: geometric"),
    ],
)
def test_failures_are_reported_in_one_sentence(call, cases, arguments, code, says):
    got, _, err = call(*(cases if word == "CASES" else word for word in arguments))
    assert got == code
    assert err.startswith("error ")
    assert says in err
    assert len(err.strip().splitlines()) == 1
