"""A local model hub for tests of downloads: it responds like the real one, with failures on request."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class FakeHub:
    """Serves the same content under every name.

    Attributes:
        content: The bytes of the file.
        etag: The sha256 that the hub reports; empty where another server than a hub responds.
        status: The response's status; other than 200 there is no file.
        cut_at: Bytes after which the next response ends, once.
        ranges: The Range headers of the requests, in order; "" for none.
        honours_ranges: Whether a Range gets that range, or the whole file.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = hashlib.sha256(content).hexdigest()
        self.status = 200
        self.cut_at: int | None = None
        self.ranges: list[str] = []
        self.honours_ranges = True
        self.url = ""


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_) -> None:
            pass

        def _answer(self, with_body: bool) -> None:
            if hub.status != 200:
                self.send_response(hub.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if "/resolve/" in self.path:  # the hub redirects to another host for large files
                self.send_response(302)
                self.send_header("Location", hub.url.replace("127.0.0.1", "localhost") + "/files/model")
                self.send_header("X-Repo-Commit", "0" * 40)
                if hub.etag:
                    self.send_header("X-Linked-Etag", f'"{hub.etag}"')
                    self.send_header("X-Linked-Size", str(len(hub.content)))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = self.headers.get("Range", "")
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and hub.honours_ranges else 0
            body = hub.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                hub.ranges.append(asked)
                cut, hub.cut_at = hub.cut_at, None
                self.wfile.write(body[:cut])
                self.close_connection = True

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

    return Handler


@contextmanager
def fake_hub(content: bytes) -> Iterator[FakeHub]:
    """A running hub; its `url` is what HF_ENDPOINT must be."""
    hub = FakeHub(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def go_online(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let downloads go to `url`, whatever the environment says."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)  # it reads the variable on import
    monkeypatch.setenv("HF_ENDPOINT", url)
