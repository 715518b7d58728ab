"""Open Sound Control: messages, and bundles small enough not to be fragmented (python-osc encodes them)."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

MAX_BUNDLE_BYTES = 1200
_BUNDLE_HEADER_BYTES, _SIZE_BYTES = 16, 4

Argument: TypeAlias = str | int | float


def message(address: str, *arguments: Argument) -> OscMessage:
    """An OSC message; integers are sent as int32, floats as float32."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument, "s" if isinstance(argument, str) else "i" if isinstance(argument, int) else "f")
    return builder.build()


def bundles(messages: Iterable[OscMessage], max_bytes: int = MAX_BUNDLE_BYTES) -> Iterator[bytes]:
    """The messages in order in as few bundles as possible, each of at most `max_bytes`, for immediate delivery."""
    builder, size = OscBundleBuilder(IMMEDIATELY), _BUNDLE_HEADER_BYTES
    for part in messages:
        grown = size + _SIZE_BYTES + part.size
        if grown > max_bytes and size > _BUNDLE_HEADER_BYTES:
            yield builder.build().dgram
            builder, grown = OscBundleBuilder(IMMEDIATELY), _BUNDLE_HEADER_BYTES + _SIZE_BYTES + part.size
        builder.add_content(part)
        size = grown
    if size > _BUNDLE_HEADER_BYTES:
        yield builder.build().dgram
