"""Int8 quantization: where the model is stored, how it is compared with fp32, and when `auto` may use it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.peaks import FITTED, needs_peaks
from typer.testing import CliRunner

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.cli.commands.models import models_app
from realtime_pose.config import AppConfig
from realtime_pose.errors import CheckpointError, ConfigError, UnknownChoiceError
from realtime_pose.evaluation import quantization
from realtime_pose.evaluation.calibration_crops import FootageCrops
from realtime_pose.evaluation.quantization import Comparison, quantize
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.crops import CropRegions
from realtime_pose.inference.runtimes.artefacts import artefact_folder
from realtime_pose.inference.runtimes.base import Candidate, SourceModel
from realtime_pose.inference.runtimes.choose import JUDGEMENT
from realtime_pose.inference.runtimes.table import build_runtime, candidates
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.vitpose.models import LoadedModel
from realtime_pose.inference.vitpose.network import VitPoseNetwork
from realtime_pose.skeletons import COCO17

CONFIG = AppConfig(CaptureConfig(source="actor"), InferenceConfig(checkpoint=str(FITTED)))


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    """One layer of ViTPose-S's width with random weights."""
    torch.manual_seed(3)
    network = VitPoseNetwork(384, 1, 12, "classic", 17)
    with torch.no_grad():
        network.head.final_layer.weight.mul_(30)
    return LoadedModel(SourceModel("one-layer", "5" * 64, network.eval()), COCO17, CropGeometry(), Path("none"))


@pytest.fixture(scope="module")
def some_crops() -> FootageCrops:
    crops = np.random.default_rng(4).normal(size=(12, 3, 256, 192)).astype(np.float32)
    regions = CropRegions(np.zeros((12, 2)), np.full((12, 2), (191.0, 255.0)))
    return FootageCrops(crops, regions, np.full(12, 320.0), np.arange(12) >= 8)


@pytest.fixture
def quantized(monkeypatch, model, some_crops):
    """Quantizes the one-layer model on noise; returns (comparison, folder)."""
    monkeypatch.setattr(quantization, "load_model", lambda config: model)
    monkeypatch.setattr(quantization, "collect_crops", lambda config, geometry, progress: some_crops)
    return lambda runtime, **options: quantize(CONFIG, runtime, **({"notify": str} | options))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_the_int8_model_is_stored_for_its_runtime_and_is_close_to_fp32(quantized, model, some_crops, runtime, capfd):
    assert Candidate(runtime, "int8") not in candidates(model.source, "cpu")
    notes, steps = [], []
    comparison, folder = quantized(
        runtime, notify=notes.append, progress=lambda done, total: steps.append((done, total))
    )
    assert folder == artefact_folder(model.source, f"{runtime}-int8")
    assert json.loads((folder / JUDGEMENT).read_text("utf-8"))["accepted"] == comparison.accepted
    assert sorted(p.suffix for p in folder.iterdir()) in ([".json", ".onnx"], [".bin", ".json", ".xml"])
    assert notes == ["looking for people in actor", "calibrating one-layer on 8 crops", "comparing it on 4 others"]
    assert (8, 8) in steps
    assert capfd.readouterr().out == ""  # no progress bars of the quantizers
    assert Candidate(runtime, "int8") in candidates(model.source, "cpu")
    int8 = build_runtime(model.source, Candidate(runtime, "int8"), "cpu").heatmaps(some_crops.crops)
    with torch.inference_mode():
        fp32 = model.source.network(torch.from_numpy(some_crops.crops)).numpy()
    away = np.abs(int8 - fp32).mean() / fp32.std()
    assert 0.001 < away < 0.1  # not equal, but close


