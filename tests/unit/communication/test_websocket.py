"""WebSocket server: delivery to clients, slow clients, refused pages and host names."""

import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from support.people import make_clip, make_person, make_result
from support.sockets import PATIENCE_S
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from realtime_pose.communication.packets.pose_packet import HelloPacket, decode
from realtime_pose.communication.websocket import _CLIENTS, _QUEUE_MESSAGES, WebSocketSink
from realtime_pose.errors import ConfigError


@pytest.fixture
def sink():
    """A server that already has a `hello`: a client that received it is registered."""
    sink = WebSocketSink("127.0.0.1:0")
    sink.send(make_result())
    yield sink
    sink.close()


@contextmanager
def client(sink, **options):
    """A client that has received its `hello`."""
    options = {"open_timeout": PATIENCE_S, "close_timeout": PATIENCE_S, "proxy": None} | options
    with connect(f"ws://{sink.address}", **options) as connection:
        (hello,) = heard(connection, 1)
        assert isinstance(hello, HelloPacket)
        yield connection


def heard(connection, count):
    return [decode(connection.recv(PATIENCE_S).encode()) for _ in range(count)]


def until(true):
    """Wait until a condition set by the server's thread is true."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def test_a_client_gets_every_packet_as_a_message_of_text(sink):
    with client(sink) as connection:
        for result in make_clip(3)[1:]:
            sink.send(result)
        packets = heard(connection, 6)
        sink.close()
        (last,) = heard(connection, 1)
        with pytest.raises(ConnectionClosed) as left:
            connection.recv(PATIENCE_S)
    assert [(p.type, p.seq) for p in packets] == [(kind, seq) for seq in (1, 2) for kind in ("pose", "part", "part")]
    assert isinstance(last, HelloPacket)
    assert left.value.rcvd.code == 1001  # "going away"
    assert (sink.packets_sent, sink.lost, sink.warning()) == (2, 0, "")


def test_several_clients_each_get_all(sink):
    with client(sink) as one, client(sink) as two, client(sink) as three:
        sink.send(make_clip(1)[0])
        for connection in (one, two, three):
            assert [packet.type for packet in heard(connection, 3)] == ["pose", "part", "part"]
    until(lambda: sink.clients == 0)
    assert sink.packets_sent == 3


def test_a_destination_with_a_person_serves_only_that_person():
    sink = WebSocketSink("127.0.0.1:0,person=2")
    sink.send(make_result())
    with client(sink) as connection:
        sink.send(make_result([make_person(1, track_id=1), make_person(2, track_id=2)]))
        assert [packet.person for packet in heard(connection, 3)] == [2, 2, 2]
        sink.close()


class SlowClient:
    """Connects, then reads nothing; its receive buffer is as small as the system allows."""

    def __init__(self, sink):
        host, port = sink.address.split(":")
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        self._socket.connect((host, int(port)))
        self._socket.sendall(
            f"GET / HTTP/1.1\r\nHost: {sink.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert self._socket.recv(12) == b"HTTP/1.1 101"

    def close(self):
        self._socket.close()


def test_a_client_that_reads_nothing_loses_messages_and_delays_no_other(sink):
    slow = SlowClient(sink)
    until(lambda: sink.clients == 1)
    people = [make_person(i, track_id=i) for i in range(4)]
    sent = 0
    with client(sink) as connection:
        while not sink.lost:  # until every buffer on the slow one's way is full
            sink.send(make_result(people, index=sent, time_ns=sent))
            sent += 1
            packets = heard(connection, 12)
            assert packets[-1].seq == sent  # the other one has this frame before the next is made
            assert sent < 5000
        assert sink.clients == 2
    assert "messages of the WebSocket at 127.0.0.1:0 were dropped" in sink.warning()
    sink.close()  # does not wait long for the client that hangs
    slow.close()


def test_without_clients_nothing_is_sent_or_lost(sink):
    for result in make_clip(80):
        sink.send(result)
    with client(sink):
        pass
    assert (sink.packets_sent, sink.lost) == (0, 0)


def test_the_newest_messages_stay_in_a_full_queue():
    from realtime_pose.communication.websocket import _Client

    hanging = _Client(None)
    dropped = sum(hanging.put(str(i), is_pose=True) for i in range(_QUEUE_MESSAGES + 5))
    assert dropped == 5
    assert [hanging.queue.get_nowait()[0] for _ in range(hanging.queue.qsize())] == [
        str(i) for i in range(5, _QUEUE_MESSAGES + 5)
    ]


def test_one_client_too_many_is_refused(sink):
    with ExitStack() as leave:
        for _ in range(_CLIENTS - 1):
            leave.enter_context(client(sink))
        with client(sink), connect(f"ws://{sink.address}", proxy=None) as late:
            with pytest.raises(ConnectionClosed) as refused:
                late.recv(PATIENCE_S)
            assert (refused.value.rcvd.code, refused.value.rcvd.reason) == (1013, "16 clients are connected already")
        until(lambda: sink.clients == _CLIENTS - 1)
        leave.enter_context(client(sink))


@pytest.mark.parametrize(("message", "code"), [("hello", 1008), (b"\0" * 5000, 1009)], ids=["short", "long"])
def test_a_client_that_sends_a_message_is_disconnected(sink, message, code):
    with client(sink) as connection:
        connection.send(message)
        with pytest.raises(ConnectionClosed) as refused:
            connection.recv(PATIENCE_S)
    assert refused.value.rcvd.code == code
    until(lambda: sink.clients == 0)


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_pages_of_other_sites_are_refused(sink, origin):
    with pytest.raises(InvalidStatus) as refused, client(sink, origin=origin):
        pass
    assert refused.value.response.status_code == 403
    assert sink.clients == 0


def test_a_rebound_host_name_is_refused(sink):
    host, port = sink.address.split(":")
    there = socket.create_connection((host, int(port)), PATIENCE_S)
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://evil.example:{port}", sock=there, proxy=None):
        pass
    assert refused.value.response.status_code == 403


def test_a_page_of_this_machine_is_accepted(sink):
    with client(sink, origin="http://localhost:8000"):
        assert sink.clients == 1


def test_a_broken_handshake_is_no_error(sink, capfd):
    host, port = sink.address.split(":")
    for nonsense in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01nonsense\r\n\r\n", b""):
        with socket.create_connection((host, int(port)), PATIENCE_S) as visitor:
            visitor.sendall(nonsense)
            visitor.shutdown(socket.SHUT_WR)
            while visitor.recv(4096):
                pass
    with client(sink):
        pass
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_gets_a_plain_sentence(sink):
    with pytest.raises(ConfigError, match=r"cannot serve at 127\.0\.0\.1:\d+: .*close the program that uses the port"):
        WebSocketSink(sink.address)


def test_an_address_of_another_machine_gets_a_plain_sentence():
    with pytest.raises(ConfigError, match=r"cannot serve at 203\.0\.113\.7:8765"):
        WebSocketSink("203.0.113.7")


def test_close_releases_the_port(sink):
    address = sink.address
    sink.close()
    again = WebSocketSink(address)
    assert again.address == address
    again.close()


def test_messages_are_json(sink):
    with client(sink) as connection:
        sink.send(make_clip(1)[0])
        types = [json.loads(connection.recv(PATIENCE_S))["type"] for _ in range(3)]
    assert types == ["pose", "part", "part"]
