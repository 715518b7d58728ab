"""Bench: the stages it reports, and its frame times against known times."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.cli.app import app
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError, RealtimePoseError
from realtime_pose.evaluation import bench
from realtime_pose.evaluation.bench import BenchFigures, run_bench
from realtime_pose.utils import stopwatch
from realtime_pose.utils.stopwatch import Stopwatch


def settings(**inference: object) -> AppConfig:
    values = {"runtime": "torch", "precision": "fp32", "device": "cpu", "detector": "blazepose", **inference}
    return AppConfig().with_values({"capture": {"source": "actor"}, "inference": values}, "test")


@pytest.fixture
def few_warm_frames(monkeypatch):
    monkeypatch.setattr(bench, "_WARM_FRAMES", 2)


# --- the run ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures():
    """Figures of ViTPose-S with random weights on the start of the actor's clip, with its notes and progress."""
    notes, steps = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "_WARM_FRAMES", 2)
        patch.setenv("XDG_CACHE_HOME", "/nowhere")
        found = run_bench(settings(), 10, "s", notes.append, lambda *step: steps.append(step))
        assert os.environ["XDG_CACHE_HOME"] == "/nowhere"
    return found, notes, steps


def test_a_run_with_random_weights_follows_the_actor(figures):
    found, notes, steps = figures
    assert (found.estimator, found.runtime, found.precision) == ("vitpose-s", "torch", "fp32")
    assert (found.frames, found.persons_max, found.source) == (10, 1, "actor")
    assert found.notes[0] == notes[0] == (
        "The weights are random: the speed is real, and the actor's true keypoints replace the model's."
    )  # fmt: skip
    assert {total for _, total in steps} == {12}
    assert steps[-1] == (12, 12)


def test_every_stage_is_reported(figures):
    stages = figures[0].stages_ms
    assert tuple(stages) == (
        "video", "capture", "detect", "estimate", "crop", "network", "decode", "lift", "solve", "filter", "send",
        "rest", "whole",
    )  # fmt: skip
    assert all(values["mean"] > 0 for values in stages.values())


def test_the_means_add_up(figures):
    means = {stage: values["mean"] for stage, values in figures[0].stages_ms.items()}
    parts = sum(means[stage] for stage in ("capture", "detect", "estimate", "lift", "solve", "filter", "send", "rest"))
    assert parts == pytest.approx(means["whole"], abs=0.01)
    assert means["crop"] + means["network"] + means["decode"] == pytest.approx(means["estimate"], rel=0.2)
    assert figures[0].fps == pytest.approx(1e3 / means["whole"], rel=0.01)
    around = sum(means[stage] for stage in ("crop", "decode", "detect", "send"))
    assert figures[0].around_ms["mean"] == pytest.approx(around, abs=0.01)


def test_times_per_person_are_split_by_part(figures):
    """With one person per frame they equal the stages' times."""
    found = figures[0]
    assert tuple(found.body_ms) == ("lift", "ik", "filters", "body")
    assert all(values["p50"] > 0 for values in found.body_ms.values())
    means = {part: values["mean"] for part, values in found.body_ms.items()}
    assert means["lift"] == pytest.approx(found.stages_ms["lift"]["mean"], abs=0.002)
    assert means["ik"] == pytest.approx(found.stages_ms["solve"]["mean"], abs=0.002)
    assert means["filters"] == pytest.approx(found.stages_ms["filter"]["mean"], abs=0.002)
    assert means["body"] == pytest.approx(means["lift"] + means["ik"] + means["filters"], abs=0.002)


def test_times_per_person_are_divided_by_people_and_skip_empty_frames():
    frames = [{"lift": 3.0, "solve": 1.5, "filter": 4.5, "people": 3, "whole": 9.0}, {"whole": 0.5}]
    assert bench._by_body(frames) == {"lift": [1.0], "ik": [0.5], "filters": [1.5], "body": [3.0]}
    assert bench._by_body([{"whole": 1.0}]) == {}


def test_figures_can_be_written_as_json(figures):
    assert json.loads(json.dumps(figures[0].as_dict()))["stages_ms"]["whole"].keys() == {"p50", "p95", "mean"}


def test_an_estimator_without_a_stopwatch_has_no_parts(few_warm_frames):
    found = run_bench(settings(estimator="blazepose", runtime="auto", precision="auto"), 10)
    assert found.estimator == "blazepose"
    assert "estimate" in found.stages_ms
    assert not {"crop", "network", "decode"} & found.stages_ms.keys()


