"""Which cameras there are: their numbers, their names, and whether they give pictures."""

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from realtime_pose.capture.opencv import Capture, quiet, rate_hz
from realtime_pose.errors import CameraNotFoundError, CaptureError, UnknownChoiceError

OpenCamera = Callable[[int, int], Capture]
"""Opens camera `index` through OpenCV's backend number: cv2.VideoCapture, or a test's own."""

BACKENDS = {
    "auto": {"linux": cv2.CAP_V4L2, "darwin": cv2.CAP_AVFOUNDATION}.get(sys.platform, cv2.CAP_ANY),
    "v4l2": cv2.CAP_V4L2,
    "dshow": cv2.CAP_DSHOW,
    "msmf": cv2.CAP_MSMF,
    "avfoundation": cv2.CAP_AVFOUNDATION,
    "gstreamer": cv2.CAP_GSTREAMER,
}
_SYSFS = Path("/sys/class/video4linux")
_GUESSED = range(4)  # where the system does not list its cameras, these numbers are tried


@dataclass(frozen=True)
class CameraInfo:
    """One camera of this machine.

    Attributes:
        index: The number that `--source` takes.
        name: What the maker calls it; empty where the system does not tell.
        opens: Whether it opens and gives a picture now.
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
    """OpenCV's number of a camera interface.

    Raises:
        UnknownChoiceError: There is no such interface.
        CaptureError: This OpenCV was built without it.
    """
    if backend not in BACKENDS:
        raise UnknownChoiceError("capture.backend", backend, BACKENDS)
    number = BACKENDS[backend]
    if backend != "auto" and not cv2.videoio_registry.hasBackend(number):
        raise CaptureError(f"the installed OpenCV has no camera interface {backend}; use --backend auto")
    return number


def camera_names(root: Path = _SYSFS) -> dict[int, str]:
    """Names of the cameras by number, from Linux's list of them; empty on other systems."""
    names = {}
    for node in root.glob("video[0-9]*"):
        try:
            # A camera may have several nodes; only its first gives pictures, the others metadata.
            if (node / "index").read_text().strip() == "0":
                names[int(node.name.removeprefix("video"))] = (node / "name").read_text().strip()
        except (OSError, ValueError):
            continue  # unplugged just now
    return dict(sorted(names.items()))


def camera_index(source: str, names: Mapping[int, str]) -> int | None:
    """The number of the camera that `source` means: a number, a /dev/video path, a name or a part of one; else None."""
    text = source.strip().removeprefix("/dev/video")
    if text.isascii() and text.isdigit():
        return int(text)
    wanted = source.strip().casefold()
    exact = [index for index, name in names.items() if name.casefold() == wanted]
    partly = [index for index, name in names.items() if wanted and wanted in name.casefold()]
    return next(iter(exact + partly), None)


def list_cameras(
    open_camera: OpenCamera = cv2.VideoCapture, names: Mapping[int, str] | None = None, timeout_s: float = 5.0
) -> list[CameraInfo]:
    """Every camera that is known or found by trying, whether it gives a picture, and in which size.

    Each is tried in a thread of its own, and one that hangs counts as not opening after `timeout_s`.
    """
    names = camera_names() if names is None else names
    found: dict[int, CameraInfo] = {}

    def probe(index: int) -> None:
        found[index] = _probe(open_camera, index, names.get(index, ""))

    tried = list(names) if sys.platform == "linux" else sorted({*names, *_GUESSED})
    threads = [threading.Thread(target=probe, args=(i,), name=f"probe camera {i}", daemon=True) for i in tried]
    with quiet():
        for thread in threads:
            thread.start()
        deadline_s = time.monotonic() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
    infos = [found.get(index) or CameraInfo(index, names.get(index, ""), opens=False) for index in tried]
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
    """The error that says which cameras could be used instead of `what`, "0" or "named 'Desk cam'"."""
    if what.startswith("named") and sys.platform != "linux":
        what += " (names are known on Linux only, use its number)"
    opening = ", ".join(str(info) for info in cameras if info.opens)
    if opening:
        return CameraNotFoundError(f"there is no camera {what}; those that give pictures here: {opening}")
    return CameraNotFoundError(
        f"there is no camera {what}, and no other gives pictures here; connect one, or try --source actor"
    )
