"""Video file source: every frame with its presentation time, and notices about damage."""

import codecs
import threading
import time
from pathlib import Path

import cv2

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.file_decoder import GIVE, FileCapture, open_container
from realtime_pose.capture.opencv import Capture, nominal_frames, rate_hz, rotator
from realtime_pose.capture.sources import local_path
from realtime_pose.capture.video_rate import measured_hz
from realtime_pose.datatypes import Frame
from realtime_pose.drawing import fitted
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8

_ASSUMED_FPS = 30.0  # for a file without a frame rate
_COUNTED = frozenset({".mp4", ".m4v", ".mov", ".avi"})  # containers with an exact frame count; others estimate it
_CLOSE_WAIT_S = 1.5


class VideoFile:
    """Every frame of a video, none dropped.

    A damaged file gives its readable frames, then `EndOfStream`, and a notice that says where the damage is.
    """

    live = False
    dropped = 0

    def __init__(self, capture: Capture, name: str, rotate_deg: int = 0, measured_hz: float | None = None) -> None:
        """Read the first frame of an open capture, and own the capture from now on.

        Args:
            capture: The file's decoder.
            name: The file's name, for messages.
            rotate_deg: Rotation of the frames.
            measured_hz: The rate by the frames' own times, for a file whose header has none, or a wrong one.

        Raises:
            CaptureError: It has no readable frame.
            UnknownChoiceError: `rotate_deg` is not a right angle.
        """
        self._capture, self._name = capture, name
        self._rotate = rotator(rotate_deg)
        self.fps = rate_hz(capture) if measured_hz is None else measured_hz
        self.frame_count = nominal_frames(capture) if measured_hz is None else None  # it would be of the wrong rate
        self.notices: list[str] = []
        self._period_ns = round(1e9 / (self.fps or _ASSUMED_FPS))
        self._lock = threading.Lock()  # releasing a capture during a read crashes the process
        self._closed = threading.Event()
        self._index, self._resized = 0, False
        self._size: tuple[int, int] | None = None
        self._last_ns = -self._period_ns
        self._gap_frames, self._gap_index, self._gap_ns = 0, 0, 0  # frames missing according to the times
        self._broken_frames, self._broken_index, self._broken_ns = 0, 0, 0  # frames that did not decode
        self._next = self._decode()
        if self._next is None:
            self.close()
            raise CaptureError(f"{name} has no readable frame; it is damaged or not a video")

    def read(self) -> Frame:
        """The next frame.

        Raises:
            EndOfStream: There are no more, or the file was closed.
        """
        with self._lock:
            if self._closed.is_set() or self._next is None:
                raise EndOfStream(f"{self._name} has no more frames")
            image, time_ns = self._next
            frame = Frame(image, self._index, time_ns, time.monotonic_ns())
            self._index += 1
            self._next = self._decode()
            if self._next is None:
                self._report_damage()
            if self._closed.is_set():  # by another thread, which stopped waiting for this read
                self._capture.release()
            return frame

    def close(self) -> None:
        """Release the file. Safe to repeat, and from any thread."""
        self._closed.set()
        if self._lock.acquire(timeout=_CLOSE_WAIT_S):
            try:
                self._capture.release()
            finally:
                self._lock.release()

    def _decode(self) -> tuple[UInt8, int] | None:
        """The next image and its time in ns; None at the end. Frames that cannot be decoded are skipped."""
        failed = 0
        while not self._closed.is_set():
            try:
                if not self._capture.grab():
                    failed += 1
                    continue
            except EndOfStream:
                return None
            time_ns = self._stamp(self._capture.get(cv2.CAP_PROP_POS_MSEC))
            ok, image = self._capture.retrieve()
            if ok and image is not None:
                self._note_broken(failed)
                self._note_gap(time_ns)
                self._last_ns = time_ns
                return self._of_one_size(self._rotate(image)), time_ns
        return None

    def _of_one_size(self, image: UInt8) -> UInt8:
        """The image, scaled into the first one's size if it has another."""
        width, height = self._size = self._size or (image.shape[1], image.shape[0])
        if image.shape[:2] != (height, width) and not self._resized:
            self._resized = True
            self.notices.append(
                f"{self._name} changes its size from {width}x{height} to {image.shape[1]}x{image.shape[0]} px after "
                f"frame {self._index}; its frames are scaled into the first size, not stretched"
            )
        return fitted(image, width, height)

    def _stamp(self, presentation_ms: float) -> int:
        """The frame's time in ns: the file's if it advances, otherwise one period after the last frame."""
        time_ns = round(presentation_ms * 1e6) if presentation_ms >= 0 else -1  # also False for nan
        return time_ns if time_ns > max(self._last_ns, -1) else self._last_ns + self._period_ns

    def _note_broken(self, failed: int) -> None:
        if failed and not self._broken_frames:
            self._broken_index, self._broken_ns = self._index, max(self._last_ns, 0)
        self._broken_frames += failed

    def _note_gap(self, time_ns: int) -> None:
        skipped = round((time_ns - self._last_ns) / self._period_ns) - 1
        if skipped > 0:
            if not self._gap_frames:
                self._gap_index, self._gap_ns = self._index, max(self._last_ns, 0)
            self._gap_frames += skipped

    def _missing(self) -> int:
        """The number of missing frames against the header's count; 0 if within the count's tolerance."""
        # Container counts are off by one or two; an estimated count by as much as the sound outlasts the video.
        exact = Path(self._name).suffix.lower() in _COUNTED
        tolerance = 2 if exact else max(2, round((self.fps or _ASSUMED_FPS) / 2))
        missing = (self.frame_count or 0) - self._index
        return missing if missing > tolerance else 0

    def _report_damage(self) -> None:
        missing = self._missing()
        if not missing:
            if self._broken_frames:
                self.notices.append(
                    f"{self._name} is damaged: {self._broken_frames} of its frames could not be read, the first after "
                    f"frame {self._broken_index} ({self._broken_ns / 1e9:.1f} s); frames after it may be smeared"
                )
            return
        if self._gap_frames >= missing / 2:
            self.notices.append(
                f"{self._name} is damaged: {missing} of {self.frame_count} frames could not be read, "
                f"the first of them after frame {self._gap_index} ({self._gap_ns / 1e9:.1f} s)"
            )
        else:
            self.notices.append(
                f"{self._name} ends after {self._index} of {self.frame_count} frames; "
                "the rest is damaged or was cut off"
            )


def open_video(config: CaptureConfig) -> VideoFile:
    """Opens the video file `config.source`; `config.fps` takes the place of its rate, not of its frames' times.

    Raises:
        CaptureError: It is missing, empty or not a video.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """
    path = local_path(config.source)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise CaptureError(f"{path} cannot be read ({exc.strerror}); give the path of a video") from exc
    if not head:
        raise CaptureError(f"{path} is empty; give a file with a video in it")
    if _is_text(head):  # FFmpeg would render it as video, or open what it names
        raise CaptureError(f"{path} is text, not a video; {GIVE}")
    try:
        capture = FileCapture(open_container(str(path)))
    except CaptureError as exc:
        raise CaptureError(f"{path} {exc}") from exc.__cause__
    video = VideoFile(capture, path.name, config.rotate_deg, measured_hz(path))
    video.fps = config.fps or video.fps
    return video


def _is_text(head: bytes) -> bool:
    try:
        return "\0" not in codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
