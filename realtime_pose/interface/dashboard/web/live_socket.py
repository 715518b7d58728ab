"""The WebSocket /live: frames and state to the page, key commands and camera frames back.

One task sends and one receives; when either ends, so does the other. A client that breaks the protocol is closed with
the reason.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime_pose.capture.browser import MAX_BYTES, BrowserCamera
from realtime_pose.errors import PacketError, RealtimePoseError
from realtime_pose.interface.dashboard.engine.feed import Watch
from realtime_pose.interface.dashboard.engine.messages import (
    CAMERA_HEAD_BYTES,
    hello,
    read_camera_frame,
    read_text,
    without_camera,
)

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

log = logging.getLogger(__name__)

MAX_CLIENTS = 8
MAX_TEXT = 1024

_POLICY_VIOLATION, _TOO_BIG, _TRY_AGAIN_LATER = 1008, 1009, 1013
_CLOSE_S = 1.0
_REASON_BYTES = 120  # a close frame holds 123


class Live:
    """Serves /live to at most MAX_CLIENTS clients.

    Args:
        studio: Returns the studio; called at each connection, as the studio is made when the server starts.
        character: The default character's URL path.
    """

    def __init__(self, studio: Callable[[], "StudioApi"], character: str) -> None:
        self._studio, self._hello = studio, hello(character)
        self._clients: list[WebSocket] = []  # oldest first
        self._camera: BrowserCamera | None = None
        self._camera_socket: WebSocket | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Serve one client until it leaves, breaks the protocol, or the server stops."""
        await socket.accept()
        if len(self._clients) >= MAX_CLIENTS:
            await _close(socket, _TRY_AGAIN_LATER, f"{MAX_CLIENTS} windows show the live view already; close one")
            return
        self._clients.append(socket)
        try:
            await self._exchange(socket, self._studio())
        finally:
            self._clients.remove(socket)
            if socket is self._camera_socket:
                self._studio().feed.announce_again()  # another window's camera is used from now on

    def _has_camera(self, socket: WebSocket, studio: "StudioApi") -> bool:
        """Whether this window's camera is used: the newest window when the run started, until it leaves."""
        if (camera := studio.browser_camera) is not self._camera:
            self._camera, self._camera_socket = camera, None
        if self._camera_socket not in self._clients:
            self._camera_socket = self._clients[-1]
        return socket is self._camera_socket

    async def _exchange(self, socket: WebSocket, studio: "StudioApi") -> None:
        refused: tuple[int, str] | None = None
        with studio.feed.watch() as watch:
            async with anyio.create_task_group() as both:

                async def send() -> None:
                    try:
                        await self._send(socket, studio, watch)
                    except WebSocketDisconnect:
                        log.debug("a window closed while a message was sent to it")
                    finally:
                        both.cancel_scope.cancel()

                both.start_soon(send)
                try:
                    refused = await self._receive(socket, studio, watch)
                finally:
                    both.cancel_scope.cancel()
        if refused is not None:
            await _close(socket, *refused)

    async def _send(self, socket: WebSocket, studio: "StudioApi", watch: Watch) -> None:
        await socket.send_text(self._hello)
        await watch.encode_latest()
        while True:
            message = await watch.next()
            if isinstance(message, str):
                await socket.send_text(message if self._has_camera(socket, studio) else without_camera(message))
            else:
                await socket.send_bytes(message)

    async def _receive(self, socket: WebSocket, studio: "StudioApi", watch: Watch) -> tuple[int, str] | None:
        """Handle messages until the client leaves (None) or breaks the protocol: code and reason to close with."""
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text, data = message.get("text"), message.get("bytes") or b""
            try:
                if text is not None:
                    if len(text.encode()) > MAX_TEXT:
                        return _TOO_BIG, f"more than {MAX_TEXT} bytes of text"
                    _run_command(text, studio, watch)
                else:
                    if len(data) > MAX_BYTES + CAMERA_HEAD_BYTES:
                        return _TOO_BIG, f"a frame of more than {MAX_BYTES / 1e6:g} MB"
                    grabbed_ms, jpeg = read_camera_frame(data)
                    camera = studio.browser_camera
                    if camera is not None and self._has_camera(socket, studio):  # otherwise it was sent before a change
                        camera.put(jpeg, grabbed_ms)
            except PacketError as exc:
                return _POLICY_VIOLATION, str(exc)


def _run_command(text: str, studio: "StudioApi", watch: Watch) -> None:
    command = read_text(text)
    if command.ack is not None:
        watch.ack(command.ack)
        return
    actions = {"recentre": studio.recentre, "pause": studio.pause, "resume": studio.resume, "step": studio.step}
    try:
        actions[command.do]()
    except RealtimePoseError as exc:  # such as a pause while nothing runs
        log.info("%s failed: %s", command.do, exc)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close with a reason, without waiting for a client that does not read."""
    with anyio.move_on_after(_CLOSE_S):
        try:
            await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except (WebSocketDisconnect, OSError, RuntimeError):  # already gone; servers raise different exceptions
            log.debug("a window closed before it got the reason: %s", reason)
