"""Lifetimes of tracked people: from their first frame until they have been gone for two seconds."""

from collections.abc import Iterable

_FORGET_AFTER_NS = 2_000_000_000


class Lifetimes:
    """Who is known, by track id.

    Args:
        single: Only one person is followed: they stay known however long they are gone, until someone else is seen, so
            that the same character goes on when they return.
    """

    def __init__(self, *, single: bool) -> None:
        self._single = single
        self._last_seen_ns: dict[int, int] = {}

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        return frozenset(self._last_seen_ns)

    def update(self, visible: Iterable[int], time_ns: int) -> frozenset[int]:
        """Note who is visible at this media time; returns who is gone for good, each once."""
        self._last_seen_ns |= dict.fromkeys(visible, time_ns)
        if self._single and len(self._last_seen_ns) == 1:
            return frozenset()
        gone = frozenset(i for i, seen_ns in self._last_seen_ns.items() if time_ns - seen_ns > _FORGET_AFTER_NS)
        for track_id in gone:
            del self._last_seen_ns[track_id]
        return gone
