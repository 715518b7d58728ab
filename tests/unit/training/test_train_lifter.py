"""Training the lifter: it learns, it can be repeated, and what it writes is what the program runs."""

from pathlib import Path

import numpy as np
import torch
from typer.testing import CliRunner

from realtime_pose.cli.app import app
from realtime_pose.ik.lifter_network import load_lifter_weights
from realtime_pose.ik.lifting_window import feature_count
from realtime_pose.training.lifter import LifterNetwork, Training, save_lifter, train_lifter


def test_a_few_steps_already_learn_and_the_same_seed_learns_the_same() -> None:
    errors: list[float] = []
    first = train_lifter({}, Training(12, seed=3), lambda step, error_mm: errors.append(error_mm))
    again = train_lifter({}, Training(12, seed=3))
    assert errors[-1] < 0.97 * errors[0]  # the mean is a running one
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_numpy_runs_the_network_that_torch_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LifterNetwork().eval()
    save_lifter(network, tmp_path / "w.safetensors", {"seed": "0"})
    features = np.random.default_rng(0).normal(0, 0.5, (5, feature_count())).astype(np.float32)
    with torch.no_grad():
        places, log_error = network(torch.from_numpy(features))
    said = load_lifter_weights(tmp_path / "w.safetensors")(features.astype(np.float64))
    np.testing.assert_allclose(said.places, places.numpy(), atol=2e-3)  # weights are stored as float16
    np.testing.assert_allclose(np.log(said.error), log_error.numpy(), atol=2e-3)


def test_the_command_writes_weights_that_lift(tmp_path: Path) -> None:
    file = tmp_path / "lifter.safetensors"
    result = CliRunner().invoke(app, ["train", "lifter", "--steps", "2", "--out", str(file)])
    assert result.exit_code == 0, result.output
    assert "eval lift" in result.output
    load_lifter_weights(file)


def test_a_folder_without_motion_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "lifter", "--mocap", str(tmp_path)])
    assert result.exit_code == 1
