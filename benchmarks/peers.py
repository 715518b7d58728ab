"""Speed of ViTPose here and in other programs: the same random weights, images and boxes, in turn in one process.

    python benchmarks/peers.py [--size s|b|l|h] [--people 1,4,16] [--rounds 15] [--device cpu|cuda]
    python benchmarks/peers.py --estimator blazepose [--rounds 100]     # BlazePose beside MediaPipe's own graph

Random weights take as long as trained ones. The others are transformers (processor, model, post-processing), mmpose
(`inference_topdown`, no flip test) and easy_ViTPose's path for an ONNX file. Everything is timed from
the image and the boxes to keypoints. Ratios are medians of the ratios of each round, so that a disturbance of
the machine affects both sides. int8 is quantized on noise here: its speed is right, its keypoints are not.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from peer_blazepose import measure_blazepose
from peer_paths import Way, mmpose_way, onnx_way, transformers_way

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import RealtimePoseError
from realtime_pose.evaluation.random_models import quantize_on_noise
from realtime_pose.evaluation.selftest import TRUTH
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.runtimes import onnx_runtime
from realtime_pose.inference.runtimes.base import SourceModel
from realtime_pose.inference.vitpose.estimator import ViTPoseEstimator
from realtime_pose.inference.vitpose.models import load_model
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
from realtime_pose.utils.paths import data_path

sys.path.append(str(data_path("tests")))  # for the random weights of the tests
from support.vitpose import mmpose_tensors, random_vitpose, save

_OURS = {
    "cpu": ("openvino int8", "openvino bf16", "openvino fp32", "onnxruntime fp32", "torch bf16", "torch fp32"),
    "cuda": ("tensorrt fp16", "onnxruntime fp16", "torch fp16", "torch fp32"),
}
_PEERS = ("transformers", "mmpose", "ONNX path")
_PARTS = ("crop", "network", "decode")
_SETTLE_S = 0.03  # threads of the previous one may still spin
_WARM_ROUNDS = 2


@dataclass
class Column:
    """One program and its times: seconds by round, and for ours the parts."""

    name: str
    way: Way
    estimator: ViTPoseEstimator | None = None
    seconds: list[float] = field(default_factory=list)
    parts_ms: dict[str, list[float]] = field(default_factory=lambda: {part: [] for part in _PARTS})

    def run(self, image: np.ndarray, boxes: np.ndarray) -> None:
        """Run once for the threads to wake up, and once for the clock."""
        time.sleep(_SETTLE_S)
        self.way(image, boxes)
        if self.estimator is not None:
            self.estimator.stopwatch.take()
        start = time.perf_counter()
        self.way(image, boxes)
        self.seconds.append(time.perf_counter() - start)
        if self.estimator is not None:
            for part, taken_ms in self.estimator.stopwatch.take().items():
                self.parts_ms[part].append(taken_ms)

    def forget(self) -> None:
        """Reset."""
        self.seconds.clear()
        for values in self.parts_ms.values():
            values.clear()


def _ours(name: str, weights: Path, device: str) -> Column:
    runtime, precision = name.split()
    config = InferenceConfig(checkpoint=str(weights), runtime=runtime, precision=precision, device=device)
    estimator = ViTPoseEstimator(config, lambda sentence: None)

    def way(image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        people = [PersonBox(box.copy(), 1.0, i) for i, box in enumerate(boxes)]
        return np.stack([person.xy_px for person in estimator.estimate(Frame(image, 0, 0, 0), people)])

    return Column(f"ours, {name}", way, estimator)


def _scenes(people: int, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames of the actor, each with its box and further person-shaped boxes up to the wanted number."""
    truth = load_truth(data_path(TRUTH))
    body = truth.keypoints_px[:, COCO17_FEET_HANDS.rows(COCO17.names)]
    rng = np.random.default_rng(0)
    clip = cv2.VideoCapture(str(data_path("resources/videos/default.mp4")))
    for index in range(count):
        found, image = clip.read()
        if not found:
            raise SystemExit(f"the clip ends at frame {index}, before {count} rounds")
        low, high = body[index].min(axis=0) - 10, body[index].max(axis=0) + 10
        size = (high - low) * rng.uniform(0.6, 1.1, (people - 1, 1))
        corner = rng.uniform(0, 1, (people - 1, 2)) * np.maximum(np.array([640, 480]) - size, 1)
        others = np.hstack((corner, corner + size))
        yield image, np.vstack((np.hstack((low, high)), others)).astype(np.float32)
    clip.release()


def _measure(columns: list[Column], people: int, rounds: int) -> None:
    """Measure all columns."""
    for turn, (image, boxes) in enumerate(_scenes(people, rounds + _WARM_ROUNDS)):
        if turn == _WARM_ROUNDS:
            for column in columns:
                column.forget()
        first = turn % len(columns)  # so that the order varies
        for column in columns[first:] + columns[:first]:
            column.run(image, boxes)


