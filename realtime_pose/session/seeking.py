"""The pictures of a session at any moment, for whoever moves about in it."""

import sys
from pathlib import Path
from typing import Protocol

import cv2

from realtime_pose.capture.actor import clip_of
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.images import ImageFiles
from realtime_pose.capture.opencv import quiet, turner
from realtime_pose.capture.sources import local_path, source_kind
from realtime_pose.capture.video import open_file, open_video
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8

_SAME_TIME_NS = 1_000_000
_READ_THROUGH_NS = 1_000_000_000  # so near ahead, decoding on is quicker than a jump to a key picture
_TRIES = 30  # grabs in a row that may fail: broken pictures, or the end
_BACK_OFF_NS = (0, 1_000_000_000, 5_000_000_000)  # a jump may land behind its aim: then aim earlier


class Pictures(Protocol):
    """Pictures by their time."""

    def at(self, time_ns: int) -> UInt8 | None:
        """The picture that is shown at this media time of the source; None if there is none that can be read."""
        ...

    def close(self) -> None:
        """Give the files back. Safe to repeat."""
        ...


def open_pictures(capture: CaptureConfig) -> Pictures:
    """The pictures of a local video, a folder of images or an actor's clip.

    Raises:
        CaptureError: They are not there, or cannot be read.
        UnknownChoiceError: `capture.rotate_deg` is not a right angle.
    """
    kind = source_kind(capture.source)
    if kind == "images":
        return _Images(ImageFiles(capture))
    if kind in ("camera", "network"):
        raise CaptureError(f"{capture.source} is live; its pictures cannot be had again")
    if kind == "video":
        return _Film(local_path(capture.source), capture.rotate_deg)
    return _Film(clip_of(kind), capture.rotate_deg, loops=True)


class _Film:
    """A video file: read on where that is near, else from a key picture before; one that loops has no end."""

    def __init__(self, path: Path, rotate_deg: int, *, loops: bool = False) -> None:
        video = open_video(CaptureConfig(str(path)))  # says plainly what is wrong with a file
        video.close()
        self._path, self._turn = path, turner(rotate_deg)
        self._round_ns = round((video.frame_count or 0) * 1e9 / video.fps) if loops and video.fps else 0
        self._time_ns, self._end_ns = 0, sys.maxsize
        self._open()

    def at(self, time_ns: int) -> UInt8 | None:
        """The picture that is shown at this time."""
        due_ns = time_ns % self._round_ns if self._round_ns else time_ns
        with quiet():
            if due_ns > self._end_ns:
                return None
            if not self._time_ns - _SAME_TIME_NS <= due_ns <= self._time_ns + _READ_THROUGH_NS:
                self._jump(due_ns)
            while self._time_ns < due_ns - _SAME_TIME_NS:
                if not self._grab():
                    self._end_ns = self._time_ns + _SAME_TIME_NS
                    return None
            ok, image = self._capture.retrieve()
        return self._turn(image) if ok and image is not None else None

    def close(self) -> None:
        """Give the file back. Safe to repeat."""
        self._capture.release()

    def _jump(self, due_ns: int) -> None:
        for back_ns in _BACK_OFF_NS:
            aim_ns = due_ns - back_ns
            if aim_ns <= 0:
                break
            self._capture.set(cv2.CAP_PROP_POS_MSEC, aim_ns / 1e6)
            if self._grab() and self._time_ns <= due_ns + _SAME_TIME_NS:
                return
        self._capture.release()
        self._open()

    def _open(self) -> None:
        """Stand at the first picture."""
        with quiet():
            self._capture = open_file(str(self._path))
            self._grab()

    def _grab(self) -> bool:
        """Whether there is a next picture; broken ones are passed over."""
        grabbed = any(self._capture.grab() for _ in range(_TRIES))
        if grabbed:
            self._time_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return grabbed


class _Images:
    """Images in a row, as their source counts them."""

    def __init__(self, images: ImageFiles) -> None:
        self._images = images

    def at(self, time_ns: int) -> UInt8 | None:
        """The image that is shown at this time."""
        self._images.seek(round(time_ns * self._images.fps / 1e9))
        try:
            return self._images.read().image_bgr
        except EndOfStream:
            return None

    def close(self) -> None:
        """Give the files back. Safe to repeat."""
        self._images.close()
