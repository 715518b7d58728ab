"""Cameras of this computer, searched in the background, each with a preview image."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.cameras import CameraInfo, list_cameras
from realtime_pose.capture.sources import open_source
from realtime_pose.errors import RealtimePoseError
from realtime_pose.utils.arrays import UInt8

_PREVIEW_PX = 240  # along the longer side
_READS = 10  # the first frames of a camera are often dark


@dataclass(frozen=True)
class FoundCamera:
    """A camera that opens.

    Attributes:
        info: Its number, name and size.
        preview: A frame as JPEG; empty if it could not be read.
    """

    info: CameraInfo
    preview: bytes = b""


class CameraFinder:
    """Searches for cameras in a thread of its own; pages read the latest result."""

    def __init__(
        self,
        find: Callable[[], Sequence[CameraInfo]] = list_cameras,
        open_camera: Callable[[CaptureConfig], FrameSource] = open_source,
    ) -> None:
        self._find, self._open = find, open_camera
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._found: tuple[FoundCamera, ...] | None = None

    @property
    def searching(self) -> bool:
        """Whether a search is under way."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def found(self) -> tuple[FoundCamera, ...] | None:
        """The cameras that open, from the latest search; None before the first one has ended."""
        return self._found

    def search(self, in_use: str = "") -> None:
        """Start a search unless one is under way; camera `in_use` cannot be opened twice, so its entry is kept."""
        with self._lock:
            if not self.searching:
                self._thread = threading.Thread(target=self._search, args=(in_use,), name="find cameras", daemon=True)
                self._thread.start()

    def wait(self, timeout_s: float) -> None:
        """Wait for the end of a search."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _search(self, in_use: str) -> None:
        kept = [camera for camera in self._found or () if str(camera.info.index) == in_use]
        infos = [info for info in self._find() if info.opens and str(info.index) != in_use]
        found = [*kept, *(FoundCamera(info, self._preview(info.index)) for info in infos)]
        self._found = tuple(sorted(found, key=lambda camera: camera.info.index))

    def _preview(self, index: int) -> bytes:
        try:
            source = self._open(CaptureConfig(source=str(index)))
        except RealtimePoseError:
            return b""
        try:
            frames = [frame for _ in range(_READS) if (frame := source.read()) is not None]
        except RealtimePoseError:
            return b""
        finally:
            source.close()
        return _small_jpeg(frames[-1].image_bgr) if frames else b""


def _small_jpeg(image_bgr: UInt8) -> bytes:
    import cv2

    scale = _PREVIEW_PX / max(image_bgr.shape[:2])
    small = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    ok, data = cv2.imencode(".jpg", small)
    return bytes(data) if ok else b""


@cache
def camera_finder() -> CameraFinder:
    """The finder that all pages of this process share."""
    return CameraFinder()