def test_too_few_frames_are_an_error(monkeypatch):
    monkeypatch.setattr(bench, "_WARM_FRAMES", 505)  # of the clip's 510
    quick = settings(estimator="blazepose", runtime="auto", precision="auto")
    monkeypatch.setattr(bench, "build_pipeline", lambda config, note: _Idle())
    with pytest.raises(RealtimePoseError, match="gave 510 frames, of which the first 505 do not count"):
        run_bench(quick, 10)


class _Idle:
    """A pipeline that finds no people and takes no time."""

    def __init__(self):
        self.stopwatch, self.estimator = Stopwatch(), None

    def step(self, frame):
        return FrameResult(frame, ())

    def close(self):
        pass


@pytest.mark.parametrize("change", [{"checkpoint": "some.pth"}, {"estimator": "vitpose-s"}])
def test_random_weights_exclude_other_models(change):
    with pytest.raises(ConfigError, match="--random s measures random weights over the actor's clip; leave out"):
        run_bench(settings(**change), 10, "s")


def test_random_weights_need_the_actor(tmp_path):
    config = settings().with_values({"capture": {"source": str(tmp_path)}}, "test")
    with pytest.raises(ConfigError, match="leave out the source"):
        run_bench(config, 10, "s")


def test_auto_notes_that_it_uses_only_fp32_of_random_weights(tmp_path):
    notes = []
    with bench._with_random_weights(settings(runtime="auto"), "s", notes.append) as config:
        assert load_vitpose(Path(config.inference.checkpoint)).size == "s"
    assert "choose another, e.g. --runtime openvino --precision bf16" in notes[1]


# --- times of frames --------------------------------------------------------------------------------------------------


def test_the_times_of_a_frame_have_the_stages_the_parts_and_the_whole(monkeypatch):
    now_ns = [0]
    monkeypatch.setattr(stopwatch.time, "perf_counter_ns", lambda: now_ns[0])
    parts = Stopwatch()
    times = bench._FrameTimes(parts)
    for crop_ms in (1, 2):
        with times.measure("estimate"), parts.measure("crop"):
            now_ns[0] += round(crop_ms * 1e6)
        now_ns[0] += 500_000
        assert times.take() == {"estimate": crop_ms}  # without the parts, as in the run's report
    assert times.frames == [
        {"estimate": 1.0, "crop": 1.0, "whole": 1.5},
        {"estimate": 2.0, "crop": 2.0, "whole": 2.5},
    ]


def test_the_times_of_a_frame_count_the_lifted_people():
    times = bench._FrameTimes(Stopwatch())
    for people in (2, 0):
        for _ in range(people):
            with times.measure("lift"):
                pass
        times.take()
    assert times.frames[0]["people"] == 2
    assert "people" not in times.frames[1]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_the_table_and_writes_the_report(monkeypatch, tmp_path):
    asked = {}
    values = {"p50": 1.25, "p95": 2.5, "mean": 1.5}

    def pretend(config, max_frames, random, progress):
        asked.update(config=config, max_frames=max_frames, random=random)
        progress(1, 1)
        return BenchFigures(
            "vitpose-s", "openvino", "bf16", "cpu", "actor", 40, 1, 45.5,
            {"video": values, "crop": values, "whole": values}, values, ("A note.",),
            {"lift": values, "ik": values, "filters": values, "body": values},
        )  # fmt: skip

    monkeypatch.setattr(bench, "run_bench", pretend)
    path = tmp_path / "bench.json"
    command = "bench clip.mp4 --random b --runtime openvino --precision bf16 --max-frames 40 --persons 2 --report"
    answer = CliRunner().invoke(app, [*command.split(), str(path)])
    assert answer.exit_code == 0, answer.output
    assert "vitpose-s on openvino bf16, cpu; actor: 40 frames" in answer.output
    assert "45.5 fps from the video to the packet" in answer.output
    assert "A note." in answer.output
    assert "a person's IK" in answer.output
    assert json.loads(path.read_text())["fps"] == 45.5
    assert (asked["max_frames"], asked["random"]) == (40, "b")
    inference = asked["config"].inference
    assert (inference.runtime, inference.precision, inference.persons) == ("openvino", "bf16", 2)
    assert not inference.download  # a measurement downloads nothing
    assert asked["config"].capture.source == "clip.mp4"
