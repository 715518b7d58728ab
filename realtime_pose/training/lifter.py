"""Training of the lifter, on random and captured motion, never on poses from another lifter."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from realtime_pose.inference.runtimes.torch_runtime import gains_by_bf16
from realtime_pose.lifting.network_input import INPUT_COUNTS, OUTPUT_BASIS, WINDOW_S, MirrorParts, features_of
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.motions import FRAME_RATE_HZ, Motion
from realtime_pose.training.poses import draw_poses
from realtime_pose.training.views import SimulatedViews, simulate_views
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

WIDTH, BLOCKS = 768, 2
_BODIES, _CAMERAS = 352, 3  # bodies per batch, and cameras per body
_LEARNING_RATE, _WARM_UP, _FINAL = 1e-3, 0.03, 0.01
_WEIGHT_OF_PART = {"body": 1.0, "foot": 0.35, "hand": 0.25, "face": 0.35}
_ERROR_LOSS_WEIGHT = 0.02  # of the loss of the predicted error
_LIVELY = (
    "walk",
    "run",
    "02_01",
    "02_02",
    "02_03",
    "03_01",
    "03_02",
)  # the most common motions, drawn five times as often
_DEVIATION_RAD = np.radians(7.0)


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

    def forward(self, even: Tensor, odd: Tensor) -> tuple[Tensor, Tensor]:
        """Positions (N, K, 3) in body heights, the view's axes, and the logarithm (N, K) of the expected error."""
        x = _paired_relu(*self.first(even, odd))
        for one, two in zip(self.layers[::2], self.layers[1::2], strict=True):
            y = _paired_relu(*two(*_paired_relu(*one(*x))))
            x = x[0] + y[0], x[1] + y[1]
        shared, differing = self.last(*x)
        answer = shared.float() @ self.even_answer + differing.float() @ self.odd_answer
        answer = answer.reshape(len(answer), len(LAYOUT.names), 4)
        return answer[..., :3], answer[..., 3]


class MotionBank:
    """Captured motion from which random windows are drawn."""

    def __init__(self, clips: dict[str, Motion]) -> None:
        self._reach = int(np.ceil(WINDOW_S[-1] * FRAME_RATE_HZ * 1.4)) + 1
        clips = {name: clip for name, clip in clips.items() if len(clip) > self._reach + 4}
        self._motion = Motion.concatenate(list(clips.values()))
        lengths = np.array([len(clip) for clip in clips.values()])
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        often = np.array([5.0 if any(word in name for word in _LIVELY) else 1.0 for name in clips])
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
    )


def _with_variation(rng: np.random.Generator, motion: Motion) -> Motion:
    """Individual variation: each limb and the trunk rotated by a random constant per motion."""
    n = len(motion)

    def own(*shape: int, of: float = _DEVIATION_RAD) -> Float64:
        return rot.from_rotvec(rng.normal(0, of / np.sqrt(3), (n, 1, *shape, 3)))

    arm, leg = own(2), own(2)
    return Motion(
        rot.multiply(motion.pelvis_xyzw, own(of=_DEVIATION_RAD / 2)),
        rot.multiply(motion.chest_xyzw, own(of=_DEVIATION_RAD / 2)),
        rot.multiply(motion.head_xyzw, own()),
        rot.rotate(arm[:, :, :, None], motion.arms),
        rot.rotate(leg[:, :, :, None], motion.legs),
        rot.multiply(arm, rot.multiply(motion.hands_xyzw, own(2))),
        rot.multiply(leg, rot.multiply(motion.feet_xyzw, own(2))),
        motion.root,
    )


def draw_batch(rng: np.random.Generator, bank: MotionBank | None) -> SimulatedViews:
    """1,056 views of 352 bodies: half with random poses, a third with captured motion, the rest combined from both."""
    drawn = draw_poses(rng, -WINDOW_S, _BODIES)
    if bank is None:
        motion = drawn
    else:
        captured = _with_variation(rng, bank.draw(rng, _BODIES))
        a, b, c = _BODIES // 2, _BODIES * 5 // 6, _BODIES * 11 // 12
        parts = [drawn[:a], captured[a:b]]
        parts += [drawn[b:c].with_lower_body_of(captured[b:c]), captured[c:].with_lower_body_of(drawn[c:])]
        motion = Motion.concatenate(parts)
    points = body_points(motion, draw_proportions(rng, _BODIES))
    return simulate_views(rng, np.tile(points, (_CAMERAS, 1, 1, 1)))


def features_and_truth(views: SimulatedViews) -> tuple[MirrorParts, Float64]:
    """The network's input for N views, and the true points (N, K, 3) in the view's axes."""
    features, view = features_of(views.xy, views.score)
    return features, views.truth @ view.camera_from_view


class _Batches(IterableDataset[tuple[Tensor, Tensor, Tensor]]):
    """A sequence of batches, each with a seed of its own, so that a run can be repeated."""

    def __init__(self, bank: MotionBank | None, seed: int, steps: int) -> None:
        self._bank, self._seed, self._steps = bank, seed, steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for step in range(self._steps):
            rng = np.random.default_rng((self._seed, step))
            features, truth = features_and_truth(draw_batch(rng, self._bank))
            even, odd, places = (torch.from_numpy(x.astype(np.float32)) for x in (*features, truth))
            yield even, odd, places


@dataclass(frozen=True)
class Training:
    """Settings of a training run.

    Attributes:
        steps: Number of batches, of 1,056 views each.
        seed: Seed of the initial weights and of the batches.
        device: torch's name of the device.
    """

    steps: int
    seed: int = 0
    device: str = "cpu"


def train_lifter(
    clips: dict[str, Motion], training: Training, progress: Callable[[int, float], None] = lambda step, error_mm: None
) -> LifterNetwork:
    """Train a network.

    Args:
        clips: Captured motion by name; empty to train on random poses only.
        training: Settings of the run.
        progress: Called with each step and the running mean error in mm of the 12 limb joints of a body of 1.7 m.

    Returns:
        The trained network.
    """
    torch.manual_seed(training.seed)
    torch.set_num_threads(max(1, (os.cpu_count() or 1) - 1))  # one core draws the bodies
    network = LifterNetwork().to(training.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_LEARNING_RATE, weight_decay=1e-3, fused=True)
    batches = _Batches(MotionBank(clips) if clips else None, training.seed, training.steps)
    weight = torch.tensor([_WEIGHT_OF_PART[part_of(name)] for name in LAYOUT.names], device=training.device)
    limbs = [LAYOUT.index[name] for name in LAYOUT.names[5:17]]
    kind, mean_mm = training.device.partition(":")[0], float("nan")
    for step, batch in enumerate(DataLoader(batches, batch_size=None, num_workers=1, prefetch_factor=4)):
        even, odd, truth = (part.to(training.device) for part in batch)
        for group in optimizer.param_groups:
            group["lr"] = _LEARNING_RATE * _rate(step / training.steps)
        with torch.autocast(kind, torch.bfloat16, enabled=gains_by_bf16(training.device)):
            places, log_error = network(even, odd)
        error = torch.linalg.vector_norm(places - truth, dim=-1)
        error_loss = error.detach() * torch.exp(-log_error) + log_error
        loss = (weight * (error + _ERROR_LOSS_WEIGHT * error_loss)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        now_mm = float(error.detach()[:, limbs].mean()) * 1700
        mean_mm = now_mm if step == 0 else mean_mm + 0.02 * (now_mm - mean_mm)
        progress(step + 1, mean_mm)
    return network.eval()


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
