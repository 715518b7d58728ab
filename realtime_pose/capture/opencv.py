"""OpenCV helpers for all sources: the Capture protocol, silenced logs, rotation, frame rate and count."""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

# FFmpeg and the camera drivers read these once, at first use. FFmpeg would print a line for every fault in a damaged
# clip, which the sources report in one sentence; a silent V4L2 camera would block a read for 10 s, and Media Foundation
# opens a camera in 10 s with hardware transforms on. Values set by the user are kept.
for _name, _value in (
    ("OPENCV_FFMPEG_LOGLEVEL", "-8"),
    ("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2"),
    ("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0"),
):
    os.environ.setdefault(_name, _value)

import cv2  # noqa: E402 - after the environment that it reads

from realtime_pose.errors import UnknownChoiceError  # noqa: E402
from realtime_pose.utils.arrays import UInt8  # noqa: E402

_ROTATE_CODES = {0: None, 90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
_MAX_FPS = 1000.0  # above it the value is the container's clock, not its frame rate


class Capture(Protocol):
    """The part of cv2.VideoCapture that the sources use; tests use fakes of it."""

    def isOpened(self) -> bool: ...
    def grab(self) -> bool: ...
    def retrieve(self) -> tuple[bool, UInt8 | None]: ...
    def get(self, prop: int, /) -> float: ...
    def set(self, prop: int, value: float, /) -> bool: ...
    def release(self) -> None: ...


@contextlib.contextmanager
def ffmpeg_path(path: str) -> Iterator[str]:
    """A name of the file that FFmpeg takes for a file, while it opens it.

    "12:30.mp4" would be a protocol, so the path is absolute. OpenCV crashes on a name that is not UTF-8, such as one
    in Latin-1 on Linux, so such a file is opened here and passed on by its descriptor.

    Raises:
        OSError: A file with such a name cannot be opened.
    """
    absolute = os.path.abspath(path)
    try:
        absolute.encode("utf-8")
    except UnicodeEncodeError:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            yield f"/dev/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        yield absolute


_quiet_lock = threading.Lock()
_quiet_users = 0
_level_before = 0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence OpenCV's own messages. Uses may overlap: the last one to leave restores the log level."""
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


def rotator(rotate_deg: int) -> Callable[[UInt8], UInt8]:
    """A function that rotates an image clockwise by 0, 90, 180 or 270 degrees.

    Raises:
        UnknownChoiceError: It is another angle.
    """
    if rotate_deg not in _ROTATE_CODES:
        raise UnknownChoiceError("capture.rotate_deg", rotate_deg, map(str, _ROTATE_CODES))
    code = _ROTATE_CODES[rotate_deg]
    if code is None:
        return lambda image: image
    return lambda image: cv2.rotate(image, code)


def rate_hz(capture: Capture) -> float:
    """The frame rate that the device or file reports, in Hz; 0 if none, or not plausible."""
    fps = capture.get(cv2.CAP_PROP_FPS)
    return fps if math.isfinite(fps) and 0 < fps <= _MAX_FPS else 0.0


def nominal_frames(capture: Capture) -> int | None:
    """The number of frames in the header; None for an endless stream or without a header entry."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    return int(count) if math.isfinite(count) and 0 < count < 1e9 else None
