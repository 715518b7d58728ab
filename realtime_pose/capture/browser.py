"""Source fed by a browser's camera: JPEG images that the dashboard's page sends over a WebSocket."""

import logging
import math
import threading
import time

import cv2
import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.opencv import quiet, rotator
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream
from realtime_pose.utils.arrays import UInt8
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

MAX_BYTES = 2_000_000
MAX_PIXELS = 4096 * 2304
"""Limit per image, checked in the JPEG header, because a small file can decode to gigabytes."""

_READ_S = 1.0
_MAX_CLOCK_DRIFT_NS = 1_000_000_000  # beyond it, the client's clock is synchronised again
_START, _END_OF_HEADERS = b"\xff\xd8\xff", 0xDA
_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the frame headers (SOF), which hold the size
_MARKERS_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


class BrowserCamera:
    """A live source with images put in: `put` on a server's thread, `read` on the reader's thread, which decodes.

    The newest image wins. Media time is the client's clock at the grab, mapped to this machine's clock, so that network
    jitter does not affect it; without a valid client clock it is the arrival time. Each reason to refuse an image is
    reported once in `notices`.
    """

    live = True
    fps = 0.0
    frame_count: int | None = None

    def __init__(self, config: CaptureConfig | None = None, *, read_s: float = _READ_S) -> None:
        """A source that waits for images and rotates them by `config.rotate_deg`.

        Raises:
            UnknownChoiceError: `config.rotate_deg` is not a right angle.
        """
        self.notices: list[str] = []
        self._rotate = rotator(config.rotate_deg if config else 0)
        self._read_s = read_s
        self._slot: LatestSlot[tuple[bytes, int, int, int]] = LatestSlot()
        self._closed = False
        self._lock = threading.Lock()
        self._count = 0
        self._last_ns = 0
        self._ours_less_theirs_ns: int | None = None

    @property
    def dropped(self) -> int:
        """Images lost so far because the reader was late."""
        return self._slot.dropped

    def put(self, jpeg: bytes, grabbed_ms: float = math.nan) -> None:
        """Put in an image. Never blocks; does nothing after `close`.

        Args:
            jpeg: A JPEG image; anything else is refused with a notice.
            grabbed_ms: The client's clock at the grab, in ms; NaN if unknown.
        """
        arrived_ns = time.monotonic_ns()
        if why := refusal_reason(jpeg):
            self._notice(why)
            return
        with self._lock:
            time_ns = max(self._media_time(arrived_ns, grabbed_ms), self._last_ns + 1)
            self._last_ns = time_ns
            index, self._count = self._count, self._count + 1
            try:
                self._slot.put((jpeg, index, time_ns, arrived_ns))
            except SlotClosed:
                log.debug("an image arrived after the browser camera was closed")

    def read(self) -> Frame | None:
        """The newest image; None if none arrived within a second.

        Raises:
            EndOfStream: The camera was closed.
        """
        until_s = time.monotonic() + self._read_s
        while True:
            try:
                given = self._slot.get(max(0.0, until_s - time.monotonic()))
            except SlotClosed:
                given = None
            if self._closed:
                raise EndOfStream("the browser's camera was closed")
            if given is None:
                return None
            jpeg, index, time_ns, arrived_ns = given
            image = _decoded(jpeg)
            if image is not None:
                return Frame(self._rotate(image), index, time_ns, arrived_ns)
            self._notice("the browser sent a damaged image; it was skipped")

    def close(self) -> None:
        """Accept no more images. Safe to repeat, and from any thread."""
        self._closed = True
        self._slot.close()

    def _media_time(self, arrived_ns: int, grabbed_ms: float) -> int:
        """The time of the grab on this machine's clock, assuming that the fastest image so far had no delay."""
        if not math.isfinite(grabbed_ms) or abs(grabbed_ms) > 1e15:
            return arrived_ns
        grabbed_ns = round(grabbed_ms * 1e6)
        apart_ns = arrived_ns - grabbed_ns
        known_ns = self._ours_less_theirs_ns
        if known_ns is None or not 0 <= apart_ns - known_ns < _MAX_CLOCK_DRIFT_NS:
            known_ns = self._ours_less_theirs_ns = apart_ns
        return grabbed_ns + known_ns

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def refusal_reason(jpeg: bytes) -> str:
    """One sentence on why these bytes are refused; empty if they are accepted."""
    if len(jpeg) > MAX_BYTES:
        return f"the browser sent an image of more than {MAX_BYTES / 1e6:g} MB; it was skipped; choose a smaller size"
    size = jpeg_size(jpeg)
    if size is None:
        return "the browser sent data that is not a JPEG image; it was skipped"
    width, height = size
    if width * height > MAX_PIXELS:
        return f"the browser sent an image of {width}x{height} px; it was skipped, as the limit is 4096x2304"
    return ""


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's header; None if there is none.

    Segments as in ITU-T T.81, annex B: FF, a marker, a length, and in frame headers the size.
    """
    if not jpeg.startswith(_START):
        return None
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _MARKERS_WITHOUT_LENGTH:
            at += 2
        elif marker in _SIZE_MARKERS:
            height, width = int.from_bytes(jpeg[at + 5 : at + 7]), int.from_bytes(jpeg[at + 7 : at + 9])
            return (width, height) if width and height else None
        elif marker == _END_OF_HEADERS:
            return None
        else:
            at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return None


def _decoded(jpeg: bytes) -> UInt8 | None:
    try:
        with quiet():
            image: UInt8 | None = cv2.imdecode(
                np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
            )
    except cv2.error:
        return None
    return image
