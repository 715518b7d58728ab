"""Array types and checks of shape and dtype."""

import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import ArrayShapeError

Float32: TypeAlias = npt.NDArray[np.float32]
Float64: TypeAlias = npt.NDArray[np.float64]
UInt8: TypeAlias = npt.NDArray[np.uint8]
Bool: TypeAlias = npt.NDArray[np.bool_]
FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]

_MAX_UNPACKED_BYTES = 2**30


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


def black_image(width: int, height: int) -> UInt8:
    """A black image (H, W, 3) that takes no memory; read-only."""
    return np.broadcast_to(np.uint8(0), (height, width, 3))


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays in an npz file, by name. Nothing in it is executed, and a small file cannot fill the memory.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not an npz file, damaged, or unpacks to more than 1 GiB.
    """
    try:
        with path.open("rb") as raw:
            with zipfile.ZipFile(raw) as packed:
                if sum(entry.file_size for entry in packed.infolist()) > _MAX_UNPACKED_BYTES:
                    raise ValueError("it unpacks to more than 1 GiB")
            raw.seek(0)
            with np.load(raw, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
    except (OSError, ValueError):
        raise
    except zipfile.BadZipFile as exc:
        raise ValueError("it is not an npz file") from exc
    except Exception as exc:  # zipfile, zlib and numpy each have their own errors for damage
        raise ValueError(f"it is damaged: {' '.join(str(exc).split())}") from exc
