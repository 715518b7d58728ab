"""State per tracked person, keyed by track id."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class PerTrack(Generic[T]):
    """One state for each track id."""

    def __init__(self) -> None:
        self._states: dict[int, T] = {}

    def get(self, track_id: int) -> T | None:
        """The person's state; None before the first `put`, and after `forget`."""
        return self._states.get(track_id)

    def get_or_make(self, track_id: int, make: Callable[[], T]) -> T:
        """The person's state, made by `make` if there is none yet."""
        state = self._states.get(track_id)
        return self.put(track_id, make()) if state is None else state

    def put(self, track_id: int, state: T) -> T:
        """Set the person's state; returns it."""
        self._states[track_id] = state
        return state

    def forget(self, track_id: int) -> T | None:
        """Drop the person's state and return it; None if there was none."""
        return self._states.pop(track_id, None)

    def items(self) -> Iterator[tuple[int, T]]:
        """(track id, state) of everyone, in order of appearance; safe to `forget` while iterating."""
        return iter(list(self._states.items()))

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._states.values()))

    def __len__(self) -> int:
        return len(self._states)
