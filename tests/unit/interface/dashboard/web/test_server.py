"""The dashboard as a process: start, address, files that it serves, and shutdown."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from websockets.sync.client import connect

from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.web import server
from realtime_pose.utils.paths import data_path

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and loopback addresses as POSIX has them")

APP = Path(server.__file__).parents[2] / "streamlit_app.py"
PATIENCE_S = 60.0  # bounds a test that hangs; a passing one never waits it out

FAKE = """
import itertools, sys, threading, time
from pathlib import Path
import numpy as np
from realtime_pose.datatypes import Frame, FrameResult
sys.path.insert(0, {tests!r})
from support.fake_studio import FakeStudio
from support.people import make_person
from realtime_pose.interface.dashboard.web import server

class Studio(FakeStudio):
    def close(self):
        print("closed", flush=True)

studio = Studio()

noise = np.random.default_rng(0).integers(0, 256, (720, 960, 3), dtype=np.uint8)  # hard to compress

def show():
    for index in itertools.count():
        result = FrameResult(Frame(noise, index, index, index), (make_person(),))
        studio.feed.publish(result, run=1, mirror=False)
        time.sleep(0.01)

threading.Thread(target=show, daemon=True).start()
port = server.free_port(18501, "127.0.0.1")
server.serve(lambda: studio, port=port, page=Path({page!r}), on_ready=lambda: print(port, flush=True))
print("over", flush=True)
server.leave()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.py"
    path.write_text('import streamlit as st\nst.title("A page")\n', encoding="utf-8")
    return path


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **options
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)


@contextlib.contextmanager
def fake_server(page):
    code = FAKE.format(tests=str(Path(__file__).parents[4]), page=str(page))
    with running([sys.executable, "-c", code]) as process:
        yield process, int(process.stdout.readline())


@pytest.fixture(scope="module")
def port(page):
    with fake_server(page) as (_, port):
        yield port


def ask(port, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def live(port, **options):
    return connect(f"ws://127.0.0.1:{port}/live", open_timeout=PATIENCE_S, close_timeout=1, **options)


def page_socket(port):
    return connect(f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=["streamlit"], open_timeout=PATIENCE_S)


def test_the_page_and_its_files_are_served(port):
    status, headers, body = ask(port, "/")
    assert status == 200
    assert b"<title>Streamlit</title>" in body
    hashes = server.hashes_of(body.decode())
    assert hashes
    assert all(name in headers["content-security-policy"] for name in hashes)
    status, headers, body = ask(port, server.CHARACTER)
    assert (status, headers["content-type"]) == (200, "model/gltf-binary")
    assert body == data_path("resources/models/default_model.glb").read_bytes()


@pytest.mark.parametrize(
    "path",
    ["/dashboard/../server.py", "/dashboard/..%2fserver.py", "/dashboard/%2e%2e/server.py", "/dashboard/..\\server.py",
     "/dashboard//etc/passwd", "/dashboard/%2fetc%2fpasswd", "/dashboard/....//server.py", "/dashboard/",
     "/dashboard/default_model.glb/../../server.py", "/app/static/page.py", "/dashboard/server.py"],
)  # fmt: skip
def test_nothing_else_is_served(port, path):
    status, _, body = ask(port, path)
    # Streamlit answers unknown paths with its page
    assert status in (400, 404) or b"<title>Streamlit</title>" in body
    assert b"import" not in body.split(b"<html")[0]
    assert b"root:" not in body


def test_frames_come_over_a_real_connection(port):
    with live(port) as client:
        assert json.loads(client.recv(PATIENCE_S))["character"] == server.CHARACTER
        seqs = []
        for _ in range(10):
            message = client.recv(PATIENCE_S)
            seqs.append(json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])["seq"])
            client.send(json.dumps({"ack": seqs[-1]}))
        assert seqs == sorted(set(seqs))


