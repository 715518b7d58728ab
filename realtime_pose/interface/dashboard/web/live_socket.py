"""The WebSocket /live: frames and the state to the page, its keys and its camera's pictures back.

One task sends and one listens; when either ends, for whatever reason, so does the other. A client that breaks the rules
is told the reason and closed.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from realtime_pose.capture.browser import MAX_BYTES, BrowserCamera
from realtime_pose.errors import PacketError, RealtimePoseError
from realtime_pose.interface.dashboard.web.feed import Watch
from realtime_pose.interface.dashboard.web.messages import (
    CAMERA_HEAD_BYTES,
    hello,
    read_picture,
    read_text,
    without_camera,
)

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

log = logging.getLogger(__name__)

MAX_CLIENTS = 8
MAX_TEXT = 1024

_BROKE_THE_RULES, _TOO_BIG, _TRY_AGAIN_LATER = 1008, 1009, 1013
_LAST_WORDS_S = 1.0
_REASON_BYTES = 120  # a close frame holds 123


class Live:
    """Serves /live to at most MAX_CLIENTS clients.

    Args:
        studio: Gives the studio; asked for at each connection, as it is made when the server starts.
        character: The default character's address.
    """

    def __init__(self, studio: Callable[[], "Studio"], character: str) -> None:
        self._studio, self._hello = studio, hello(character)
        self._clients: list[WebSocket] = []  # oldest first
        self._camera: BrowserCamera | None = None
        self._holder: WebSocket | None = None

    async def serve(self, socket: WebSocket) -> None:
        """Talk to one client until it leaves, breaks the rules, or the server stops."""
        await socket.accept()
        if len(self._clients) >= MAX_CLIENTS:
            await _close(socket, _TRY_AGAIN_LATER, f"{MAX_CLIENTS} windows watch already; close one")
            return
        self._clients.append(socket)
        try:
            await self._talk(socket, self._studio())
        finally:
            self._clients.remove(socket)
            if socket is self._holder:
                self._studio().feed.tell_again()  # another window's camera is asked for

    def _films(self, socket: WebSocket, studio: "Studio") -> bool:
        """Whether this window is the one whose camera is used: the newest when the run began, until it leaves."""
        if (camera := studio.browser_camera) is not self._camera:
            self._camera, self._holder = camera, None
        if self._holder not in self._clients:
            self._holder = self._clients[-1]
        return socket is self._holder

    async def _talk(self, socket: WebSocket, studio: "Studio") -> None:
        refused: tuple[int, str] | None = None
        with studio.feed.watch() as watch:
            async with anyio.create_task_group() as both:

                async def speak() -> None:
                    try:
                        await self._speak(socket, studio, watch)
                    except WebSocketDisconnect:
                        log.debug("a window went away while it was sent to")
                    finally:
                        both.cancel_scope.cancel()

                both.start_soon(speak)
                try:
                    refused = await self._listen(socket, studio, watch)
                finally:
                    both.cancel_scope.cancel()
        if refused is not None:
            await _close(socket, *refused)

    async def _speak(self, socket: WebSocket, studio: "Studio", watch: Watch) -> None:
        await socket.send_text(self._hello)
        await watch.catch_up()
        while True:
            message = await watch.next()
            if isinstance(message, str):
                await socket.send_text(message if self._films(socket, studio) else without_camera(message))
            else:
                await socket.send_bytes(message)

    async def _listen(self, socket: WebSocket, studio: "Studio", watch: Watch) -> tuple[int, str] | None:
        """Do what the client says, until it leaves (None) or breaks the rules: code and reason to close with."""
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text, data = message.get("text"), message.get("bytes") or b""
            try:
                if text is not None:
                    if len(text.encode()) > MAX_TEXT:
                        return _TOO_BIG, f"more than {MAX_TEXT} bytes of text"
                    _obey(text, studio, watch)
                else:
                    if len(data) > MAX_BYTES + CAMERA_HEAD_BYTES:
                        return _TOO_BIG, f"a picture of more than {MAX_BYTES / 1e6:g} MB"
                    grabbed_ms, jpeg = read_picture(data)
                    camera = studio.browser_camera
                    if camera is not None and self._films(socket, studio):  # else it was on its way at a change
                        camera.put(jpeg, grabbed_ms)
            except PacketError as exc:
                return _BROKE_THE_RULES, str(exc)


def _obey(text: str, studio: "Studio", watch: Watch) -> None:
    said = read_text(text)
    if said.ack is not None:
        watch.ack(said.ack)
        return
    actions = {"recentre": studio.recentre, "pause": studio.pause, "resume": studio.resume, "step": studio.step}
    try:
        actions[said.do]()
    except RealtimePoseError as exc:  # such as a pause while nothing runs
        log.info("%s was not done: %s", said.do, exc)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """Close with a reason; a client that takes nothing is not waited for."""
    with anyio.move_on_after(_LAST_WORDS_S):
        try:
            await socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        except (WebSocketDisconnect, OSError, RuntimeError):  # it has gone already; each server has a word of its own
            log.debug("a window left before it was told: %s", reason)
