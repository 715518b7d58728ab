"""The search for cameras."""

import threading

import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.cameras import CameraInfo
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError
from realtime_pose.interface.dashboard.engine import active_run
from realtime_pose.interface.dashboard.engine.sources.camera_list import CameraFinder

PATIENCE_S = 60


class Camera:
    def __init__(self, config):
        if config.source == "2":
            raise CaptureError("it is used by another program")
        self.closed = False

    def read(self):
        return Frame(np.full((480, 640, 3), 80, np.uint8), 0, 0, 0)

    def close(self):
        self.closed = True


def test_those_that_open_are_listed_with_what_they_see():
    opened = []
    finder = CameraFinder(
        lambda: [CameraInfo(2, "Desk", True), CameraInfo(0, "Front", True), CameraInfo(1, "Broken", False)],
        lambda config: opened.append(Camera(config)) or opened[-1],
    )
    assert finder.found is None
    finder.search()
    finder.wait(PATIENCE_S)
    assert [camera.info.name for camera in finder.found] == ["Front", "Desk"]
    assert finder.found[0].preview.startswith(b"\xff\xd8")
    assert finder.found[1].preview == b""
    assert all(camera.closed for camera in opened)


def test_the_camera_in_use_is_kept_and_not_opened_again():
    lists = [[CameraInfo(0, "Front", True)], [CameraInfo(1, "New", True)]]
    opened = []
    finder = CameraFinder(lambda: lists.pop(0), lambda config: opened.append(config.source) or Camera(config))
    finder.search()
    finder.wait(PATIENCE_S)
    finder.search(in_use="0")
    finder.wait(PATIENCE_S)
    assert [camera.info.name for camera in finder.found] == ["Front", "New"]
    assert opened == ["0", "1"]


def test_a_start_waits_until_the_search_has_released_its_camera(monkeypatch):
    """A camera can be opened only once at a time."""
    looking, may_end = threading.Event(), threading.Event()

    def open_slowly(config):
        looking.set()
        assert may_end.wait(PATIENCE_S)
        return Camera(config)

    finder = CameraFinder(lambda: [CameraInfo(0, "Front", True)], open_slowly)
    monkeypatch.setattr(active_run, "camera_finder", lambda: finder)
    monkeypatch.setattr(active_run, "open_source", lambda config: (finder.searching, config.source))
    finder.search()
    assert looking.wait(PATIENCE_S)
    threading.Timer(0.1, may_end.set).start()
    assert active_run._open_frames(CaptureConfig(source="0")) == (False, "0")