@pytest.mark.parametrize(("moved_px", "accepted"), [(3.0, True), (3.3, False)])
def test_auto_accepts_shifts_up_to_one_percent_of_the_diagonal(monkeypatch, quantized, model, moved_px, accepted):
    """6 of 100 keypoints move; those with a low fp32 score do not count."""
    random = np.random.default_rng(5)
    xy = random.uniform(0, 200, (4, 25, 2)).astype(np.float32)
    score = np.full((4, 25), 0.9, np.float32)
    unseen = np.zeros((4, 25), bool)
    unseen[:, :3] = True
    score[unseen] = 0.1
    shifted = xy.copy()
    shifted[:, 3:5, 0] += moved_px
    shifted[unseen] += 100
    answers = {"fp32": (xy, score), "int8": (shifted, score - 0.02)}
    monkeypatch.setattr(quantization, "_keypoints", lambda model, candidate, crops: answers[candidate.precision])
    monkeypatch.setattr(quantization, "put_artefact", lambda folder, make: folder.mkdir(parents=True, exist_ok=True))
    timings = artefact_folder(model.source, "timings-1-2.json")
    timings.parent.mkdir(parents=True, exist_ok=True)
    timings.write_text("{}")
    comparison, folder = quantized("openvino")
    assert comparison.accepted is accepted
    assert comparison.keypoints == 88
    assert (comparison.calibration_crops, comparison.held_back_crops) == (8, 4)
    assert comparison.shift_px_p50 == 0
    assert comparison.shift_px_p95 == pytest.approx(moved_px, abs=0.01)
    assert comparison.shift_of_box_p95 == pytest.approx(moved_px / 320, abs=1e-4)
    assert (comparison.score_change_p50, comparison.score_change_p95) == (-0.02, 0.02)
    assert json.loads((folder / JUDGEMENT).read_text("utf-8"))["accepted"] is accepted
    assert not timings.exists()  # they belonged to the previous model


def test_a_model_that_cannot_be_quantized_leaves_nothing(monkeypatch, quantized, model):
    def broken(*_):
        raise RuntimeError("Unsupported\n  operation")

    monkeypatch.setitem(quantization._MAKERS, "openvino", ("openvino-broken", broken))
    with pytest.raises(ConfigError, match="one-layer cannot be quantized for openvino: Unsupported operation; try"):
        quantized("openvino")
    assert not artefact_folder(model.source, "openvino-broken").exists()


def test_wrong_names_are_refused_before_any_footage_is_read(monkeypatch):
    monkeypatch.setattr(quantization, "collect_crops", lambda *_: pytest.fail("read the footage"))
    with pytest.raises(UnknownChoiceError, match="--runtime='torch' is not one of: onnxruntime, openvino"):
        quantize(CONFIG, "torch", str)
    with pytest.raises(CheckpointError, match=r"none\.pth cannot be read"):
        quantize(replace(CONFIG, inference=InferenceConfig(checkpoint="none.pth")), "openvino", str)


@pytest.mark.parametrize(("accepted", "verdict"), [(True, "Accepted: within 1 %"), (False, "--precision int8 still")])
def test_the_command_prints_the_comparison(monkeypatch, accepted, verdict):
    comparison = Comparison(
        "vitpose-s", "openvino", "me.mp4", 200, 100, 1700, 0.041, 0.217, 0.0005, 0.001, 0.005, accepted
    )
    asked = []

    def fake_quantize(config, runtime, notify, progress):
        asked.append((config.inference.checkpoint, config.capture.source, runtime))
        notify("looking for people")
        progress(1, 2)
        return comparison, Path("folder")

    monkeypatch.setattr(quantization, "quantize", fake_quantize)
    answer = CliRunner().invoke(models_app, ["quantize", "mine.pth", "--calibrate", "me.mp4"])
    assert answer.exit_code == 0, answer.output
    assert asked == [("mine.pth", "me.mp4", "openvino")]
    for part in ("0.04", "0.22", "0.05", "+0.001", "1700 keypoints of 100 held-out crops", verdict, "written: folder"):
        assert part in answer.output


@needs_peaks
@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_fitted_vitpose_keeps_its_keypoints(runtime):
    comparison, _ = quantize(CONFIG, runtime, notify=str)
    assert comparison.keypoints >= 1000
    assert comparison.shift_px_p50 < 0.25
    assert comparison.shift_px_p95 < 0.75
    assert comparison.accepted
