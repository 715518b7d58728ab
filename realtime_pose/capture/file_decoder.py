"""Decoder of video files: the frames as a player shows them, upright and with square pixels, by PyAV."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from realtime_pose.capture.base import MAX_MEGAPIXELS
from realtime_pose.capture.opencv import ffmpeg_path
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8

_LOCAL_ONLY = {"protocol_whitelist": "file"}  # a file that names addresses must not lead to them
GIVE = "give a video such as .mp4, .mov, .avi, .mkv or .webm"
"""The advice for a file that is no video."""
_MOST_STRETCHED = 10  # a pixel that is longer than that is a damaged header


class FileCapture:
    """A `Capture` of one video file, local or on a server.

    The film is the stream that FFmpeg thinks the best, and no cover. Its display matrix (rotation and mirroring) and
    the shape of its pixels are applied.

    Args:
        container: PyAV's, from `open_container`; it is closed by `release`.

    Raises:
        CaptureError: It has no video but a cover, or none at all; the sentence goes on after the file's name.
    """

    def __init__(self, container: InputContainer) -> None:
        self._container: InputContainer = container
        self._open = True
        try:
            self._stream = film(container)
        except CaptureError:
            container.close()
            raise
        codec = self._stream.codec_context
        if codec.width * codec.height > MAX_MEGAPIXELS * 1e6:
            container.close()
            raise CaptureError(
                f"has frames of {codec.width} x {codec.height} px; make them smaller, "
                f"at most {MAX_MEGAPIXELS} million pixels"
            )
        codec.options = {"max_pixels": str(MAX_MEGAPIXELS * 10**6)}  # also for sizes that change on the way
        codec.thread_type = "AUTO"
        self._packets: Iterator[av.Packet] = container.demux(self._stream)
        self._stuck = False
        self._decoded: deque[av.VideoFrame] = deque()
        self._frame: av.VideoFrame | None = None

    def isOpened(self) -> bool:
        """Whether it was not released."""
        return self._open

    def grab(self) -> bool:
        """Decode the next frame; False if the next piece of the file is damaged.

        Raises:
            EndOfStream: There are no more.
        """
        if not self._open:
            raise EndOfStream
        try:
            while not self._decoded:
                self._decoded.extend(self._next_packet().decode())
        except (av.FFmpegError, OSError, ValueError):
            return False
        self._frame = self._decoded.popleft()
        return True

    def retrieve(self) -> tuple[bool, UInt8 | None]:
        """The frame that was grabbed, BGR (H, W, 3)."""
        if self._frame is None:
            return False, None
        stretch = self._stream.sample_aspect_ratio or 1
        if not 1 / _MOST_STRETCHED <= stretch <= _MOST_STRETCHED:
            stretch = 1
        try:
            image = self._frame.to_ndarray(format="bgr24", width=max(1, round(self._frame.width * stretch)))
        except (av.FFmpegError, ValueError, MemoryError):
            return False, None
        matrix = self._frame.side_data.get("DISPLAYMATRIX")
        return True, image if matrix is None else _displayed(image, np.frombuffer(matrix, np.int32))

    def get(self, prop: int, /) -> float:
        """OpenCV's properties for the time in ms of the grabbed frame, the rate in Hz, and the number of frames."""
        stream = self._stream
        if prop == cv2.CAP_PROP_FPS:
            return nominal_hz(stream)
        if prop == cv2.CAP_PROP_FRAME_COUNT:
            return stream.frames or round(self._duration_s() * self.get(cv2.CAP_PROP_FPS))
        if prop == cv2.CAP_PROP_POS_MSEC and self._frame is not None and self._frame.pts is not None:
            return float((self._frame.pts - (stream.start_time or 0)) * stream.time_base * 1000)
        return -1.0

    def set(self, prop: int, value: float, /) -> bool:
        """Go to the keyframe before the time `value` in ms; other properties cannot be set."""
        if prop != cv2.CAP_PROP_POS_MSEC or not self._open:
            return False
        ticks = int(value / 1000 / self._stream.time_base) + (self._stream.start_time or 0)
        try:
            self._container.seek(ticks, stream=self._stream)
        except (av.FFmpegError, OSError):
            return False
        self._packets = self._container.demux(self._stream)
        self._decoded.clear()
        self._frame = None
        return True

    def release(self) -> None:
        """Close the file. Safe to repeat."""
        self._open, self._frame = False, None
        self._decoded.clear()
        self._container.close()

    def _next_packet(self) -> av.Packet:
        stuck, self._stuck = self._stuck, True
        try:
            packet = next(self._packets, None)
        except (av.ExitError, av.TimeoutError):  # the server has stopped
            packet = None
        except (av.FFmpegError, OSError, ValueError):
            if stuck:  # twice at the same place
                raise EndOfStream from None
            self._packets = self._container.demux(self._stream)  # it ended with the error; this one goes on after it
            raise
        if packet is None:
            raise EndOfStream
        self._stuck = False
        return packet

    def _duration_s(self) -> float:
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        return (self._container.duration or 0) / 1e6  # in microseconds


def open_container(path: str) -> InputContainer:
    """PyAV's container of a local file; whatever addresses its content names, none is opened.

    Raises:
        CaptureError: It is not a video; the sentence goes on after the file's name.
        OSError: It cannot be opened.
    """
    try:
        with ffmpeg_path(path) as name:
            return av.open(name, options=_LOCAL_ONLY, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as exc:
        raise CaptureError(f"is not a video, or too damaged to read; {GIVE}") from exc


def nominal_hz(stream: av.VideoStream) -> float:
    """The rate in Hz by the stream's header; 0 if unknown."""
    return float(stream.average_rate or stream.guessed_rate or 0)


def film(container: InputContainer) -> av.VideoStream:
    """The video stream of an open PyAV container that a player shows.

    Raises:
        CaptureError: There is none, or only the cover of a sound file; the sentence goes on after the file's name.
    """

    stream = container.streams.best("video")
    if stream is None or stream.disposition & Disposition.attached_pic:
        raise CaptureError(f"has {'a cover picture, but ' if stream else ''}no video; {GIVE}")
    if stream.codec_context is None:
        raise CaptureError("has a video in a format that FFmpeg does not know; convert it to .mp4 with H.264")
    if stream.disposition & Disposition.dependent:
        raise CaptureError("is a photo in tiles; give it the suffix .heic")
    return stream


def _displayed(image: UInt8, matrix: np.ndarray[Any, np.dtype[np.int32]]) -> UInt8:
    """The image as its display matrix shows it, to the nearest quarter turn, mirrored or not.

    The first two columns of the matrix (3, 3) map a pixel's (x, y) to its place on the screen, x right and y down.
    Source: ISO/IEC 14496-12, 6.2.2; FFmpeg, libavutil/display.h.
    """
    a, b, _, c, d = (int(number) for number in matrix[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])
