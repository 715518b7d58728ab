"""Sink worker: a thread and a queue for a sink that may be slow, such as a video encoder."""

import queue
import threading

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult

_QUEUE_FRAMES = 32  # how far a slow sink may be behind, about a second


class SinkWorker:
    """Runs a slow sink, such as a video encoder, in a thread of its own.

    When the queue is full, the caller waits with `lossless` (files); otherwise the frame is dropped for this sink
    and counted (live).
    """

    def __init__(self, sink: PoseSink, *, lossless: bool) -> None:
        self.dropped = 0
        self.taken = 0  # results that the sink itself got; one still in the queue is in no file
        self.failure: Exception | None = None
        self.what_failed = "recording stopped"  # before the failure's own sentence
        self._sink, self._lossless = sink, lossless
        self._queue: queue.Queue[FrameResult | None] = queue.Queue(_QUEUE_FRAMES)
        self._thread = threading.Thread(target=self._work, name=f"sink-{type(sink).__name__}", daemon=True)
        self._thread.start()

    def send(self, result: FrameResult) -> None:
        """Queue a result; ignored once the sink has failed."""
        if self.failure is not None:
            return
        try:
            self._queue.put(result, block=self._lossless)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Let the sink finish the queue, then close it."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _work(self) -> None:
        try:
            while (result := self._queue.get()) is not None:
                if self.failure is None:
                    self._send(result)
        finally:
            self._close_sink()

    def _send(self, result: FrameResult) -> None:
        try:
            self._sink.send(result)
            self.taken += 1
        except Exception as exc:  # noqa: BLE001 - kept for the pose thread; the queue is still emptied, so that no caller waits
            self.failure = exc

    def _close_sink(self) -> None:
        try:
            self._sink.close()
        except Exception as exc:  # noqa: BLE001 - kept for the pose thread
            if self.failure is None:
                self.what_failed = "not every file of the take is complete"
            self.failure = self.failure or exc
