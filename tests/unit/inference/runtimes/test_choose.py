"""Choice of the fastest runtime and precision that agrees with fp32, measured once per machine."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.runtimes import choose
from realtime_pose.inference.runtimes.artefacts import artefact_folder
from realtime_pose.inference.runtimes.base import Candidate, SourceModel
from realtime_pose.inference.runtimes.choose import calibration_crops, choose_runtime, clear_peaks, read_choices
from realtime_pose.inference.topdown import CropGeometry

SLOW_EXACT, FAST_EXACT = Candidate("torch", "fp32"), Candidate("onnxruntime", "fp32")
ROUGH, BROKEN, INT8 = Candidate("torch", "bf16"), Candidate("openvino", "bf16"), Candidate("openvino", "int8")
MS = {SLOW_EXACT: 60.0, FAST_EXACT: 30.0, ROUGH: 20.0, INT8: 9.0}


class FakeRuntime:
    """A peak in every heatmap, `shift_px` of the crop right of its true place."""

    def __init__(self, candidate, shift_px=0.0, height=1.0):
        self.runtime, self.precision, self.device = candidate.runtime, candidate.precision, "cpu"
        self.shift_px, self.height = shift_px, height

    def heatmaps(self, crops):
        x, y = np.meshgrid(np.arange(48), np.arange(64))
        middle = 20 + self.shift_px * 47 / 191
        peak = self.height * np.exp(-((x - middle) ** 2 + (y - 30) ** 2) / 8)
        return np.broadcast_to(peak.astype(np.float32), (len(crops), 17, 64, 48))

    def close(self):
        pass


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with the given candidates; `built` and `measured` record the calls."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    state = SimpleNamespace(here=[*MS], shift_px={}, height=1.0, measured=[], ms=dict(MS), said=[])

    def build(source, candidate, device):
        if candidate == BROKEN:
            raise ConfigError("openvino is not well today")
        return FakeRuntime(candidate, state.shift_px.get(candidate, 0.0), state.height)

    def median(runtime, crop):
        candidate = Candidate(runtime.runtime, runtime.precision)
        state.measured.append(candidate)
        return state.ms[candidate]

    monkeypatch.setattr(choose, "candidates", lambda source, device, runtime, precision: list(state.here))
    monkeypatch.setattr(choose, "build_runtime", build)
    monkeypatch.setattr(choose, "_median_ms", median)
    return state


SOURCE = SimpleNamespace(name="test", key="f" * 64, network=object(), onnx=None)


def ask(state):
    source = SourceModel("test", "f" * 64, network=object())
    chosen = choose_runtime(source, CropGeometry(), "cpu", notify=state.said.append)
    return Candidate(chosen.runtime, chosen.precision)


def judge_int8(accepted):
    folder = artefact_folder(SourceModel("test", "f" * 64), "openvino-int8")
    folder.mkdir(parents=True)
    (folder / choose.JUDGEMENT).write_text(json.dumps({"accepted": accepted}))


def test_the_fastest_that_agrees_is_used_and_reported(machine):
    judge_int8(accepted=True)
    assert ask(machine) == INT8
    assert machine.said[0].startswith("Timing the runtimes of test on cpu, once: torch fp32, ")
    assert machine.said[1].startswith("openvino int8 is the fastest here")


def test_a_candidate_that_moves_keypoints_is_skipped(machine):
    machine.here.remove(INT8)
    machine.shift_px[ROUGH] = 0.8
    assert ask(machine) == FAST_EXACT
    machine.shift_px[ROUGH] = 0.3


def test_within_half_a_pixel_agrees(machine):
    machine.here.remove(INT8)
    machine.shift_px[ROUGH] = 0.4
    assert ask(machine) == ROUGH


def test_int8_that_was_judged_too_rough_is_not_taken(machine):
    judge_int8(accepted=False)
    assert ask(machine) == ROUGH
    (choice,) = read_choices()
    refused = next(timing for timing in choice.timings if timing.precision == "int8")
    assert not refused.accepted
    assert "on the footage it was quantized with" in refused.why_not


def test_a_candidate_that_does_not_run_is_reported_and_skipped(machine):
    machine.here = [BROKEN, SLOW_EXACT]
    assert ask(machine) == SLOW_EXACT
    (choice,) = read_choices()
    assert choice.timings[-1].ms is None
    assert choice.timings[-1].why_not == "openvino is not well today"


def test_without_people_only_fp32_is_trusted(machine):
    machine.here.remove(INT8)
    machine.height = 0.1
    assert ask(machine) == FAST_EXACT


def test_nothing_that_runs_is_an_error_with_the_reasons(machine):
    machine.here = [BROKEN, BROKEN]
    with pytest.raises(
        CheckpointError, match=r"no runtime can run test on cpu: openvino bf16: openvino is not well today"
    ):
        ask(machine)


def test_it_is_timed_once(machine):
    machine.here.remove(INT8)
    first = ask(machine)
    machine.measured.clear()
    assert ask(machine) == first
    assert machine.measured == []
    assert len(machine.said) == 2


@pytest.mark.parametrize("change", ["library", "candidates", "damage"])
def test_it_is_timed_again_when_something_changed(machine, monkeypatch, change):
    machine.here.remove(INT8)
    ask(machine)
    machine.measured.clear()
    if change == "library":
        monkeypatch.setattr(choose, "_version", lambda package: "99")
    elif change == "candidates":
        machine.here.remove(ROUGH)
    else:
        (file,) = artefact_folder(SOURCE, "").parent.glob("*/timings-*.json")
        file.write_text('{"model": "test", "timings": [{"ms": "fast"}]}')
    ask(machine)
    assert machine.measured


def test_one_that_was_named_is_not_timed(machine):
    machine.here = [ROUGH]
    machine.shift_px[ROUGH] = 5.0
    assert ask(machine) == ROUGH
    assert machine.measured == []


def test_rough_int8_that_was_named_is_taken_with_a_word(machine):
    judge_int8(accepted=False)
    machine.here = [INT8]
    assert ask(machine) == INT8
    (said,) = machine.said
    assert said.startswith("openvino int8 was chosen, but it moves keypoints too far")


def test_a_cache_that_cannot_be_written_costs_the_time_only(machine, tmp_path):
    machine.here.remove(INT8)
    (tmp_path / "realtime_pose").write_text("a file where the folder would be")
    assert ask(machine) == ROUGH


def test_the_packaged_crops_show_people_in_the_networks_size():
    crops = calibration_crops(CropGeometry())
    assert crops.shape == (8, 3, 256, 192)
    assert crops.std() > 0.3
    assert calibration_crops(CropGeometry(input_wh=(288, 384))).shape == (8, 3, 384, 288)


def test_a_peak_is_clear_when_it_is_high_and_alone():
    heatmaps = np.zeros((1, 4, 64, 48), np.float32)
    heatmaps[0, 0, 10, 10] = 1.0
    heatmaps[0, 1, 10, 10], heatmaps[0, 1, 50, 40] = 1.0, 0.9
    heatmaps[0, 2, 10, 10] = 0.1
    heatmaps[0, 3, 10, 10], heatmaps[0, 3, 12, 11] = 1.0, 0.9  # the same peak
    assert clear_peaks(heatmaps).tolist() == [[True, False, False, True]]
