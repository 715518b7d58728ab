"""Training of the lifter, on random and captured motion, never on poses from another lifter."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from realtime_pose.errors import CheckpointError
from realtime_pose.inference.runtimes.torch_runtime import gains_by_bf16
from realtime_pose.lifting.network_input import INPUT_COUNTS, OUTPUT_BASIS, WINDOW_S, features_of
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.motions import FRAME_RATE_HZ, Motion
from realtime_pose.training.poses import draw_poses
from realtime_pose.training.views import SimulatedViews, simulate_views
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64
from realtime_pose.utils.atomic_files import replacing

WIDTH, BLOCKS = 768, 2
_SAVE_EVERY_S, _CURVE_STEPS = 120.0, 50
_BODIES, _CAMERAS = 352, 3  # bodies per batch, and cameras per body
_LEARNING_RATE, _WARM_UP, _FINAL = 1e-3, 0.03, 0.01
_WEIGHT_OF_PART = {"body": 1.0, "foot": 0.35, "hand": 0.25, "face": 0.35}
_ERROR_LOSS_WEIGHT = 0.02  # of the loss of the predicted error
_UP_WEIGHT, _CONTACT_WEIGHT = 0.5, 0.02  # of the losses of the vertical and of the contacts
_IDLE, _IDLE_WEIGHT = "idle", 0.4  # clips of people who stand idle are drawn less often
_DEVIATION_RAD, _HAND_RAD, _HEAD_YAW_RAD = np.radians((7.0, 20.0, 15.0))


class _Layer(nn.Module):
    """A layer equivariant to mirroring: even outputs from even inputs, odd ones from odd inputs."""

    def __init__(self, even: int, odd: int, even_out: int, odd_out: int) -> None:
        super().__init__()
        self.even = nn.Linear(even, even_out)
        self.odd = nn.Linear(odd, odd_out, bias=False)  # a bias would prefer a side

    def forward(self, even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
        return self.even(even), self.odd(odd)


def _paired_relu(even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
    """ReLU on pairs of units, one for the image and one for its mirror image, returned as even and odd parts."""
    one, other = torch.relu(even + odd), torch.relu(even - odd)
    return (one + other) / 2, (one - other) / 2


class Output(NamedTuple):
    """What the network predicts; `lifting.network.Prediction` documents the axes.

    Attributes:
        xyz: (N, K, 3) points in body heights.
        log_error: (N, K) logarithm of their expected errors.
        up: (N, 3) the vertical, not normalised.
        log_up_error: (N,) logarithm of its expected error in rad.
        contact_logit: (N, 2, 2) logits of the contacts of heels and toes.
    """

    xyz: Tensor
    log_error: Tensor
    up: Tensor
    log_up_error: Tensor
    contact_logit: Tensor


class LifterNetwork(nn.Module):
    """A residual perceptron equivariant to mirroring: a mirrored input gives the mirrored body.

    Sources: Martinez et al., "A simple yet effective baseline for 3D human pose estimation" (ICCV 2017) for the shape;
    Cohen and Welling, "Group Equivariant Convolutional Networks" (ICML 2016) for the symmetry, here of two elements.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = _Layer(*INPUT_COUNTS, WIDTH, WIDTH)
        self.layers = nn.ModuleList(_Layer(WIDTH, WIDTH, WIDTH, WIDTH) for _ in range(2 * BLOCKS))
        self.last = _Layer(WIDTH, WIDTH, OUTPUT_BASIS.even.shape[1], OUTPUT_BASIS.odd.shape[1])
        for name, basis in OUTPUT_BASIS._asdict().items():
            self.register_buffer(f"{name}_answer", torch.from_numpy(basis.T.astype(np.float32)), persistent=False)

    def forward(self, even: Tensor, odd: Tensor) -> "Output":
        """The output for the input (N, E) and (N, O)."""
        x = _paired_relu(*self.first(even, odd))
        for one, two in zip(self.layers[::2], self.layers[1::2], strict=True):
            y = _paired_relu(*two(*_paired_relu(*one(*x))))
            x = x[0] + y[0], x[1] + y[1]
        shared, differing = self.last(*x)
        answer = shared.float() @ self.even_answer + differing.float() @ self.odd_answer
        k = len(LAYOUT.names)
        points = answer[:, : 4 * k].reshape(-1, k, 4)
        up, contact = answer[:, 4 * k : 4 * k + 4], answer[:, 4 * k + 4 :].reshape(-1, 2, 2)
        return Output(points[..., :3], points[..., 3], up[:, :3], up[:, 3], contact)


