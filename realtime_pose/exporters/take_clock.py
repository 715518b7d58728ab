"""Take clock: the time in a take's motion files, from 0 at the first frame, without long gaps."""

_LONGEST_GAP_NS = 2_000_000_000
_FRAMES = 3  # a source of few frames, such as an image every five seconds, has no gap between two of them


class TakeClock:
    """Turns media times into times of motion files: a longer time without a frame counts as 2 s.

    A recording that was interrupted, or a file whose times jump by days, would otherwise fill the disk with rows
    between two poses.

    Args:
        fps: The source's nominal rate; 0 if unknown.
    """

    def __init__(self, fps: float = 0.0) -> None:
        self._longest_ns = max(_LONGEST_GAP_NS, round(_FRAMES * 1e9 / fps) if fps > 0 else 0)
        self._last_ns: int | None = None
        self._now_ns = 0
        self._cut_ns, self._gaps, self._first_gap_ns = 0, 0, 0

    def at(self, time_ns: int) -> int:
        """The time of the next frame, ns; it never decreases."""
        if self._last_ns is None:
            self._last_ns = time_ns
        step_ns = max(time_ns - self._last_ns, 0)
        self._last_ns += step_ns
        if step_ns > self._longest_ns:
            if not self._gaps:
                self._first_gap_ns = self._now_ns
            self._gaps, self._cut_ns = self._gaps + 1, self._cut_ns + step_ns - self._longest_ns
            step_ns = self._longest_ns
        self._now_ns += step_ns
        return self._now_ns

    @property
    def notes(self) -> list[str]:
        """One sentence on what was cut, if anything was."""
        if not self._gaps:
            return []
        count = "a gap" if self._gaps == 1 else f"{self._gaps} gaps"
        return [
            f"The source has {count} without frames, first {self._first_gap_ns / 1e9:.1f} s after the start: motion "
            f"files keep {self._longest_ns / 1e9:g} s of each and leave out {self._cut_ns / 1e9:.1f} s; the session "
            "has all times."
        ]
