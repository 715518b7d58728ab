"""The bench runs the program's own chain; what it adds to that is held here against times that the test makes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from support.actor_frames import actor_frame, actor_truth
from typer.testing import CliRunner

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.cli.app import app
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult, PersonBox
from realtime_pose.errors import ConfigError, RealtimePoseError, UnknownChoiceError
from realtime_pose.evaluation import bench, stand_ins
from realtime_pose.evaluation.bench import BenchFigures, run_bench
from realtime_pose.evaluation.stand_ins import ActorsKeypoints, quantize_on_noise, write_random_vitpose
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.runtimes.choose import choose_runtime
from realtime_pose.inference.vitpose.models import load_model
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
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
    """ViTPose-S with random weights over the beginning of the actor's clip, and what was said meanwhile."""
    told, steps = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "_WARM_FRAMES", 2)
        patch.setenv("XDG_CACHE_HOME", "/nowhere")
        found = run_bench(settings(), 10, "s", told.append, lambda *step: steps.append(step))
        assert os.environ["XDG_CACHE_HOME"] == "/nowhere"
    return found, told, steps


def test_a_run_with_random_weights_follows_the_actor(figures):
    found, told, steps = figures
    assert (found.estimator, found.runtime, found.precision) == ("vitpose-s", "torch", "fp32")
    assert (found.frames, found.persons_max, found.source) == (10, 1, "actor")
    assert found.notes[0] == told[0] == (
        "The weights are random: their speed is right, and the actor's true keypoints stand in for theirs."
    )  # fmt: skip
    assert {total for _, total in steps} == {12}
    assert steps[-1] == (12, 12)


def test_every_stage_of_the_chain_was_at_work(figures):
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


def test_what_a_person_takes_is_given_part_by_part(figures):
    """One person a frame here, so that the parts are the stages'."""
    found = figures[0]
    assert tuple(found.body_ms) == ("lift", "ik", "filters", "body")
    assert all(values["p50"] > 0 for values in found.body_ms.values())
    means = {part: values["mean"] for part, values in found.body_ms.items()}
    assert means["lift"] == pytest.approx(found.stages_ms["lift"]["mean"], abs=0.002)
    assert means["ik"] == pytest.approx(found.stages_ms["solve"]["mean"], abs=0.002)
    assert means["filters"] == pytest.approx(found.stages_ms["filter"]["mean"], abs=0.002)
    assert means["body"] == pytest.approx(means["lift"] + means["ik"] + means["filters"], abs=0.002)


def test_a_frame_of_three_people_is_shared_among_them_and_an_empty_one_does_not_count():
    laps = [{"lift": 3.0, "solve": 1.5, "filter": 4.5, "bodies": 3, "whole": 9.0}, {"whole": 0.5}]
    assert bench._by_body(laps) == {"lift": [1.0], "ik": [0.5], "filters": [1.5], "body": [3.0]}
    assert bench._by_body([{"whole": 1.0}]) == {}


def test_figures_can_be_written_as_json(figures):
    assert json.loads(json.dumps(figures[0].as_dict()))["stages_ms"]["whole"].keys() == {"p50", "p95", "mean"}


def test_an_estimator_without_parts_is_measured_whole(few_warm_frames):
    found = run_bench(settings(estimator="blazepose", runtime="auto", precision="auto"), 10)
    assert found.estimator == "blazepose"
    assert "estimate" in found.stages_ms
    assert not {"crop", "network", "decode"} & found.stages_ms.keys()


def test_too_few_frames_are_no_measurement(monkeypatch):
    monkeypatch.setattr(bench, "_WARM_FRAMES", 505)  # of the clip's 510
    quick = settings(estimator="blazepose", runtime="auto", precision="auto")
    monkeypatch.setattr(bench, "build_pipeline", lambda config, note: _Idle())
    with pytest.raises(RealtimePoseError, match="gave 510 frames, of which the first 505 do not count"):
        run_bench(quick, 10)


class _Idle:
    """A pipeline that sees nobody, at once."""

    def __init__(self):
        self.stopwatch, self.estimator = Stopwatch(), None

    def step(self, frame):
        return FrameResult(frame, ())

    def close(self):
        pass


@pytest.mark.parametrize("change", [{"checkpoint": "some.pth"}, {"estimator": "vitpose-s"}])
def test_random_weights_take_no_others_place(change):
    with pytest.raises(ConfigError, match="--random s measures random weights over the actor's clip; leave out"):
        run_bench(settings(**change), 10, "s")


def test_random_weights_want_the_actor(tmp_path):
    config = settings().with_values({"capture": {"source": str(tmp_path)}}, "test")
    with pytest.raises(ConfigError, match="leave out the source"):
        run_bench(config, 10, "s")