class MotionBank:
    """Captured motion from which random windows are drawn."""

    def __init__(self, clips: dict[str, Motion]) -> None:
        self._reach = int(np.ceil(WINDOW_S[-1] * FRAME_RATE_HZ * 1.4)) + 1
        clips = {name: clip for name, clip in clips.items() if len(clip) > self._reach + 4}
        self._motion = Motion.concatenate(list(clips.values()))
        lengths = np.array([len(clip) for clip in clips.values()])
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        often = np.array([_IDLE_WEIGHT if _IDLE in name else 1.0 for name in clips])
        weight = np.zeros(len(self._motion))
        steady = ~_discontinuities(self._motion)
        for start, length, times in zip(starts, lengths, often, strict=True):
            usable = np.arange(start + self._reach, start + length)
            # Weight by the square root of the length, so that single long clips do not dominate.
            weight[usable] = times * np.sqrt(length) / length
        after_discontinuity = np.convolve(~steady, np.ones(self._reach), mode="full")[: len(steady)] > 0
        weight[after_discontinuity] = 0.0
        self._chance = weight / weight.sum()

    def draw(self, rng: np.random.Generator, count: int) -> Motion:
        """Random windows (N, W), newest frame first, at 0.7 to 1.4 times their speed, half of them mirrored."""
        now = rng.choice(len(self._chance), count, p=self._chance)
        back = np.rint(WINDOW_S[None] * FRAME_RATE_HZ * rng.uniform(0.7, 1.4, (count, 1))).astype(int)
        motion = self._motion[now[:, None] - back]
        mirrored = motion.mirrored()
        half = count // 2
        return _facing_front(Motion.concatenate([motion[:half], mirrored[half:]]))


def _discontinuities(motion: Motion) -> Bool:
    """Frames with a rotation faster than people's: a lost marker, or the start of another clip."""
    step = rot.angle_between_rad(motion.pelvis_xyzw[1:], motion.pelvis_xyzw[:-1])
    bones = np.concatenate((motion.arms, motion.legs), axis=1)
    swing = np.arccos(np.clip((bones[1:] * bones[:-1]).sum(-1), -1, 1)).max(axis=(1, 2))
    return np.concatenate(([True], (step > np.radians(12)) | (swing > np.radians(35))))


def _facing_front(motion: Motion) -> Motion:
    """The motion (N, W) rotated about the vertical so that the pelvis faces +Z in the newest frame."""
    front = rot.rotate(motion.pelvis_xyzw[:, 0], (0.0, 0.0, 1.0))
    turn = rot.from_axis_angle((0.0, 1.0, 0.0), -np.arctan2(front[:, 0], front[:, 2]))[:, None]
    pelvis, root = rot.multiply(turn, motion.pelvis_xyzw), rot.rotate(turn, motion.root - motion.root[:, :1])
    return Motion(
        pelvis,
        motion.chest_xyzw,
        motion.head_xyzw,
        motion.arms,
        motion.legs,
        motion.hands_xyzw,
        motion.feet_xyzw,
        root,
        motion.contacts,
    )


def _with_variation(rng: np.random.Generator, motion: Motion) -> Motion:
    """Individual variation: each limb and the trunk rotated by a random constant per motion."""
    n = len(motion)

    def own(*shape: int, of: float = _DEVIATION_RAD) -> Float64:
        return rot.from_rotvec(rng.normal(0, of / np.sqrt(3), (n, 1, *shape, 3)))

    arm, leg = own(2), own(2)
    yaw = rot.from_axis_angle((0.0, 1.0, 0.0), rng.normal(0, _HEAD_YAW_RAD, (n, 1)))
    return Motion(
        rot.multiply(motion.pelvis_xyzw, own(of=_DEVIATION_RAD / 2)),
        rot.multiply(motion.chest_xyzw, own(of=_DEVIATION_RAD / 2)),
        rot.multiply(rot.multiply(yaw, motion.head_xyzw), own()),
        rot.rotate(arm[:, :, :, None], motion.arms),
        rot.rotate(leg[:, :, :, None], motion.legs),
        rot.multiply(arm, rot.multiply(motion.hands_xyzw, own(2, of=_HAND_RAD))),
        rot.multiply(leg, rot.multiply(motion.feet_xyzw, own(2))),
        motion.root,
        motion.contacts,
    )


