"""Puts one animation into a glTF document and writes both as a .glb, stretch by stretch.

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
from realtime_pose.model3d.glb import BIN_CHUNK, CHUNK, HEADER, JSON_CHUNK, MAGIC, VERSION, Glb
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.atomic_files import replacing

_FLOAT = 5126
_COPY = 1 << 20
_MOST = 2**32 - 1


class Stretch(NamedTuple):
    """Keys of T moments: `time_s` (T,), `hips` (T, 3) translations, `turns` (T, M, 4) rotations of the M nodes."""

    time_s: Float32
    hips: npt.NDArray[np.floating[Any]]
    turns: npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Track:
    """What is animated.

    Attributes:
        name: The animation's name.
        nodes: The nodes that turn.
        hips: The node that travels.
        count: How many keys there are in all.
        ends_s: Times of the first and the last key.
    """

    name: str
    nodes: Sequence[int]
    hips: int
    count: int
    ends_s: tuple[float, float]


class Model(NamedTuple):
    """What moves.

    Attributes:
        document: Its JSON; animations that are in it are left out.
        source: The file that its binary part is in; None if it has none.
        patches: Where in that part other bytes stand than in the file.
    """

    document: dict[str, Any]
    source: Glb | None = None
    patches: Mapping[int, bytes] = MappingProxyType({})


def write_animated(path: Path, model: Model, track: Track, stretches: Iterable[Stretch]) -> None:
    """Write the file; one that is there is replaced only when the new one is whole.

    Args:
        path: The .glb.
        model: What moves.
        track: What is animated.
        stretches: The keys, in order, `track.count` in all.

    Raises:
        RecordingError: The disk is full or gone, or the file would be larger than a .glb can be.
    """
    try:
        with replacing(path) as part, part.open("wb") as file:
            _write(file, model, track, stretches)
    except OSError as exc:
        raise RecordingError(
            f"cannot write {path}: {exc.strerror}; free some space there, or choose another folder"
        ) from exc


def _write(file: BinaryIO, model: Model, track: Track, stretches: Iterable[Stretch]) -> None:
    own = model.source.bin_bytes if model.source is not None else 0
    whole, starts, bin_bytes = _with_animation(model.document, own, track)
    text = json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    total = HEADER.size + 2 * CHUNK.size + len(text) + bin_bytes
    if total > _MOST:
        raise RecordingError(f"the animation has {total / 2**30:.0f} GiB and a .glb at most 4; export a shorter take")
    file.write(HEADER.pack(MAGIC, VERSION, total))
    file.write(CHUNK.pack(len(text), JSON_CHUNK) + text)
    file.write(CHUNK.pack(bin_bytes, BIN_CHUNK))
    start = file.tell()
    file.truncate(start + bin_bytes)
    if model.source is not None:
        _copy(model.source, file)
    for at, piece in model.patches.items():
        file.seek(start + at)
        file.write(piece)
    done, before = 0, None
    for stretch in stretches:
        turns = _continuous(np.asarray(stretch.turns, dtype=np.float32), before)
        before = turns[-1]
        for at, values in zip(starts, (stretch.time_s, stretch.hips, *turns.swapaxes(0, 1)), strict=True):
            data = np.ascontiguousarray(values, dtype="<f4")
            file.seek(start + at + done * data[0].nbytes)
            file.write(data.tobytes())
        done += len(turns)


def _with_animation(document: dict[str, Any], own_bytes: int, track: Track) -> tuple[dict[str, Any], list[int], int]:
    """The document with the animation, where each array begins in the binary part, and that part's length."""
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
    samplers = [{"input": times, "output": add("VEC3", 3), "interpolation": "LINEAR"}]
    samplers += [{"input": times, "output": add("VEC4", 4), "interpolation": "LINEAR"} for _ in track.nodes]
    channels = [{"sampler": 0, "target": {"node": track.hips, "path": "translation"}}]
    channels += [{"sampler": i + 1, "target": {"node": node, "path": "rotation"}} for i, node in enumerate(track.nodes)]
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


def _copy(source: Glb, file: BinaryIO) -> None:
    left = source.bin_bytes
    with source.path.open("rb") as original:
        original.seek(source.bin_start)
        while left and (data := original.read(min(left, _COPY))):
            file.write(data)
            left -= len(data)


def _continuous(turns: Float32, before: Float32 | None) -> Float32:
    """The same rotations (T, M, 4) with signs such that no quaternion flips from one key to the next."""
    first = turns[:1] if before is None else before[None]
    steps = np.concatenate((first, turns))
    flips = np.where((steps[1:] * steps[:-1]).sum(axis=-1) < 0, -1.0, 1.0)
    return turns * np.cumprod(flips, axis=0)[..., None].astype(np.float32)
