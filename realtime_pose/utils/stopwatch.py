"""Stopwatch for timing pipeline stages.

Stages themselves take time from their data, never from a clock.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Accumulates the milliseconds spent under each name since the last `take`."""

    def __init__(self) -> None:
        self._ms: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time of the `with` block to `name`."""
        start_ns = time.perf_counter_ns()
        try:
            yield
        finally:
            self._ms[name] += (time.perf_counter_ns() - start_ns) / 1e6

    def take(self) -> dict[str, float]:
        """The accumulated ms by name; resets to zero."""
        taken, self._ms = dict(self._ms), defaultdict(float)
        return taken
