"""The feed of the live view: the newest frame and the latest state event, for every client.

The studio publishes from its own threads and never waits; clients watch from the server's event loop. There is no queue
between them: the newest message wins, and a client gets the next frame only after it has drawn earlier ones.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from realtime_pose.datatypes import FrameResult
from realtime_pose.interface.dashboard.engine.messages import frame_message, text_of

IN_FLIGHT = 3
"""Frames that a client may have been sent and not yet drawn.

On 2 cores without a graphics card 29 of 30 were shown with three; 26 with two, as the next one waits for a busy page;
with four they came 20 to 40 ms later.
"""


class Feed:
    """Passes messages from the studio's threads to the clients. Every method is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: set[Watch] = set()
        self._last: tuple[FrameResult, int, bool] | None = None  # kept for clients that connect later, e.g. in a pause
        self._ended_run = -1  # this run and earlier ones have ended
        self._seq = 0
        self._encoded_seq = 0
        self._frame = b""
        self._event_number = 0
        self._event = ""

    @property
    def watchers(self) -> int:
        """The number of clients."""
        return len(self._watching)

    def publish(self, result: FrameResult, *, run: int, mirror: bool) -> None:
        """Send a frame to all clients; without any it is only kept.

        Args:
            result: The frame and its people.
            run: The number of the start that it belongs to.
            mirror: Mirror the poses.
        """
        with self._lock:
            if run <= self._ended_run:
                return
            self._last = (result, run, mirror)
            self._seq += 1
            seq = self._seq
            if not self._watching:
                return
        self._encode(result, seq, run, mirror)

    def end(self, run: int) -> None:
        """Send no more frames of this run and earlier ones; call it before `announce` reports their end."""
        with self._lock:
            self._ended_run = max(self._ended_run, run)
            if self._last is not None and self._last[1] <= run:
                self._last, self._frame = None, b""

    def announce(self, event: Mapping[str, Any]) -> None:
        """Send an event to all clients, e.g. {"type": "state", ...}; later clients get the latest one."""
        text = text_of(event)
        with self._lock:
            self._event = text
            self._event_number += 1
        self._wake()

    def announce_again(self) -> None:
        """Send the latest event once more, as its meaning may differ for each client now."""
        with self._lock:
            self._event_number += 1
        self._wake()

    @contextlib.contextmanager
    def watch(self) -> Iterator["Watch"]:
        """Watch from the running event loop, until the end of the block."""
        watch = Watch(self, asyncio.get_running_loop())
        with self._lock:
            self._watching.add(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._watching.discard(watch)

    async def encode_latest(self) -> None:
        """Encode the latest frame if it came while there were no clients."""
        with self._lock:
            last, seq = self._last, self._seq
            encoded = self._encoded_seq >= seq
        if last is not None and not encoded:
            result, run, mirror = last
            await asyncio.to_thread(self._encode, result, seq, run, mirror)

    def after(self, seq: int) -> tuple[int, bytes] | None:
        """The newest frame's number and message, if it is newer than frame `seq`."""
        with self._lock:
            return (self._encoded_seq, self._frame) if self._frame and self._encoded_seq > seq else None

    def event_after(self, number: int) -> tuple[int, str] | None:
        """The latest event's number and text, if it is newer than event `number`."""
        with self._lock:
            return (self._event_number, self._event) if self._event_number > number else None

    def _encode(self, result: FrameResult, seq: int, run: int, mirror: bool) -> None:
        message = frame_message(result, seq=seq, run=run, mirror=mirror, sent_unix_s=time.time())
        with self._lock:
            if seq <= self._encoded_seq or run <= self._ended_run:
                return  # a newer one was encoded first, or the run has ended
            self._encoded_seq, self._frame = seq, message
        self._wake()

    def _wake(self) -> None:
        """Wake the clients, with one call for each event loop."""
        with self._lock:
            loops: dict[asyncio.AbstractEventLoop, list[Watch]] = {}
            for watch in self._watching:
                loops.setdefault(watch.loop, []).append(watch)
        for loop, watches in loops.items():
            with contextlib.suppress(RuntimeError):  # the loop was closed, and its clients with it
                loop.call_soon_threadsafe(_wake_all, watches)


def _wake_all(watches: list["Watch"]) -> None:
    for watch in watches:
        watch.wake()


class Watch:
    """One client's position in the feed, and the frames that it has not drawn yet. Belongs to one event loop."""

    def __init__(self, feed: Feed, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._feed = feed
        self._changed = asyncio.Event()
        self._in_flight: set[int] = set()
        self._seq, self._event_number = 0, 0

    def wake(self) -> None:
        """Check for new messages."""
        self._changed.set()

    def ack(self, seq: int) -> None:
        """The client has drawn frame `seq`; a number that it was never sent is ignored."""
        self._in_flight.discard(seq)
        self._changed.set()

    async def encode_latest(self) -> None:
        """Encode the latest frame if it came while there were no clients."""
        await self._feed.encode_latest()

    async def next(self) -> str | bytes:
        """The next message: the newest event as text, otherwise the newest frame, once another one may be sent."""
        while True:
            self._changed.clear()
            if event := self._feed.event_after(self._event_number):
                self._event_number, text = event
                return text
            if len(self._in_flight) < IN_FLIGHT and (frame := self._feed.after(self._seq)):
                self._seq, message = frame
                self._in_flight.add(self._seq)
                return message
            await self._changed.wait()
