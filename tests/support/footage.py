"""Footage for tests: small clips and images, a fake camera, and a local video server."""

import http.server
import threading
from concurrent.futures import Future
from pathlib import Path

import cv2
import numpy as np

from realtime_pose.capture.live import LiveTimings
from realtime_pose.errors import EndOfStream

WIDTH, HEIGHT = 64, 48
PATIENCE_S = 20.0  # limit for a test that hangs; a passing test never waits that long
QUICK = LiveTimings(first_frame_s=0.3, read_s=0.2, join_s=5.0, retry_s=0.005, retry_max_s=0.02)
STEADY = LiveTimings(first_frame_s=PATIENCE_S, read_s=0.2, join_s=5.0, retry_s=0.005, retry_max_s=0.02)


def numbered_image(number, width=WIDTH, height=HEIGHT):
    """A grey image with a white block at its top left, and its number below as eight black or white blocks."""
    image = np.full((height, width, 3), 100, np.uint8)
    image[: height // 3, : width // 4] = 255
    for bit in range(8):
        left = bit * width // 8
        image[height // 3 + 4 : 2 * height // 3 + 4, left : left + width // 8] = 255 * (number >> bit & 1)
    return image


def number_of(image):
    """The number in a `numbered_image`, modulo 256."""
    row = image[image.shape[0] // 2 + 4, :, 1]
    return sum(int(row[(2 * bit + 1) * len(row) // 16] > 128) << bit for bit in range(8))


def make_clip(path, frames=50, fourcc="MJPG", fps=30.0):
    """A clip of numbered images at `path`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*fourcc), fps, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(numbered_image(number))
    writer.release()
    return Path(path)


def damage(path, start, stop):
    """Overwrite an mp4's frames with noise, between two fractions of the clip; the index after them stays intact."""
    content = bytearray(path.read_bytes())
    first, last = content.index(b"mdat") + 4, content.index(b"moov") - 4
    low, high = (first + int(fraction * (last - first)) for fraction in (start, stop))
    content[low:high] = np.random.default_rng(7).bytes(high - low)
    path.write_bytes(content)


def read_all(source):
    """Every frame up to the end of the stream."""
    frames = []
    try:
        while True:
            frames.append(source.read())
    except EndOfStream:
        return frames


def read_until(source, arrived):
    """Read until `arrived(source, frame)` is true, and return that frame; a live source may return None before."""
    for _ in range(int(PATIENCE_S / QUICK.read_s)):
        for _ in range(1000):
            frame = source.read()
            if arrived(source, frame):
                return frame
            if frame is None:
                break
    raise AssertionError(f"no such frame; notices: {source.notices}")


def within(seconds, call):
    """Returns or raises what the call does; fails after the time limit instead of hanging the tests."""
    outcome = Future()

    def run():
        try:
            outcome.set_result(call())
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            outcome.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


class FakeCamera:
    """A fake camera; `open` replaces cv2.VideoCapture.

    Attributes:
        plugged: False: it does not open and delivers no frames.
        busy: It opens, but delivers no frames.
        blind: Its frames cannot be decoded.
        settings: The requested settings, in order.
        opened: Calls of `open`, as (index, backend).
        held: Number of open captures.
        broken: Exception raised by the next grab.
    """

    def __init__(self, size=(WIDTH, HEIGHT), fps=30.0):
        self.size, self.fps = size, fps
        self.plugged, self.busy, self.blind = True, False, False
        self.settings, self.opened, self.held = [], [], 0
        self.broken = None
        self.number = 0
        self._rate = threading.Event()  # never set: waiting on it is the time between two frames

    def open(self, index, backend):
        self.opened.append((index, backend))
        return _FakeCapture(self)

    def next_image(self):
        self._rate.wait(0.002)
        if self.broken is not None:
            raise self.broken
        self.number += 1
        return self.plugged and not self.busy


class _FakeCapture:
    def __init__(self, camera):
        self._camera, self._open = camera, camera.plugged
        camera.held += self._open

    def isOpened(self):
        return self._open

    def grab(self):
        return self._open and self._camera.next_image()

    def retrieve(self):
        return (False, None) if self._camera.blind else (True, numbered_image(self._camera.number, *self._camera.size))

    def get(self, prop):
        width, height = self._camera.size
        known = {cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height, cv2.CAP_PROP_FPS: self._camera.fps}
        return float(known.get(prop, 0.0))

    def set(self, prop, value):
        self._camera.settings.append((prop, value))
        return True

    def release(self):
        self._camera.held -= self._open
        self._open = False


class VideoServer:
    """Serves MJPEG at /live, files of `folder` by name, and an empty stream at /silent; can stop and restart."""

    def __init__(self, folder="."):
        self._folder = Path(folder)
        self._port = 0
        self._server = None
        self.start()

    def url(self, path, user=""):
        return f"http://{user}127.0.0.1:{self._port}/{path}"

    def start(self):
        self._stop = stop = threading.Event()
        folder = self._folder

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                try:
                    if self.path == "/live":
                        self._mjpeg()
                    elif self.path == "/silent":
                        stop.wait(PATIENCE_S)
                    else:
                        self._file(folder / self.path.strip("/"))
                except OSError:
                    pass  # the client has disconnected

            def _mjpeg(self):
                self._head("multipart/x-mixed-replace; boundary=next")
                number = 0
                while not stop.wait(0.005):
                    jpeg = cv2.imencode(".jpg", numbered_image(number))[1].tobytes()
                    self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
                    self.wfile.write(jpeg + b"\r\n")
                    number += 1

            def _file(self, path):
                if not path.is_file():
                    self.send_error(404)
                    return
                content = path.read_bytes()
                self._head("application/octet-stream", len(content))
                self.wfile.write(content)

            def _head(self, kind, length=None):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                if length is not None:
                    self.send_header("Content-Length", str(length))
                self.end_headers()

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.block_on_close = True  # stop() returns when every response has ended
        self._server.daemon_threads = False
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self):
        """Stop: the port refuses connections, and streams end. Safe to repeat."""
        if self._server is not None:
            self._stop.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(PATIENCE_S)
            self._server = None
