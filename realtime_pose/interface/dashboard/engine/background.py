"""A background thread for slow work, one job after another: opening a camera, loading a model, closing files."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Background:
    """A ThreadPoolExecutor with one thread, whose exceptions are reported.

    Args:
        name: The thread's name.
        on_fault: Called with what a job raised; later jobs still run.
    """

    def __init__(self, name: str, on_fault: Callable[[Exception], None]) -> None:
        self._on_fault = on_fault
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._changed = threading.Condition()
        self._pending: set[Future[None]] = set()
        self._closed = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job after those submitted before; after `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            future = self._executor.submit(job)
            self._pending.add(future)
        future.add_done_callback(self._finished)

    def wait(self, timeout_s: float) -> bool:
        """Whether no job is left, after waiting for that at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Wait for the jobs at most so long, then cancel those that have not started. Safe to repeat."""
        with self._changed:
            self._closed = True
        self.wait(timeout_s)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _finished(self, future: Future[None]) -> None:
        try:
            if not future.cancelled() and isinstance(exc := future.exception(), Exception):
                self._on_fault(exc)
        finally:
            with self._changed:
                self._pending.discard(future)
                self._changed.notify_all()
