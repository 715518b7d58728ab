"""Listing cameras: numbers, names, and whether they work."""

import sys
import threading

import cv2
import pytest
from support.footage import PATIENCE_S, FakeCamera, within

from realtime_pose.capture.cameras import BACKENDS, CameraInfo, backend_number, camera_index, camera_names, list_cameras
from realtime_pose.errors import CaptureError


def make_node(root, number, name, index=0):
    node = root / f"video{number}"
    node.mkdir(parents=True)
    (node / "name").write_text(name + "\n")
    (node / "index").write_text(f"{index}\n")


def test_names_come_from_linux_without_the_metadata_nodes(tmp_path):
    make_node(tmp_path, 10, "Door cam")
    make_node(tmp_path, 2, "Desk cam")
    make_node(tmp_path, 3, "Desk cam", index=1)
    (tmp_path / "video4").mkdir()  # unplugged during the listing
    assert list(camera_names(tmp_path).items()) == [(2, "Desk cam"), (10, "Door cam")]
    assert camera_names(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("source", "index"),
    [("0", 0), ("12", 12), ("/dev/video4", 4), ("Desk cam", 5), ("desk", 2), ("DOOR", 7), ("hall", None), ("", None)],
)
def test_a_camera_is_named_by_number_path_or_name(source, index):
    assert camera_index(source, {2: "Desk cam HD", 5: "Desk cam", 7: "Door cam"}) == index


def test_the_list_reports_which_cameras_work(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    good, busy = FakeCamera(size=(320, 240), fps=25.0), FakeCamera()
    busy.busy = True
    cameras = list_cameras(lambda i, b: (good if i == 0 else busy).open(i, b), {0: "Desk cam", 4: "Door cam"})
    assert cameras == [
        CameraInfo(0, "Desk cam", True, 320, 240, 25.0),
        CameraInfo(4, "Door cam", False),
    ]
    assert good.held == busy.held == 0


def test_without_a_system_list_numbers_are_probed_and_working_ones_listed(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    good, missing = FakeCamera(), FakeCamera()
    missing.plugged = False
    cameras = list_cameras(lambda i, b: (good if i == 1 else missing).open(i, b), {})
    assert [str(camera) for camera in cameras] == ["1"]


def test_a_camera_that_hangs_does_not_delay_the_list(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    answers, good = threading.Event(), FakeCamera()

    def open_camera(index, backend):
        if index == 0:
            answers.wait(PATIENCE_S)
        return good.open(index, backend)

    names = {0: "Hung cam", 1: "Desk cam"}
    cameras = within(PATIENCE_S / 2, lambda: list_cameras(open_camera, names, timeout_s=0.2))
    answers.set()
    assert [(camera.index, camera.opens) for camera in cameras] == [(0, False), (1, True)]


def test_a_driver_that_raises_counts_as_not_opening(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")

    def open_camera(index, backend):
        raise cv2.error("out of range")

    assert list_cameras(open_camera, {0: "Odd cam"}) == [CameraInfo(0, "Odd cam", False)]


def test_the_real_list_is_quiet(capfd):
    assert all(isinstance(camera, CameraInfo) for camera in within(PATIENCE_S, list_cameras))
    assert capfd.readouterr().err == ""


def test_a_backend_that_this_opencv_lacks_is_refused():
    lacking = [name for name, number in BACKENDS.items() if not cv2.videoio_registry.hasBackend(number)]
    lacking = [name for name in lacking if name != "auto"]
    assert lacking, "no system has all of them"
    with pytest.raises(CaptureError, match=f"no camera backend {lacking[0]}; use --backend auto"):
        backend_number(lacking[0])