def test_auto_says_that_it_takes_only_fp32_of_random_weights(tmp_path):
    told = []
    with bench._with_random_weights(settings(runtime="auto"), "s", told.append) as config:
        assert load_vitpose(Path(config.inference.checkpoint)).size == "s"
    assert "name another, e.g. --runtime openvino --precision bf16" in told[1]


# --- laps -------------------------------------------------------------------------------------------------------------


def test_a_lap_has_the_stages_the_parts_and_the_whole(monkeypatch):
    now_ns = [0]
    monkeypatch.setattr(stopwatch.time, "perf_counter_ns", lambda: now_ns[0])
    parts = Stopwatch()
    laps = bench._Laps(parts)
    for crop_ms in (1, 2):
        with laps.measure("estimate"), parts.measure("crop"):
            now_ns[0] += round(crop_ms * 1e6)
        now_ns[0] += 500_000
        assert laps.take() == {"estimate": crop_ms}  # the run's own report knows nothing of parts
    assert laps.laps == [
        {"estimate": 1.0, "crop": 1.0, "whole": 1.5},
        {"estimate": 2.0, "crop": 2.0, "whole": 2.5},
    ]


def test_a_lap_counts_who_was_lifted():
    laps = bench._Laps(Stopwatch())
    for people in (2, 0):
        for _ in range(people):
            with laps.measure("lift"):
                pass
        laps.take()
    assert laps.laps[0]["bodies"] == 2
    assert "bodies" not in laps.laps[1]


# --- stand-ins --------------------------------------------------------------------------------------------------------


def test_random_weights_are_a_whole_vitpose_the_same_every_time(tmp_path):
    state = torch.random.get_rng_state()
    first = write_random_vitpose("s", tmp_path / "a.safetensors")
    assert torch.equal(torch.random.get_rng_state(), state)  # nobody else's dice are touched
    torch.manual_seed(5)
    second = write_random_vitpose("s", tmp_path / "b.safetensors")
    weights = load_vitpose(first)
    assert (weights.size, weights.decoder, weights.layout) == ("s", "classic", COCO17)
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(UnknownChoiceError, match="size='xl' is not one of: b, h, l, s"):
        write_random_vitpose("xl", tmp_path / "c.safetensors")


def test_the_actors_keypoints_stand_in_after_the_work_is_done():
    class Working:
        name, runtime, precision, device, layout, finds_people = "x", "torch", "fp32", "cpu", COCO17, False
        asked, closed, model_hash = None, False, "0" * 64

        def estimate(self, frame, boxes):
            self.asked = (frame, list(boxes))
            return []

        def close(self):
            self.closed = True

    working, frame = Working(), actor_frame(7)
    boxes = [PersonBox(np.array([0, 0, 9, 9], np.float32), 1.0, track_id) for track_id in (4, 2)]
    stand_in = ActorsKeypoints(working)
    found = stand_in.estimate(frame, boxes)
    assert working.asked == (frame, boxes)
    assert [person.track_id for person in found] == [4, 2]
    body = actor_truth().keypoints_px[7, COCO17_FEET_HANDS.rows(COCO17.names)]
    np.testing.assert_array_equal(found[0].xy_px, body)
    assert found[0].score.min() == 1
    assert found[1].score.max() == 0  # a passer-by is nobody
    stand_in.close()
    assert working.closed


@pytest.mark.slow
def test_noise_is_enough_to_time_int8(tmp_path, monkeypatch):
    monkeypatch.setattr(stand_ins, "_NOISE_CROPS", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = InferenceConfig(
        checkpoint=str(write_random_vitpose("s", tmp_path / "s.safetensors")), runtime="openvino", precision="int8"
    )
    with pytest.raises(ConfigError, match="int8 must be made first"):
        _open(config)
    quantize_on_noise(config)
    runtime = _open(config)
    assert (runtime.runtime, runtime.precision) == ("openvino", "int8")
    assert runtime.heatmaps(np.zeros((1, 3, 256, 192), np.float32)).shape == (1, 17, 64, 48)


def _open(config):
    model = load_model(config)
    return choose_runtime(model.source, model.geometry, "cpu", config.runtime, config.precision)


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
    assert "45.5 frames a second from the video to the packet" in answer.output
    assert "A note." in answer.output
    assert "a person's IK" in answer.output
    assert json.loads(path.read_text())["fps"] == 45.5
    assert (asked["max_frames"], asked["random"]) == (40, "b")
    inference = asked["config"].inference
    assert (inference.runtime, inference.precision, inference.persons) == ("openvino", "bf16", 2)
    assert not inference.download  # a measurement fetches nothing
    assert asked["config"].capture.source == "clip.mp4"
