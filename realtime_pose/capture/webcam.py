"""Camera source: applies the camera settings, and explains why a camera does not work."""

import cv2

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.cameras import (
    OpenCamera,
    backend_number,
    camera_index,
    camera_names,
    list_cameras,
    no_such_camera,
)
from realtime_pose.capture.live import DEFAULT_TIMINGS, LiveStream, LiveTimings
from realtime_pose.capture.opencv import Capture, quiet
from realtime_pose.errors import CaptureError

# With one buffer a V4L2 driver drops each frame that starts while the buffer is in use, which halves the rate. The
# thread empties the queue as fast as the camera fills it, so a second buffer adds no latency.
_BUFFERS = 2


class WebcamStream(LiveStream):
    """A camera's newest frames.

    Raises:
        CameraNotFoundError: There is no such camera; the message lists those that work.
        CaptureError: It is busy, or delivers no frames.
        UnknownChoiceError: The backend or the rotation is unknown.
    """

    def __init__(
        self,
        config: CaptureConfig,
        open_camera: OpenCamera = cv2.VideoCapture,
        timings: LiveTimings = DEFAULT_TIMINGS,
    ) -> None:
        names = camera_names()
        index = camera_index(config.source, names)
        if index is None:
            raise no_such_camera(f"named {config.source!r}", list_cameras(open_camera, names))
        backend = backend_number(config.backend)
        name = f"camera {index}" + (f" ({names[index]})" if index in names else "")
        differences: list[str] = []  # set by the first opening

        def open_capture() -> Capture:
            # A camera that was replugged may have another number; it is found by its name.
            now = camera_index(config.source, camera_names())
            with quiet():
                capture = open_camera(index if now is None else now, backend)
            if not capture.isOpened():
                raise _not_opened(index, name, None if differences else open_camera)
            _configure(capture, config)
            if not differences:
                differences.append(_difference(capture, config))
            return capture

        super().__init__(
            name,
            open_capture,
            rotate_deg=config.rotate_deg,
            when_silent="close the program that uses it, or plug it in again",
            when_lost="check its cable, and that no other program uses it",
            timings=timings,
        )
        self.notices[:0] = [f"{name} {text}" for text in differences if text]


def _not_opened(index: int, name: str, open_camera: OpenCamera | None) -> CaptureError:
    """The error for a camera that does not open; a short one without `open_camera`, for retries after a loss."""
    if open_camera is None:
        return CaptureError(f"{name} does not open")
    names = camera_names()
    if index in names:
        return CaptureError(
            f"{name} is connected but does not open; close the program that uses it, "
            "and check your permission to use cameras (on Linux: the group video)"
        )
    return no_such_camera(str(index), list_cameras(open_camera, names))


def _configure(capture: Capture, config: CaptureConfig) -> None:
    """Request the settings; the pixel format first, because it decides which sizes are available."""
    wanted = (
        (cv2.CAP_PROP_BUFFERSIZE, _BUFFERS),
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG") if config.mjpg else 0),
        (cv2.CAP_PROP_FRAME_WIDTH, config.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, config.height),
        (cv2.CAP_PROP_FPS, config.fps),
    )
    with quiet():  # a camera that lacks one of these settings keeps its default
        for prop, value in wanted:
            if value:
                capture.set(prop, value)


def _difference(capture: Capture, config: CaptureConfig) -> str:
    """The size and rate that the camera uses instead of the requested ones; empty if they agree."""
    width, height, fps = (
        capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    )
    pairs = ((config.width, width), (config.height, height), (config.fps, fps))
    if all(not wanted or not got or abs(wanted - got) < 1 for wanted, got in pairs):
        return ""
    asked = f"{config.width or width:.0f}x{config.height or height:.0f} at {config.fps or fps:g} Hz"
    return f"uses {width:.0f}x{height:.0f} at {fps:g} Hz, because it does not support {asked}"
