"""Access control of the dashboard."""

import base64
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from realtime_pose.interface.dashboard.web import guard
from realtime_pose.interface.dashboard.web.guard import Guard, hashes_of

STREAM = "ws://127.0.0.1:8501/_stcore/stream"


async def page(request):
    return PlainTextResponse("page", headers={"Content-Security-Policy": "default-src *", "X-Own": "1"})


async def echo(socket):
    await socket.accept()
    while (message := await socket.receive())["type"] == "websocket.receive":
        await socket.send_text(message["text"])


def client(host="127.0.0.1:8501", names=(), scripts=(), address="127.0.0.1"):
    inner = Starlette(
        routes=[Route("/", page), Route("/dashboard/live.js", page), WebSocketRoute("/_stcore/stream", echo)]
    )
    return TestClient(Guard(inner, names, scripts), base_url=f"http://{host}", client=(address, 50_000))


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:9999", "[::1]:8501"])
def test_this_machines_names_are_let_in(host):
    assert client().get("/", headers={"host": host}).text == "page"


@pytest.mark.parametrize(
    "host",
    ["evil.test", "evil.test:8501", "127.0.0.1.evil.test", "localhost.evil.test", "192.168.1.5:8501", "0.0.0.0",
     "127.0.0.1@evil.test", "evil.test/127.0.0.1", "localhost:x", "", "[::1", "localhost#", "127.1"],
)  # fmt: skip
def test_a_name_that_was_bent_to_this_machine_is_refused(host):
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == 403
    assert "--host-name" in answer.text
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client().websocket_connect(STREAM, headers={"host": host}),
    ):
        pass
    assert refused.value.code == 1008


def test_a_host_name_given_at_the_start_is_allowed():
    assert client(names=["Studio.test"]).get("/", headers={"host": "studio.test:8501"}).status_code == 200
    assert client(names=["Studio.test"]).get("/", headers={"host": "other.test:8501"}).status_code == 403


def test_other_machines_are_refused_unless_a_name_was_given():
    assert client(address="192.168.1.5").get("/").status_code == 403
    assert client(address="::1").get("/").status_code == 200
    assert client(names=["studio.test"], address="192.168.1.5").get("/").status_code == 200


@pytest.mark.parametrize("headers", [[], [(b"host", b"localhost"), (b"host", b"localhost")]])
def test_no_host_or_two_are_refused(headers):
    assert guard.refusal_of(headers, guard.OUR_NAMES)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.test", "null", "http://127.0.0.1:3000", "http://localhost:8501", "http://127.0.0.1:8501.evil.test",
     "file://", "ws://127.0.0.1:8501", "http://127.0.0.1:8501/", "chrome-extension://127.0.0.1:8501", ""],
)  # fmt: skip
def test_other_pages_are_refused_before_streamlit_sees_them(origin):
    assert client().get("/", headers={"origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client().websocket_connect(STREAM, headers={"origin": origin}),
    ):
        pass
    assert refused.value.code == 1008


def test_two_origins_are_refused():
    twice = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", b"http://localhost")]
    assert guard.refusal_of(twice, guard.OUR_NAMES)
    assert not guard.refusal_of(twice[:2], guard.OUR_NAMES)


@pytest.mark.parametrize("headers", [{}, {"origin": "http://127.0.0.1:8501"}, {"origin": "https://127.0.0.1:8501"}])
def test_its_own_page_and_programs_are_let_in(headers):
    assert client().get("/", headers=headers).status_code == 200
    with client().websocket_connect(STREAM, headers=headers) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"


def test_only_so_many_connections(monkeypatch):
    monkeypatch.setattr(guard, "MAX_SOCKETS", 2)
    with client() as one:
        for _ in range(2):  # closed ones do not count
            with one.websocket_connect(STREAM), one.websocket_connect(STREAM):
                with pytest.raises(WebSocketDisconnect) as refused, one.websocket_connect(STREAM):
                    pass
                assert refused.value.code == 1013
                assert one.get("/").status_code == 200


def test_a_page_may_load_nothing_from_elsewhere():
    answer = client(scripts=["sha256-abc"]).get("/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["default-src"] == "'self'"
    assert "'sha256-abc'" in policy["script-src"]
    assert not any("http" in sources or "*" in sources for sources in policy.values())
    assert not any(word in policy["script-src"] for word in ("'unsafe-inline'", "'unsafe-eval'"))
    assert len(answer.headers.get_list("content-security-policy")) == 1
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-own"] == "1"
    refused = client().get("/", headers={"host": "evil.test"})
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_the_viewer_is_fetched_again_after_an_update():
    assert client().get("/dashboard/live.js").headers["cache-control"] == "no-cache"
    assert "cache-control" not in client().get("/").headers


def test_scripts_in_the_page_are_known_by_their_hash():
    page = '<script src="a.js"></script><script type="module">let a = 1\n</script><script>b()</script><style>x</style>'
    wanted = [base64.b64encode(hashlib.sha256(text).digest()).decode() for text in (b"let a = 1\n", b"b()")]
    assert hashes_of(page) == tuple(f"sha256-{text}" for text in wanted)
