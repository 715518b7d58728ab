"""ViTPose-S, ours beside mmpose's `inference_topdown`: the same random weights, frame and boxes, turn by turn.

    python benchmarks/vitpose.py [--people N] [--rounds N]

Random weights cost what trained ones do. Both run torch on the CPU without flip test, so the difference is what happens
before and after the network. Prints how long a frame takes, the median ratio of the rounds, and our three parts.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.heatmaps import decode_heatmaps
from realtime_pose.inference.mmpose_compat import build_topdown_model, import_mmpose
from realtime_pose.inference.vitpose import ViTPoseEstimator
from realtime_pose.utils.paths import data_path

_CONFIG = data_path("configs/vitpose/vitpose-s.py")


def _random_weights(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    shapes = build_topdown_model(_CONFIG).network.state_dict()
    tensors = {
        name: 0.05 * torch.randn(tensor.shape, generator=generator).abs()
        if tensor.is_floating_point()
        else torch.tensor(0)
        for name, tensor in shapes.items()
    }
    torch.save(tensors, folder / "random.pth")
    return folder / "random.pth"


def _mmpose_way(weights: Path, frame: Frame, boxes: np.ndarray) -> Callable[[], object]:
    import_mmpose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mmengine.config import Config
        from mmpose.apis import inference_topdown, init_model

        config = Config.fromfile(str(_CONFIG))
        config.model.backbone.type = "PlainVisionTransformer"
        config.train_dataloader = config.test_dataloader
        model = init_model(config, device="cpu")
    model.load_state_dict(torch.load(weights, weights_only=True))
    return lambda: inference_topdown(model, frame.image_bgr, boxes)


def _time(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()

    rng = np.random.default_rng(0)
    frame = Frame(rng.integers(0, 255, (720, 1280, 3), np.uint8), 0, 0, 0)
    corners = rng.uniform([0, 0], [900, 300], (options.people, 2))
    boxes = np.hstack((corners, corners + np.array([250, 400]))).astype(np.float32)
    people = [PersonBox(box.copy(), 1.0, i) for i, box in enumerate(boxes)]
    with tempfile.TemporaryDirectory() as folder:
        weights = _random_weights(Path(folder))
        ours = ViTPoseEstimator(InferenceConfig(checkpoint=str(weights), device="cpu"))
        theirs = _mmpose_way(weights, frame, boxes)
    crops, _ = ours._cropper.crop(frame.image_bgr, boxes)
    heatmaps = ours.heatmaps(crops)
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: ours.estimate(frame, people),
        "mmpose": theirs,
        "  our crops": lambda: ours._cropper.crop(frame.image_bgr, boxes),
        "  the network": lambda: ours.heatmaps(crops),
        "  our decoding": lambda: decode_heatmaps(heatmaps),
    }
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()  # the first call of each allocates
    for _ in range(options.rounds):
        for name, call in calls.items():
            samples[name].append(_time(call))
    print(f"ViTPose-S, torch on the CPU, {torch.get_num_threads()} threads, {options.people} people, 1280x720")
    for name, values in samples.items():
        print(f"{name:15} median {statistics.median(values) * 1000:7.2f} ms, best {min(values) * 1000:7.2f} ms")
    ratios = [theirs / ours for theirs, ours in zip(samples["mmpose"], samples["ours"], strict=True)]
    print(f"mmpose / ours   median {statistics.median(ratios):7.2f}")


if __name__ == "__main__":
    main()
