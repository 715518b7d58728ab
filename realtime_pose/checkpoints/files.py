"""Safe readers of checkpoint files: tensors out, no code of the file executed.

A .pth file is a pickle, and a pickle is a program. torch's restricted reader builds tensors and plain containers only;
classes of harmless training logs are replaced by empty ones, and anything else is refused.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_pose.errors import CheckpointError, shortened
from realtime_pose.utils.extras import needs_extra

if TYPE_CHECKING:
    from torch import Tensor

# Classes and functions in the training logs of mmengine and numpy. The real ones are never called.
_LOG_CLASSES = (
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy.ndarray",
    "numpy.dtype",
    "mmengine.logging.history_buffer.HistoryBuffer",
    "builtins.getattr",  # how a HistoryBuffer names its own methods
)


_READER = "reading a model's weights"


class _Skipped:
    """Replacement of a training log's object: accepts any arguments and state, and keeps nothing."""

    def __new__(cls, *_: object) -> "_Skipped":
        return super().__new__(cls)

    def __setstate__(self, _: object) -> None:
        pass


def read_tensors(path: Path) -> "dict[str, Tensor]":
    """Name -> tensor (on the CPU) of a .safetensors or .pth file. Nothing in the file is executed.

    Raises:
        CheckpointError: The file is missing, empty, truncated, not a checkpoint, or contains code.
        MissingPackageError: torch is missing.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as exc:
        raise CheckpointError(f"{path} cannot be read ({exc.strerror}); give a .safetensors or .pth file") from exc
    if size == 0:
        raise CheckpointError(f"{path} is empty; delete it and download it again")
    if start[8:9] == b"{":  # safetensors: eight bytes with the header's length, then the header
        return _read_safetensors(path)
    if start.lstrip()[:1] == b"<":
        raise CheckpointError(f"{path} is a web page, wanted model weights; download the file itself, not its page")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{path} is a Git LFS pointer, wanted model weights; fetch the file with: git lfs pull")
    if start[:2] == b"PK" or start[:1] == b"\x80":  # torch's zip archive; a bare pickle
        return _read_pickle(path)
    if start[:1] == b"\x08":  # an ONNX file starts with the version of its format
        raise CheckpointError(f"{path} is an ONNX graph, which runs as it is; wanted weights as .safetensors or .pth")
    raise CheckpointError(f"{path} is not a supported model file; wanted a .safetensors or .pth file")


def check_safetensors(path: Path) -> None:
    """Check that the header and length of a safetensors file agree; needs no torch.

    Raises:
        CheckpointError: The file is damaged or truncated.
    """
    _safetensors_notes(path)


def read_notes(path: Path) -> dict[str, str]:
    """The metadata in the header of a .safetensors file; empty for any other file.

    Raises:
        CheckpointError: The file is damaged or truncated.
    """
    with path.open("rb") as file:
        start = file.read(9)
    return _safetensors_notes(path) if start[8:] == b"{" else {}


def _safetensors_notes(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as exc:
        raise CheckpointError(f"{path} is damaged or truncated ({exc}); delete it and download it again") from exc


def _read_safetensors(path: Path) -> "dict[str, Tensor]":
    check_safetensors(path)
    with needs_extra("vitpose", _READER):
        from safetensors.torch import load_file

    return load_file(str(path))


def _read_pickle(path: Path) -> "dict[str, Tensor]":
    with needs_extra("vitpose", _READER):
        import torch

    try:
        _check_zip(path)
        with torch.serialization.safe_globals([(_Skipped, name) for name in _LOG_CLASSES]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as exc:
        code = re.search(r"GLOBAL (\S+)", str(exc))
        if code is None:
            raise CheckpointError(
                f"{path} is damaged or holds more than tensors, and nothing in it was run; "
                "download it again, or get the same weights as .safetensors"
            ) from exc
        raise CheckpointError(
            f"{path} holds code ({code[1]}), wanted tensors only, so nothing in it was run; "
            "get the same weights as .safetensors, or from a source you trust"
        ) from exc
    except CheckpointError:
        raise
    except Exception as exc:  # a damaged file makes torch raise errors of many types
        raise CheckpointError(f"{path} is damaged or truncated; delete it and download it again") from exc
    return _tensors_in(path, content)


def _tensors_in(path: Path, content: Any) -> "dict[str, Tensor]":  # noqa: ANN401 - a file can contain anything
    """The tensors of a training checkpoint (under "state_dict") or of a plain dictionary."""
    import torch

    table = content.get("state_dict", content) if isinstance(content, Mapping) else None
    if not isinstance(table, Mapping):
        raise CheckpointError(f"{path} holds {type(content).__name__}, wanted a table of named tensors")
    tensors = {
        name: value for name, value in table.items() if isinstance(name, str) and isinstance(value, torch.Tensor)
    }
    if not tensors:
        raise CheckpointError(f"{path} holds no tensors, wanted the weights of a model")
    for name, value in tensors.items():
        if value.layout != torch.strided or value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise CheckpointError(
                f"{path} is not supported: its tensor {shortened(name)} claims {tuple(value.shape)} numbers and has "
                "fewer; get the same weights as .safetensors"
            )
    return tensors


def _check_zip(path: Path) -> None:
    """Refuse an archive that unpacks to more than it has; torch stores its tensors as they are.

    Raises:
        CheckpointError: It does.
        BadZipFile: It is damaged.
    """
    if not zipfile.is_zipfile(path):
        return  # a bare pickle
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > path.stat().st_size:
        raise CheckpointError(
            f"{path} unpacks to {size / 1e6:.0f} MB, more than it has; get the same weights as .safetensors"
        )
