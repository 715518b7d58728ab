"""Network sources against a local server that stops and returns."""

import itertools
import socket

import av
import cv2
import pytest
from support.footage import (
    PATIENCE_S,
    QUICK,
    STEADY,
    VideoServer,
    make_clip,
    number_of,
    numbered_image,
    read_all,
    read_until,
    within,
)

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.network import NetworkStream, open_network, open_stream
from realtime_pose.capture.video import VideoFile
from realtime_pose.errors import CaptureError, EndOfStream, UnknownChoiceError


@pytest.fixture
def server(tmp_path):
    running = VideoServer(tmp_path)
    yield running
    running.stop()


def test_an_mjpeg_stream_gives_its_newest_frames(server):
    stream = open_network(CaptureConfig(server.url("live"), rotate_deg=90), timings=STEADY)
    try:
        assert isinstance(stream, NetworkStream)
        assert stream.live
        assert stream.frame_count is None
        frames = [read_until(stream, lambda _s, f: f is not None) for _ in range(5)]
        assert frames[0].image_bgr.shape == (64, 48, 3)
        assert all(later.time_ns > earlier.time_ns for earlier, later in itertools.pairwise(frames))
    finally:
        stream.close()


def test_a_server_that_dies_and_comes_back(server):
    stream = open_network(CaptureConfig(server.url("live", user="me:secret@")), timings=STEADY)
    try:
        last = read_until(stream, lambda _s, f: f is not None)
        server.stop()
        read_until(stream, lambda s, _f: s.notices)
        assert "stopped delivering frames and is being reopened; check that the server is running" in stream.notices[0]
        server.start()
        back = read_until(stream, lambda s, f: f is not None and len(s.notices) == 2)
        assert " is back after " in stream.notices[1]
        assert back.index > last.index
        assert "secret" not in " ".join(stream.notices)
    finally:
        stream.close()


def test_a_file_over_http_gives_every_frame_and_ends(server, tmp_path):
    make_clip(tmp_path / "clip.mp4", frames=40, fourcc="mp4v")
    source = open_network(CaptureConfig(server.url("clip.mp4")))
    frames = read_all(source)
    assert isinstance(source, VideoFile)
    assert not source.live
    assert [number_of(frame.image_bgr) for frame in frames] == list(range(40))
    assert source.notices == []
    with pytest.raises(EndOfStream):
        source.read()


def test_the_error_for_a_missing_server_hides_the_password(server, capfd):
    url = server.url("live?token=hush", user="me:secret@")
    server.stop()
    with pytest.raises(
        CaptureError, match=r"no video from http://127.0.0.1:.*/live: .* check the address, the password"
    ) as caught:
        open_network(CaptureConfig(url))
    assert "secret" not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_never_answers_is_given_up(scheme):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"{scheme}://127.0.0.1:{mute.getsockname()[1]}/x"

        def attempt():
            with pytest.raises(CaptureError, match=r"did not answer in time"):
                open_stream(url, open_ms=200)
            return True

        assert within(PATIENCE_S / 4, attempt)


@pytest.mark.parametrize("name", ["nothing.mp4", "page.html"])
def test_a_server_without_video_is_refused(server, tmp_path, name):
    (tmp_path / "page.html").write_text("<html>" * 100)
    with pytest.raises(CaptureError, match=f"no video from .*/{name}"):
        open_network(CaptureConfig(server.url(name)))


def test_a_stream_that_opens_but_is_silent(server):
    class Silent:
        def isOpened(self):
            return True

        def grab(self):
            return False

        def get(self, prop):
            return 0.0

        def release(self):
            pass

    with pytest.raises(
        CaptureError, match=r"x.test/live delivered no frame within .*; check that the camera behind it"
    ):
        open_network(CaptureConfig("rtsp://x.test/live"), lambda _url: Silent(), QUICK)


def test_the_first_connection_is_used_and_not_opened_twice(server):
    opened = []

    def open_url(url):
        opened.append(url)
        return open_stream(url)

    stream = open_network(CaptureConfig(server.url("live")), open_url, STEADY)
    read_until(stream, lambda _s, f: f is not None)
    stream.close()
    assert len(opened) == 1


def test_streams_are_decoded_without_delayed_frames(server, tmp_path):
    with av.open(str(tmp_path / "clip.ts"), "w") as out:
        stream = out.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(30):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(number), format="bgr24")))
        out.mux(stream.encode())
    capture = open_stream(server.url("clip.ts"))
    assert capture.get(cv2.CAP_PROP_N_THREADS) == 1
    capture.release()


def test_an_unknown_angle_is_refused_before_anything_opens():
    with pytest.raises(UnknownChoiceError, match=r"rotate_deg=1"):
        open_network(CaptureConfig("rtsp://x.test/1", rotate_deg=1), lambda _url: pytest.fail("it was opened"))
