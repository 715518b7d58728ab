"""Base class of cameras and network streams: capture thread, newest frame, reconnecting, closing."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from realtime_pose.capture.opencv import Capture, quiet, rate_hz, rotator
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.slot import LatestSlot, SlotClosed

log = logging.getLogger(__name__)

_WARM_UP_PAUSE_S = 0.05  # between two grabs of a device that has opened but delivers no frames yet
_MAX_UNDECODABLE = 30  # consecutive grabs without a decodable frame that count as a loss


@dataclass(frozen=True)
class LiveTimings:
    """Timeouts of a live source, in seconds.

    Attributes:
        first_frame_s: Limit for the first frame, including opening.
        read_s: `read` returns None after this long without a new frame.
        join_s: `close` waits this long for the thread.
        retry_s: First pause before a lost device is reopened; it doubles each time.
        retry_max_s: Longest pause.
    """

    first_frame_s: float = 10.0
    read_s: float = 1.0
    join_s: float = 1.5
    retry_s: float = 0.5
    retry_max_s: float = 5.0


DEFAULT_TIMINGS = LiveTimings()


class LiveStream:
    """A live source: its own thread grabs and timestamps, the newest frame wins, a lost device is reopened.

    The constructor returns when the first frame has arrived. Only the thread uses the capture: releasing it during a
    grab crashes the process (seen with OpenCV 5.0 and FFmpeg). So `close` signals and waits, and a thread stuck in a
    driver releases the device itself as soon as the driver returns.
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
        """Open the device and wait for its first frame.

        Args:
            name: The source's name in messages, such as "camera 0".
            open_capture: Opens the device, also after a loss; raises CaptureError if it cannot.
            rotate_deg: Rotate the frames clockwise.
            when_silent: Next step for the user if the device opens but delivers no frames.
            when_lost: Next step for the user if it stops delivering frames.
            timings: Timeouts.
            wait: Waits that many seconds and returns whether to stop; by default, until `close`.

        Raises:
            CaptureError: It does not open, or delivers no frame in time.
            UnknownChoiceError: `rotate_deg` is not a right angle.
        """
        self.fps = 0.0
        self.notices: list[str] = []
        self._name, self._open, self._timings = name, open_capture, timings
        self._when_lost = when_lost
        self._rotate = rotator(rotate_deg)
        self._slot: LatestSlot[Frame] = LatestSlot()
        self._stop, self._settled = threading.Event(), threading.Event()
        self._wait = wait or self._stop.wait
        self._count = 0  # frames delivered
        self._last_ns = 0
        self._lost_ns: int | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"capture {name}", daemon=True)
        self._thread.start()
        try:
            self._await_first_frame(when_silent)
        except BaseException:
            self.close()
            raise

    @property
    def dropped(self) -> int:
        """Frames lost so far because the reader was late."""
        return self._slot.dropped

    def read(self) -> Frame | None:
        """The newest frame; None if none arrived within `read_s`, such as while a lost device is being reopened.

        Raises:
            EndOfStream: The source was closed.
            CaptureError: The thread failed; `__cause__` has its exception.
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
        """End the thread, which releases the device. Safe to repeat, and from any thread."""
        self._stop.set()
        self._slot.close()
        if self._thread is not threading.current_thread():
            self._thread.join(self._timings.join_s)
            if self._thread.is_alive():
                log.warning("%s is blocked in its driver; it is released when the driver returns", self._name)

    def _await_first_frame(self, when_silent: str) -> None:
        if not self._settled.wait(self._timings.first_frame_s):
            wait_s = self._timings.first_frame_s
            raise CaptureError(f"{self._name} delivered no frame within {wait_s:g} s; {when_silent}")
        if self._count == 0 and self._failure is not None:
            if isinstance(self._failure, CaptureError):
                raise self._failure
            raise CaptureError(f"{self._name} stopped: {self._failure}") from self._failure

    def _run(self) -> None:
        try:
            self._capture_until_closed()
        except SlotClosed:
            pass  # closed while a frame was being delivered
        except Exception as exc:  # noqa: BLE001 - kept, and raised in `read`
            self._failure = exc
        finally:
            self._slot.close()
            self._settled.set()

    def _capture_until_closed(self) -> None:
        """Open the device and deliver its frames; after a loss, reopen it until `close`."""
        pauses = self._pauses()
        while not self._stop.is_set():
            count = self._count
            self._capture_once()
            if self._stop.is_set():
                return
            if self._count > count:
                self._lost_ns = time.monotonic_ns()
                self.notices.append(f"{self._name} stopped delivering frames and is being reopened; {self._when_lost}")
                pauses = self._pauses()
            if self._wait(next(pauses)):
                return

    def _capture_once(self) -> None:
        try:
            capture = self._open()
        except CaptureError:
            if self._count == 0:
                raise  # the first opening must succeed; later failures are retried, and the notice stands already
            return
        try:
            self._forward(capture)
        finally:
            with quiet():
                capture.release()

    def _forward(self, capture: Capture) -> None:
        """Deliver frames until the device stops or `close`."""
        self.fps = rate_hz(capture)
        undecodable = 0
        while not self._stop.is_set() and undecodable < _MAX_UNDECODABLE:
            if not capture.grab():
                if self._count == 0 and not self._wait(_WARM_UP_PAUSE_S):
                    continue
                return
            now_ns = max(time.monotonic_ns(), self._last_ns + 1)  # some clocks tick more slowly than frames arrive
            ok, image = capture.retrieve()
            if not ok or image is None:
                undecodable += 1
                continue
            undecodable = 0
            self._put(Frame(self._rotate(image), self._count, now_ns, now_ns))

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
            pause_s = min(2 * pause_s, self._timings.retry_max_s)
