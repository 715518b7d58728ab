"""The trained lifter's network at work: its weights from a file, its sums in numpy, one person a call."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CheckpointError
from realtime_pose.ik.lifting_window import LAYOUT, feature_count
from realtime_pose.utils.arrays import Float32, Float64
from realtime_pose.utils.paths import data_path

WEIGHTS = "resources/lifter/lifter.safetensors"
"""The shipped weights; `realtime-pose train lifter` makes them again."""

_K = len(LAYOUT.names)
_MAKE = "realtime-pose train lifter"


class Places(NamedTuple):
    """What the network says of N looks.

    Attributes:
        places: (N, K, 3) points from the middle of the hips, in body heights, the view's axes.
        error: (N, K) how far off it takes each to be, in body heights.
    """

    places: Float64
    error: Float64


class LifterWeights:
    """A residual perceptron: features in, `Places` out.

    Source of the shape: Martinez et al., "A simple yet effective baseline for 3D human pose estimation" (ICCV 2017).
    """

    def __init__(self, tensors: dict[str, Float32]) -> None:
        """Takes the tensors of `training.lifter.LifterNetwork`; CheckpointError where they are not its own."""
        try:
            self._first = _layer(tensors, "first")
            count = len([name for name in tensors if name.startswith("blocks.") and name.endswith(".0.weight")])
            self._blocks = [[_layer(tensors, f"blocks.{i}.{j}") for j in (0, 2)] for i in range(count)]
            self._last = _layer(tensors, "last")
            fits = self._first[0].shape[1] == feature_count() and len(self._last[1]) == 4 * _K
        except KeyError as exc:
            raise CheckpointError(f"the lifter's weights lack {exc}; make them with: {_MAKE}") from exc
        if not fits:
            raise CheckpointError(
                f"the lifter's weights take {self._first[0].shape[1]} numbers and give {len(self._last[1])}, wanted "
                f"{feature_count()} and {4 * _K}; make them anew with: {_MAKE}"
            )

    def __call__(self, features: Float64) -> Places:
        """The places for features (N, F)."""
        x = np.maximum(_through(self._first, features.astype(np.float32)), 0)
        for one, two in self._blocks:
            x = x + np.maximum(_through(two, np.maximum(_through(one, x), 0)), 0)
        out = _through(self._last, x).astype(np.float64)
        return Places(out[:, : 3 * _K].reshape(-1, _K, 3), np.exp(np.clip(out[:, 3 * _K :], -9.0, 3.0)))


def _layer(tensors: dict[str, Float32], name: str) -> tuple[Float32, Float32]:
    return tensors[f"{name}.weight"].astype(np.float32), tensors[f"{name}.bias"].astype(np.float32)


def _through(layer: tuple[Float32, Float32], x: Float32) -> Float32:
    weight, bias = layer
    return x @ weight.T + bias


def load_lifter_weights(path: Path | None = None) -> LifterWeights:
    """The shipped weights, or those of another file; CheckpointError where there are none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = path or data_path(WEIGHTS)
    try:
        return LifterWeights(load_file(path))
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(
            f"cannot read the lifter's weights {path} ({exc}); make them with: {_MAKE}, "
            "or lift without them: --lifter geometric"
        ) from exc
