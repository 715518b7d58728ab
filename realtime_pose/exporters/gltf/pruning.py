"""Removal of a glTF document's animations, with the accessors and the binary data that only they use."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

_DRACO = "KHR_draco_mesh_compression"  # its "attributes" are no accessors
_REFERENCES = {"accessor", "attributes", "bufferView", "buffer"}  # keys with which an extension refers to data


class Pruned(NamedTuple):
    """A document without animations.

    Attributes:
        document: The JSON.
        kept: The parts of the binary chunk that it uses, as offsets of start and end in order.
    """

    document: dict[str, Any]
    kept: tuple[tuple[int, int], ...]

    @property
    def bin_bytes(self) -> int:
        """Length of the kept parts."""
        return sum(end - start for start, end in self.kept)

    def moved(self, offset: int) -> int:
        """Where a byte of a kept part is once the other parts are gone."""
        return sum(min(end, offset) - start for start, end in self.kept if start <= offset)


def without_animations(document: dict[str, Any], bin_bytes: int) -> Pruned:
    """Remove the animations and what only they use; a file in which other references cannot be told keeps its data.

    Args:
        document: The JSON; nothing but nodes, skins and buffers was checked.
        bin_bytes: Length of the binary chunk.
    """
    bare = {key: value for key, value in document.items() if key != "animations"}
    unchanged = Pruned(bare, ((0, bin_bytes),) if bin_bytes else ())
    try:
        return _pruned(bare, bin_bytes) if document.get("animations") and not _is_unknown(bare) else unchanged
    except (LookupError, TypeError, ValueError):  # a reference to nothing
        return unchanged


def _pruned(document: dict[str, Any], bin_bytes: int) -> Pruned:
    accessors, views = document.get("accessors", []), document.get("bufferViews", [])
    used = _numbered({holder[key] for holder, key in _accessor_references(document)}, len(accessors))
    slim = deepcopy({**document, "accessors": [accessors[old] for old in used]})
    for holder, key in _accessor_references(slim):
        holder[key] = used[holder[key]]
    used = _numbered({holder[key] for holder, key in _view_references(slim)}, len(views))
    slim["bufferViews"] = [dict(views[old]) for old in used]
    for holder, key in _view_references(slim):
        holder[key] = used[holder[key]]
    pruned = Pruned(slim, _kept([_range(view) for view in slim["bufferViews"]], bin_bytes))
    for view in slim["bufferViews"]:
        view["byteOffset"] = pruned.moved(_range(view)[0])
    for key in ("accessors", "bufferViews"):
        if not slim[key]:
            del slim[key]
    return pruned


def _accessor_references(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each place (holder, key) that refers to an accessor."""
    for mesh in document.get("meshes", []):
        for primitive in mesh.get("primitives", []):
            yield from ((primitive["attributes"], name) for name in primitive.get("attributes", {}))
            yield from ((target, name) for target in primitive.get("targets", []) for name in target)
            yield from ((primitive, "indices") for _ in range("indices" in primitive))
    yield from ((skin, "inverseBindMatrices") for skin in document.get("skins", []) if "inverseBindMatrices" in skin)


def _view_references(document: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each place (holder, key) that refers to a buffer view."""
    holders = [*document.get("accessors", []), *document.get("images", [])]
    sparse = [accessor["sparse"] for accessor in document.get("accessors", []) if "sparse" in accessor]
    holders += [part[key] for part in sparse for key in ("indices", "values")]
    for mesh in document.get("meshes", []):
        holders += [p["extensions"][_DRACO] for p in mesh.get("primitives", []) if _DRACO in p.get("extensions", {})]
    yield from ((holder, "bufferView") for holder in holders if "bufferView" in holder)


def _is_unknown(value: object, *, extension: str | None = None) -> bool:
    """Whether an extension in the JSON refers to data in a way that is not known here."""
    if isinstance(value, list):
        return any(_is_unknown(entry, extension=extension) for entry in value)
    if not isinstance(value, dict):
        return False
    if extension not in (None, _DRACO) and not _REFERENCES.isdisjoint(value):
        return True
    return any(
        any(_is_unknown(part, extension=name) for name, part in entry.items())
        if key == "extensions" and isinstance(entry, dict)
        else _is_unknown(entry, extension=extension)
        for key, entry in value.items()
    )


def _numbered(used: set[Any], count: int) -> dict[int, int]:
    """Old index -> new one."""
    if not all(type(index) is int and 0 <= index < count for index in used):
        raise ValueError("out of bounds")
    return {old: new for new, old in enumerate(sorted(used))}


def _range(view: dict[str, Any]) -> tuple[int, int]:
    start, length = view.get("byteOffset", 0), view["byteLength"]
    if view["buffer"] != 0 or type(start) is not int or type(length) is not int or start < 0 or length < 1:
        raise ValueError("not in the binary chunk")
    return start, start + length


def _kept(used: list[tuple[int, int]], bin_bytes: int) -> tuple[tuple[int, int], ...]:
    """The used ranges, which may overlap, joined; from and to multiples of 4, so that alignments stay."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(used):
        if end > bin_bytes:
            raise ValueError("out of bounds")
        start, end = start // 4 * 4, min(-(-end // 4) * 4, bin_bytes)
        if kept and start <= kept[-1][1]:
            start, end = kept[-1][0], max(end, kept[-1][1])
            kept.pop()
        kept.append((start, end))
    return tuple(kept)
