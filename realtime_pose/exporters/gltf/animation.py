"""GLB animation writer: adds one animation to a glTF document and writes the .glb chunk by chunk.

Source: Khronos, "glTF 2.0 Specification", sections 3.11 (animations), 4 (GLB).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.gltf.pruning import Pruned, without_animations
from realtime_pose.model3d.glb import BIN_CHUNK, CHUNK, HEADER, JSON_CHUNK, MAGIC, VERSION, Glb
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.atomic_files import replacing

_FLOAT = 5126
_COPY = 1 << 20
_MAX_BYTES = 2**32 - 1


class Keyframes(NamedTuple):
    """T keyframes of P nodes that move and M that rotate.

    `time_s` (T,), `translations` (T, P, 3), `rotations_xyzw` (T, M, 4), in their nodes' parents' spaces.
    """

    time_s: Float32
    translations: npt.NDArray[np.floating[Any]]
    rotations_xyzw: npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Track:
    """The animated nodes.

    Attributes:
        name: The animation's name.
        nodes: The nodes that rotate.
        moving: The nodes that move: the hips, and a camera that does.
        count: Total number of keyframes.
        ends_s: Times of the first and the last keyframe.
    """

    name: str
    nodes: Sequence[int]
    moving: Sequence[int]
    count: int
    ends_s: tuple[float, float]


class Model(NamedTuple):
    """The model to animate.

    Attributes:
        document: Its JSON; animations in it are left out.
        source: The file with its binary chunk; None if it has none.
        patches: Bytes to replace in the binary chunk, by offset.
    """

    document: dict[str, Any]
    source: Glb | None = None
    patches: Mapping[int, bytes] = MappingProxyType({})


def write_animated(path: Path, model: Model, track: Track, chunks: Iterable[Keyframes]) -> None:
    """Write the file; an existing one is replaced only once the new one is complete.

    Args:
        path: The .glb.
        model: The model.
        track: The animated nodes.
        chunks: The keyframes in order, `track.count` in total.

    Raises:
        RecordingError: The disk is full or gone, or the file would be larger than a .glb can be.
    """
    try:
        with replacing(path) as part, part.open("wb") as file:
            _write(file, model, track, chunks)
    except OSError as exc:
        raise RecordingError(
            f"cannot write {path}: {exc.strerror}; free some space there, or choose another folder"
        ) from exc


def _write(file: BinaryIO, model: Model, track: Track, chunks: Iterable[Keyframes]) -> None:
    pruned = without_animations(model.document, model.source.bin_bytes if model.source is not None else 0)
    whole, starts, bin_bytes = _with_animation(pruned.document, pruned.bin_bytes, track)
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    total = HEADER.size + 2 * CHUNK.size + len(text) + bin_bytes
    if total > _MAX_BYTES:
        raise RecordingError(f"the animation has {total / 2**30:.0f} GiB and a .glb at most 4; export a shorter take")
    file.write(HEADER.pack(MAGIC, VERSION, total))
    file.write(CHUNK.pack(len(text), JSON_CHUNK) + text)
    file.write(CHUNK.pack(bin_bytes, BIN_CHUNK))
    start = file.tell()
    file.truncate(start + bin_bytes)
    if model.source is not None:
        _copy(model.source, pruned, file)
    for offset, data in model.patches.items():
        file.seek(start + pruned.moved(offset))
        file.write(data)
    done, before = 0, None
    for chunk in chunks:
        rotations = _continuous(np.asarray(chunk.rotations_xyzw, dtype=np.float32), before)
        before = rotations[-1]
        moves = np.asarray(chunk.translations).swapaxes(0, 1)
        for offset, values in zip(starts, (chunk.time_s, *moves, *rotations.swapaxes(0, 1)), strict=True):
            array = np.ascontiguousarray(values, dtype="<f4")
            file.seek(start + offset + done * array[0].nbytes)
            file.write(array.tobytes())
        done += len(rotations)


def _with_animation(document: dict[str, Any], own_bytes: int, track: Track) -> tuple[dict[str, Any], list[int], int]:
    """The document with the animation, the offset of each array in the binary chunk, and the chunk's length."""
    views, accessors = list(document.get("bufferViews", [])), list(document.get("accessors", []))
    end = -(-own_bytes // 4) * 4
    starts: list[int] = []

    def add(kind: str, width: int, **more: object) -> int:
        nonlocal end
        length = 4 * width * track.count
        views.append({"buffer": 0, "byteOffset": end, "byteLength": length})
        accessors.append(
            {"bufferView": len(views) - 1, "componentType": _FLOAT, "count": track.count, "type": kind, **more}
        )
        starts.append(end)
        end += length
        return len(accessors) - 1

    times = add("SCALAR", 1, min=[track.ends_s[0]], max=[track.ends_s[1]])
    samplers = [{"input": times, "output": add("VEC3", 3), "interpolation": "LINEAR"} for _ in track.moving]
    samplers += [{"input": times, "output": add("VEC4", 4), "interpolation": "LINEAR"} for _ in track.nodes]
    targets = [{"node": node, "path": "translation"} for node in track.moving]
    targets += [{"node": node, "path": "rotation"} for node in track.nodes]
    channels = [{"sampler": i, "target": target} for i, target in enumerate(targets)]
    buffers = [dict(buffer) for buffer in document.get("buffers", [])] or [{}]
    buffers[0]["byteLength"] = end
    whole = {
        **document,
        "asset": {**document.get("asset", {}), "generator": "realtime-pose"},
        "accessors": accessors,
        "bufferViews": views,
        "buffers": buffers,
        "animations": [{"name": track.name, "samplers": samplers, "channels": channels}],
    }
    return whole, starts, end


def _copy(source: Glb, pruned: Pruned, file: BinaryIO) -> None:
    with source.path.open("rb") as original:
        for start, end in pruned.kept:
            original.seek(source.bin_start + start)
            left = end - start
            while left and (data := original.read(min(left, _COPY))):
                file.write(data)
                left -= len(data)


def _continuous(xyzw: Float32, before: Float32 | None) -> Float32:
    """The same rotations (T, M, 4) with signs chosen so that no quaternion flips between keyframes."""
    first = xyzw[:1] if before is None else before[None]
    steps = np.concatenate((first, xyzw))
    flips = np.where((steps[1:] * steps[:-1]).sum(axis=-1) < 0, -1.0, 1.0)
    return xyzw * np.cumprod(flips, axis=0)[..., None].astype(np.float32)
