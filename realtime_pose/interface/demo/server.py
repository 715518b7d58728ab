"""The demo's server: answers its own pages only, and ends within two seconds."""

import shutil
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import gradio as gr
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime_pose.interface.dashboard.web.guard import Guard
from realtime_pose.interface.demo.page import theme

MAX_UPLOAD_MB = 20
MAX_BODY_BYTES = MAX_UPLOAD_MB * 2**20 + 2**16
"""An upload with its form; all other requests are much smaller."""
_CONNECTIONS = 100
_SHUTDOWN_S = 1  # pages keep a stream open, which would delay the shutdown


class BodyLimit:
    """Refuses requests that are too large by their header, and cuts off those whose body is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on (ASGI)."""
        if scope["type"] == "http" and int(Headers(scope=scope).get("content-length", "0")) > MAX_BODY_BYTES:
            answer = PlainTextResponse(_TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            await answer(scope, receive, send)
            return
        had = 0

        async def counted() -> Message:
            nonlocal had
            message = await receive()
            had += len(message.get("body", b""))
            return message if had <= MAX_BODY_BYTES else {"type": "http.disconnect"}

        await self._app(scope, counted, send)


_TOO_LARGE = f"This file is too large; use one of at most {MAX_UPLOAD_MB} MB."


def build_app(page: gr.Blocks, folder: Path, port: int, host_names: Iterable[str] = ()) -> Starlette:
    """The page as an ASGI app.

    Args:
        page: The page.
        folder: Of visitors' uploads; deleted when the app ends.
        port: The server's port.
        host_names: Host names beside this machine's own under which the page may be opened.
    """

    @asynccontextmanager
    async def delete_uploads(app: Starlette) -> AsyncIterator[None]:
        yield
        shutil.rmtree(folder, ignore_errors=True)

    # the page's inline scripts contain its settings, so their hashes are not known in advance
    guard = Middleware(Guard, host_names=host_names, scripts=("unsafe-inline",))
    app = Starlette(lifespan=delete_uploads, middleware=[guard, Middleware(BodyLimit)])
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        server_name="127.0.0.1",
        server_port=port,
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=True,
        max_file_size=f"{MAX_UPLOAD_MB}mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        **theme(),
    )
    page.has_launched = True  # until then Gradio accepts any path on this machine as a visitor's file
    return app


def serve(app: Starlette, listener: socket.socket) -> None:
    """Serve on an open socket until SIGINT or SIGTERM."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])
