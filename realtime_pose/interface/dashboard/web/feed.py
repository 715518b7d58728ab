"""What everybody who watches the dashboard gets: the newest frame, and the last word on the state.

The studio publishes from a thread of its own and never waits; clients watch from the server's event loop. Between them
is no queue: the newest message wins, and a client gets the next frame only when it has drawn those before.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from realtime_pose.datatypes import FrameResult
from realtime_pose.interface.dashboard.web.messages import frame_message, text_of

IN_FLIGHT = 3
"""Frames that a client may have been sent and not yet drawn.

On 2 cores without a graphics card 29 of 30 were shown with three; with two 26, as the next one waits for a busy page;
with four they came 20 to 40 ms later.
"""


class Feed:
    """Hands messages from the studio's threads to those who watch. Every method is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: set[Watch] = set()
        self._last: tuple[FrameResult, int, bool] | None = None  # kept for who comes later, as in a pause
        self._over = -1  # this run and those before have ended
        self._seq = 0
        self._encoded_seq = 0
        self._frame = b""
        self._told = 0
        self._event = ""

    @property
    def watchers(self) -> int:
        """How many clients watch now."""
        return len(self._watching)

    def publish(self, result: FrameResult, *, run: int, mirror: bool) -> None:
        """Show a frame to everybody who watches; while nobody does it is only kept.

        Args:
            result: The frame and its people.
            run: Which start of the source it belongs to.
            mirror: Show the poses as a mirror does.
        """
        with self._lock:
            if run <= self._over:
                return
            self._last = (result, run, mirror)
            self._seq += 1
            seq = self._seq
            if not self._watching:
                return
        self._encode(result, seq, run, mirror)

    def end(self, run: int) -> None:
        """Show nothing more of this run and those before; to be called before their end is told."""
        with self._lock:
            self._over = max(self._over, run)
            if self._last is not None and self._last[1] <= run:
                self._last, self._frame = None, b""

    def tell(self, event: Mapping[str, Any]) -> None:
        """Tell everybody an event, e.g. {"type": "state", ...}; who comes later hears the last one."""
        text = text_of(event)
        with self._lock:
            self._event = text
            self._told += 1
        self._wake()

    def tell_again(self) -> None:
        """Tell everybody the last event once more, as it may mean something else to them now."""
        with self._lock:
            self._told += 1
        self._wake()

    @contextlib.contextmanager
    def watch(self) -> Iterator["Watch"]:
        """Watch from the event loop that runs now, until the end of the block."""
        watch = Watch(self, asyncio.get_running_loop())
        with self._lock:
            self._watching.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watching.discard(watch)

    async def catch_up(self) -> None:
        """Make the message of a frame that came while nobody watched."""
        with self._lock:
            last, seq = self._last, self._seq
            encoded = self._encoded_seq >= seq
        if last is not None and not encoded:
            result, run, mirror = last
            await asyncio.to_thread(self._encode, result, seq, run, mirror)

    def after(self, seq: int) -> tuple[int, bytes] | None:
        """The newest frame's number and message, if it came after frame `seq`."""
        with self._lock:
            return (self._encoded_seq, self._frame) if self._frame and self._encoded_seq > seq else None

    def event_after(self, told: int) -> tuple[int, str] | None:
        """The last event's number and text, if it came after event `told`."""
        with self._lock:
            return (self._told, self._event) if self._told > told else None

    def _encode(self, result: FrameResult, seq: int, run: int, mirror: bool) -> None:
        message = frame_message(result, seq=seq, run=run, mirror=mirror, sent_unix_s=time.time())
        with self._lock:
            if seq <= self._encoded_seq or run <= self._over:
                return  # a newer one was quicker, or it is over
            self._encoded_seq, self._frame = seq, message
        self._wake()

    def _wake(self) -> None:
        """Wake each loop once, and in it everybody who watches."""
        with self._lock:
            loops: dict[asyncio.AbstractEventLoop, list[Watch]] = {}
            for watch in self._watching:
                loops.setdefault(watch.loop, []).append(watch)
        for loop, watches in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop was closed, and with it those who watched
                loop.call_soon_threadsafe(_wake_all, watches)


def _wake_all(watches: list["Watch"]) -> None:
    for watch in watches:
        watch.wake()


class Watch:
    """What one client has yet to be told, and how much of what it was sent it has drawn. Lives in one event loop."""

    def __init__(self, feed: Feed, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._feed = feed
        self._changed = asyncio.Event()
        self._in_flight: set[int] = set()
        self._seq, self._told = 0, 0

    def wake(self) -> None:
        """Look again whether there is something new."""
        self._changed.set()

    def ack(self, seq: int) -> None:
        """The client has drawn frame `seq`; a number that it was never sent means nothing."""
        self._in_flight.discard(seq)
        self._changed.set()

    async def catch_up(self) -> None:
        """Have the frame ready that came while nobody watched."""
        await self._feed.catch_up()

    async def next(self) -> str | bytes:
        """The next message: the newest event in text, else the newest frame, once there is room for one more."""
        while True:
            self._changed.clear()
            if event := self._feed.event_after(self._told):
                self._told, text = event
                return text
            if len(self._in_flight) < IN_FLIGHT and (frame := self._feed.after(self._seq)):
                self._seq, message = frame
                self._in_flight.add(self._seq)
                return message
            await self._changed.wait()
