"""Latest-value slot between two threads: the newest item wins, dropped ones are counted."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class SlotClosed(Exception):
    """The slot is closed: nothing can be put, and nothing is left to get."""


class LatestSlot(Generic[T]):
    """Holds only the newest item.

    Attributes:
        dropped: Items that were replaced before anyone got them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> None:
        """Store an item, replacing (and counting) one that was not taken.

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
        """Take the item, waiting for one if needed; None on timeout.

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
        """Close the slot and wake all waiting threads; an item inside can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
