"""Training of the lifter: it learns, is repeatable, and writes weights that the program loads."""

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from realtime_pose.cli.app import app
from realtime_pose.lifting.network import load_lifter_weights
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, WINDOW_S, MirrorParts, features_of
from realtime_pose.training.lifter import (
    LifterNetwork,
    MotionBank,
    Training,
    draw_batch,
    features_and_truth,
    save_lifter,
    train_lifter,
)
from realtime_pose.training.motions import Motion
from realtime_pose.training.poses import draw_poses
from realtime_pose.utils import rotations as rot


def test_a_few_steps_reduce_the_error_repeatably() -> None:
    errors: list[float] = []
    first = train_lifter({}, Training(12, seed=3), lambda step, error_mm: errors.append(error_mm))
    again = train_lifter({}, Training(12, seed=3))
    assert errors[-1] < errors[0] - 5  # mm; a running mean
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("native", [False, True])
def test_bfloat16_is_used_only_on_cpus_that_support_it(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    used: list[bool] = []
    hook = LifterNetwork.forward

    def watched(network: LifterNetwork, even: torch.Tensor, odd: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        used.append(torch.is_autocast_enabled("cpu"))
        with torch.autocast("cpu", enabled=False):  # emulated, it would take seconds
            return hook(network, even, odd)

    monkeypatch.setattr(LifterNetwork, "forward", watched)
    train_lifter({}, Training(1))
    assert used == [native]


def test_numpy_inference_equals_torch(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = LifterNetwork().eval()
    save_lifter(network, tmp_path / "w.safetensors", {"seed": "0"})
    rng = np.random.default_rng(0)
    features = MirrorParts(*(rng.normal(0, 0.5, count) for count in INPUT_COUNTS))
    with torch.no_grad():
        places, log_error = network(*(torch.from_numpy(part[None].astype(np.float32)) for part in features))
    output = load_lifter_weights(tmp_path / "w.safetensors", quantize=False)(features)
    np.testing.assert_allclose(output.xyz, places[0].numpy(), atol=2e-3)  # weights are stored as float16
    np.testing.assert_allclose(np.log(output.error), log_error[0].numpy(), atol=2e-3)


def test_a_mirrored_input_gives_the_mirrored_body() -> None:
    torch.manual_seed(1)
    network = LifterNetwork().eval()
    rng = np.random.default_rng(2)
    xy, score = rng.normal(0, 0.3, (4, len(WINDOW_S), 27, 2)), rng.uniform(0.3, 1, (4, len(WINDOW_S), 27))
    mirror = list(LAYOUT.mirror)
    answers = []
    for views in ((xy, score), (xy[:, :, mirror] * (-1, 1), score[:, :, mirror])):
        features, _ = features_of(*views)
        with torch.no_grad():
            outputs = network(*(torch.from_numpy(p.astype(np.float32)) for p in features))
            answers.append([part.numpy() for part in outputs])
    np.testing.assert_allclose(answers[1][0], answers[0][0][:, mirror] * (-1, 1, 1), atol=1e-5)
    np.testing.assert_allclose(answers[1][1], answers[0][1][:, mirror], atol=1e-5)
    assert np.abs(answers[0][0] - answers[0][0][:, mirror] * (-1, 1, 1)).max() > 0.01  # an asymmetric body


def test_the_command_writes_weights_that_lift(tmp_path: Path) -> None:
    file = tmp_path / "lifter.safetensors"
    result = CliRunner().invoke(app, ["train", "lifter", "--steps", "2", "--out", str(file)])
    assert result.exit_code == 0, result.output
    assert "eval lift" in result.output
    load_lifter_weights(file)


def test_a_folder_without_motion_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "lifter", "--mocap", str(tmp_path)])
    assert result.exit_code == 1


def test_a_batch_is_repeatable_and_finite() -> None:
    first, again, other = (draw_batch(np.random.default_rng(seed), None) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.xy, again.xy)
    assert not np.array_equal(first.xy, other.xy)
    features, truth = features_and_truth(first)
    for numbers in (*features, truth):
        assert np.isfinite(numbers).all()


def test_batches_combine_captured_and_random_motion() -> None:
    rng = np.random.default_rng(6)
    still = draw_poses(rng, np.zeros(200), 3)
    clips = {str(i): Motion(*(getattr(still[i], f) for f in still.__dataclass_fields__)) for i in range(3)}
    bank = MotionBank(clips)
    drawn = bank.draw(rng, 50)
    assert drawn.root.shape == (50, len(WINDOW_S), 3)
    front = rot.rotate(drawn.pelvis_xyzw[:, 0], (0, 0, 1))
    np.testing.assert_allclose(front[:, 0], 0, atol=1e-9)
    assert draw_batch(rng, bank).truth.shape[1] == len(LAYOUT.names)


def test_windows_across_a_discontinuity_are_never_drawn() -> None:
    rng = np.random.default_rng(7)
    still = draw_poses(rng, np.zeros(300), 1)[0]
    turned = still.pelvis_xyzw.copy()
    turned[150:] = rot.multiply(rot.from_axis_angle((0, 1, 0), np.array(2.0)), turned[150:])
    torn = Motion(turned, *(getattr(still, f) for f in list(still.__dataclass_fields__)[1:]))
    drawn = MotionBank({"torn": torn}).draw(rng, 400)
    step = rot.angle_between_rad(drawn.pelvis_xyzw[:, 1:], drawn.pelvis_xyzw[:, :-1])
    assert step.max() < 0.1
