"""Image source: one image, or the images of a folder in natural order (2 before 10)."""

import re
import time
from pathlib import Path

import cv2
import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.opencv import quiet, rotator
from realtime_pose.capture.sources import IMAGE_SUFFIXES, local_path
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8

_FPS = 30.0


class ImageFiles:
    """One image, or the images of a folder in natural order, as a clip of 30 Hz; sizes may differ.

    An unreadable image is skipped with a notice, and leaves a gap in the index.

    Raises:
        CaptureError: There is no image, or none is readable.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """

    live = False
    fps = _FPS
    dropped = 0

    def __init__(self, config: CaptureConfig) -> None:
        self._rotate = rotator(config.rotate_deg)
        path = local_path(config.source)
        self._paths = _images_in(path) if path.is_dir() else [path]
        self._name = str(path)
        self.frame_count: int | None = len(self._paths)
        self.notices: list[str] = []
        self._position = 0
        self._closed = False
        self._next = self._decode()
        if self._next is None:
            raise CaptureError(
                self.notices[0] if len(self._paths) == 1 else f"none of the images in {path} can be read"
            )

    def read(self) -> Frame:
        """The next image.

        Raises:
            EndOfStream: There are no more, or the source was closed.
        """
        if self._closed or self._next is None:
            raise EndOfStream(f"{self._name} has no more images")
        image, index = self._next
        frame = Frame(self._rotate(image), index, round(index * 1e9 / _FPS), time.monotonic_ns())
        self._next = self._decode()
        return frame

    def seek(self, index: int) -> None:
        """Continue with the image at this position in the folder, or the next readable one."""
        if self._next is None or self._next[1] != index:
            self._position = max(index, 0)
            self._next = self._decode()

    def close(self) -> None:
        """End the source. Safe to repeat, and from any thread."""
        self._closed = True

    def _decode(self) -> tuple[UInt8, int] | None:
        """The next readable image and its position in the folder; None at the end."""
        while self._position < len(self._paths):
            path, index = self._paths[self._position], self._position
            self._position += 1
            try:
                # Not cv2.imread, which on Windows fails on paths with non-ASCII characters.
                data = np.frombuffer(path.read_bytes(), np.uint8)
                with quiet():
                    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            except (OSError, cv2.error):
                image = None
            if image is not None:
                return image, index
            self.notices.append(f"{path} is not a readable image")
        return None


def _images_in(folder: Path) -> list[Path]:
    try:
        names = [entry for entry in folder.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES and entry.is_file()]
    except OSError as exc:
        raise CaptureError(
            f"{folder} cannot be read ({exc.strerror}); check its permissions, or give another folder"
        ) from exc
    paths = sorted((entry for entry in names if not entry.name.startswith(".")), key=_natural_order)
    if not paths:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        raise CaptureError(f"{folder} has no images ({kinds}); give another folder, or a video file")
    return paths


def _natural_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key: numbers inside names by value; the full name decides between 01 and 1."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
