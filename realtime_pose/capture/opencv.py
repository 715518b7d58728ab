"""What every source needs of OpenCV: quiet opening, the shape of a capture, turned pictures."""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

# FFmpeg and the camera drivers read these once, when first used. A damaged clip prints a line for every fault, which
# the sources tell in one sentence; a silent V4L2 camera holds a read for 10 s, and Media Foundation takes as long to
# open one whose hardware transforms are on. Who sets them himself is obeyed.
for _name, _value in (
    ("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2"),
    ("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0"),
):
    os.environ.setdefault(_name, _value)

import cv2  # noqa: E402 - after the environment that it reads

from realtime_pose.errors import UnknownChoiceError  # noqa: E402
from realtime_pose.utils.arrays import UInt8  # noqa: E402

_TURNS = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_MAX_FPS = 1000.0  # above it the container names its clock, not its rate


class Capture(Protocol):
    """The part of cv2.VideoCapture that the sources use; tests hand in their own."""

    def isOpened(self) -> bool: ...
    def grab(self) -> bool: ...
    def retrieve(self) -> tuple[bool, UInt8 | None]: ...
    def get(self, prop: int, /) -> float: ...
    def set(self, prop: int, value: float, /) -> bool: ...
    def release(self) -> None: ...


_quiet_lock = threading.Lock()
_quiet_users = 0
_level_before = 0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold OpenCV's own messages back; sources may overlap, so the last one out restores the level."""
    global _quiet_users, _level_before
    with _quiet_lock:
        if _quiet_users == 0:
            _level_before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        _quiet_users += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_users -= 1
            if _quiet_users == 0:
                cv2.utils.logging.setLogLevel(_level_before)


def turner(rotate_deg: int) -> Callable[[UInt8], UInt8]:
    """The function that turns a picture clockwise by 0, 90, 180 or 270 degrees.

    Raises:
        UnknownChoiceError: Another angle.
    """
    if rotate_deg not in _TURNS:
        raise UnknownChoiceError("capture.rotate_deg", rotate_deg, map(str, _TURNS))
    code = _TURNS[rotate_deg]
    if code is None:
        return lambda image: image
    return lambda image: cv2.rotate(image, code)


def rate_hz(capture: Capture) -> float:
    """The frame rate that the device or file names, in Hz; 0 when it names none that can be."""
    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if math.isfinite(fps) and 0 < fps <= _MAX_FPS else 0.0


def nominal_frames(capture: Capture) -> int | None:
    """The number of frames that the header names; None for an endless stream, or when it names none."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if math.isfinite(count) and 0 < count < 1e9 else None
