"""The cameras of this machine: their numbers, their names, and whether they work."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from realtime_pose.capture.opencv import Capture, quiet, rate_hz
from realtime_pose.capture.sources import camera_device
from realtime_pose.errors import CameraNotFoundError, CaptureError, UnknownChoiceError

OpenCamera = Callable[[int, int], Capture]
"""Opens camera `index` with an OpenCV backend number: cv2.VideoCapture, or a fake in tests."""

BACKENDS = {
    "auto": {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY),
    "v4l2": cv2.CAP_V4L2,
    "dshow": cv2.CAP_DSHOW,
    "msmf": cv2.CAP_MSMF,
    "avfoundation": cv2.CAP_AVFOUNDATION,
    "gstreamer": cv2.CAP_GSTREAMER,
}
_SYSFS = Path("/sys/class/video4linux")
_GUESSED = range(4)  # tried on systems that do not list their cameras


@dataclass(frozen=True)
class CameraInfo:
    """One camera of this machine.

    Attributes:
        index: The number for `--source`.
        name: The device name; empty if the system does not provide it.
        opens: Whether it opens and delivers a frame now.
        width, height: Its own resolution in px; 0 when it does not open.
        fps: Its own rate in Hz; 0 when unknown.
    """

    index: int
    name: str
    opens: bool
    width: int = 0
    height: int = 0
    fps: float = 0.0

    def __str__(self) -> str:
        return f"{self.index} ({self.name})" if self.name else str(self.index)


def backend_number(backend: str) -> int:
    """OpenCV's number of a camera backend.

    Raises:
        UnknownChoiceError: There is no such backend.
        CaptureError: This OpenCV was built without it.
    """
    if backend not in BACKENDS:
        raise UnknownChoiceError("capture.backend", backend, BACKENDS)
    number = BACKENDS[backend]
    if backend != "auto" and not cv2.videoio_registry.hasBackend(number):
        raise CaptureError(f"the installed OpenCV has no camera backend {backend}; use --backend auto")
    return number


def camera_names(root: Path = _SYSFS) -> dict[int, str]:
    """Names of the cameras by number, from sysfs on Linux; empty on other systems."""
    names = {}
    for node in root.glob("video[0-9]*"):
        try:
            # A camera may have several nodes; only its first delivers frames, the others metadata.
            if (node / "index").read_text().strip() == "0":
                names[int(node.name.removeprefix("video"))] = (node / "name").read_text().strip()
        except (OSError, ValueError):
            continue  # unplugged just now
    return dict(sorted(names.items()))


def camera_index(source: str, names: Mapping[int, str]) -> int | None:
    """The number of the camera given by number, device or link to it, name or part of a name; None if there is none."""
    text = (camera_device(source.strip()) or source.strip()).removeprefix("/dev/video")
    if text.isascii() and text.isdigit():
        return int(text)
    wanted = source.strip().casefold()
    exact = [index for index, name in names.items() if name.casefold() == wanted]
    partly = [index for index, name in names.items() if wanted and wanted in name.casefold()]
    return next(iter(exact + partly), None)


def list_cameras(
    open_camera: OpenCamera = cv2.VideoCapture, names: Mapping[int, str] | None = None, timeout_s: float = 5.0
) -> list[CameraInfo]:
    """Every listed or working camera, whether it works, and its size and rate.

    Each is probed in a thread of its own; one that hangs counts as not opening after `timeout_s`.
    """
    names = camera_names() if names is None else names
    found: dict[int, CameraInfo] = {}

    def probe(index: int) -> None:
        found[index] = _probe(open_camera, index, names.get(index, ""))

    probed = list(names) if sys.platform == "linux" else sorted({*names, *_GUESSED})
    threads = [threading.Thread(target=probe, args=(i,), name=f"probe camera {i}", daemon=True) for i in probed]
    with quiet():
        for thread in threads:
            thread.start()
        deadline_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
    infos = [found.get(index) or CameraInfo(index, names.get(index, ""), opens=False) for index in probed]
    return [info for info in infos if info.opens or info.index in names]


def _probe(open_camera: OpenCamera, index: int, name: str) -> CameraInfo:
    try:
        capture = open_camera(index, BACKENDS["auto"])
        try:
            if not capture.isOpened() or not capture.grab():
                return CameraInfo(index, name, opens=False)
            width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
            return CameraInfo(index, name, True, width, height, rate_hz(capture))
        finally:
            capture.release()
    except cv2.error:
        return CameraInfo(index, name, opens=False)


def no_such_camera(what: str, cameras: list[CameraInfo]) -> CameraNotFoundError:
    """The error for a missing camera, "0" or "named 'Desk cam'"; it lists the cameras that work."""
    if what.startswith("named") and sys.platform != "linux":
        what += " (names are known on Linux only, use its number)"
    opening = ", ".join(str(info) for info in cameras if info.opens)
    if opening:
        return CameraNotFoundError(f"there is no camera {what}; working cameras: {opening}")
    return CameraNotFoundError(f"there is no camera {what}, and no other one works; connect one, or try --source actor")
