"""Reader of untrusted glTF binaries (.glb, .vrm): sizes are limited, every index is checked, nothing is executed.

The JSON is kept as it is, so that a file written again keeps extensions that this program does not know.

Source: Khronos, "glTF 2.0 Specification", sections 3 (concepts), 4 (GLB).
"""

import json
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import CharacterError

MAGIC, VERSION = b"glTF", 2
HEADER = struct.Struct("<4sII")
CHUNK = struct.Struct("<I4s")
JSON_CHUNK, BIN_CHUNK = b"JSON", b"BIN\0"

_MAX_FILE = 2**31
_MAX_JSON = 64 * 2**20
_MAX_NODES = 20_000
_MAX_NAME = 1000
_HUGE = 1e12
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_TRS = {"translation": 3, "rotation": 4, "scale": 3, "matrix": 16}
_REMEDY = "export the character again as one .glb or .vrm"


class _Malformed(Exception):
    """A fault of a file; the message completes the sentence "FILE ..."."""


@dataclass(frozen=True, eq=False)
class Glb:
    """A glTF binary: its JSON in memory, its binary chunk in the file.

    Attributes:
        path: The file.
        document: The JSON; nodes, skins and buffers are checked, everything else is not.
        bin_start: Offset of the binary chunk's data in the file.
        bin_bytes: Its length; 0 if there is none.
    """

    path: Path
    document: dict[str, Any]
    bin_start: int
    bin_bytes: int

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The document's nodes."""
        return self.document.get("nodes", [])

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Each node's parent, -1 for a root."""
        parents = [-1] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            for child in node.get("children", []):
                parents[child] = index
        return tuple(parents)

    def array(self, accessor: int) -> npt.NDArray[Any] | None:
        """An accessor's values (count, width); None if they are stored in a way that this program does not read.

        Raises:
            CharacterError: It lies outside the file.
        """
        try:
            if accessor < 0:
                raise IndexError("negative")
            entry = self.document["accessors"][accessor]
            if "bufferView" not in entry:  # zeros, or compressed with Draco
                return None
            view = self.document["bufferViews"][entry["bufferView"]]
            if "sparse" in entry or view.get("extensions") or view["buffer"] != 0 or not self.bin_bytes:
                return None
            dtype, width = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTHS[entry["type"]]
            count, step = int(entry["count"]), int(view.get("byteStride", dtype.itemsize * width))
            start = int(view.get("byteOffset", 0)) + int(entry.get("byteOffset", 0))
            size = step * (count - 1) + dtype.itemsize * width
            if count < 1 or step < dtype.itemsize * width or start < 0 or start + size > self.bin_bytes:
                raise ValueError("out of bounds")
        except (LookupError, TypeError, ValueError) as exc:
            raise CharacterError(f"{self.path} is damaged (accessor {accessor} is out of bounds); {_REMEDY}") from exc
        with _open(self.path) as file:
            file.seek(self.bin_start + start)
            data = file.read(size)
        strides = (step, dtype.itemsize)
        return np.ndarray((count, width), dtype, data, strides=strides).copy()


def read_glb(path: str | Path) -> Glb:
    """The glTF binary in a file (.glb, .vrm).

    Raises:
        CharacterError: The file is missing, truncated, not glTF 2.0, too large, or refers to other files.
    """
    path = Path(path)
    with _open(path) as file:
        try:
            glb = _read(path, file)
            _check(glb.document, glb.bin_bytes)
        except _Malformed as exc:
            raise CharacterError(f"{path} {exc}; {_REMEDY}") from exc
        except OSError as exc:
            raise CharacterError(f"cannot read {path}: {exc.strerror}; check the path") from exc
    return glb


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise CharacterError(f"cannot read {path}: {exc.strerror}; check the path") from exc


def _read(path: Path, file: BinaryIO) -> Glb:
    size = file.seek(0, 2)
    file.seek(0)
    if size > _MAX_FILE:
        raise _Malformed(f"has {size / 2**30:.1f} GiB, the limit is 2")
    head = file.read(HEADER.size)
    if head[:4] != MAGIC:
        text = head.lstrip()[:1] == b"{"
        raise _Malformed("is a .gltf with its data in other files" if text else "is not a glTF binary")
    if len(head) < HEADER.size:
        raise _Malformed("is cut off")
    _, version, total = HEADER.unpack(head)
    if version != VERSION:
        raise _Malformed(f"is glTF {version}, wanted {VERSION}")
    if total > size:
        raise _Malformed(f"is cut off: it has {size} of {total} bytes")
    json_bytes = _chunk(file, JSON_CHUNK, total)
    if json_bytes is None or json_bytes > _MAX_JSON:
        raise _Malformed("has no JSON chunk" if json_bytes is None else "has a JSON chunk that is too long")
    document = _parsed(file.read(json_bytes))
    bin_bytes = _chunk(file, BIN_CHUNK, total)
    return Glb(path, document, file.tell(), bin_bytes or 0)


