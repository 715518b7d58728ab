"""Inference of the trained lifter's network, in ONNX Runtime or in numpy, and loading of its weights."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CheckpointError
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, OUTPUT_BASIS, MirrorParts
from realtime_pose.lifting.network_onnx import onnx_network
from realtime_pose.utils.arrays import Float32, Float64
from realtime_pose.utils.paths import data_path

WEIGHTS = "resources/lifter/lifter.safetensors"
"""The shipped weights, made by `realtime-pose train lifter`."""

_MAKE = "realtime-pose train lifter"


class Prediction(NamedTuple):
    """The network's output for N inputs.

    Attributes:
        xyz: (N, K, 3) points from the midpoint of the hips, in body heights, in gravity-view axes.
        error: (N, K) predicted position error of each, in body heights.
        up: (N, 3) unit vector against gravity, in the view's axes.
        up_error_rad: (N,) its predicted error.
        contact: (N, 2, 2) probability that the heel and the toe of the left and the right foot stand.
    """

    xyz: Float64
    error: Float64
    up: Float64
    up_error_rad: Float64
    contact: Float64


class _Layer(NamedTuple):
    """A mirror-equivariant linear layer: even outputs from even inputs, odd from odd."""

    even: Float32
    bias: Float32
    odd: Float32

    def apply(self, even: Float32, odd: Float32) -> tuple[Float32, Float32]:
        # Row by row: a product with all rows would copy the weights first, which takes longer than reading them again.
        return np.matvec(self.even, even) + self.bias, np.matvec(self.odd, odd)


class LifterWeights:
    """The weights of `training.lifter.LifterNetwork`, which documents the architecture and its sources."""

    def __init__(self, tensors: dict[str, Float32], *, quantize: bool = True) -> None:
        """Initialise from that network's tensors.

        Args:
            tensors: By name.
            quantize: Whether to run with 8-bit weights in ONNX Runtime where that is installed; else in numpy.

        Raises:
            CheckpointError: A tensor is missing or has another shape.
        """
        count = len({name.split(".")[1] for name in tensors if name.startswith("layers.")})
        try:
            layers = [
                _Layer(
                    *(
                        tensors[f"{name}.{part}"].astype(np.float32)
                        for part in ("even.weight", "even.bias", "odd.weight")
                    )
                )
                for name in ("first", *(f"layers.{i}" for i in range(count)), "last")
            ]
        except KeyError as exc:
            raise CheckpointError(f"the lifter's weights lack {exc}; make them with: {_MAKE}") from exc
        inputs = layers[0].even.shape[1], layers[0].odd.shape[1]
        outputs = len(layers[-1].even), len(layers[-1].odd)
        wanted = INPUT_COUNTS, (OUTPUT_BASIS.even.shape[1], OUTPUT_BASIS.odd.shape[1])
        if (inputs, outputs) != wanted:
            raise CheckpointError(
                f"the lifter's weights have {inputs} inputs and {outputs} outputs, wanted {wanted[0]} and {wanted[1]}; "
                f"make them again with: {_MAKE}"
            )
        self._run = (onnx_network(layers) if quantize else None) or partial(_run, layers)

    def __call__(self, features: MirrorParts) -> Prediction:
        """The predictions for the features (N, ...) from `network_input.features_of`."""
        even, odd = self._run(features.even.astype(np.float32), features.odd.astype(np.float32))
        output = even @ OUTPUT_BASIS.even.T + odd @ OUTPUT_BASIS.odd.T
        n, k = len(output), len(LAYOUT.names)
        points, up, contact = output[:, : 4 * k].reshape(n, k, 4), output[:, 4 * k : 4 * k + 4], output[:, 4 * k + 4 :]
        norm = np.maximum(np.linalg.norm(up[:, :3], axis=1, keepdims=True), 1e-6)
        return Prediction(
            points[..., :3],
            np.exp(np.clip(points[..., 3], -9.0, 3.0)),
            up[:, :3] / norm,
            np.exp(np.clip(up[:, 3], -9.0, 1.0)),
            1.0 / (1.0 + np.exp(-np.clip(contact, -30.0, 30.0).reshape(n, 2, 2))),
        )


def _run(layers: list[_Layer], even: Float32, odd: Float32) -> tuple[Float32, Float32]:
    """The last layer's output for the first one's input."""
    first, *blocks, last = layers
    x = _relu(*first.apply(even, odd))
    for one, two in zip(blocks[::2], blocks[1::2], strict=True):
        y = _relu(*two.apply(*_relu(*one.apply(*x))))
        x = x[0] + y[0], x[1] + y[1]
    return last.apply(*x)


def _relu(even: Float32, odd: Float32) -> tuple[Float32, Float32]:
    """ReLU on the features of both sides, even + odd and even - odd."""
    one, other = np.maximum(even + odd, 0), np.maximum(even - odd, 0)
    return (one + other) / 2, (one - other) / 2


def _limit_blas_threads() -> None:
    """Limit numpy's BLAS to one thread in this process.

    One person's matrix products are too small to parallelise, and waiting BLAS threads spin on the cores that the pose
    model needs: on 2 cores the dashboard ran at 18 to 30 frames a second with them, and at 30 without.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


def load_lifter_weights(path: Path | None = None, *, quantize: bool = True) -> LifterWeights:
    """The shipped weights, or those of another file; `quantize` as in LifterWeights.

    Raises:
        CheckpointError: The file cannot be read, or does not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = path or data_path(WEIGHTS)
    _limit_blas_threads()
    try:
        return LifterWeights(load_file(path), quantize=quantize)
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(
            f"cannot read the lifter's weights {path} ({exc}); make them with: {_MAKE}, "
            "or lift without them: --lifter geometric"
        ) from exc
