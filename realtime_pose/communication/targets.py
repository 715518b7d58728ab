"""Where a live sink sends: "host:port", and behind commas what it sends there, e.g. "127.0.0.1:5005,person=2"."""

import socket
from dataclasses import dataclass
from typing import Any

from realtime_pose.errors import ConfigError, UnknownChoiceError

_EXAMPLE = "127.0.0.1:{port}"


@dataclass(frozen=True)
class Target:
    """An address that the user named, and what goes there.

    Attributes:
        text: As the user wrote it.
        host: Name or IP address.
        port: Port.
        person: Send this person only; None sends everyone.
        origins: Web pages' origins that a server also talks to, e.g. "https://studio.example".
    """

    text: str
    host: str
    port: int
    person: int | None = None
    origins: tuple[str, ...] = ()


def parse_target(
    text: str, usual_port: int | None = None, *, options: tuple[str, ...] = ("person",), lowest_port: int = 1
) -> Target:
    """The target of "host:port[,person=ID]".

    Args:
        text: What the user wrote.
        usual_port: The protocol's usual port, taken where the text has none; None demands one.
        options: What may follow the address: "person", "origin".
        lowest_port: 0 for a server that may take a free one.

    Raises:
        ConfigError: It is anything else; the message says what is wrong with it.
    """
    address, *given = text.split(",")
    host, port = parse_address(address, lowest_port=lowest_port, usual_port=usual_port)
    person, origins = None, []
    for item in given:
        key, equals, value = item.partition("=")
        if key not in options or not equals:
            raise UnknownChoiceError(f"target {text!r}: option", item, [f"{name}={_VALUES[name]}" for name in options])
        if key == "person":
            person = _person_of(text, value)
        else:
            origins.append(_origin_of(text, value))
    return Target(text, host, port, person, tuple(origins))


def parse_served(text: str) -> Target:
    """The target of "host[:port][,person=ID][,origin=URL]" that a WebSocket serves at; port 0 takes a free one.

    Raises:
        ConfigError: It is anything else; the message says what is wrong with it.
    """
    return parse_target(text, 8765, options=("person", "origin"), lowest_port=0)


_VALUES = {"person": "ID", "origin": "https://HOST"}


def _person_of(text: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ConfigError(f"target {text!r} has person {value!r}; a person is a number, as `listen` shows it")
    return int(value)


def _origin_of(text: str, value: str) -> str:
    scheme, separator, host = value.partition("://")
    if not (scheme in ("http", "https") and separator and host and host.isprintable()) or set(host) & set(" /"):
        raise ConfigError(f"target {text!r} has origin {value!r}; an origin is a page's address without its path")
    return value.lower()


def parse_address(text: str, *, lowest_port: int = 1, usual_port: int | None = None) -> tuple[str, int]:
    """Host and port of "host:port"; an IPv6 address stands in brackets.

    Raises:
        ConfigError: It is anything else.
    """
    example = _EXAMPLE.format(port=usual_port or 5005)
    if not text.isprintable() or " " in text or "/" in text:
        raise ConfigError(f"address {text!r} holds a space, a slash or a control character; write it like {example}")
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        if usual_port is None or not text or text.isdigit():
            raise ConfigError(f"address {text!r} has no port; write it like {example}")
        host, port = text, str(usual_port)
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ConfigError(f"address {text!r} looks like IPv6; write it in brackets, like [::1]:{usual_port or 5005}")
    host = host[1:-1] if bracketed else host
    if not host:
        raise ConfigError(f"address {text!r} has no host; write it like {example}")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and lowest_port <= int(port) <= 65_535):
        raise ConfigError(f"address {text!r} has port {port!r}; a port is a number from {lowest_port} to 65535")
    return host, int(port)


def open_socket(host: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> tuple[socket.socket, Any]:
    """A socket fit for this address, and the address as sockets want it; asks the name service once.

    Raises:
        ConfigError: There is no such host.
    """
    try:
        found = socket.getaddrinfo(host, port, type=kind)
        # IPv4 first: "localhost" should mean what the defaults of both ends mean, 127.0.0.1
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        return socket.socket(family, kind), address
    except (OSError, UnicodeError) as exc:
        raise ConfigError(f"host {host!r} is not known here; check the name, or give the IP address") from exc


def address_text(address: tuple[Any, ...]) -> str:
    """A socket's own address as "host:port"."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
