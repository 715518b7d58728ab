"""The trained lifter's network at work: its weights from a file, its sums in numpy, one person a call."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CheckpointError
from realtime_pose.lifting.network_input import ANSWER_BASIS, LAYOUT, TOLD_COUNTS, Sides
from realtime_pose.utils.arrays import Float32, Float64
from realtime_pose.utils.paths import data_path

WEIGHTS = "resources/lifter/lifter.safetensors"
"""The shipped weights; `realtime-pose train lifter` makes them again."""

_MAKE = "realtime-pose train lifter"


class Places(NamedTuple):
    """What the network says of a person.

    Attributes:
        places: (K, 3) points from the middle of the hips, in body heights, the view's axes.
        error: (K,) how far off it takes each to be, in body heights.
    """

    places: Float64
    error: Float64


class _Layer(NamedTuple):
    """Even from even, odd from odd: what it does to a picture it does to its mirror."""

    even: Float32
    bias: Float32
    odd: Float32

    def through(self, even: Float32, odd: Float32) -> tuple[Float32, Float32]:
        return self.even @ even + self.bias, self.odd @ odd


class LifterWeights:
    """The network of `training.lifter.LifterNetwork`, which has the words and sources."""

    def __init__(self, tensors: dict[str, Float32]) -> None:
        """Takes that network's tensors; CheckpointError where they are not its own."""
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
        takes = self._first.even.shape[1], self._first.odd.shape[1]
        gives = len(self._last.even), len(self._last.odd)
        wanted = TOLD_COUNTS, (ANSWER_BASIS.even.shape[1], ANSWER_BASIS.odd.shape[1])
        if (takes, gives) != wanted:
            raise CheckpointError(
                f"the lifter's weights take {takes} numbers and give {gives}, wanted {wanted[0]} and {wanted[1]}; "
                f"make them anew with: {_MAKE}"
            )

    def __call__(self, told: Sides) -> Places:
        """The places for what `lifting_window.look_at` tells of one person."""
        x = _bent(*self._first.through(told.even.astype(np.float32), told.odd.astype(np.float32)))
        for one, two in zip(self._layers[::2], self._layers[1::2], strict=True):
            y = _bent(*two.through(*_bent(*one.through(*x))))
            x = x[0] + y[0], x[1] + y[1]
        shared, differing = self._last.through(*x)
        answer = (ANSWER_BASIS.even @ shared + ANSWER_BASIS.odd @ differing).reshape(len(LAYOUT.names), 4)
        return Places(answer[:, :3], np.exp(np.clip(answer[:, 3], -9.0, 3.0)))


def _bent(even: Float32, odd: Float32) -> tuple[Float32, Float32]:
    one, other = np.maximum(even + odd, 0), np.maximum(even - odd, 0)
    return (one + other) / 2, (one - other) / 2


def _one_thread_for_sums() -> None:
    """Let numpy's BLAS work in the caller's thread alone, in all of the process.

    The sums of a person are too small to share out, and BLAS threads that wait for the next one spin on the cores that
    the pose model needs: on 2 cores the dashboard made 18 to 30 frames a second with them, and 30 without.
    """
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


def load_lifter_weights(path: Path | None = None) -> LifterWeights:
    """The shipped weights, or those of another file; CheckpointError where there are none."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = path or data_path(WEIGHTS)
    _one_thread_for_sums()
    try:
        return LifterWeights(load_file(path))
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(
            f"cannot read the lifter's weights {path} ({exc}); make them with: {_MAKE}, "
            "or lift without them: --lifter geometric"
        ) from exc