def _print(columns: list[Column], people: int, flops: float, peak: float) -> None:
    peers = [column for column in columns if column.estimator is None]
    heads = "".join(f"{column.name + ' /':>15}" for column in peers)
    print(f"\n{people} {'person' if people == 1 else 'people'}, {len(columns[0].seconds)} rounds")
    print(f"{'':24}{'ms':>8}{'ms each':>9}{'crop':>7}{'network':>9}{'decode':>8}{'of peak':>9}{heads}")
    for column in columns:
        taken = statistics.median(column.seconds)
        line = f"{column.name:24}{1e3 * taken:8.2f}{1e3 * taken / people:9.2f}"
        if column.estimator is not None:
            crop, network, decode = (statistics.median(column.parts_ms[part]) for part in _PARTS)
            line += f"{crop:7.2f}{network:9.2f}{decode:8.2f}{flops * people / (network / 1e3) / peak:9.0%}"
            for peer in peers:
                ratios = [theirs / ours for theirs, ours in zip(peer.seconds, column.seconds, strict=True)]
                line += f"{statistics.median(ratios):14.2f}x"
        print(line.rstrip())


def _flops(source: SourceModel) -> float:
    """Floating point operations of one crop, a multiplication and an addition counting as two."""
    from torch.utils.flop_counter import FlopCounterMode

    if source.network is None:
        raise SystemExit("only a torch model can be counted")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        source.network(torch.zeros(1, 3, 256, 192))
    return float(counter.get_total_flops())


def _peak_flops(device: str) -> tuple[str, float]:
    """Operations per second of a large matrix product here, at the given precision."""
    dtype = torch.float16 if device == "cuda" else torch.bfloat16
    side = 8192 if device == "cuda" else 2048
    a, b = (torch.randn(side, side).to(device, dtype) for _ in range(2))
    wait: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    best = float("inf")
    for _ in range(8):
        wait()
        start = time.perf_counter()
        a @ b
        wait()
        best = min(best, time.perf_counter() - start)
    return f"{str(dtype).removeprefix('torch.')} product of {side} x {side} matrices", 2 * side**3 / best


def _columns(size: str, device: str, folder: Path) -> tuple[list[Column], SourceModel]:
    """Everything that runs here, ours first; prints what does not."""
    model = random_vitpose(size)
    tensors = mmpose_tensors(model)
    weights = save(tensors, folder / "random.safetensors")
    config = InferenceConfig(checkpoint=str(weights))
    source = load_model(config).source
    columns = []
    for name in _OURS[device]:
        try:
            if name == "openvino int8":
                quantize_on_noise(config)
            columns.append(_ours(name, weights, device))
        except (RealtimePoseError, ImportError) as exc:
            print(f"left out: {name}: {exc}")
    dtype = torch.float16 if device == "cuda" else torch.float32
    onnx = onnx_runtime.exported(source)
    makers: dict[str, Callable[[], Way]] = {
        "transformers": lambda: transformers_way(model, device, dtype),
        "mmpose": lambda: mmpose_way(tensors, size, device),
        "ONNX path": lambda: onnx_way(onnx, device),
    }
    return columns + [Column(name, makers[name]()) for name in _PEERS], source


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--estimator", choices=("vitpose", "blazepose"), default="vitpose")
    parser.add_argument("--size", choices=("s", "b", "l", "h"), default="s")
    parser.add_argument("--people", help="People at a time, e.g. 1,4,16; by default 1,64 on cuda.")
    parser.add_argument("--rounds", type=int, default=15, help="For one person; fewer for more, at least 3.")
    parser.add_argument("--device", choices=tuple(_OURS), default="cpu")
    options = parser.parse_args()
    if options.estimator == "blazepose":
        measure_blazepose(options.rounds)
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("torch finds no CUDA GPU here; leave --device out")
    counts = [int(n) for n in (options.people or ("1,64" if options.device == "cuda" else "1,4,16")).split(",")]

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries' warnings about each other
        os.environ["XDG_CACHE_HOME"] = folder  # models made from random weights are temporary
        columns, source = _columns(options.size, options.device, Path(folder))
        what, peak = _peak_flops(options.device)
        flops = _flops(source)
        name = torch.cuda.get_device_name() if options.device == "cuda" else f"{os.cpu_count()} CPU cores"
        print(f"ViTPose-{options.size.upper()}, {name}, {torch.get_num_threads()} torch threads, 640x480")
        print(f"{flops / 1e9:.1f} GFLOP a person; peak {peak / 1e12:.2f} TFLOPS, a {what}")
        print("ratios: how many times as long the peer takes")
        for people in counts:
            rounds = max(3, round(options.rounds / people**0.5))
            _measure(columns, people, rounds)
            _print(columns, people, flops, peak)


if __name__ == "__main__":
    main()