class Batch(NamedTuple):
    """Inputs and truth of N views.

    Attributes:
        even, odd: (N, E), (N, O) the network's input.
        places: (N, K, 3) the true points in body heights, gravity-view axes.
        up: (N, 3) the true vertical in the view's axes.
        contacts: (N, 2, 2) the true contacts of heels and toes; NaN where unknown.
    """

    even: Float64
    odd: Float64
    places: Float64
    up: Float64
    contacts: Float64


def draw_batch(rng: np.random.Generator, bank: MotionBank | None) -> Batch:
    """1,056 views of 352 bodies: a third with random poses, half with captured motion, the rest combined from both."""
    drawn = draw_poses(rng, -WINDOW_S, _BODIES)
    if bank is None:
        motion = drawn
    else:
        captured = _with_variation(rng, bank.draw(rng, _BODIES))
        a, b, c = _BODIES // 3, _BODIES * 5 // 6, _BODIES * 11 // 12
        parts = [drawn[:a], captured[a:b]]
        parts += [drawn[b:c].with_lower_body_of(captured[b:c]), captured[c:].with_lower_body_of(drawn[c:])]
        motion = Motion.concatenate(parts)
    points = body_points(motion, draw_proportions(rng, _BODIES))
    views = simulate_views(rng, np.tile(points, (_CAMERAS, 1, 1, 1)))
    return batch_of(views, np.tile(motion.contacts[:, 0], (_CAMERAS, 1, 1)))


def batch_of(views: SimulatedViews, contacts: Float64) -> Batch:
    """The network's input and its wanted output for N views."""
    features, view = features_of(views.xy, views.score, views.known_up, views.known_up_error_rad)
    places = views.truth @ view.camera_from_gravity_view(views.up)
    up = np.squeeze(views.up[:, None] @ view.camera_from_view, 1)
    return Batch(features.even, features.odd, places, up, contacts)


class _Batches(IterableDataset[tuple[Tensor, ...]]):
    """A sequence of batches, each with a seed of its own, so that a run can be repeated and continued."""

    def __init__(self, bank: MotionBank | None, seed: int, steps: range) -> None:
        self._bank, self._seed, self._steps = bank, seed, steps

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for step in self._steps:
            batch = draw_batch(np.random.default_rng((self._seed, step)), self._bank)
            yield tuple(torch.from_numpy(part.astype(np.float32)) for part in batch)


@dataclass(frozen=True)
class Training:
    """Settings of a training run.

    Attributes:
        steps: Number of batches, of 1,056 views each.
        seed: Seed of the initial weights and of the batches.
        device: torch's name of the device.
        state: File that holds the unfinished run, written every few minutes; a run continues from it if it exists. None
            to keep nothing.
    """

    steps: int
    seed: int = 0
    device: str = "cpu"
    state: Path | None = None


class TrainingProgress(NamedTuple):
    """Running means during a training.

    Attributes:
        step: Number of batches done.
        error_mm: Mean error of the 12 limb joints of a body of 1.7 m.
        up_deg: Mean error of the vertical where the input says nothing of it.
        contact_accuracy: Share of the known contacts that are predicted right.
    """

    step: int
    error_mm: float
    up_deg: float
    contact_accuracy: float


class TrainingCurves:
    """Training curves as CSV, a row every 50 steps: step and the running means of TrainingProgress.

    Args:
        path: The file.
        go_on: Whether to append to a file that exists, for a run that continues.
    """

    def __init__(self, path: Path, *, go_on: bool) -> None:
        continues = go_on and path.is_file()
        self._file = path.open("a" if continues else "w", encoding="utf-8", newline="")
        if not continues:
            self._file.write(",".join(TrainingProgress._fields) + "\n")

    def __enter__(self) -> "TrainingCurves":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def add(self, progress: TrainingProgress) -> None:
        """Write the row of this step, if it is time for one."""
        if progress.step % _CURVE_STEPS == 0:
            self._file.write(",".join(f"{value:.4g}" for value in progress) + "\n")
            self._file.flush()


