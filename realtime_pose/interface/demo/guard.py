"""Who and what gets through to the page: requests for this host, from its own pages, of a size it can use."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime_pose.communication.targets import Target
from realtime_pose.communication.visitors import why_refused


class Guard:
    """Lets requests through that no strange web page can have made, and no more bytes of each than `most_bytes`."""

    def __init__(self, app: ASGIApp, port: int, most_bytes: int) -> None:
        self._app, self._most_bytes = app, most_bytes
        self._own = Target(f"127.0.0.1:{port}", "127.0.0.1", port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the server's start and end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = why_refused(headers.getlist("host"), headers.getlist("origin"), self._own)
        if refused:
            await PlainTextResponse(refused, HTTPStatus.FORBIDDEN)(scope, receive, send)
        elif int(headers.get("content-length", "0")) > self._most_bytes:
            await PlainTextResponse("too large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)(scope, receive, send)
        else:
            await self._app(scope, self._counted(receive), send)

    def _counted(self, receive: Receive) -> Receive:
        """The request's body, which breaks off where it is longer than it may be, whatever its header said."""
        had = 0

        async def counted() -> Message:
            nonlocal had
            message = await receive()
            had += len(message.get("body", b""))
            return message if had <= self._most_bytes else {"type": "http.disconnect"}

        return counted
