"""Camera source with a fake camera: settings, and the messages for its faults."""

import cv2
import pytest
from support.footage import QUICK, STEADY, FakeCamera, read_until

from realtime_pose.capture import webcam
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.webcam import WebcamStream
from realtime_pose.errors import CameraNotFoundError, CaptureError, UnknownChoiceError


@pytest.fixture
def known(monkeypatch):
    """The camera names, which a test may change."""
    names = {}
    monkeypatch.setattr(webcam, "camera_names", lambda: names)
    return names


def test_every_setting_reaches_the_camera_format_first(known):
    camera = FakeCamera(size=(320, 240), fps=60.0)
    stream = WebcamStream(CaptureConfig("2", 320, 240, 60.0, "auto", mjpg=True), camera.open, STEADY)
    stream.close()
    asked = dict(camera.settings)
    assert asked[cv2.CAP_PROP_FRAME_WIDTH] == 320
    assert asked[cv2.CAP_PROP_FRAME_HEIGHT] == 240
    assert asked[cv2.CAP_PROP_FPS] == 60
    assert asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    order = [prop for prop, _value in camera.settings]
    assert order.index(cv2.CAP_PROP_FOURCC) < order.index(cv2.CAP_PROP_FRAME_WIDTH)
    assert camera.opened[0][0] == 2
    assert stream.fps == 60.0
    assert stream.notices == []


def test_settings_that_are_not_requested_are_not_changed(known):
    camera = FakeCamera()
    WebcamStream(CaptureConfig("0", mjpg=False), camera.open, STEADY).close()
    assert [prop for prop, _value in camera.settings] == [cv2.CAP_PROP_BUFFERSIZE]


def test_a_camera_with_another_size_or_rate_gives_a_notice(known):
    camera = FakeCamera(size=(64, 48), fps=15.0)
    stream = WebcamStream(CaptureConfig("0", 1280, 720, 30.0), camera.open, STEADY)
    stream.close()
    assert stream.notices == ["camera 0 uses 64x48 at 15 Hz, because it does not support 1280x720 at 30 Hz"]


@pytest.mark.parametrize(("rotate_deg", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_rotation_is_clockwise(known, rotate_deg, corner):
    stream = WebcamStream(CaptureConfig("0", rotate_deg=rotate_deg), FakeCamera().open, STEADY)
    image = stream.read().image_bgr
    stream.close()
    assert image.shape[:2] == ((48, 64) if rotate_deg in (0, 180) else (64, 48))
    assert (image[corner] == 255).all()  # the rotated top left corner
    corners = {(0, 0), (0, -1), (-1, -1), (-1, 0)} - {corner}
    assert all((image[other] != 255).all() for other in corners)


def test_a_missing_camera_names_those_that_work(known):
    known[3] = "Desk cam"
    working, missing = FakeCamera(), FakeCamera()
    missing.plugged = False
    with pytest.raises(CameraNotFoundError, match=r"there is no camera 7; working cameras: 3 \(Desk cam"):
        WebcamStream(CaptureConfig("7"), lambda i, b: (working if i == 3 else missing).open(i, b), STEADY)
    assert working.held == 0


def test_without_any_camera_the_next_step_is_the_actor(known):
    camera = FakeCamera()
    camera.plugged = False
    with pytest.raises(CameraNotFoundError, match=r"there is no camera 0.*--source actor"):
        WebcamStream(CaptureConfig("0"), camera.open, STEADY)


def test_the_real_opencv_without_a_camera_reports_the_same_quietly(capfd):
    if webcam.camera_names():
        pytest.skip("this machine has a camera")
    with pytest.raises(CameraNotFoundError, match=r"there is no camera 9"):
        WebcamStream(CaptureConfig("9"))
    assert capfd.readouterr().err == ""


def test_a_camera_held_by_another_program(known):
    known[0] = "Desk cam"
    camera = FakeCamera()
    camera.plugged = False  # V4L2 does not open it while another streams
    with pytest.raises(CaptureError, match=r"camera 0 \(Desk cam\) is connected but does not open; close the program"):
        WebcamStream(CaptureConfig("0"), camera.open, STEADY)


def test_a_camera_that_opens_but_is_silent(known):
    camera = FakeCamera()
    camera.busy = True
    with pytest.raises(CaptureError, match=r"camera 0 delivered no frame within .*; close the program that uses it"):
        WebcamStream(CaptureConfig("0"), camera.open, QUICK)
    assert camera.held == 0


def test_an_unplugged_camera_is_found_by_name_under_its_new_number(known):
    known[0] = "Desk cam"
    camera = FakeCamera()
    stream = WebcamStream(CaptureConfig("desk"), camera.open, STEADY)
    camera.plugged = False
    read_until(stream, lambda s, _f: s.notices)
    known.clear()
    known[5] = "Door cam"
    tries = len(camera.opened)
    read_until(stream, lambda _s, _f: len(camera.opened) > tries + 2)  # unplugged: no other camera is opened
    assert {index for index, _backend in camera.opened} == {0}
    known[1] = "Desk cam"
    camera.plugged = True
    read_until(stream, lambda s, _f: len(s.notices) == 2)
    stream.close()
    assert camera.opened[-1][0] == 1
    assert stream.notices[0].startswith(
        "camera 0 (Desk cam) stopped delivering frames and is being reopened; check its cable"
    )


def test_a_name_that_no_camera_has(known):
    known[3] = "Desk cam"
    with pytest.raises(CameraNotFoundError, match=r"no camera named 'door'.*3 \(Desk cam\)"):
        WebcamStream(CaptureConfig("door"), FakeCamera().open, STEADY)


def test_an_unknown_backend_lists_the_known(known):
    camera = FakeCamera()
    with pytest.raises(UnknownChoiceError, match=r"capture.backend='vfw' is not one of: auto, avfoundation"):
        WebcamStream(CaptureConfig("0", backend="vfw"), camera.open, STEADY)
    assert not camera.opened
