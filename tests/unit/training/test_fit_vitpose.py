"""Fitting a ViTPose: the result is a normal checkpoint, and its accuracy is measured on held-out frames.

A whole fit takes minutes and is tested in tests/unit/inference/test_heatmaps_real_peaks.py.
"""

from itertools import islice

import pytest
import torch

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.inference.crops import regions_of_boxes
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.training import fit_vitpose as fitting
from realtime_pose.training.actor_crops import CropMaker, actor_frames, heatmaps_of
from realtime_pose.training.fit_vitpose import fitted_file, judge, main


@pytest.fixture(scope="module")
def frames():
    return list(islice(actor_frames(), 8))


@pytest.mark.parametrize("decoder", ["classic", "simple"])
def test_the_file_is_a_vitpose_trained_without_held_out_frames(tmp_path, monkeypatch, capsys, frames, decoder):
    class Spy(CropMaker):
        def __init__(self, given, geometry, seed):
            learned_from.extend(f.frame.index for f in given)
            super().__init__(given, geometry, seed)

    learned_from = []
    monkeypatch.setattr(fitting, "CropMaker", Spy)
    monkeypatch.setattr(fitting, "actor_frames", lambda: iter(frames))
    out = tmp_path / "folder" / "fitted.safetensors"
    assert main(["--decoder", decoder, "--crops", "8", "--out", str(out)]) == 0
    assert learned_from == [0, 1, 3, 4, 5, 6]
    weights = load_vitpose(out)
    assert (weights.size, weights.decoder, weights.dataset) == ("s", decoder, "coco")
    output = capsys.readouterr().out
    assert "34 held-back keypoints: median" in output  # of frames 2 and 7
    assert f"written: {out}" in output


def test_the_loss_is_0_for_the_target(frames):
    _, wanted = CropMaker(frames, CropGeometry(), 0).batch(2)
    wanted = torch.from_numpy(wanted)
    assert fitting._loss(wanted, wanted).item() == pytest.approx(0, abs=1e-5)
    empty = fitting._loss(torch.zeros_like(wanted), wanted).item()
    elsewhere = fitting._loss(wanted.roll(9, dims=3), wanted).item()
    assert elsewhere > empty > 1


def test_errors_are_measured_in_pixels_of_the_frame(frames):
    """A fake network whose peaks are shifted by a heatmap cell has an error of that cell."""

    class Truth(torch.nn.Module):
        def __init__(self, shift_cells):
            super().__init__()
            self.held = iter([f for f in frames if f.frame.index in (2, 7)])
            self.shift_cells = shift_cells

        def forward(self, crops):
            held = next(self.held)
            region = regions_of_boxes(held.box_xyxy_px[None], 0.75, 1.25)
            cells = (held.xy_px - region.corner_px[0]) / region.size_px[0] * (47, 63)
            return torch.from_numpy(heatmaps_of(cells[None] + (self.shift_cells, 0)))

    exact = judge(Truth(0), frames)
    assert exact.keypoints == 34
    assert exact.p95_px < 0.05
    assert (exact.near, exact.pck) == (1, 1)
    cell_px = regions_of_boxes(frames[2].box_xyxy_px[None], 0.75, 1.25).size_px[0, 0] / 47
    assert judge(Truth(1), frames).median_px == pytest.approx(cell_px, rel=0.03)
    far = judge(Truth(4), frames)
    assert far.near == 0


def test_wrong_options_are_refused(capsys):
    for options in (["--crops", "0"], ["--seed", "-1"], ["--size", "x"]):
        with pytest.raises(SystemExit, match="2"):
            main(options)
    assert "invalid choice: 'x'" in capsys.readouterr().err


def test_a_wrong_file_ending_is_an_error(tmp_path, monkeypatch, capsys, frames):
    monkeypatch.setattr(fitting, "actor_frames", lambda: iter(frames))
    monkeypatch.setattr(fitting, "fit_vitpose", lambda *_: fitting._new_network("s", "simple").eval())
    assert main(["--out", str(tmp_path / "fitted.onnx")]) == 1
    assert "does not end in .safetensors" in capsys.readouterr().err


def test_fitted_files_are_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert fitted_file("s") == tmp_path / "realtime_pose" / "checkpoints" / "actor-vitpose-s.safetensors"
    assert fitted_file("b", "simple").name == "actor-vitpose-b-simple.safetensors"
