"""A slot of one between two threads: the newest item wins, and the loss is counted."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotClosed(Exception):
    """The other side has closed the slot: nothing more comes or goes."""


class LatestSlot(Generic[T]):
    """Holds the newest item only; a late pose is worse than a missing one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Leave an item; one that nobody took is dropped and counted.

        Raises:
            SlotClosed: The slot was closed.
        """
        with self._changed:
            if self._closed:
                raise SlotClosed
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def get(self, timeout_s: float | None = None) -> T | None:
        """Take the item, waiting for one; None when the time is over.

        Raises:
            SlotClosed: The slot was closed and is empty.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed, timeout_s)
            item, self._item = self._item, None
            if item is None and self._closed:
                raise SlotClosed
            return item

    def close(self) -> None:
        """Wake everybody who waits; an item left inside may still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
