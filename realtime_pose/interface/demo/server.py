"""Serving the demo: to its own pages, and gone within two seconds when it is told to end."""

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
from realtime_pose.interface.demo.page import look

MAX_UPLOAD_MB = 20
MAX_BODY_BYTES = MAX_UPLOAD_MB * 2**20 + 2**16
"""An upload, and what its form adds; no other request comes near it."""
_CONNECTIONS = 100
_END_WITHIN_S = 1  # pages keep a stream open, which would hold the end up


class BodyLimit:
    """Refuses requests that are too large by what they say, and breaks off those that turn out to be."""

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


_TOO_LARGE = f"This file is too large; at most {MAX_UPLOAD_MB} MB are taken."


def build_app(page: gr.Blocks, folder: Path, port: int, host_names: Iterable[str] = ()) -> Starlette:
    """The page as an ASGI app.

    Args:
        page: What is served.
        folder: Holds what visitors upload; is deleted when the app ends.
        port: Where it is served.
        host_names: Names beside this machine's own that the page may be called by.
    """

    @asynccontextmanager
    async def leave_nothing(app: Starlette) -> AsyncIterator[None]:
        yield
        shutil.rmtree(folder, ignore_errors=True)

    # the page's own scripts hold its settings and what Gradio makes of them, so they have no hash to be known by
    guard = Middleware(Guard, host_names=host_names, scripts=("unsafe-inline",))
    app = Starlette(lifespan=leave_nothing, middleware=[guard, Middleware(BodyLimit)])
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
        **look(),
    )
    page.has_launched = True  # until then Gradio takes any path of this machine for a visitor's file
    return app


def serve(app: Starlette, listener: socket.socket) -> None:
    """Answer requests on an open socket until SIGINT or SIGTERM comes."""
    config = uvicorn.Config(
        app,
        log_level="critical",
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_END_WITHIN_S,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[listener])