def train_lifter(
    clips: dict[str, Motion], training: Training, progress: Callable[[TrainingProgress], None] = lambda progress: None
) -> LifterNetwork:
    """Train a network.

    Args:
        clips: Captured motion by name; empty to train on random poses only.
        training: Settings of the run.
        progress: Called after each step.

    Returns:
        The trained network.

    Raises:
        CheckpointError: The state file is damaged, or of a run with other settings.
    """
    torch.manual_seed(training.seed)
    network = LifterNetwork().to(training.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=1e-3, fused=True)
    done = _load_state(training, network, optimizer)
    batches = _Batches(MotionBank(clips) if clips else None, training.seed, range(done, training.steps))
    weight = torch.tensor([_WEIGHT_OF_PART[part_of(name)] for name in LAYOUT.names], device=training.device)
    limbs = [LAYOUT.index[name] for name in LAYOUT.names[5:17]]
    kind, means, saved_s = training.device.partition(":")[0], None, time.monotonic()
    loader = DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)
    for step, batch in enumerate(loader, done):
        even, odd, places, up, contacts = (part.to(training.device) for part in batch)
        for group in optimizer.param_groups:
            group["lr"] = float(_LEARNING_RATE * _rate(step / training.steps))
        with torch.autocast(kind, torch.bfloat16, enabled=gains_by_bf16(training.device)):
            output = network(even, odd)
        error = torch.linalg.vector_norm(output.xyz - places, dim=-1)
        up_error = torch.linalg.vector_norm(output.up - up, dim=-1)
        known = ~contacts.isnan()
        logits, wanted = output.contact_logit[known], contacts[known]
        loss = (weight * _with_uncertainty(error, output.log_error)).mean()
        loss = loss + _UP_WEIGHT * _with_uncertainty(up_error, output.log_up_error).mean()
        if len(wanted):
            loss = loss + _CONTACT_WEIGHT * nn.functional.binary_cross_entropy_with_logits(logits, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            free = even[:, -1] == 0
            now = torch.stack(
                (
                    error[:, limbs].mean() * 1700,
                    torch.rad2deg(up_error[free].mean()),
                    ((logits > 0) == (wanted > 0.5)).float().mean(),
                )
            )
        means = now if means is None else torch.where(means.isnan(), now, means + 0.02 * (now - means).nan_to_num())
        progress(TrainingProgress(step + 1, *means.tolist()))
        if time.monotonic() - saved_s > _SAVE_EVERY_S:
            saved_s = time.monotonic()
            _save_state(training, network, optimizer, step + 1)
    _save_state(training, network, optimizer, training.steps)
    return network.eval()


def _with_uncertainty(error: Tensor, log_error: Tensor) -> Tensor:
    """The error, plus the negative log-likelihood of it under a Laplace distribution of the predicted width."""
    return error + _ERROR_LOSS_WEIGHT * (error.detach() * torch.exp(-log_error) + log_error)


def _save_state(training: Training, network: LifterNetwork, optimizer: torch.optim.Optimizer, done: int) -> None:
    if training.state is None:
        return
    state = {"steps": training.steps, "seed": training.seed, "done": done}
    tensors = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    with replacing(training.state) as path:
        torch.save(state | tensors, path)


def _load_state(training: Training, network: LifterNetwork, optimizer: torch.optim.Optimizer) -> int:
    """Continue from the state file, if there is one; returns the number of batches done."""
    if training.state is None or not training.state.is_file():
        return 0
    try:
        state = torch.load(training.state, map_location=training.device, weights_only=True)
        of = state["steps"], state["seed"]
        if of != (training.steps, training.seed):
            raise CheckpointError(
                f"{training.state} is of a training with {of[0]} steps and seed {of[1]}, wanted {training.steps} and "
                f"{training.seed}; give those numbers, or delete the file to start again"
            )
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["done"])
    except CheckpointError:
        raise
    except Exception as exc:  # torch, pickle and zipfile each have their own errors for a damaged file
        raise CheckpointError(
            f"cannot read the unfinished training {training.state} ({' '.join(str(exc).split())}); delete it to "
            "start again"
        ) from exc


def part_of(name: str) -> str:
    """The body part of a point; nose, eyes and ears count as face."""
    part = LAYOUT.parts[LAYOUT.index[name]]
    return "face" if part == "body" and LAYOUT.index[name] < 5 else part


def _rate(done: float) -> float:
    """The learning rate relative to its maximum: a short warm-up, then a cosine decay."""
    if done < _WARM_UP:
        return done / _WARM_UP
    fall = (done - _WARM_UP) / (1 - _WARM_UP)
    return _FINAL + (1 - _FINAL) * 0.5 * (1 + np.cos(np.pi * fall))


def save_lifter(network: LifterNetwork, path: Path, about: dict[str, str]) -> None:
    """Write the weights as float16 safetensors, with `about` as metadata."""
    from safetensors.numpy import save_file

    tensors = {name: value.detach().cpu().numpy().astype(np.float16) for name, value in network.state_dict().items()}
    save_file(tensors, path, about)
