"""A reader of Open Sound Control 1.0 that shares no code with the program's writer."""

import struct


def read_osc(datagram: bytes) -> list[tuple[str, list]]:
    """The messages (address, arguments) of a bundle or a single message; anything invalid fails an assertion."""
    assert len(datagram) % 4 == 0
    if not datagram.startswith(b"#bundle\0"):
        return [_message(datagram)]
    assert struct.unpack_from(">Q", datagram, 8)[0] == 1  # "now"
    at, messages = 16, []
    while at < len(datagram):
        (size,) = struct.unpack_from(">i", datagram, at)
        messages += read_osc(datagram[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(datagram)
    return messages


def _message(data: bytes) -> tuple[str, list]:
    address, at = _text(data, 0)
    tags, at = _text(data, at)
    assert tags[0] == ","
    arguments = []
    for tag in tags[1:]:
        if tag == "s":
            value, at = _text(data, at)
        else:
            value, at = struct.unpack_from({"i": ">i", "f": ">f"}[tag], data, at)[0], at + 4
        arguments.append(value)
    assert at == len(data)
    return address, arguments


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    after = end + 4 - (end - at) % 4
    assert not any(data[end:after])
    return data[at:end].decode("utf-8"), after
