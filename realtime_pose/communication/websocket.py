"""PosePackets to browsers: a WebSocket server that sends each packet as a message of JSON text.

Whoever connects gets the last `hello`, then what comes. The server lives in a thread of its own; a client that takes
messages too slowly misses the oldest ones, and nobody waits for it.
"""

import asyncio
import logging
import os
import socket
import threading
from collections import deque
from http import HTTPStatus
from typing import ClassVar

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from realtime_pose.communication.datagrams import only
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, Packet, PosePacket, encode
from realtime_pose.communication.targets import Target, address_text, open_socket, parse_served
from realtime_pose.communication.websocket_guard import why_refused
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError

_CLIENTS = 16
_QUEUE_MESSAGES = 64  # about two seconds of one person
_QUEUE_FRAMES = 64
_HEARD_BYTES = 1024  # of a message from a client, which has nothing to say
_HANDSHAKE_S = 5.0
_PATIENCE_S = 1.0  # for last words, and for a client to say goodbye
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013

_strangers = logging.getLogger(f"{__name__}.strangers")
_strangers.setLevel(logging.CRITICAL)  # a stranger's broken handshake is no error of this program


class WebSocketSink:
    """Serves results to up to 16 clients at once.

    Attributes:
        target_text: The target as the user wrote it.
        address: "host:port" that it serves at, with the real port if 0 was asked for.
        packets_sent: Poses handed to the network, counted for each client.

    Args:
        target: "host[:port][,person=ID][,origin=https://HOST]": the address to serve at, and pages' origins that are
            let in beside those of this machine and of the address itself.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The target is none, or that address cannot be had.
    """

    name: ClassVar[str] = "websocket"

    def __init__(self, target: str = "127.0.0.1", *, mirror: bool = False) -> None:
        self._target = parse_served(target)
        self.target_text = target
        self._listener = _listener(self._target)
        self.address = address_text(self._listener.getsockname())
        self._packets = PacketStream(mirror=mirror)
        self._coming: deque[list[Packet]] = deque()
        self._too_many = 0
        self._missed = 0
        self.packets_sent = 0
        self._clients: set[_Client] = set()
        self._hello = ""
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="sink-websocket", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Messages that a client was too slow for."""
        return self._too_many + self._missed

    @property
    def clients(self) -> int:
        """Clients that are connected now."""
        return len(self._clients)

    def send(self, result: FrameResult) -> None:
        """Hand the packets of one frame to the server; after `close`, do nothing."""
        if self._closed:
            return
        packets = self._packets.packets_of(only(result, self._target.person))
        if len(self._coming) >= _QUEUE_FRAMES:
            self._too_many += len(packets) * self.clients
        elif packets:
            self._hand_over(packets)

    def close(self) -> None:
        """Send a last `hello`, close every connection and give the address back. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        self._hand_over(self._packets.last_words())
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def trouble(self) -> str:
        """One sentence on what was left out; empty if nothing was."""
        if not self.lost:
            return ""
        return (
            f"{self.lost} messages of the WebSocket at {self.target_text} were left out, as a client took them too "
            "slowly; close what hangs, or bring it nearer"
        )

    def _hand_over(self, packets: list[Packet]) -> None:
        self._coming.append(packets)
        self._loop.call_soon_threadsafe(self._publish_next)

    # --- in the server's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        async with serve(
            self._talk,
            sock=self._listener,
            process_request=self._judge,
            compression=None,
            max_size=_HEARD_BYTES,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_PATIENCE_S,
            server_header=None,
            logger=_strangers,
        ):
            await self._stop.wait()
            await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        """Wait a moment until everybody has heard the last words; hang up on who does not take them."""
        hearing = {asyncio.ensure_future(client.queue.join()): client for client in self._clients}
        if hearing:
            _, waiting = await asyncio.wait(hearing, timeout=_PATIENCE_S)
            for task in waiting:
                task.cancel()
                hearing[task].connection.transport.abort()  # a polite close would wait behind what they do not take

    def _publish_next(self) -> None:
        for packet in self._coming.popleft():
            if isinstance(packet, HelloPacket):
                self._hello = encode(packet).decode()
                text = self._hello
            elif self._clients:
                text = encode(packet).decode()
            else:
                continue
            for client in self._clients:
                self._missed += client.put(text, is_pose=isinstance(packet, PosePacket))

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse who comes by a name that is not ours (a page that rebinds its name), and other people's pages."""
        why = why_refused(request.headers.get_all("Host"), request.headers.get_all("Origin"), self._target)
        return connection.respond(HTTPStatus.FORBIDDEN, f"{why}\n") if why else None

    async def _talk(self, connection: ServerConnection) -> None:
        if len(self._clients) >= _CLIENTS:
            await connection.close(_TRY_AGAIN_LATER, f"{_CLIENTS} clients are here already")
            return
        client = _Client(connection)
        if self._hello:
            client.put(self._hello, is_pose=False)
        self._clients.add(client)
        feeding = asyncio.ensure_future(self._feed(client))
        try:
            await connection.recv()
            await connection.close(_POLICY_VIOLATION, "this feed takes no messages")
        except ConnectionClosed:
            pass
        finally:
            self._clients.discard(client)
            feeding.cancel()
            await asyncio.wait([feeding])
            client.forget()

    async def _feed(self, client: "_Client") -> None:
        while True:
            text, is_pose = await client.queue.get()
            try:
                await client.connection.send(text)
                self.packets_sent += is_pose
            except ConnectionClosed:
                return
            finally:
                client.queue.task_done()


class _Client:
    """What one client has yet to be sent: the newest messages."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.queue: asyncio.Queue[tuple[str, bool]] = asyncio.Queue(_QUEUE_MESSAGES)

    def put(self, text: str, *, is_pose: bool) -> int:
        """Queue a message; how many older ones had to go."""
        full = self.queue.full()
        if full:
            self._drop_oldest()
        self.queue.put_nowait((text, is_pose))
        return int(full)

    def forget(self) -> None:
        """Drop what is queued, so that nobody waits for it."""
        while not self.queue.empty():
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.queue.get_nowait()
        self.queue.task_done()


def _listener(target: Target) -> socket.socket:
    sock, address = open_socket(target.host, target.port, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would let two programs have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()
    except OSError as exc:
        sock.close()
        raise ConfigError(
            f"cannot serve at {target.host}:{target.port}: {exc.strerror}; close the program that has that port, "
            "or choose another one"
        ) from exc
    return sock
