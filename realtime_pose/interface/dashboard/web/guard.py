"""Access control, the outermost middleware: only pages that the server served itself, and programs on this machine.

A browser sends requests to this machine on behalf of any page that its user opened. Such a page is recognised by its
`Origin` or, if it resolves its own name to this machine's address (DNS rebinding), by the `Host` header. Both are
checked before Streamlit sees the request, which asks an outside server for its own address on a foreign origin.
"""

import base64
import hashlib
import ipaddress
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

OUR_NAMES = ("127.0.0.1", "localhost", "::1")
MAX_SOCKETS = 32
"""Open WebSockets, Streamlit's and ours: enough for 16 windows."""

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_FORBIDDEN, _POLICY_VIOLATION, _TRY_AGAIN_LATER = 403, 1008, 1013

_UNKNOWN_HOST = (
    "this host name is not allowed; open http://127.0.0.1 on the server's own machine, or start it with "
    "REALTIME_POSE_HOST_NAMES=NAME (realtime-pose ui also has --host-name NAME)"
)

# Streamlit styles its widgets inline; components are modules in blobs. Nothing is loaded from or sent to other servers,
# and no text is run as code.
_CONTENT = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval' blob: {scripts}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(self), microphone=(), geolocation=()",
}


class Guard:
    """Refuses requests from elsewhere with one sentence, and sets the content security policy and related headers.

    Args:
        app: The app to protect.
        host_names: Host names beside this machine's own under which the page may be opened.
        scripts: Hashes of the page's inline scripts, from `hashes_of`.
    """

    def __init__(self, app: App, host_names: Iterable[str] = (), scripts: Iterable[str] = ()) -> None:
        self._app = app
        content = _CONTENT.format(scripts=" ".join(f"'{script}'" for script in scripts))
        self._headers = {b"content-security-policy": content.encode(), **_HEADERS}
        others = {name.lower() for name in host_names}
        self._names, self._loopback_only = {*OUR_NAMES, *others}, not others
        self._sockets = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Check a request and pass it on (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif why := self._why_refused(scope):
            await _refuse(scope, send, why, _POLICY_VIOLATION)
        elif scope["type"] == "websocket":
            await self._count(scope, receive, send)
        else:
            await self._app(scope, receive, self._with_headers(send, scope["path"]))

    def _why_refused(self, scope: Message) -> str:
        client = scope.get("client")
        if self._loopback_only and client and not _is_loopback(client[0]):  # at whatever address the server listens
            return _UNKNOWN_HOST
        return refusal_of(scope["headers"], self._names)

    async def _count(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._sockets >= MAX_SOCKETS:
            await _refuse(scope, send, f"{MAX_SOCKETS} connections are open already; close a window", _TRY_AGAIN_LATER)
            return
        self._sockets += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._sockets -= 1

    def _with_headers(self, send: Send, path: str) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = dict(self._headers)
                if path.startswith("/dashboard/"):
                    ours[b"cache-control"] = (
                        b"no-cache"  # revalidated after an update; if unchanged, it is not sent again
                    )
                theirs = [(key, value) for key, value in message["headers"] if key.lower() not in ours]
                message["headers"] = [*theirs, *ours.items()]
            await send(message)

        return sending


def hashes_of(html: str) -> tuple[str, ...]:
    """The hashes of the inline scripts in `html` for a content security policy: "sha256-..." each."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.DOTALL)
    return tuple(f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts)


def refusal_of(headers: Iterable[tuple[bytes, bytes]], names: Iterable[str]) -> str:
    """The reason why a request with these headers is refused; empty if it is allowed."""
    given = [(key.lower(), value.decode("latin-1").lower()) for key, value in headers]
    hosts = [value for key, value in given if key == b"host"]
    origins = [value for key, value in given if key == b"origin"]
    if len(hosts) != 1 or _name_of(hosts[0]) not in names:
        return _UNKNOWN_HOST
    if origins and (len(origins) > 1 or origins[0] not in (f"http://{hosts[0]}", f"https://{hosts[0]}")):
        return "requests from pages of other servers are not allowed"
    return ""


def _name_of(host: str) -> str:
    """The name in a Host header; empty if it has more than a name and a port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises if it is not a number
    except ValueError:
        return ""
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Message, send: Send, why: str, code: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": code, "reason": why})
        return
    body = f"{why}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": _FORBIDDEN, "headers": [*headers, *_HEADERS.items()]})
    await send({"type": "http.response.body", "body": body})
