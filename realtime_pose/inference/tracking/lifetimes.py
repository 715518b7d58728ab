"""Lifetimes of tracked people: from their first frame until they have been missing for two seconds."""

from collections.abc import Iterable

_FORGET_AFTER_NS = 2_000_000_000  # a person who is missing for longer is gone


class Lifetimes:
    """The track ids in use.

    Args:
        single: Only one person is followed: they stay known however long they are missing, until someone else is
            visible, so that the same character continues when they return.
    """

    def __init__(self, *, single: bool) -> None:
        self._single = single
        self._last_seen_ns: dict[int, int] = {}

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        return frozenset(self._last_seen_ns)

    def update(self, visible: Iterable[int], time_ns: int) -> frozenset[int]:
        """Update with the ids visible at this media time; returns those that are gone for good, each once."""
        self._last_seen_ns |= dict.fromkeys(visible, time_ns)
        if self._single and len(self._last_seen_ns) == 1:
            return frozenset()
        gone = frozenset(i for i, seen_ns in self._last_seen_ns.items() if time_ns - seen_ns > _FORGET_AFTER_NS)
        for track_id in gone:
            del self._last_seen_ns[track_id]
        return gone
