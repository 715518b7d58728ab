"""Frames that come by themselves: the thread, the retrying and the closing that cameras and network streams share."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from realtime_pose.capture.opencv import Capture, quiet, rate_hz, turner
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

_NOT_YET_S = 0.05  # between two tries of a device that has opened but is still waking up
_BAD_IN_A_ROW = 30  # grabs without a decodable picture that count as a loss


@dataclass(frozen=True)
class LiveTimings:
    """How long a live source waits, in seconds.

    Attributes:
        first_picture_s: For the first picture, opening included.
        read_s: `read` answers None after this long without a new picture.
        join_s: `close` waits this long for the thread.
        retry_s: First pause before a lost device is opened again; each further one is twice as long.
        retry_most_s: The longest of these pauses.
    """

    first_picture_s: float = 10.0
    read_s: float = 1.0
    join_s: float = 1.5
    retry_s: float = 0.5
    retry_most_s: float = 5.0


DEFAULT_TIMINGS = LiveTimings()


class LiveStream:
    """A live source: an own thread grabs and stamps, the newest frame wins, a lost device is opened again.

    The constructor returns when the first picture has come. Only the thread touches the capture: releasing one while
    a grab is in it crashes the process (seen with OpenCV 5.0 and FFmpeg), so `close` signals and waits, and a thread
    stuck in a driver lets go of the device by itself as soon as the driver returns.
    """

    live = True
    frame_count: int | None = None

    def __init__(
        self,
        name: str,
        open_capture: Callable[[], Capture],
        *,
        rotate_deg: int = 0,
        when_silent: str,
        when_lost: str,
        timings: LiveTimings = DEFAULT_TIMINGS,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """Open the device and wait for its first picture.

        Args:
            name: What the messages call the source, e.g. "camera 0".
            open_capture: Opens the device anew; raises CaptureError when it cannot.
            rotate_deg: Turn the pictures clockwise.
            when_silent: Next step for the user when the device opens but gives no picture.
            when_lost: Next step for the user when it stops giving pictures.
            timings: How long to wait for what.
            wait: Pauses that many seconds and tells whether to stop; by default until `close`.

        Raises:
            CaptureError: It does not open, or gives no picture in time.
            UnknownChoiceError: `rotate_deg` is not a right angle.
        """
        self.fps = 0.0
        self.notices: list[str] = []
        self._name, self._open, self._timings = name, open_capture, timings
        self._when_lost = when_lost
        self._turn = turner(rotate_deg)
        self._slot: LatestSlot[Frame] = LatestSlot()
        self._stop, self._settled = threading.Event(), threading.Event()
        self._wait = wait or self._stop.wait
        self._count = 0  # pictures that came
        self._last_ns = 0
        self._lost_ns: int | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture {name}", daemon=True)
        self._thread.start()
        try:
            self._await_first_picture(when_silent)
        except BaseException:
            self.close()
            raise

    @property
    def dropped(self) -> int:
        """Frames lost so far because the reader was late."""
        return self._slot.dropped

    def read(self) -> Frame | None:
        """The newest frame; None if none came within `read_s`, as while a lost device is awaited.

        Raises:
            EndOfStream: The source was closed.
            CaptureError: The thread died; `__cause__` says why.
        """
        if self._stop.is_set():
            raise EndOfStream(f"{self._name} was closed")
        try:
            return self._slot.get(self._timings.read_s)
        except SlotClosed:
            if self._failure is not None:
                raise CaptureError(f"{self._name} stopped: {self._failure}") from self._failure
            raise EndOfStream(f"{self._name} was closed") from None

    def close(self) -> None:
        """End the thread, which gives the device back. Safe to repeat, and from any thread."""
        self._stop.set()
        self._slot.close()
        if self._thread is not threading.current_thread():
            self._thread.join(self._timings.join_s)
            if self._thread.is_alive():
                log.warning("%s is held by its driver; it is given back when the driver answers", self._name)

    def _await_first_picture(self, when_silent: str) -> None:
        if not self._settled.wait(self._timings.first_picture_s):
            wait_s = self._timings.first_picture_s
            raise CaptureError(f"{self._name} gives no picture within {wait_s:g} s; {when_silent}")
        if self._count == 0 and self._failure is not None:
            if isinstance(self._failure, CaptureError):
                raise self._failure
            raise CaptureError(f"{self._name} stopped: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            self._serve()
        except SlotClosed:
            pass  # closed while a picture was on its way
        except Exception as exc:  # noqa: BLE001 - kept, and raised where somebody reads
            self._failure = exc
        finally:
            self._slot.close()
            self._settled.set()

    def _serve(self) -> None:
        """Open, pass pictures on, and on a loss begin again until `close`."""
        pauses = self._pauses()
        while not self._stop.is_set():
            count = self._count
            self._serve_once()
            if self._stop.is_set():
                return
            if self._count > count:
                self._lost_ns = time.monotonic_ns()
                self.notices.append(f"{self._name} gives no more pictures and is tried again; {self._when_lost}")
                pauses = self._pauses()
            if self._wait(next(pauses)):
                return

    def _serve_once(self) -> None:
        try:
            capture = self._open()
        except CaptureError:
            if self._count == 0:
                raise  # at the start the user is there to act on it; later the loss has been told
            return
        try:
            self._forward(capture)
        finally:
            with quiet():
                capture.release()

    def _forward(self, capture: Capture) -> None:
        """Pass pictures on until the device stops giving them."""
        self.fps = rate_hz(capture)
        bad = 0
        while not self._stop.is_set() and bad < _BAD_IN_A_ROW:
            if not capture.grab():
                if self._count == 0 and not self._wait(_NOT_YET_S):
                    continue
                return
            now_ns = max(time.monotonic_ns(), self._last_ns + 1)  # some clocks tick slower than frames come
            ok, image = capture.retrieve()
            if not ok or image is None:
                bad += 1
                continue
            bad = 0
            self._put(Frame(self._turn(image), self._count, now_ns, now_ns))

    def _put(self, frame: Frame) -> None:
        if self._lost_ns is not None:
            self.notices.append(f"{self._name} is back after {(frame.time_ns - self._lost_ns) / 1e9:.1f} s")
            self._lost_ns = None
        self._last_ns = frame.time_ns
        self._count += 1
        self._slot.put(frame)
        self._settled.set()

    def _pauses(self) -> Iterator[float]:
        pause_s = self._timings.retry_s
        while True:
            yield pause_s
            pause_s = min(2 * pause_s, self._timings.retry_most_s)