def _chunk(file: BinaryIO, kind: bytes, total: int) -> int | None:
    """The length of the chunk that starts here; None if it is of another kind."""
    head = file.read(CHUNK.size)
    if len(head) < CHUNK.size:
        return None
    length, got = CHUNK.unpack(head)
    if got != kind:
        return None
    if file.tell() + length > total:
        raise _Malformed("is cut off or damaged")
    return int(length)


def _parsed(text: bytes) -> dict[str, Any]:
    def refuse(word: str) -> float:
        raise ValueError(f"{word} is not a number")

    try:
        document = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as exc:
        raise _Malformed(f"has damaged JSON ({str(exc)[:80]})") from exc
    if not isinstance(document, dict) or not isinstance(document.get("asset"), dict):
        raise _Malformed("has no asset version")
    if not str(document["asset"].get("version", "")).startswith("2."):
        raise _Malformed(f"is of version {str(document['asset'].get('version'))[:20]}, wanted 2.0")
    return document


def _check(document: dict[str, Any], bin_bytes: int) -> None:
    """Refuse a document whose nodes, skins or buffers have invalid references or values."""
    nodes = _objects(document, "nodes")
    if len(nodes) > _MAX_NODES:
        raise _Malformed(f"has {len(nodes)} nodes, the limit is {_MAX_NODES}")
    _check_tree(nodes)
    for index, node in enumerate(nodes):
        if not isinstance(node.get("name", ""), str) or len(node.get("name", "")) > _MAX_NAME:
            raise _Malformed(f"has a node {index} whose name is not a string of at most {_MAX_NAME} characters")
        for key, count in _TRS.items():
            if key in node and not _numbers(node[key], count):
                raise _Malformed(f"has a node {index} whose {key} is not {count} numbers")
    for index, skin in enumerate(_objects(document, "skins")):
        if not _indices(skin.get("joints"), len(nodes)) or not skin["joints"]:
            raise _Malformed(f"has a skin {index} whose joints are not nodes")
    for key in ("accessors", "bufferViews", "animations", "scenes", "meshes"):
        _objects(document, key)
    for index, mesh in enumerate(document.get("meshes", [])):
        if not all(isinstance(p.get("attributes", {}), dict) for p in _objects(mesh, "primitives")):
            raise _Malformed(f"has a mesh {index} whose attributes are not an object")
    for index, scene in enumerate(document.get("scenes", [])):
        if not _indices(scene.get("nodes", []), len(nodes)):
            raise _Malformed(f"has a scene {index} whose nodes do not exist")
    for key in ("buffers", "images"):
        for entry in _objects(document, key):
            uri = entry.get("uri", "data:")
            if not isinstance(uri, str) or not uri.startswith("data:"):
                raise _Malformed(f"refers to another file, {str(uri)[:80]!r}")
    buffers = document.get("buffers", [])
    own = bool(buffers) and "uri" not in buffers[0]
    if own and not (isinstance(length := buffers[0].get("byteLength"), int) and 0 < length <= bin_bytes):
        raise _Malformed("is cut off: its binary chunk is shorter than its buffer")
    if (bin_bytes or buffers) and not own:
        raise _Malformed("has its data outside its binary chunk")


def _check_tree(nodes: list[dict[str, Any]]) -> None:
    """Refuse nodes that have two parents or are their own ancestors."""
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        children = node.get("children", [])
        if not _indices(children, len(nodes)):
            raise _Malformed(f"has a node {index} whose children do not exist")
        for child in children:
            if parents[child] >= 0:
                raise _Malformed(f"has a node {child} with two parents")
            parents[child] = index
    reached = [index for index, parent in enumerate(parents) if parent < 0]
    for index in reached:  # the list grows while it is iterated
        reached.extend(nodes[index].get("children", []))
    if len(reached) != len(nodes):
        raise _Malformed("has nodes that are their own ancestors")


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = document.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise _Malformed(f"has {key} that are not a list of objects")
    return values


def _indices(values: object, count: int) -> bool:
    return isinstance(values, list) and all(type(v) is int and 0 <= v < count for v in values)


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(v) in (int, float) and abs(v) < _HUGE for v in values)  # False for NaN
    )
