"""Training the lifter: it learns, it can be repeated, and what it writes is what the program runs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from realtime_pose.cli.app import app
from realtime_pose.lifting.network import load_lifter_weights
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, WINDOW_S, MirrorParts, features_of
from realtime_pose.training.lifter import LifterNetwork, Training, save_lifter, train_lifter


def test_a_few_steps_already_learn_and_the_same_seed_learns_the_same() -> None:
    errors: list[float] = []
    first = train_lifter({}, Training(12, seed=3), lambda step, error_mm: errors.append(error_mm))
    again = train_lifter({}, Training(12, seed=3))
    assert errors[-1] < errors[0] - 5  # mm; a running mean
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("native", [False, True])
def test_it_counts_in_16_bits_only_where_the_cpu_gains_by_it(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    used: list[bool] = []
    hook = LifterNetwork.forward

    def watched(network: LifterNetwork, even: torch.Tensor, odd: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        used.append(torch.is_autocast_enabled("cpu"))
        with torch.autocast("cpu", enabled=False):  # imitated, it would take seconds
            return hook(network, even, odd)

    monkeypatch.setattr(LifterNetwork, "forward", watched)
    train_lifter({}, Training(1))
    assert used == [native]


def test_numpy_runs_the_network_that_torch_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LifterNetwork().eval()
    save_lifter(network, tmp_path / "w.safetensors", {"seed": "0"})
    rng = np.random.default_rng(0)
    told = MirrorParts(*(rng.normal(0, 0.5, count) for count in INPUT_COUNTS))
    with torch.no_grad():
        places, log_error = network(*(torch.from_numpy(part[None].astype(np.float32)) for part in told))
    said = load_lifter_weights(tmp_path / "w.safetensors")(told)
    np.testing.assert_allclose(said.xyz, places[0].numpy(), atol=2e-3)  # weights are stored as float16
    np.testing.assert_allclose(np.log(said.error), log_error[0].numpy(), atol=2e-3)


def test_of_a_mirrors_picture_the_network_gives_the_mirrors_body() -> None:
    torch.manual_seed(1)
    network = LifterNetwork().eval()
    rng = np.random.default_rng(2)
    xy, score = rng.normal(0, 0.3, (4, len(WINDOW_S), 27, 2)), rng.uniform(0.3, 1, (4, len(WINDOW_S), 27))
    mirror = list(LAYOUT.mirror)
    answers = []
    for looks in ((xy, score), (xy[:, :, mirror] * (-1, 1), score[:, :, mirror])):
        told, _ = features_of(*looks)
        with torch.no_grad():
            answers.append([part.numpy() for part in network(*(torch.from_numpy(p.astype(np.float32)) for p in told))])
    np.testing.assert_allclose(answers[1][0], answers[0][0][:, mirror] * (-1, 1, 1), atol=1e-5)
    np.testing.assert_allclose(answers[1][1], answers[0][1][:, mirror], atol=1e-5)
    assert np.abs(answers[0][0] - answers[0][0][:, mirror] * (-1, 1, 1)).max() > 0.01  # it is not symmetric itself


def test_the_command_writes_weights_that_lift(tmp_path: Path) -> None:
    file = tmp_path / "lifter.safetensors"
    result = CliRunner().invoke(app, ["train", "lifter", "--steps", "2", "--out", str(file)])
    assert result.exit_code == 0, result.output
    assert "eval lift" in result.output
    load_lifter_weights(file)


def test_a_folder_without_motion_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "lifter", "--mocap", str(tmp_path)])
    assert result.exit_code == 1
