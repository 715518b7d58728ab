"""The socket /live: its messages, its commands, and clients that break the protocol."""

import json
import struct
import threading
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from support.fake_studio import FakeCamera, FakeStudio, camera_message
from support.people import make_person, make_result

from realtime_pose.capture.browser import MAX_BYTES
from realtime_pose.interface.dashboard.engine.feed import IN_FLIGHT
from realtime_pose.interface.dashboard.web.live_socket import MAX_CLIENTS, MAX_TEXT, Live

PATIENCE_S = 20.0


@pytest.fixture
def studio():
    return FakeStudio()


@pytest.fixture
def client(studio):
    live = Live(lambda: studio, "/dashboard/x.glb")
    with TestClient(Starlette(routes=[WebSocketRoute("/live", live.serve)])) as client:
        yield client


def publish(studio, index=0, people=1):
    result = make_result([make_person(track_id=k) for k in range(people)], index=index, time_ns=index * 1_000_000_000)
    studio.feed.publish(result, run=1, mirror=False)


def header_of(message):
    return json.loads(message[4 : 4 + struct.unpack_from("<I", message)[0]])


def close_of(socket):
    """The code and reason of the server's close, skipping messages before it."""
    while True:
        message = socket.receive()
        if message["type"] == "websocket.close":
            return message["code"], message["reason"]


def wait_until_gone(studio):
    """Wait until there is no client."""
    gone = threading.Event()
    for _ in range(2000):
        if studio.feed.watchers == 0:
            return
        gone.wait(0.01)
    pytest.fail("somebody still watches")


def test_it_sends_hello_then_the_state_then_frames(client, studio):
    studio.feed.announce({"type": "state", "phase": "running"})
    publish(studio, 3)
    with client.websocket_connect("/live") as socket:
        assert socket.receive_json()["type"] == "hello"
        assert socket.receive_json() == {"type": "state", "phase": "running"}
        assert header_of(socket.receive_bytes())["time_s"] == 3
        assert studio.feed.watchers == 1
        publish(studio, 4, people=3)
        assert len(header_of(socket.receive_bytes())["people"]) == 3
    wait_until_gone(studio)


def test_a_client_that_never_acknowledges_gets_a_few_frames_and_every_event(client, studio):
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        seqs = []
        for index in range(IN_FLIGHT):
            publish(studio, index)
            seqs.append(header_of(socket.receive_bytes())["seq"])
        for index in range(IN_FLIGHT, 7):
            publish(studio, index)
        studio.feed.announce({"type": "state", "phase": "paused"})
        assert socket.receive_json()["phase"] == "paused"  # and no frame before it
        socket.send_json({"ack": seqs[0]})
        assert header_of(socket.receive_bytes())["time_s"] == 6


def test_every_tab_gets_the_frames(client, studio):
    with client.websocket_connect("/live") as one, client.websocket_connect("/live") as other:
        for socket in (one, other):
            socket.receive_json()
        for index in range(20):
            publish(studio, index)
            for socket in (one, other):
                header = header_of(socket.receive_bytes())
                assert header["time_s"] == index
                socket.send_json({"ack": header["seq"]})


def test_keys_steer_the_studio_and_what_cannot_be_done_harms_nothing(client, studio):
    with client.websocket_connect("/live") as socket:
        for what in ("step", "recentre", "pause", "resume"):
            socket.send_json({"do": what})
        assert studio.wait_for(4) == ["step", "recentre", "pause", "resume"]


def test_the_browsers_frames_reach_its_camera(client, studio):
    studio.browser_camera = camera = FakeCamera()
    with client.websocket_connect("/live") as socket:
        socket.send_bytes(camera_message(b"\xff\xd8\xff picture", 12.5))
        assert camera.wait_for(1) == [(b"\xff\xd8\xff picture", 12.5)]


def test_only_one_windows_camera_is_used_and_the_next_ones_when_it_leaves(client, studio):
    def told(socket):
        while (message := socket.receive_json())["type"] != "state":
            pass
        return message["browser_camera"]

    with client.websocket_connect("/live") as stays, client.websocket_connect("/live") as breaks:
        with client.websocket_connect("/live") as newest:
            for socket in (stays, breaks, newest):
                assert socket.receive_json()["type"] == "hello"
            studio.browser_camera = camera = FakeCamera()
            studio.feed.announce({"type": "state", "browser_camera": True})
            assert [told(socket) for socket in (stays, breaks, newest)] == [False, False, True]
            breaks.send_bytes(camera_message(b"the wrong one"))
            breaks.send_text("garbage")
            close_of(breaks)  # so the frame before it was read
            newest.send_bytes(camera_message(b"the right one"))
            assert camera.wait_for(1) == [(b"the right one", 1.0)]
        assert told(stays) is True


def test_a_frame_that_comes_too_late_is_dropped(client, studio):
    with client.websocket_connect("/live") as socket:
        socket.send_bytes(camera_message(b"\xff\xd8\xff"))
        socket.send_json({"do": "pause"})
        assert studio.wait_for(1) == ["pause"]


@pytest.mark.parametrize("text", ["", "garbage", "{}", '{"do":"close"}', '{"do":"pause","x":1}', '"ack"', "é" * 300])
def test_garbage_closes_the_socket_with_a_reason(client, studio, text):
    with client.websocket_connect("/live") as socket:
        socket.send_text(text)
        code, reason = close_of(socket)
    assert code == 1008
    assert reason
    assert len(reason.encode()) <= 123
    wait_until_gone(studio)
    assert studio.calls == []


def test_long_text_is_closed(client, studio):
    with client.websocket_connect("/live") as socket:
        socket.send_text('{"do":"pause"}'.ljust(MAX_TEXT + 1))
        assert close_of(socket)[0] == 1009
    assert studio.calls == []


def test_large_and_empty_frames_close_the_socket(client, studio):
    studio.browser_camera = camera = FakeCamera()
    with client.websocket_connect("/live") as socket:
        socket.send_bytes(camera_message(bytes(MAX_BYTES + 1)))
        assert close_of(socket)[0] == 1009
    with client.websocket_connect("/live") as socket:
        socket.send_bytes(b"1234")
        assert close_of(socket)[0] == 1008
    assert camera.given == []


def test_there_are_only_so_many_places_and_leaving_frees_one(client, studio):
    with ExitStack() as all_of_them:
        sockets = [all_of_them.enter_context(client.websocket_connect("/live")) for _ in range(MAX_CLIENTS)]
        for socket in sockets:
            socket.receive_json()
        with client.websocket_connect("/live") as late:
            assert late.receive()["code"] == 1013
        assert studio.feed.watchers == MAX_CLIENTS
        sockets[0].send_text("garbage")
        close_of(sockets[0])
        with client.websocket_connect("/live") as next_one:
            assert next_one.receive_json()["type"] == "hello"


def test_a_client_that_disconnects_is_forgotten(client, studio):
    with client.websocket_connect("/live") as socket:
        socket.receive_json()
        socket.close(1001)
        publish(studio)
        wait_until_gone(studio)
