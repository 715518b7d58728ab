"""Training of the lifter: it learns, is repeatable, and writes weights that the program loads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from realtime_pose.cli.app import app
from realtime_pose.errors import CheckpointError
from realtime_pose.lifting.network import load_lifter_weights
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, WINDOW_S, MirrorParts, features_of
from realtime_pose.training import lifter
from realtime_pose.training.lifter import (
    LifterNetwork,
    MotionBank,
    Output,
    Training,
    TrainingCurves,
    TrainingProgress,
    draw_batch,
    save_lifter,
    train_lifter,
)
from realtime_pose.training.motions import Motion
from realtime_pose.training.poses import draw_poses
from realtime_pose.utils import rotations as rot


@pytest.fixture
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifter, "_BODIES", 12)


@pytest.mark.usefixtures("_small_batches")
def test_a_few_steps_reduce_the_error_repeatably() -> None:
    seen: list[TrainingProgress] = []
    first = train_lifter({}, Training(6, seed=3), seen.append)
    again = train_lifter({}, Training(6, seed=3))
    assert [progress.step for progress in seen] == list(range(1, 7))
    assert seen[-1].error_mm < seen[0].error_mm - 5  # a running mean
    assert np.isfinite([progress[:3] for progress in seen]).all()
    assert np.isnan(seen[-1].contact_accuracy)  # no contacts are known of random poses
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("native", [False, True])
def test_bfloat16_is_used_only_on_cpus_that_support_it(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    used: list[bool] = []
    hook = LifterNetwork.forward

    def watched(network: LifterNetwork, even: torch.Tensor, odd: torch.Tensor) -> Output:
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
    features = MirrorParts(*(rng.normal(0, 0.5, (3, count)) for count in INPUT_COUNTS))
    with torch.no_grad():
        wanted = network(*(torch.from_numpy(part.astype(np.float32)) for part in features))
    output = load_lifter_weights(tmp_path / "w.safetensors", quantize=False)(features)
    # Weights are stored as float16.
    np.testing.assert_allclose(output.xyz, wanted.xyz.numpy(), atol=2e-3)
    np.testing.assert_allclose(np.log(output.error), wanted.log_error.numpy(), atol=2e-3)
    np.testing.assert_allclose(output.up, nn.functional.normalize(wanted.up).numpy(), atol=0.02)
    np.testing.assert_allclose(np.log(output.up_error_rad), wanted.log_up_error.numpy(), atol=2e-3)
    np.testing.assert_allclose(output.contact, torch.sigmoid(wanted.contact_logit).numpy(), atol=1e-3)


def test_a_mirrored_input_gives_the_mirrored_body() -> None:
    torch.manual_seed(1)
    network = LifterNetwork().eval()
    rng = np.random.default_rng(2)
    xy, score = rng.normal(0, 0.3, (4, len(WINDOW_S), 27, 2)), rng.uniform(0.3, 1, (4, len(WINDOW_S), 27))
    mirror = list(LAYOUT.mirror)
    answers = []
    up = rot.unit(rng.normal((0.0, 3.0, 0.0), 1.0, (4, 3)))
    for views in ((xy, score, up), (xy[:, :, mirror] * (-1, 1), score[:, :, mirror], up * (-1, 1, 1))):
        features, _ = features_of(*views, np.full(4, 0.1))
        with torch.no_grad():
            outputs = network(*(torch.from_numpy(p.astype(np.float32)) for p in features))
            answers.append([part.numpy() for part in outputs])
    np.testing.assert_allclose(answers[1][0], answers[0][0][:, mirror] * (-1, 1, 1), atol=1e-5)
    np.testing.assert_allclose(answers[1][1], answers[0][1][:, mirror], atol=1e-5)
    np.testing.assert_allclose(answers[1][2], answers[0][2] * (-1, 1, 1), atol=1e-5)
    np.testing.assert_allclose(answers[1][3], answers[0][3], atol=1e-5)
    np.testing.assert_allclose(answers[1][4], answers[0][4][:, ::-1], atol=1e-5)
    assert np.abs(answers[0][4] - answers[0][4][:, ::-1]).max() > 1e-3
    assert np.abs(answers[0][0] - answers[0][0][:, mirror] * (-1, 1, 1)).max() > 0.01  # an asymmetric body


def test_the_command_writes_weights_that_lift(tmp_path: Path) -> None:
    file = tmp_path / "lifter.safetensors"
    result = CliRunner().invoke(app, ["train", "lifter", "--steps", "2", "--out", str(file)])
    assert result.exit_code == 0, result.output
    assert "eval lift" in result.output
    load_lifter_weights(file)
    assert {path.name for path in tmp_path.iterdir()} == {"lifter.safetensors", "lifter.csv"}  # the state is removed
    assert file.with_suffix(".csv").read_text() == "step,error_mm,up_deg,contact_accuracy\n"  # a row every 50 steps


@pytest.mark.usefixtures("_small_batches")
def test_an_interrupted_training_continues_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = train_lifter({}, Training(6, seed=5))
    monkeypatch.setattr(lifter, "_SAVE_EVERY_S", -1.0)  # after every step
    training = Training(6, seed=5, state=tmp_path / "w.state")

    def interrupt(progress: TrainingProgress) -> None:
        if progress.step == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_lifter({}, training, interrupt)
    steps: list[int] = []
    continued = train_lifter({}, training, lambda progress: steps.append(progress.step))
    assert steps == [4, 5, 6]  # the fourth was not saved
    for name, value in whole.state_dict().items():
        assert torch.equal(value, continued.state_dict()[name]), name
    done = train_lifter({}, training, lambda progress: steps.append(progress.step))
    assert steps == [4, 5, 6]  # nothing is left to do
    assert torch.equal(done.last.even.weight, whole.last.even.weight)


@pytest.mark.usefixtures("_small_batches")
def test_the_state_of_another_training_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "w.state"
    train_lifter({}, Training(1, seed=5, state=state))
    for other in (Training(2, seed=5, state=state), Training(1, seed=6, state=state)):
        with pytest.raises(CheckpointError, match=r"w\.state is of a training with 1 steps and seed 5, wanted"):
            train_lifter({}, other)
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot read the unfinished training") as error:
        train_lifter({}, Training(1, seed=5, state=state))
    assert "\n" not in str(error.value)


def test_curves_are_appended_when_a_training_continues(tmp_path: Path) -> None:
    file = tmp_path / "w.csv"
    for steps in (range(1, 101), range(101, 151)):
        with TrainingCurves(file, go_on=True) as curves:
            for step in steps:
                curves.add(TrainingProgress(step, 80.0 - step / 10, 7.5, 0.9))
    assert file.read_text().splitlines() == [
        "step,error_mm,up_deg,contact_accuracy",
        "50,75,7.5,0.9",
        "100,70,7.5,0.9",
        "150,65,7.5,0.9",
    ]
    with TrainingCurves(file, go_on=False):
        pass
    assert len(file.read_text().splitlines()) == 1


def test_a_folder_without_motion_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "lifter", "--mocap", str(tmp_path)])
    assert result.exit_code == 1


def test_a_batch_is_repeatable_and_finite() -> None:
    first, again, other = (draw_batch(np.random.default_rng(seed), None) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.even, again.even)
    assert not np.array_equal(first.even, other.even)
    for numbers in first[:4]:
        assert np.isfinite(numbers).all()
    np.testing.assert_allclose(np.linalg.norm(first.up, axis=1), 1.0, atol=1e-5)
    known = first.even[:, -1] > 0
    assert 0.4 < known.mean() < 0.6  # half of the views have an estimate of the vertical
    given = np.column_stack((first.odd[:, -1], first.even[:, -3:-1])) / np.maximum(first.even[:, -1:], 1e-9)
    sure = first.even[:, -1] > 0.75  # better than 1.7 degrees
    assert np.linalg.norm(given - first.up, axis=1)[sure].max() < 0.15


def test_the_truth_is_in_axes_in_which_people_are_upright() -> None:
    batch = draw_batch(np.random.default_rng(3), None)
    shoulders, hips = (LAYOUT.rows((f"left_{part}", f"right_{part}")) for part in ("shoulder", "hip"))
    trunk = rot.unit(batch.places[:, shoulders].mean(axis=1) - batch.places[:, hips].mean(axis=1))
    assert np.median(trunk[:, 1]) > 0.95
    assert np.percentile(np.abs(batch.up[:, 2]), 90) > 0.3  # though many cameras are pitched


def test_batches_combine_captured_and_random_motion() -> None:
    rng = np.random.default_rng(6)
    still = draw_poses(rng, np.zeros(200), 3)
    clips = {str(i): Motion(*(getattr(still[i], f) for f in still.__dataclass_fields__)) for i in range(3)}
    bank = MotionBank(clips)
    drawn = bank.draw(rng, 50)
    assert drawn.root.shape == (50, len(WINDOW_S), 3)
    front = rot.rotate(drawn.pelvis_xyzw[:, 0], (0, 0, 1))
    np.testing.assert_allclose(front[:, 0], 0, atol=1e-9)
    batch = draw_batch(rng, bank)
    assert batch.places.shape[1] == len(LAYOUT.names)
    assert batch.contacts.shape == (len(batch.places), 2, 2)


def test_windows_across_a_discontinuity_are_never_drawn() -> None:
    rng = np.random.default_rng(7)
    still = draw_poses(rng, np.zeros(300), 1)[0]
    turned = still.pelvis_xyzw.copy()
    turned[150:] = rot.multiply(rot.from_axis_angle((0, 1, 0), np.array(2.0)), turned[150:])
    torn = Motion(turned, *(getattr(still, f) for f in list(still.__dataclass_fields__)[1:]))
    drawn = MotionBank({"torn": torn}).draw(rng, 400)
    step = rot.angle_between_rad(drawn.pelvis_xyzw[:, 1:], drawn.pelvis_xyzw[:, :-1])
    assert step.max() < 0.1


@pytest.mark.usefixtures("_small_batches")
def test_contacts_of_captured_motion_are_learnt() -> None:
    still = draw_poses(np.random.default_rng(6), np.zeros(200), 1)[0]
    clip = replace(still, contacts=np.broadcast_to([[1.0, 1.0], [0.0, 0.0]], still.contacts.shape).copy())
    seen: list[TrainingProgress] = []
    train_lifter({"clip": clip}, Training(4, seed=1), seen.append)
    assert all(0 <= progress.contact_accuracy <= 1 for progress in seen)
