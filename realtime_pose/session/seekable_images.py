"""Random access to the images of a session's frames by media time, for seeking."""

import sys
from pathlib import Path
from typing import Protocol

import cv2

from realtime_pose.capture.actor import clip_path
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.file_decoder import FileCapture, open_container
from realtime_pose.capture.images import ImageFiles
from realtime_pose.capture.opencv import rotator
from realtime_pose.capture.sources import local_path, source_kind
from realtime_pose.capture.video import open_video
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8

_SAME_TIME_NS = 1_000_000
_READ_THROUGH_NS = 1_000_000_000  # up to this far ahead, decoding on is quicker than a jump to a keyframe
_BACK_OFF_NS = (0, 1_000_000_000, 5_000_000_000)  # a jump may land after its target: then jump to earlier times


class SeekableImages(Protocol):
    """Images by media time."""

    def at(self, time_ns: int) -> UInt8 | None:
        """The image shown at this media time of the source; None if none can be read."""
        ...

    def close(self) -> None:
        """Close the files. Safe to repeat."""
        ...


def open_seekable_images(capture: CaptureConfig) -> SeekableImages:
    """The images of a local video, an image folder or an actor's clip.

    Raises:
        CaptureError: They are missing, or cannot be read.
        UnknownChoiceError: `capture.rotate_deg` is not a right angle.
    """
    kind = source_kind(capture.source)
    if kind == "images":
        return _Images(ImageFiles(capture))
    if kind in ("camera", "network"):
        raise CaptureError(
            f"{capture.source} is live, so its images cannot be read again; record with --format frames to keep them"
        )
    if kind == "video":
        return _Video(local_path(capture.source), capture.rotate_deg)
    return _Video(clip_path(kind), capture.rotate_deg, loops=True)


class _Video:
    """A video file: decoded on where the target is near ahead, otherwise from the keyframe before it."""

    def __init__(self, path: Path, rotate_deg: int, *, loops: bool = False) -> None:
        video = open_video(CaptureConfig(str(path)))  # raises a CaptureError that says what is wrong with the file
        video.close()
        self._path, self._rotate = path, rotator(rotate_deg)
        self._period_ns = round((video.frame_count or 0) * 1e9 / video.fps) if loops and video.fps else 0
        self._time_ns, self._end_ns = 0, sys.maxsize
        self._open()

    def at(self, time_ns: int) -> UInt8 | None:
        """The image shown at this time."""
        due_ns = time_ns % self._period_ns if self._period_ns else time_ns
        if due_ns > self._end_ns:
            return None
        if not self._time_ns - _SAME_TIME_NS <= due_ns <= self._time_ns + _READ_THROUGH_NS:
            self._jump(due_ns)
        while self._time_ns < due_ns - _SAME_TIME_NS:
            if not self._grab():
                self._end_ns = self._time_ns + _SAME_TIME_NS
                return None
        ok, image = self._capture.retrieve()
        return self._rotate(image) if ok and image is not None else None

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        self._capture.release()

    def _jump(self, due_ns: int) -> None:
        for back_ns in _BACK_OFF_NS:
            target_ns = due_ns - back_ns
            if target_ns <= 0:
                break
            self._capture.set(cv2.CAP_PROP_POS_MSEC, target_ns / 1e6)
            if self._grab() and self._time_ns <= due_ns + _SAME_TIME_NS:
                return
        self._capture.release()
        self._open()

    def _open(self) -> None:
        """Open the file at its first frame."""
        self._capture = FileCapture(open_container(str(self._path)))
        self._grab()

    def _grab(self) -> bool:
        """Move to the next frame, skipping broken ones; False at the end."""
        try:
            while not self._capture.grab():
                pass
        except EndOfStream:
            return False
        self._time_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return True


class _Images:
    """An image folder at its source's frame rate."""

    def __init__(self, images: ImageFiles) -> None:
        self._images = images

    def at(self, time_ns: int) -> UInt8 | None:
        """The image shown at this time."""
        self._images.seek(round(time_ns * self._images.fps / 1e9))
        try:
            return self._images.read().image_bgr
        except EndOfStream:
            return None

    def close(self) -> None:
        """Close the files. Safe to repeat."""
        self._images.close()
