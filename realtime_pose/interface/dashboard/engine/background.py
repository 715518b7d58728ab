"""A background thread for slow work, one job after another: opening a camera, loading a model, closing files."""

import threading
from collections import deque
from collections.abc import Callable


class Background:
    """Runs jobs in one daemon thread and reports their exceptions.

    Not a ThreadPoolExecutor: the interpreter joins its threads at exit, so that a camera stuck in its driver or a model
    that is loading would keep the program alive.

    Args:
        name: The thread's name.
        on_fault: Called with what a job raised; later jobs still run.
    """

    def __init__(self, name: str, on_fault: Callable[[Exception], None]) -> None:
        self._name, self._on_fault = name, on_fault
        self._changed = threading.Condition()  # guards the next three
        self._jobs: deque[Callable[[], None]] = deque()
        self._busy = False  # the thread lives
        self._closed = False

    def submit(self, job: Callable[[], None]) -> None:
        """Run a job after those submitted before; after `close` it is dropped."""
        with self._changed:
            if self._closed:
                return
            self._jobs.append(job)
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._work, name=self._name, daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Whether no job is left, after waiting for that at most so long."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Wait for the jobs at most so long, then drop those that have not started. Safe to repeat."""
        with self._changed:
            self._closed = True
        self.wait(timeout_s)
        with self._changed:
            self._jobs.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._jobs:
                    self._busy = False
                    self._changed.notify_all()
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception as exc:  # noqa: BLE001 - reported; a thread that dies would leave later jobs undone
                self._on_fault(exc)
