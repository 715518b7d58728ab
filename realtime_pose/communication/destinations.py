"""Destinations of live outputs: an address and its options, such as "127.0.0.1:5005,person=2", and sockets for it."""

import socket
from dataclasses import dataclass
from typing import Any

from realtime_pose.errors import ConfigError, UnknownChoiceError

_EXAMPLE = "127.0.0.1:{port}"


@dataclass(frozen=True)
class Destination:
    """An address given by the user, and what is sent there.

    Attributes:
        text: As the user wrote it.
        host: Name or IP address.
        port: UDP or TCP port; 0 for any free one, for servers only.
        person: Send this person only; None sends everyone.
        origins: Origins of web pages that a server also accepts, such as "https://studio.example"; "null" is that of
            local files, and of any page that hides its own.
        only: Names of what is sent; empty sends all.
    """

    text: str
    host: str
    port: int
    person: int | None = None
    origins: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def parse_destination(
    text: str, default_port: int | None = None, *, options: tuple[str, ...] = ("person",), lowest_port: int = 1
) -> Destination:
    """The destination of "host:port[,person=ID]".

    Args:
        text: The text that the user wrote.
        default_port: The protocol's port, used where the text has none; None requires one in the text.
        options: Options allowed after the address: "person", "origin", "only"; `only=a,b` has two names.
        lowest_port: 0 for a server that may use any free port.

    Raises:
        ConfigError: The text is not valid.
    """
    address, *given = text.split(",")
    host, port = parse_address(address, lowest_port=lowest_port, default_port=default_port)
    person, origins = None, []
    only: list[str] = []
    for item in given:
        key, equals, value = item.partition("=")
        if only and not equals:  # only=hips,feet
            key, equals, value = "only", "=", item
        if key not in options or not equals:
            raise UnknownChoiceError(
                f"destination {text!r}: option", item, [f"{name}={_VALUES[name]}" for name in options]
            )
        if key == "person":
            person = _person_of(text, value)
        elif key == "only":
            only.append(value.strip().lower())
        else:
            origins.append(_origin_of(text, value))
    return Destination(text, host, port, person, tuple(origins), tuple(only))


def parse_server_address(text: str) -> Destination:
    """The address of a WebSocket server, "host[:port][,person=ID][,origin=URL]"; port 0 is any free one.

    Raises:
        ConfigError: The text is not valid.
    """
    return parse_destination(text, 8765, options=("person", "origin"), lowest_port=0)


_VALUES = {"person": "ID", "origin": "https://HOST", "only": "NAME"}


def _person_of(text: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ConfigError(f"destination {text!r} has person {value!r}; a person is a number, as `listen` shows it")
    return int(value)


def _origin_of(text: str, value: str) -> str:
    if value.lower() == "null":
        return "null"
    scheme, separator, host = value.partition("://")
    if not (scheme in ("http", "https") and separator and host and host.isprintable()) or set(host) & set(" /"):
        raise ConfigError(f"destination {text!r} has origin {value!r}; an origin is a page's address without its path")
    return value.lower()


def parse_address(text: str, *, lowest_port: int = 1, default_port: int | None = None) -> tuple[str, int]:
    """Host and port of "host:port"; an IPv6 address is in brackets.

    Raises:
        ConfigError: The text is not valid.
    """
    example = _EXAMPLE.format(port=default_port or 5005)
    if not text.isprintable() or " " in text or "/" in text:
        raise ConfigError(f"address {text!r} holds a space, a slash or a control character; write it like {example}")
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        if default_port is None or not text or text.isdigit():
            raise ConfigError(f"address {text!r} has no port; write it like {example}")
        host, port = text, str(default_port)
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ConfigError(f"address {text!r} looks like IPv6; write it in brackets, like [::1]:{default_port or 5005}")
    host = host[1:-1] if bracketed else host
    if not host:
        raise ConfigError(f"address {text!r} has no host; write it like {example}")
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and lowest_port <= int(port) <= 65_535):
        raise ConfigError(f"address {text!r} has port {port!r}; a port is a number from {lowest_port} to 65535")
    return host, int(port)


def open_socket(host: str, port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> tuple[socket.socket, Any]:
    """A socket of the address's family, and the resolved address to use with it. The name is looked up once.

    Raises:
        ConfigError: The host is unknown.
    """
    try:
        found = socket.getaddrinfo(host, port, type=kind)
        # IPv4 first, so that "localhost" means 127.0.0.1, the default of both ends
        family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        return socket.socket(family, kind), address
    except (OSError, UnicodeError) as exc:
        raise ConfigError(f"host {host!r} is not known here; check the name, or give the IP address") from exc


def address_text(address: tuple[Any, ...]) -> str:
    """A socket address as "host:port"."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
