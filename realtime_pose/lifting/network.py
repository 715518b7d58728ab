"""Inference of the trained lifter's network in numpy, one person per call, and loading of its weights."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CheckpointError
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, OUTPUT_BASIS, MirrorParts
from realtime_pose.utils.arrays import Float32, Float64
from realtime_pose.utils.paths import data_path

WEIGHTS = "resources/lifter/lifter.safetensors"
"""The shipped weights, made by `realtime-pose train lifter`."""

_MAKE = "realtime-pose train lifter"


class Prediction(NamedTuple):
    """The network's output for one person.

    Attributes:
        xyz: (K, 3) points from the midpoint of the hips, in body heights, in the view's axes.
        error: (K,) predicted position error of each, in body heights.
    """

    xyz: Float64
    error: Float64


class _Layer(NamedTuple):
    """A mirror-equivariant linear layer: even outputs from even inputs, odd from odd."""

    even: Float32
    bias: Float32
    odd: Float32

    def apply(self, even: Float32, odd: Float32) -> tuple[Float32, Float32]:
        return self.even @ even + self.bias, self.odd @ odd


class LifterWeights:
    """The weights of `training.lifter.LifterNetwork`, which documents the architecture and its sources."""

    def __init__(self, tensors: dict[str, Float32]) -> None:
        """Initialise from that network's tensors.

        Raises:
            CheckpointError: A tensor is missing or has another shape.
        """
        count = len({name.split(".")[1] for name in tensors if name.startswith("layers.")})
        try:
            self._first, *self._layers, self._last = (
                _Layer(
                    *(
                        tensors[f"{name}.{part}"].astype(np.float32)
                        for part in ("even.weight", "even.bias", "odd.weight")
                    )
                )
                for name in ("first", *(f"layers.{i}" for i in range(count)), "last")
            )
        except KeyError as exc:
            raise CheckpointError(f"the lifter's weights lack {exc}; make them with: {_MAKE}") from exc
        inputs = self._first.even.shape[1], self._first.odd.shape[1]
        outputs = len(self._last.even), len(self._last.odd)
        wanted = INPUT_COUNTS, (OUTPUT_BASIS.even.shape[1], OUTPUT_BASIS.odd.shape[1])
        if (inputs, outputs) != wanted:
            raise CheckpointError(
                f"the lifter's weights have {inputs} inputs and {outputs} outputs, wanted {wanted[0]} and {wanted[1]}; "
                f"make them again with: {_MAKE}"
            )

    def __call__(self, features: MirrorParts) -> Prediction:
        """The prediction for one person's features from `network_input.features_of`."""
        x = _relu(*self._first.apply(features.even.astype(np.float32), features.odd.astype(np.float32)))
        for one, two in zip(self._layers[::2], self._layers[1::2], strict=True):
            y = _relu(*two.apply(*_relu(*one.apply(*x))))
            x = x[0] + y[0], x[1] + y[1]
        even, odd = self._last.apply(*x)
        output = (OUTPUT_BASIS.even @ even + OUTPUT_BASIS.odd @ odd).reshape(len(LAYOUT.names), 4)
        return Prediction(output[:, :3], np.exp(np.clip(output[:, 3], -9.0, 3.0)))


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


def load_lifter_weights(path: Path | None = None) -> LifterWeights:
    """The shipped weights, or those of another file.

    Raises:
        CheckpointError: The file cannot be read, or does not fit the network.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = path or data_path(WEIGHTS)
    _limit_blas_threads()
    try:
        return LifterWeights(load_file(path))
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(
            f"cannot read the lifter's weights {path} ({exc}); make them with: {_MAKE}, "
            "or lift without them: --lifter geometric"
        ) from exc
