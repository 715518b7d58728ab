"""Array types and checks of shape and dtype."""

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
    """Check an array's shape and dtype, then make it read-only: the caller hands it over.

    Args:
        name: Name of the array in the error message.
        array: The array; made read-only in place.
        shape: Expected shape; None matches any length.
        dtype: Expected element type.

    Raises:
        ArrayShapeError: The shape differs.
        TypeError: `array` is not an array of `dtype`.
    """
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"{name} must be an array of {np.dtype(dtype).name}, got {got}")
    if array.ndim != len(shape) or any(want not in (None, have) for have, want in zip(array.shape, shape, strict=True)):
        raise ArrayShapeError(name, array.shape, shape)
    array.flags.writeable = False


def as_float32(values: npt.ArrayLike) -> Float32:
    """A float32 copy of `values`, safe to make read-only."""
    return np.array(values, dtype=np.float32)