@pytest.mark.parametrize("path", ["/live", "/_stcore/stream"])
@pytest.mark.parametrize("header", [("Origin", "http://evil.test"), ("Host", "evil.test")])
def test_other_pages_get_no_connection(port, path, header):
    name, value = header
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13"
    hosts = f"Host: {value}" if name == "Host" else f"Host: 127.0.0.1:{port}\r\nOrigin: {value}"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as raw:
        raw.sendall(
            f"GET {path} HTTP/1.1\r\n{hosts}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n\r\n".encode()
        )
        assert b" 403 " in raw.recv(100)


def test_others_cannot_reach_it(port):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=PATIENCE_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_page_open(page, number):
    with fake_server(page) as (process, port), live(port) as client, page_socket(port):
        client.recv(PATIENCE_S)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout.read().split() == ["closed", "over"]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def test_a_client_that_reads_nothing_does_not_delay_closing(page):
    with fake_server(page) as (process, port), socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        raw.connect(("127.0.0.1", port))
        raw.sendall(f"GET {server.CHARACTER} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 40)
        assert b" 200 " in raw.recv(100)
        for _ in range(40):  # meanwhile its answers fill every buffer on the way
            assert ask(port, "/_stcore/health")[0] == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert "closed" in process.stdout.read()


def start_streamlit(tmp_path, **environment):
    port = server.free_port(18601, "127.0.0.1")
    command = [sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port)]
    home = {"HOME": str(tmp_path), "PYTHONPATH": str(APP.parents[2])}
    return running(command, cwd=tmp_path, env={**os.environ, **home, **environment}), port


def test_streamlit_run_serves_the_same_from_anywhere(tmp_path):
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n', encoding="utf-8")
    process, port = start_streamlit(tmp_path, STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION="false")
    with process as streamlit:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and streamlit.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                assert ask(port, "/_stcore/health")[0] == 200
                break
        assert ask(port, "/", Host="evil.test")[0] == 403
        assert "_streamlit_xsrf" in ask(port, "/_stcore/health")[1]["set-cookie"]
        with live(port) as client:
            assert json.loads(client.recv(PATIENCE_S))["type"] == "hello"
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), timeout=PATIENCE_S)
            streamlit.send_signal(signal.SIGTERM)
            streamlit.wait(PATIENCE_S)


def test_streamlit_run_refuses_to_serve_others_unless_a_name_is_given(tmp_path):
    process, _ = start_streamlit(tmp_path, STREAMLIT_SERVER_ADDRESS="0.0.0.0")
    with process as streamlit:
        assert streamlit.wait(PATIENCE_S) != 0
        assert server.HOST_NAMES in streamlit.stdout.read()


def test_the_options_are_safe():
    options = server.streamlit_options()
    assert options["server.address"] == "127.0.0.1"
    assert options["server.enableXsrfProtection"] is True
    assert options["browser.gatherUsageStats"] is False
    assert options["server.fileWatcherType"] == "none"
    assert options["server.allowedHosts"] == list(server.OUR_NAMES)
    assert set(server._FIXED) <= set(options)
    assert tomllib.loads(server.OPTIONS_FILE.read_text(encoding="utf-8"))["server"]["maxUploadSize"] == 100


def test_a_taken_port_makes_it_the_next_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.free_port(port, "127.0.0.1") > port
    with pytest.raises(ConfigError, match="--port"):
        server.free_port(65_536, "127.0.0.1")


def test_only_names_open_it_to_others():
    assert server.address_for(()) == "127.0.0.1"
    assert server.address_for(["studio.test"]) == "0.0.0.0"
    assert server.host_names_of({server.HOST_NAMES: " a.test, b.test,"}) == ("a.test", "b.test")
    assert server.host_names_of({}) == ()


def test_folders_are_whole_and_named_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = server.default_folders(Path("takes"), [Path("models"), Path("models")])
    assert folders.takes == tmp_path / "takes"
    assert folders.allowed.count(tmp_path / "models") == 1
    assert data_path("checkpoints") in folders.allowed
    assert all(folder.is_absolute() for folder in (folders.uploads, *folders.allowed))
