"""WebSocket server for browsers: sends each PosePacket as one text message of JSON.

A new client gets the last `hello` first, then the packets as they come. The server has a thread of its own; a client
that reads too slowly loses its oldest messages and delays nobody else.
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

from realtime_pose.communication.datagrams import only_person
from realtime_pose.communication.destinations import Destination, address_text, open_socket, parse_server_address
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, Packet, PosePacket, encode
from realtime_pose.communication.websocket_guard import refusal_reason
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError

_CLIENTS = 16
_QUEUE_MESSAGES = 64  # about two seconds of one person
_QUEUE_FRAMES = 64
_MAX_CLIENT_MESSAGE_BYTES = 1024  # clients are not expected to send anything
_HANDSHAKE_TIMEOUT_S = 5.0
_CLOSE_TIMEOUT_S = 1.0  # for the closing packets, and for the closing handshake
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013

_server_log = logging.getLogger(f"{__name__}.server")
_server_log.setLevel(logging.CRITICAL)  # a client's broken handshake is no error of this program


class WebSocketSink:
    """Serves results to up to 16 clients at once.

    Attributes:
        destination: The address as the user wrote it.
        address: "host:port" that it serves at, with the real port if 0 was asked for.
        packets_sent: Poses handed to the network, counted once per client.

    Args:
        destination: "host[:port][,person=ID][,origin=https://HOST]": the address to serve at, and origins of web pages
            to accept besides those of this machine and of the address itself.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The destination is not valid, or the address cannot be used.
    """

    name: ClassVar[str] = "websocket"

    def __init__(self, destination: str = "127.0.0.1", *, mirror: bool = False) -> None:
        self._parsed = parse_server_address(destination)
        self.destination = destination
        self._listener = _listener(self._parsed)
        self.address = address_text(self._listener.getsockname())
        self._packets = PacketStream(mirror=mirror)
        self._pending: deque[list[Packet]] = deque()
        self._lost_before_server = 0
        self._lost_by_clients = 0
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
        """Messages dropped because a client was too slow."""
        return self._lost_before_server + self._lost_by_clients

    @property
    def clients(self) -> int:
        """Clients connected now."""
        return len(self._clients)

    def send(self, result: FrameResult) -> None:
        """Pass the packets of one frame to the server's thread; does nothing after `close`."""
        if self._closed:
            return
        packets = self._packets.packets_of(only_person(result, self._parsed.person))
        if len(self._pending) >= _QUEUE_FRAMES:
            self._lost_before_server += len(packets) * self.clients
        elif packets:
            self._hand_over(packets)

    def close(self) -> None:
        """Send a final `hello`, close every connection and release the address. Safe to repeat."""
        if self._closed:
            return
        self._closed = True
        self._hand_over(self._packets.closing_packets())
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def warning(self) -> str:
        """One sentence on dropped messages; empty if none were."""
        if not self.lost:
            return ""
        return (
            f"{self.lost} messages of the WebSocket at {self.destination} were dropped because a client read too "
            "slowly; close pages that hang, or use a faster connection"
        )

    def _hand_over(self, packets: list[Packet]) -> None:
        self._pending.append(packets)
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
            self._handle_client,
            sock=self._listener,
            process_request=self._check_request,
            compression=None,
            max_size=_MAX_CLIENT_MESSAGE_BYTES,
            open_timeout=_HANDSHAKE_TIMEOUT_S,
            close_timeout=_CLOSE_TIMEOUT_S,
            server_header=None,
            logger=_server_log,
        ):
            await self._stop.wait()
            await self._flush_clients()

    async def _flush_clients(self) -> None:
        """Wait until every client has read the closing packets; after the timeout, abort the other connections."""
        flushing = {asyncio.ensure_future(client.queue.join()): client for client in self._clients}
        if flushing:
            _, unfinished = await asyncio.wait(flushing, timeout=_CLOSE_TIMEOUT_S)
            for task in unfinished:
                task.cancel()
                flushing[task].connection.transport.abort()  # a normal close would wait behind the unread messages

    def _publish_next(self) -> None:
        for packet in self._pending.popleft():
            if isinstance(packet, HelloPacket):
                self._hello = encode(packet).decode()
                text = self._hello
            elif self._clients:
                text = encode(packet).decode()
            else:
                continue
            for client in self._clients:
                self._lost_by_clients += client.put(text, is_pose=isinstance(packet, PosePacket))

    def _check_request(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse unknown host names (DNS rebinding) and web pages of other origins."""
        why = refusal_reason(request.headers.get_all("Host"), request.headers.get_all("Origin"), self._parsed)
        return connection.respond(HTTPStatus.FORBIDDEN, f"{why}\n") if why else None

    async def _handle_client(self, connection: ServerConnection) -> None:
        if len(self._clients) >= _CLIENTS:
            await connection.close(_TRY_AGAIN_LATER, f"{_CLIENTS} clients are connected already")
            return
        client = _Client(connection)
        if self._hello:
            client.put(self._hello, is_pose=False)
        self._clients.add(client)
        sending = asyncio.ensure_future(self._send_queued(client))
        try:
            await connection.recv()
            await connection.close(_POLICY_VIOLATION, "this server takes no messages")
        except ConnectionClosed:
            pass
        finally:
            self._clients.discard(client)
            sending.cancel()
            await asyncio.wait([sending])
            client.clear()

    async def _send_queued(self, client: "_Client") -> None:
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
    """One client and its queue of unsent messages, which keeps the newest."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.queue: asyncio.Queue[tuple[str, bool]] = asyncio.Queue(_QUEUE_MESSAGES)

    def put(self, text: str, *, is_pose: bool) -> int:
        """Queue a message; returns how many older ones were dropped for it."""
        full = self.queue.full()
        if full:
            self._drop_oldest()
        self.queue.put_nowait((text, is_pose))
        return int(full)

    def clear(self) -> None:
        """Drop the queued messages, so that `queue.join` returns."""
        while not self.queue.empty():
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.queue.get_nowait()
        self.queue.task_done()


def _listener(served: Destination) -> socket.socket:
    sock, address = open_socket(served.host, served.port, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # on Windows it would let two programs bind one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()
    except OSError as exc:
        sock.close()
        raise ConfigError(
            f"cannot serve at {served.host}:{served.port}: {exc.strerror}; close the program that uses the port, "
            "or choose another port"
        ) from exc
    return sock
