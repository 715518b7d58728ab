"""The kind of source chosen for a string, and its errors."""

import os
import subprocess
import sys

import pytest
from support.footage import PATIENCE_S, make_clip, within

from realtime_pose.capture import cameras
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import SOURCES, open_source, source_kind, without_credentials
from realtime_pose.capture.video import VideoFile
from realtime_pose.errors import CaptureError


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("0", "camera"),
        ("12", "camera"),
        ("/dev/video0", "camera"),
        ("actor", "actor"),
        ("actor-2", "actor-2"),
        ("http://127.0.0.1/x.mp4", "network"),
        ("HTTPS://example.test/live.m3u8", "network"),
        ("rtsp://me:secret@cam.test:554/1", "network"),
        ("rtmp://cam.test/1", "network"),
        ("udp://@:1234", "network"),
        ("tcp://127.0.0.1:99", "network"),
        ("{folder}", "images"),
        ("{folder}/one.PNG", "images"),
        ("{folder}/clip.avi", "video"),
        ("{folder}/no_suffix", "video"),
    ],
)
def test_the_string_decides(tmp_path, source, kind):
    for name in ("one.PNG", "clip.avi", "no_suffix"):
        (tmp_path / name).touch()
    assert source_kind(source.replace("{folder}", str(tmp_path))) == kind
    assert kind in SOURCES


def test_a_path_from_home_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    make_clip(tmp_path / "clip.avi", 3)
    source = open_source(CaptureConfig("~/clip.avi"))
    assert isinstance(source, VideoFile)
    source.close()


def test_a_camera_may_be_called_by_name_unless_a_file_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(cameras, "camera_names", lambda: {2: "Desk cam"})
    monkeypatch.chdir(tmp_path)
    assert source_kind("desk cam") == "camera"
    (tmp_path / "desk cam").touch()
    assert source_kind("desk cam") == "video"
    with pytest.raises(CaptureError, match=r"'door'; cameras here: 2 \(Desk cam\); give a path"):
        source_kind("door")


@pytest.mark.parametrize("source", ["nope.mp4", "folder/", "~nobody-of-that-name/x", "a\0b", "x" * 5000, "-1", "²"])
def test_a_missing_source_is_refused_by_name(source):
    with pytest.raises(CaptureError, match=r"there is no file, folder or camera") as caught:
        open_source(CaptureConfig(source))
    assert repr(source) in str(caught.value)
    assert "actor" in str(caught.value)


def test_a_link_to_a_camera_is_that_camera(tmp_path):
    (tmp_path / "usb-cam-index0").symlink_to("/dev/video7")
    link = str(tmp_path / "usb-cam-index0")
    assert source_kind(link) == "camera"
    assert cameras.camera_index(link, {}) == 7


def test_a_pipe_is_refused_and_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for source in (str(tmp_path / "pipe.mp4"), "/dev/zero"):
        with pytest.raises(
            CaptureError, match=f"^{source} is a pipe or a device, .*; save what it gives as a file first"
        ):
            within(PATIENCE_S, lambda source=source: open_source(CaptureConfig(source)))


@pytest.mark.parametrize("source", ["", "  "])
def test_no_source_at_all(source):
    with pytest.raises(CaptureError, match=r"no source is given"):
        open_source(CaptureConfig(source))


def test_an_unknown_scheme_lists_the_known():
    with pytest.raises(CaptureError, match=r"ftp://x.test/clip is not a source; URLs may begin with http, https, rtsp"):
        open_source(CaptureConfig("ftp://me:secret@x.test/clip"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:se@cret@cam.test:554/1", "rtsp://cam.test:554/1"),
        ("http://cam.test/live?user=me&pwd=secret#x", "http://cam.test/live"),
        ("rtsp://cam.test/user=me_password=secret_channel=1", "rtsp://cam.test/..."),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("http://[me:secret", "http://..."),
        ("clip.mp4", "clip.mp4"),
        ("C:\\clips\\a=b.mp4", "C:\\clips\\a=b.mp4"),
        ("0", "0"),
    ],
)
def test_credentials_are_not_shown(url, shown):
    assert without_credentials(url) == shown


def test_the_table_and_the_nouns_need_no_opencv():
    program = "import realtime_pose.capture.sources, realtime_pose.capture.base, sys; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
