"""ViTPose fitted to the actor's clip: `python -m realtime_pose.training.fit_vitpose [--out FILE] [--size s]`.

The result works on this one actor only. It is for measurements: a complete model whose heatmaps have real peaks,
trained from scratch in minutes, on which runtimes, quantization and other programs can be compared.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_pose.checkpoints import recognise_vitpose, save_vitpose
from realtime_pose.errors import RealtimePoseError
from realtime_pose.inference.crops import Cropper
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.runtimes.torch_runtime import gains_by_bf16
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.vitpose.network import VitPoseNetwork
from realtime_pose.skeletons import COCO17
from realtime_pose.training.actor_crops import HEATMAP_WH, ActorFrame, CropMaker, actor_frames, is_held_out
from realtime_pose.utils.paths import cache_folder

_SIZES = {"s": (384, 12, 12), "b": (768, 12, 12)}  # width, layers, heads
_GEOMETRY = CropGeometry()
_BATCH = 8
_LEARNING_RATE = {"s": 5e-4, "b": 3e-4}
_WARM_UP = 0.05  # of all steps
_SHARPNESS = 10.0  # factor that turns heatmaps into logits
_NEAR_PX = 5.0


@dataclass(frozen=True)
class Fit:
    """Accuracy of a model's keypoints on held-out frames.

    Attributes:
        keypoints: Number of keypoints, including occluded ones.
        median_px, p95_px: Distance from the truth, pixels of the frame.
        near: Share of keypoints within 5 px.
        pck: Share within 5 % of the longer side of the person's box (PCK@0.05).
        score: Median height of the peaks.
    """

    keypoints: int
    median_px: float
    p95_px: float
    near: float
    pck: float
    score: float

    def __str__(self) -> str:
        return (
            f"{self.keypoints} held-back keypoints: median {self.median_px:.2f} px, 95th percentile {self.p95_px:.2f} "
            f"px, {self.near:.1%} within {_NEAR_PX:g} px, PCK@0.05 {self.pck:.1%}, median score {self.score:.2f}"
        )


def fit_vitpose(
    size: str,
    decoder: str,
    crops: int,
    seed: int,
    frames: Sequence[ActorFrame],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> nn.Module:
    """Trains a ViTPose on `crops` crops of the frames that are not held out; returns it in evaluation mode.

    Args:
        size: "s" or "b".
        decoder: "classic" or "simple".
        crops: Number of crops, in batches of 8.
        seed: Seed of the initial weights and of the crops.
        frames: The clip.
        progress: Called with the number of crops done, and the total.
    """
    torch.manual_seed(seed)
    network = _new_network(size, decoder)
    maker = CropMaker([f for f in frames if not is_held_out(f.frame)], _GEOMETRY, seed)
    optimizer = torch.optim.AdamW(network.parameters(), _LEARNING_RATE[size], betas=(0.9, 0.99), fused=True)
    steps = max(1, crops // _BATCH)
    for step in range(steps):
        warm_up = min(1.0, (step + 1) / (_WARM_UP * steps))
        optimizer.param_groups[0]["lr"] = _LEARNING_RATE[size] * warm_up * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        crops_rgb, targets = (torch.from_numpy(array) for array in maker.batch(_BATCH))
        with torch.autocast("cpu", torch.bfloat16, enabled=gains_by_bf16("cpu")):
            heatmaps = network(crops_rgb.contiguous(memory_format=torch.channels_last))
        optimizer.zero_grad()
        torch.autograd.backward(_loss(heatmaps.float(), targets))
        optimizer.step()
        progress((step + 1) * _BATCH, steps * _BATCH)
    return network.eval()


def judge(network: nn.Module, frames: Sequence[ActorFrame]) -> Fit:
    """The network's accuracy on the held-out ones of `frames`, at fp32."""
    cropper = Cropper(_GEOMETRY)
    away, longer_side, scores = [], [], []
    for held in (f for f in frames if is_held_out(f.frame)):
        crop, regions = cropper.crop(held.frame.image_bgr, held.box_xyxy_px[None])
        with torch.inference_mode():
            xy_cells, score = decode_heatmaps(network(torch.from_numpy(crop)).numpy(), _GEOMETRY.blur_kernel)
        away.append(np.linalg.norm(xy_in_frame(xy_cells, regions, HEATMAP_WH)[0] - held.xy_px, axis=-1))
        longer_side.append(np.max(held.box_xyxy_px[2:] - held.box_xyxy_px[:2]))
        scores.append(score[0])
    away_px = np.array(away)
    return Fit(
        keypoints=away_px.size,
        median_px=float(np.median(away_px)),
        p95_px=float(np.percentile(away_px, 95)),
        near=float(np.mean(away_px < _NEAR_PX)),
        pck=float(np.mean(away_px < 0.05 * np.array(longer_side)[:, None])),
        score=float(np.median(scores)),
    )


