"""Array checks: a wrong shape is refused where the array is handed over, not where it hurts."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import ArrayShapeError

Float32: TypeAlias = npt.NDArray[np.float32]
Float64: TypeAlias = npt.NDArray[np.float64]
UInt8: TypeAlias = npt.NDArray[np.uint8]
Bool: TypeAlias = npt.NDArray[np.bool_]
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]


def check_array(
    name: str, array: npt.NDArray[Any], shape: tuple[int | None, ...], dtype: type[np.generic] = np.float32
) -> None:
    """Refuse an array of another shape or type, then make it read-only: its maker hands it over.

    Args:
        name: What the error calls the array.
        array: The array, changed in place to be read-only.
        shape: Wanted shape; None matches any length.
        dtype: Wanted element type.

    Raises:
        ArrayShapeError: The shape differs.
        TypeError: It is not an array of `dtype`.
    """
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name} must be an array of {np.dtype(dtype).name}, got {got}")
    if array.ndim != len(shape) or any(want not in (None, have) for have, want in zip(array.shape, shape, strict=True)):
        raise ArrayShapeError(name, array.shape, shape)
    array.flags.writeable = False


def as_float32(values: npt.ArrayLike) -> Float32:
    """A float32 copy of `values`, free to be handed over and made read-only."""
    return np.array(values, dtype=np.float32)
