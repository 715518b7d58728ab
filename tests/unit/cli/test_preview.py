"""The preview window, with a fake window system."""

import cv2
import numpy as np
import pytest
from support.people import make_person, make_result

from realtime_pose.cli.preview import PreviewWindow
from realtime_pose.errors import ConfigError


class Windows:
    """Fake of OpenCV's windows: records what is shown, and presses keys."""

    def __init__(self):
        self.open, self.shown, self.key, self.clicked_away = set(), [], -1, False

    def namedWindow(self, title, flags):
        self.open.add(title)

    def imshow(self, title, picture):
        assert title in self.open
        self.shown.append(picture)

    def waitKey(self, ms):
        if self.clicked_away:  # clicks are seen while OpenCV waits for keys
            self.open.clear()
        return self.key

    def getWindowProperty(self, title, which):
        return 1.0 if title in self.open else -1.0

    def destroyWindow(self, title):
        if title not in self.open:
            raise cv2.error("no such window")
        self.open.remove(title)


@pytest.fixture
def windows(monkeypatch):
    windows = Windows()
    for name in ("namedWindow", "imshow", "waitKey", "getWindowProperty", "destroyWindow"):
        monkeypatch.setattr(cv2, name, getattr(windows, name))
    monkeypatch.setenv("DISPLAY", ":0")
    return windows


def test_a_missing_display_is_reported_before_any_window_is_opened(windows, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ConfigError, match="--show needs a display, and there is none; leave it out"):
        PreviewWindow()
    assert not windows.open


@pytest.mark.parametrize(("platform", "variable"), [("linux", "WAYLAND_DISPLAY"), ("win32", "X"), ("darwin", "X")])
def test_other_displays_will_do(windows, monkeypatch, platform, variable):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setenv(variable, "wayland-0")
    PreviewWindow().close()


def test_an_opencv_without_windows_gets_a_plain_sentence(windows, monkeypatch):
    def refuse(title, flags):
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    with pytest.raises(ConfigError, match="cannot open a window"):
        PreviewWindow()


def test_it_shows_the_people(windows):
    preview = PreviewWindow()
    result = make_result([make_person(1)])
    preview.send(result)
    assert np.any(windows.shown[0] != result.frame.image_bgr)
    assert not preview.closed
    preview.close()
    preview.close()
    assert not windows.open


@pytest.mark.parametrize("key", [ord("q"), ord("Q"), 27, ord("q") + (1 << 20)])
def test_q_and_escape_close_it(windows, key):
    preview = PreviewWindow()
    windows.key = key
    preview.send(make_result())
    assert preview.closed
    assert not windows.open
    preview.send(make_result())
    assert len(windows.shown) == 1


def test_no_key_and_other_keys_do_not(windows):
    preview = PreviewWindow()
    for windows.key in (-1, ord("x"), 255):
        preview.send(make_result())
    assert not preview.closed
    preview.close()


def test_the_windows_own_button_closes_it(windows):
    preview = PreviewWindow()
    windows.clicked_away = True
    preview.send(make_result())
    assert preview.closed
    preview.close()