def _loss(heatmaps: Tensor, wanted: Tensor) -> Tensor:
    """KL divergence of the heatmaps as distributions over the cells, plus a weighted squared error; 0 for the target.

    The squared error alone stays with empty heatmaps for thousands of crops, because most cells are empty. With the
    divergence, peaks appear within the first hundred crops.
    """
    seen = wanted.amax(dim=(2, 3)) > 0
    log_probs = F.log_softmax(_SHARPNESS * heatmaps.flatten(2)[seen], dim=-1)
    wanted_log_probs = F.log_softmax(_SHARPNESS * wanted.flatten(2)[seen], dim=-1)
    divergence = F.kl_div(log_probs, wanted_log_probs, reduction="batchmean", log_target=True)
    return divergence + 100 * ((heatmaps - wanted) ** 2 * (1 + 10 * wanted)).mean()


def _new_network(size: str, decoder: str) -> nn.Module:
    """An untrained network, with sine and cosine positional embeddings."""
    width, layers, heads = _SIZES[size]
    network = VitPoseNetwork(width, layers, heads, decoder, len(COCO17.names))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.ndim == 2:
                is_last_of_branch = name.endswith(("attn.proj.weight", "ffn.layers.1.weight"))
                nn.init.trunc_normal_(parameter, std=0.02 * ((2 * layers) ** -0.5 if is_last_of_branch else 1.0))
            elif name.startswith("head") and parameter.ndim == 4:
                # Otherwise the deconvolutions' backward pass at bf16 takes ten times as long on CPUs.
                parameter.data = parameter.contiguous(memory_format=torch.channels_last)
        network.backbone.pos_embed.copy_(0.5 * _waves(network.backbone.grid, width))
        nn.init.normal_(network.head.final_layer.weight, std=0.005)
    return network.train()


def _waves(grid: tuple[int, int], width: int) -> Tensor:
    """Sines and cosines of each patch's column and row at `width` / 4 wavelengths: (1, patches, width).

    Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.5, in two dimensions.
    """
    rows, columns = torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in grid), indexing="ij")
    frequency = 100.0 ** (-4 * torch.arange(width // 4) / width)
    angles = [axis.flatten()[:, None] * frequency for axis in (columns, rows)]
    return torch.cat([wave for angle in angles for wave in (angle.sin(), angle.cos())], dim=1)[None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the options, fit, evaluate and write; returns the exit code."""
    from rich.progress import Progress

    parser = argparse.ArgumentParser(
        prog="python -m realtime_pose.training.fit_vitpose", description="Fit a ViTPose to the actor's clip."
    )
    parser.add_argument("--size", choices=sorted(_SIZES), default="s", help="s or b; b takes four times as long")
    parser.add_argument("--decoder", choices=("classic", "simple"), default="classic")
    parser.add_argument("--out", type=Path, help="the .safetensors file; by default where tests and benchmarks look")
    parser.add_argument("--crops", type=int, default=6000, help="number of training crops")
    parser.add_argument("--seed", type=int, default=0, help="seed of the initial weights and of the crops")
    options = parser.parse_args(arguments)
    if options.crops < 1 or options.seed < 0:
        parser.error(f"--crops is {options.crops} and --seed {options.seed}; wanted 1 and 0 or more")
    try:
        frames = list(actor_frames())
        with Progress() as bar:
            task = bar.add_task(f"fitting ViTPose-{options.size.upper()}")
            network = fit_vitpose(
                options.size, options.decoder, options.crops, options.seed, frames,
                lambda done, total: bar.update(task, completed=done, total=total),
            )  # fmt: skip
        found = judge(network, frames)
        out = options.out or fitted_file(options.size, options.decoder)
        save_vitpose(recognise_vitpose(network.state_dict(), out), out, overwrite=True)
    except RealtimePoseError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.write(f"{found}\nwritten: {out}\n")
    return 0


def fitted_file(size: str, decoder: str = "classic") -> Path:
    """The path where tests and benchmarks look for the fitted weights; it may not exist."""
    ending = "-simple" if decoder == "simple" else ""
    return cache_folder() / "checkpoints" / f"actor-vitpose-{size}{ending}.safetensors"


if __name__ == "__main__":
    sys.exit(main())
