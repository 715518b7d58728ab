"""What a session says of itself, checked as it is read: a right checksum shows no damage, but anyone can compute one.

Each function returns the value, or raises ValueError with what is wrong; the reader adds the file's name.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from realtime_pose.datatypes import Frame
from realtime_pose.skeletons import LAYOUTS, SKELETONS, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import Float32, black_image

MAX_JSON_BYTES = 4 * 2**20
"""Of the settings, a layout, a skeleton or a camera; a run's own settings have a few kilobytes."""

_MAX_DEPTH = 32  # of JSON in JSON
_MAX_INTEGER = 2**63
_MAX_TIME_NS = 2**62  # the difference of two times fits into 64 bits
_MAX_SIDE_PX = 65_535  # as in JPEG
_MAX_POINTS = 1000  # of a layout or skeleton; COCO-WholeBody has 133
_MAX_KINDS = 256  # layouts or skeletons: frames refer to them by a byte
_MAX_NAME = 200
_MAX_M = 1e5
_MAX_PX = 1e6
_MAX_RATE_HZ = 1e6
_UNIT_TOLERANCE = 1e-2
_SECTIONS = ("capture", "inference", "body", "output")
_SHOWN = 60  # characters of a wrong value


def read_json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """The value in a record's JSON, at most 32 levels deep, its integers in 64 bits; NaN and infinity are null."""
    if len(body) > MAX_JSON_BYTES:
        raise ValueError(f"JSON of {len(body)} bytes")
    try:
        value = json.loads(body, parse_constant=lambda _: None)
    except RecursionError as exc:
        raise ValueError("JSON in too many levels") from exc
    _check_json(value, _MAX_DEPTH)
    return value


