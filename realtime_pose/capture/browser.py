"""The camera of whoever looks at the dashboard: pictures come as JPEG over a WebSocket, from a browser."""

import logging
import math
import threading
import time

import cv2
import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.opencv import quiet, turner
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream
from realtime_pose.utils.arrays import UInt8
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

MAX_BYTES = 2_000_000
MAX_PIXELS = 4096 * 2304
"""Of one picture; it is looked up in the header, as a small file can unpack to gigabytes."""

_READ_S = 1.0
_CLOCK_TRUSTED_NS = 1_000_000_000  # how far the client's clock may run away from ours before they are matched anew
_START, _END_OF_HEADERS = b"\xff\xd8\xff", 0xDA
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the markers of a JPEG that are followed by its size
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without anything after them


class BrowserCamera:
    """A live source that is given its pictures: `put` from a server's thread, `read` from the reader's, which decodes.

    The newest picture wins. Media time is the client's clock at the grab, which the network does not shake, brought to
    ours; where that clock is none, it is the arrival. A picture that is refused is told once for each reason.
    """

    live = True
    fps = 0.0
    frame_count: int | None = None

    def __init__(self, config: CaptureConfig | None = None, *, read_s: float = _READ_S) -> None:
        """A camera that waits for pictures; `config.rotate_deg` turns them.

        Raises:
            UnknownChoiceError: `config.rotate_deg` is not a right angle.
        """
        self.notices: list[str] = []
        self._turn = turner(config.rotate_deg if config else 0)
        self._read_s = read_s
        self._slot: LatestSlot[tuple[bytes, int, int, int]] = LatestSlot()
        self._closed = False
        self._lock = threading.Lock()
        self._count = 0
        self._last_ns = 0
        self._ours_less_theirs_ns: int | None = None

    @property
    def dropped(self) -> int:
        """Pictures lost so far because the reader was late."""
        return self._slot.dropped

    def put(self, jpeg: bytes, grabbed_ms: float = math.nan) -> None:
        """Give a picture. Never blocks; after `close` it does nothing.

        Args:
            jpeg: The picture as a browser encodes it; anything else is refused with a notice.
            grabbed_ms: The client's clock at the grab, in ms; NaN where it is unknown.
        """
        arrived_ns = time.monotonic_ns()
        if why := why_refused(jpeg):
            self._notice(why)
            return
        with self._lock:
            time_ns = max(self._media_time(arrived_ns, grabbed_ms), self._last_ns + 1)
            self._last_ns = time_ns
            index, self._count = self._count, self._count + 1
            try:
                self._slot.put((jpeg, index, time_ns, arrived_ns))
            except SlotClosed:
                log.debug("a picture came after the browser camera was closed")

    def read(self) -> Frame | None:
        """The newest picture; None if none came within a second.

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
                return Frame(self._turn(image), index, time_ns, arrived_ns)
            self._notice("the browser sent a picture that is damaged; it is left out")

    def close(self) -> None:
        """Take no more pictures. Safe to repeat, and from any thread."""
        self._closed = True
        self._slot.close()

    def _media_time(self, arrived_ns: int, grabbed_ms: float) -> int:
        """The grab, on our clock: as long before the arrival as the quickest picture needed, or longer."""
        if not math.isfinite(grabbed_ms) or abs(grabbed_ms) > 1e15:
            return arrived_ns
        grabbed_ns = round(grabbed_ms * 1e6)
        apart_ns = arrived_ns - grabbed_ns
        known_ns = self._ours_less_theirs_ns
        if known_ns is None or not 0 <= apart_ns - known_ns < _CLOCK_TRUSTED_NS:
            known_ns = self._ours_less_theirs_ns = apart_ns
        return grabbed_ns + known_ns

    def _notice(self, text: str) -> None:
        if text not in self.notices:
            self.notices.append(text)


def why_refused(jpeg: bytes) -> str:
    """One sentence on why these bytes are not taken as a picture; empty if they are."""
    if len(jpeg) > MAX_BYTES:
        return (
            f"the browser sent a picture of more than {MAX_BYTES / 1e6:g} MB, which is left out; choose a smaller one"
        )
    size = jpeg_size(jpeg)
    if size is None:
        return "the browser sent something that is no JPEG picture; it is left out"
    width, height = size
    if width * height > MAX_PIXELS:
        return f"the browser sent a picture of {width}x{height} px, which is left out; at most 4096x2304 is taken"
    return ""


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Width and height that a JPEG's header states; None if these bytes have no such header.

    The segments are those of ITU-T T.81, annex B: FF, a marker, a length, and for a frame's header its size.
    """
    if not jpeg.startswith(_START):
        return None
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker == 0xFF:  # filling
            at += 1
        elif marker in _BARE:
            at += 2
        elif marker in _SIZES:
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
