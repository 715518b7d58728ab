"""Run report: counts, rates, latency and time by stage, as `--report` writes them."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.utils.atomic_files import write_text

_REPORT_KEYS = frozenset({"estimator", "frames", "files", "cases", "others"})  # of the commands' reports, one at least
_LARGEST_BYTES = 64 * 2**20
STAGES = ("capture", "detect", "estimate", "lift", "solve", "filter", "send")
_RECENT_FRAMES = 500  # times kept for `recent_fps`: enough for
_RECENT_NS = 2_000_000_000  # this long
_KEPT = 20_000  # percentiles are of the latest frames, at most this many: memory stays bounded


class RunStatistics:
    """Collects a run's figures frame by frame; one thread adds, any may read."""

    def __init__(self, *, live: bool) -> None:
        self.frames = 0
        self.persons_max = 0
        self._live = live
        self._first_ns: int | None = None
        self._last_ns = 0
        self._sent_ns: deque[int] = deque(maxlen=_RECENT_FRAMES)
        self._latency_ms: deque[float] = deque(maxlen=_KEPT)
        self._stages_ms: dict[str, deque[float]] = {stage: deque(maxlen=_KEPT) for stage in STAGES}

    def add(self, stages_ms: Mapping[str, float], persons: int, captured_ns: int, sent_ns: int) -> None:
        """Add one frame."""
        if self._first_ns is None:
            self._first_ns = captured_ns
        self._last_ns = sent_ns
        self._sent_ns.append(sent_ns)
        self.frames += 1
        self.persons_max = max(self.persons_max, persons)
        self._latency_ms.append((sent_ns - captured_ns) / 1e6)
        for stage, taken_ms in stages_ms.items():
            self._stages_ms[stage].append(taken_ms)

    def end(self, sent_ns: int) -> None:
        """Note that something was sent after the last frame."""
        self._last_ns = sent_ns

    @property
    def seconds(self) -> float:
        """Seconds from the first frame's capture to the last one's sending."""
        return 0.0 if self._first_ns is None else (self._last_ns - self._first_ns) / 1e9

    @property
    def fps(self) -> float:
        """Frames a second over the whole run."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def recent_fps(self, now_ns: int) -> float:
        """Frames a second over the last two seconds."""
        sent_ns = [sent for sent in self._sent_ns.copy() if now_ns - sent < _RECENT_NS]
        return (len(sent_ns) - 1) * 1e9 / (sent_ns[-1] - sent_ns[0]) if len(sent_ns) > 1 else 0.0

    def figures(self, latest: int = _KEPT) -> dict[str, Any]:
        """The measured part of the report; times are those of the `latest` frames."""
        estimate_ms = list(self._stages_ms["estimate"])
        return {
            "frames": self.frames,
            "persons_max": self.persons_max,
            "seconds": round(self.seconds, 3),
            "fps": round(self.fps, 2),
            "model_fps": round(1e3 / float(np.mean(estimate_ms)), 2) if estimate_ms else 0.0,
            "latency_ms": _percentiles(list(self._latency_ms)[-latest:]) if self._live else None,
            "stages_ms": {stage: _percentiles(list(values)[-latest:]) for stage, values in self._stages_ms.items()},
        }


def _percentiles(values_ms: Sequence[float]) -> dict[str, float | None]:
    if not values_ms:
        return {"p50": None, "p95": None}
    p50, p95 = np.percentile(values_ms, [50, 95])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3)}


def check_report_path(path: Path | None) -> Path | None:
    """The path, if a report can be written there; it replaces an earlier report and nothing else.

    Raises:
        ConfigError: Another file is there.
    """
    if path is not None and path.is_file() and not _is_report(path):
        raise ConfigError(f"{path} exists and is not a report; give another path for the report")
    return path


def _is_report(path: Path) -> bool:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return False
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and bool(_REPORT_KEYS & content.keys())


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the report as JSON.

    Raises:
        ConfigError: Another file than a report is there.
        RecordingError: The file cannot be written.
    """
    check_report_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(report, indent=2) + "\n")
    except OSError as exc:
        raise RecordingError(f"cannot write the report {path}: {exc.strerror}; choose another path") from exc