def check_settings(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The settings: any object, in which the keys that the program reads are of their kind."""
    if not isinstance(value, dict):
        raise ValueError("no object")
    config = _optional(value, "config", dict, {})
    for section in _SECTIONS:
        _optional(config, section, dict, {})
    capture = config.get("capture") or {}
    _optional(capture, "source", str, "")
    if (rotate_deg := _optional(capture, "rotate_deg", int, 0)) not in (0, 90, 180, 270):
        raise ValueError(f"rotate_deg={_shown(rotate_deg)}")
    _optional(value, "wall_offset_ns", int, 0)
    if not 0 <= _optional(value, "fps", (int, float), 0.0) <= _MAX_RATE_HZ:
        raise ValueError(f"fps={_shown(value['fps'])}")
    return value


def check_layout(fields: Any, known: Sequence[KeypointLayout]) -> KeypointLayout:  # noqa: ANN401 - JSON
    """The program's own layout of that name if it is the same, otherwise the one that the session describes.

    Args:
        fields: The record's JSON.
        known: The layouts before it.
    """
    if len(known) >= _MAX_KINDS:
        raise ValueError(f"more than {_MAX_KINDS} layouts")
    name, names = _name(fields, "name"), _names(fields, "names")
    own = LAYOUTS.get(name)
    if own is not None and own.names == names:
        return own
    links = _list(fields, "links", len(names) ** 2)
    if not all(
        isinstance(link, list) and len(link) == 2 and all(_is_row(row, names) for row in link) for link in links
    ):
        raise ValueError("links that are not pairs of rows")
    return KeypointLayout(name, names, tuple((a, b) for a, b in links))


def check_skeleton(fields: Any, known: Sequence[Skeleton]) -> Skeleton:  # noqa: ANN401 - JSON
    """The program's own skeleton of that name if it is the same, otherwise the one that the session describes."""
    if len(known) >= _MAX_KINDS:
        raise ValueError(f"more than {_MAX_KINDS} skeletons")
    name, joints = _name(fields, "name"), _names(fields, "joints")
    parents = tuple(_list(fields, "parents", len(joints)))
    if len(parents) != len(joints) or not all(
        type(parent) is int and (0 <= parent < row or parent == row - 1 == -1) for row, parent in enumerate(parents)
    ):
        raise ValueError("parents that are not one earlier joint each, and -1 for the first")
    offsets = np.array([_point(offset) for offset in _list(fields, "rest_offset_m", len(joints))], np.float64)
    if len(offsets) != len(joints):
        raise ValueError(f"{len(offsets)} offsets for {len(joints)} joints")
    own = SKELETONS.get(name)
    if (
        own is not None
        and (own.joints, own.parents) == (joints, parents)
        and np.array_equal(own.rest_offset_m, offsets)
    ):
        return own
    tips = _optional(fields, "tip_offset_m", dict, {})
    if not set(tips) <= set(joints):
        raise ValueError("tips of joints that it does not have")
    offsets.flags.writeable = False
    return Skeleton(name, joints, parents, offsets, {joint: _point(tip) for joint, tip in tips.items()})


def check_frame(index: int, time_ns: int, captured_ns: int, width: int, height: int) -> Frame:
    """The frame with a black image, which takes no memory."""
    if not (1 <= width <= _MAX_SIDE_PX and 1 <= height <= _MAX_SIDE_PX):
        raise ValueError(f"a frame of {width}x{height} pixels")
    if max(abs(time_ns), abs(captured_ns), abs(index)) >= _MAX_TIME_NS:
        raise ValueError("a frame's time or number out of range")
    return Frame(black_image(width, height), index, time_ns, captured_ns)


def check_box(left: float, top: float, right: float, bottom: float, score: float) -> tuple[Float32, float]:
    """The box (4,) and its score, if they are finite; keypoints may be anything, as estimators answer anything."""
    box = np.array((left, top, right, bottom), np.float32)
    if not (np.abs(box) < _MAX_PX).all() or not abs(score) < _MAX_PX:  # false for NaN
        raise ValueError("a person's box that has no place")
    return box, score


def are_lengths(*arrays: Float32) -> bool:
    """Whether all numbers are metres that a person can have."""
    return all(bool((np.abs(array) < _MAX_M).all()) for array in arrays)  # false for NaN


def are_scores(array: Float32) -> bool:
    """Whether all numbers are in 0..1."""
    return bool(((array >= 0) & (array <= 1)).all())


def are_rotations(xyzw: Float32) -> bool:
    """Whether all rows are unit quaternions."""
    length = np.linalg.norm(xyzw.astype(np.float64), axis=-1)
    return bool((np.abs(length - 1) < _UNIT_TOLERANCE).all())


def _check_json(value: object, levels: int) -> None:
    if levels == 0:
        raise ValueError("JSON in too many levels")
    if isinstance(value, int) and not -_MAX_INTEGER <= value < _MAX_INTEGER:
        raise ValueError("a number of more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number out of range")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            _check_json(part, levels - 1)


def _optional(fields: Any, key: str, kind: Any, otherwise: Any) -> Any:  # noqa: ANN401 - JSON
    """The value of a key, if it is of the kind; `otherwise` if it is missing or null."""
    value = _field(fields, key, optional=True)
    if value is None:
        return otherwise
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{key}={_shown(value)}")
    return value


def _field(fields: Any, key: str, *, optional: bool = False) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(fields, Mapping) or (not optional and key not in fields):
        raise ValueError(f"no {key}")
    return fields.get(key)


def _list(fields: Any, key: str, most: int) -> list[Any]:  # noqa: ANN401 - JSON
    value = _field(fields, key)
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"{key}={_shown(value)}")
    return value


def _name(fields: Any, key: str) -> str:  # noqa: ANN401 - JSON
    value = _field(fields, key)
    if not _is_name(value):
        raise ValueError(f"{key}={_shown(value)}")
    return str(value)


def _names(fields: Any, key: str) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    names = _list(fields, key, _MAX_POINTS)
    if not names or not all(_is_name(name) for name in names) or len(set(names)) != len(names):
        raise ValueError(f"{key} that are not different names: {_shown(names)}")
    return tuple(names)


def _is_name(value: object) -> bool:
    """Whether it can stand in a text file: printable, so no line breaks and no half of a surrogate pair."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable()


def _is_row(value: object, names: Sequence[str]) -> bool:
    return type(value) is int and 0 <= value < len(names)


def _point(value: object) -> tuple[float, float, float]:
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(type(number) in (int, float) and abs(number) < _MAX_M for number in value)
    ):
        raise ValueError(f"a point {_shown(value)}")
    x, y, z = map(float, value)
    return x, y, z


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
