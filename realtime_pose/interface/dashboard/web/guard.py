"""Who may talk to the dashboard: pages that it served itself, and programs on this machine. The outermost middleware.

A browser sends requests to this machine on behalf of any page that its user opened. Such a page is known by its
`Origin`, or, where it has bent its own name to this machine's address (DNS rebinding), by the `Host` it asks for. Both
are judged before Streamlit sees the request, which asks an outside address for its own when it meets a foreign origin.
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
"""WebSockets at once, Streamlit's and ours: 16 windows."""

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
App: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_FORBIDDEN, _POLICY_VIOLATION, _TRY_AGAIN_LATER = 403, 1008, 1013

_NOT_KNOWN = (
    "this server is not known by that name; open it as http://127.0.0.1 on its own machine, or start it with "
    "REALTIME_POSE_HOST_NAMES=NAME (realtime-pose ui also takes --host-name NAME)"
)

# Streamlit styles its widgets inline; components are modules in blobs. Nothing is fetched, shown, sent or embedded that
# is not from here, and no text becomes code.
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
    """Passes on what may come in, refuses the rest with one sentence, and says to browsers what a page may load.

    Args:
        app: What is guarded.
        host_names: Names beside this machine's own that the page may be called by.
        scripts: Hashes of the scripts that stand in the page itself, as `hashes_of` gives them.
    """

    def __init__(self, app: App, host_names: Iterable[str] = (), scripts: Iterable[str] = ()) -> None:
        self._app = app
        content = _CONTENT.format(scripts=" ".join(f"'{script}'" for script in scripts))
        self._headers = {b"content-security-policy": content.encode(), **_HEADERS}
        others = {name.lower() for name in host_names}
        self._names, self._alone = {*OUR_NAMES, *others}, not others
        self._sockets = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Judge a request and pass it on (ASGI)."""
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
        if self._alone and client and not _is_loopback(client[0]):  # whatever address the server was told to listen at
            return _NOT_KNOWN
        return why_refused(scope["headers"], self._names)

    async def _count(self, scope: Message, receive: Receive, send: Send) -> None:
        if self._sockets >= MAX_SOCKETS:
            await _refuse(scope, send, f"{MAX_SOCKETS} connections are open already", _TRY_AGAIN_LATER)
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
                    ours[b"cache-control"] = b"no-cache"  # asked for after an update; unchanged, it is not sent again
                theirs = [(key, value) for key, value in message["headers"] if key.lower() not in ours]
                message["headers"] = [*theirs, *ours.items()]
            await send(message)

        return sending


def hashes_of(html: str) -> tuple[str, ...]:
    """What a content security policy calls the scripts that stand in `html`: "sha256-..." each."""
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", html, re.DOTALL)
    return tuple(f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts)


def why_refused(headers: Iterable[tuple[bytes, bytes]], names: Iterable[str]) -> str:
    """Why a request with these headers is refused; empty if it is let in."""
    given = [(key.lower(), value.decode("latin-1").lower()) for key, value in headers]
    hosts = [value for key, value in given if key == b"host"]
    origins = [value for key, value in given if key == b"origin"]
    if len(hosts) != 1 or _name_of(hosts[0]) not in names:
        return _NOT_KNOWN
    if origins and (len(origins) > 1 or origins[0] not in (f"http://{hosts[0]}", f"https://{hosts[0]}")):
        return "pages from elsewhere are not let in"
    return ""


def _name_of(host: str) -> str:
    """The name in a Host header; empty where it has more than a name and a port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # refuses what is no number
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
