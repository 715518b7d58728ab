"""int8 is calibrated on one part of the footage and judged on another; what moves keypoints too far is not for auto."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from support.peaks import FITTED, needs_peaks
from typer.testing import CliRunner

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.cli.commands.models import models_app
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CaptureError, CheckpointError, ConfigError, EndOfStream, UnknownChoiceError
from realtime_pose.evaluation import calibration_crops as footage
from realtime_pose.evaluation import quantization
from realtime_pose.evaluation.calibration_crops import LEAST_CROPS, MOST_CROPS, FootageCrops, collect_crops
from realtime_pose.evaluation.quantization import Judgement, quantize
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
SMALL = CropGeometry(input_wh=(24, 32))


# --- people out of footage ------------------------------------------------------------------------------------------


class Footage:
    """So many frames; the number of the frame is in its pixels."""

    def __init__(self, frames: int) -> None:
        self.frame_count, self._left, self.closed = frames, iter(range(frames)), False

    def read(self) -> Frame:
        i = next(self._left, None)
        if i is None:
            raise EndOfStream("no more")
        return Frame(np.full((48, 64, 3), i % 251, np.uint8), i, i, 0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def film(monkeypatch):
    """Puts footage and the people in it in place of a file and a pipeline; answers with what was closed."""

    def show(frames: int, people) -> SimpleNamespace:
        source = Footage(frames)
        pipeline = SimpleNamespace(
            step=lambda frame: SimpleNamespace(
                people=[SimpleNamespace(box=PersonBox(np.float32(box), 1.0)) for box in people(frame.index)]
            ),
            close=lambda: setattr(pipeline, "closed", True),
            closed=False,
        )
        monkeypatch.setattr(footage, "open_source", lambda config: source)
        monkeypatch.setattr(footage, "build_pipeline", lambda config: pipeline)
        return SimpleNamespace(source=source, pipeline=pipeline)

    return show


BOX = (10, 5, 40, 45)


def frame_numbers(crops: FootageCrops) -> np.ndarray:
    middle = crops.crops[:, 0, 16, 12] * CropGeometry.std_rgb[0] + CropGeometry.mean_rgb[0]
    return middle.round().astype(int)


def test_held_back_crops_are_blocks_of_time(film):
    shown = film(240, lambda i: [BOX])
    told = []
    crops = collect_crops(CONFIG, SMALL, lambda done, total: told.append((done, total)))
    assert np.array_equal(frame_numbers(crops), np.arange(240))
    assert told[-1] == (240, 240)
    assert (shown.source.closed, shown.pipeline.closed) == (True, True)
    changes = np.count_nonzero(np.diff(crops.held_back.astype(int)))
    assert crops.held_back.sum() == 80
    assert changes == 8  # four blocks inside the clip, not every third crop
    assert np.allclose(crops.diagonal_px, 50)
    assert np.allclose(crops.regions_of_held_back.corner_px, crops.regions.corner_px[0])


def test_long_footage_is_taken_evenly_from_end_to_end(film):
    film(1200, lambda i: [BOX])
    crops = collect_crops(CONFIG, SMALL)
    assert MOST_CROPS / 2 < len(crops.crops) <= MOST_CROPS
    assert np.array_equal(frame_numbers(crops), np.arange(0, 1200, 4) % 251)


def test_everybody_is_taken_and_frames_without_people_are_passed_over(film):
    film(100, lambda i: [BOX, (30, 0, 60, 48)] if i % 2 else [])
    assert len(collect_crops(CONFIG, SMALL).crops) == 100


@pytest.mark.parametrize(
    ("frames", "people", "complaint"),
    [
        (300, lambda i: [], rf"actor shows nobody in 300 frames, wanted {LEAST_CROPS} or more"),
        (300, lambda i: [BOX] if i < 20 else [], "only 20 times somebody in 300 frames.*give longer footage"),
    ],
)
def test_too_little_footage_is_refused(film, frames, people, complaint):
    shown = film(frames, people)
    with pytest.raises(ConfigError, match=complaint):
        collect_crops(CONFIG, SMALL)
    assert shown.pipeline.closed


@pytest.mark.parametrize("source", ["0", "rtsp://camera/1"])
def test_a_live_source_is_no_recording(source):
    with pytest.raises(ConfigError, match="is no recording; calibration wants a video of people"):
        collect_crops(replace(CONFIG, capture=CaptureConfig(source=source)), SMALL)


def test_a_video_that_is_not_there_is_refused():
    with pytest.raises(CaptureError, match=r"no file, folder or camera 'nothing\.mp4'"):
        collect_crops(replace(CONFIG, capture=CaptureConfig(source="nothing.mp4")), SMALL)


# --- the models -----------------------------------------------------------------------------------------------------


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
    """Quantizes the one-layer model on noise: (judgement, folder)."""
    monkeypatch.setattr(quantization, "load_model", lambda config: model)
    monkeypatch.setattr(quantization, "collect_crops", lambda config, geometry, progress: some_crops)
    return lambda runtime, **told: quantize(CONFIG, runtime, **({"notify": str} | told))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_the_int8_model_is_put_where_its_runtime_looks_and_is_nearly_the_model(
    quantized, model, some_crops, runtime, capfd
):
    assert Candidate(runtime, "int8") not in candidates(model.source, "cpu")
    said, steps = [], []
    judgement, folder = quantized(runtime, notify=said.append, progress=lambda done, total: steps.append((done, total)))
    assert folder == artefact_folder(model.source, f"{runtime}-int8")
    assert json.loads((folder / JUDGEMENT).read_text("utf-8"))["accepted"] == judgement.accepted
    assert sorted(p.suffix for p in folder.iterdir()) in ([".json", ".onnx"], [".bin", ".json", ".xml"])
    assert said == ["looking for people in actor", "calibrating one-layer on 8 crops", "judging it on 4 others"]
    assert (8, 8) in steps
    assert capfd.readouterr().out == ""  # their progress bars
    assert Candidate(runtime, "int8") in candidates(model.source, "cpu")
    int8 = build_runtime(model.source, Candidate(runtime, "int8"), "cpu").heatmaps(some_crops.crops)
    with torch.inference_mode():
        fp32 = model.source.network(torch.from_numpy(some_crops.crops)).numpy()
    away = np.abs(int8 - fp32).mean() / fp32.std()
    assert 0.001 < away < 0.1  # int8 it is, and near


@pytest.mark.parametrize(("moved_px", "accepted"), [(3.0, True), (3.3, False)])
def test_over_one_percent_of_the_diagonal_is_not_for_auto(monkeypatch, quantized, model, moved_px, accepted):
    """6 of 100 seen keypoints move; those that fp32 does not see may move as they like."""
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
    judgement, folder = quantized("openvino")
    assert judgement.accepted is accepted
    assert judgement.keypoints == 88
    assert (judgement.calibration_crops, judgement.held_back_crops) == (8, 4)
    assert judgement.shift_px_p50 == 0
    assert judgement.shift_px_p95 == pytest.approx(moved_px, abs=0.01)
    assert judgement.shift_of_box_p95 == pytest.approx(moved_px / 320, abs=1e-4)
    assert (judgement.score_change_p50, judgement.score_change_p95) == (-0.02, 0.02)
    assert json.loads((folder / JUDGEMENT).read_text("utf-8"))["accepted"] is accepted
    assert not timings.exists()  # they were of what lay there before


def test_a_model_that_cannot_be_quantized_leaves_nothing(monkeypatch, quantized, model):
    def broken(*_):
        raise RuntimeError("Unsupported\n  operation")

    monkeypatch.setitem(quantization._MAKERS, "openvino", ("openvino-broken", broken))
    with pytest.raises(ConfigError, match="one-layer cannot be quantized for openvino: Unsupported operation; take"):
        quantized("openvino")
    assert not artefact_folder(model.source, "openvino-broken").exists()


def test_wrong_names_are_refused_before_any_footage_is_read(monkeypatch):
    monkeypatch.setattr(quantization, "collect_crops", lambda *_: pytest.fail("read the footage"))
    with pytest.raises(UnknownChoiceError, match="--runtime='torch' is not one of: onnxruntime, openvino"):
        quantize(CONFIG, "torch", str)
    with pytest.raises(CheckpointError, match=r"none\.pth cannot be read"):
        quantize(replace(CONFIG, inference=InferenceConfig(checkpoint="none.pth")), "openvino", str)


@pytest.mark.parametrize(("accepted", "verdict"), [(True, "Accepted: within 1 %"), (False, "--precision int8 still")])
def test_the_command_prints_the_judgement(monkeypatch, accepted, verdict):
    judged = Judgement("vitpose-s", "openvino", "me.mp4", 200, 100, 1700, 0.041, 0.217, 0.0005, 0.001, 0.005, accepted)
    asked = []

    def stand_in(config, runtime, notify, progress):
        asked.append((config.inference.checkpoint, config.capture.source, runtime))
        notify("looking for people")
        progress(1, 2)
        return judged, Path("folder")

    monkeypatch.setattr(quantization, "quantize", stand_in)
    answer = CliRunner().invoke(models_app, ["quantize", "mine.pth", "--calibrate", "me.mp4"])
    assert answer.exit_code == 0, answer.output
    assert asked == [("mine.pth", "me.mp4", "openvino")]
    for part in ("0.04", "0.22", "0.05", "+0.001", "1700 keypoints of 100 held-back crops", verdict, "written: folder"):
        assert part in answer.output


# --- on real peaks --------------------------------------------------------------------------------------------------


@needs_peaks
@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_fitted_vitpose_keeps_its_keypoints(runtime):
    judgement, _ = quantize(CONFIG, runtime, notify=str)
    assert judgement.keypoints >= 1000
    assert judgement.shift_px_p50 < 0.25
    assert judgement.shift_px_p95 < 0.75
    assert judgement.accepted
