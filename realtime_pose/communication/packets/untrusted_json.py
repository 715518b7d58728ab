"""Strict JSON reading for untrusted datagrams: every reader returns the type it promises or raises PacketError."""

import json
from typing import Any, NoReturn

import numpy as np

from realtime_pose.errors import PacketError
from realtime_pose.utils.arrays import Float64

MAX_INT = 2**53 - 1
"""Above it, JSON numbers are not exact in every language."""

_MAX_NAME = 64


def read_object(datagram: bytes, max_bytes: int) -> dict[str, Any]:
    """The JSON object in a datagram: every number finite, no duplicate key, every string encodable as UTF-8."""
    if len(datagram) > max_bytes:
        raise PacketError(f"a datagram has at most {max_bytes} bytes, got {len(datagram)}")
    try:
        value = json.loads(
            datagram.decode(),
            parse_constant=_refuse_constant,
            parse_int=_exact_int,
            parse_float=_finite_float,
            object_pairs_hook=_unique_keys,
        )
        if b"\\u" in datagram:
            json.dumps(value, ensure_ascii=False).encode()  # fails on half a surrogate pair, which could not be printed
    except (ValueError, RecursionError) as exc:
        raise PacketError(f"a datagram is not JSON in UTF-8: {type(exc).__name__}") from exc
    if not isinstance(value, dict):
        raise PacketError(f"a packet is a JSON object, got {kind_of(value)}")
    return value


def _refuse_constant(literal: str) -> NoReturn:
    raise PacketError(f"{literal} is not a JSON number")


def _exact_int(digits: str) -> int:
    if len(digits) > 17 or abs(value := int(digits)) > MAX_INT:
        raise PacketError(f"an integer may not be beyond {MAX_INT}")
    return value


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not abs(value) <= MAX_INT:  # also infinity; squares of accepted numbers do not overflow
        raise PacketError(f"a number may not be beyond {MAX_INT}")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PacketError("an object has the same key twice")
    return fields


def kind_of(value: object) -> str:
    """A JSON value for error messages: a number itself, otherwise its type."""
    return "null" if value is None else repr(value) if type(value) in (int, float) else type(value).__name__


def name_of(key: str, value: object) -> str:
    """The value, checked to be a short printable string."""
    if not isinstance(value, str) or not 1 <= len(value) <= _MAX_NAME or not value.isprintable():
        raise PacketError(f"{key} must be a name of 1 to {_MAX_NAME} printable characters, got {kind_of(value)}")
    return value


def names_of(key: str, value: object, count: int | None = None) -> tuple[str, ...]:
    """The value, checked to be a list of (`count`) names."""
    if not isinstance(value, list) or (count is not None and len(value) != count):
        raise PacketError(f"{key} must be a list of {'' if count is None else count} names")
    return tuple(name_of(key, name) for name in value)


def _is_table(value: object, shape: tuple[int, ...]) -> bool:
    if not shape:
        return type(value) in (int, float)  # bool is an int to isinstance
    return isinstance(value, list) and len(value) == shape[0] and all(_is_table(row, shape[1:]) for row in value)


class Fields:
    """A JSON object read key by key; each method checks the type it returns."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """The value, of any type."""
        if key not in self._fields:
            raise PacketError(f"a packet lacks {key!r}")
        return self._fields[key]

    def integer(self, key: str, low: int = 0) -> int:
        """An integer of at least `low`; 1.0 and true are refused."""
        value = self.get(key)
        if type(value) is not int or value < low:
            raise PacketError(f"{key} must be an integer of at least {low}, got {kind_of(value)}")
        return value

    def number(self, key: str, low: float) -> float:
        """A number of at least `low`."""
        value = self.get(key)
        if type(value) not in (int, float) or value < low:
            raise PacketError(f"{key} must be a number of at least {low}, got {kind_of(value)}")
        return float(value)

    def text(self, key: str) -> str:
        """A short printable string."""
        return name_of(key, self.get(key))

    def array(self, key: str) -> list[Any]:
        """A list of anything."""
        value = self.get(key)
        if not isinstance(value, list):
            raise PacketError(f"{key} must be a list, got {kind_of(value)}")
        return value

    def mapping(self, key: str) -> dict[str, Any]:
        """An object of anything."""
        value = self.get(key)
        if not isinstance(value, dict):
            raise PacketError(f"{key} must be an object, got {kind_of(value)}")
        return value

    def table(self, key: str, shape: tuple[int, ...], *, nullable: bool = False) -> Any:  # noqa: ANN401 - Float64 or None
        """Numbers of this shape as float64, or None where null is allowed."""
        value = self.get(key)
        if nullable and value is None:
            return None
        if not _is_table(value, shape):
            raise PacketError(f"{key} must be {' x '.join(map(str, shape))} numbers{' or null' if nullable else ''}")
        return np.array(value, dtype=np.float64)

    def scores(self, count: int) -> Float64:
        """The key `scores`: `count` numbers in 0..1."""
        values: Float64 = self.table("scores", (count,))
        if np.any(values < 0) or np.any(values > 1):
            raise PacketError("scores must lie in 0..1")
        return values
