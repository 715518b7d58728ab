"""The studio's state as the page shows it: frozen dataclasses without any Streamlit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

Percentiles = Mapping[str, float | None]
"""p50 and p95 in ms; None before anything was measured."""


class Phase(StrEnum):
    """The studio's phase; changed by `context.Status.enter` alone."""

    IDLE = "idle"
    OPENING = "opening"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """Whether frames come, or would on resume."""
        return self in (Phase.RUNNING, Phase.PAUSED)

    @property
    def busy(self) -> bool:
        """Whether there is something to stop."""
        return self.active or self is Phase.OPENING


@dataclass(frozen=True)
class Folders:
    """The folders in which the dashboard may read and write.

    Attributes:
        takes: Each recording gets a folder of its own in it.
        uploads: Files that browsers sent.
        allowed: Folders of checkpoints and model configs, beside the program's own folders.
    """

    takes: Path
    uploads: Path
    allowed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class SinkState:
    """One live output: its name in SINKS, its destination as the user wrote it, and how much was sent."""

    name: str
    target: str
    packets_sent: int
    packets_per_s: float
    lost: int


@dataclass(frozen=True)
class RecordingState:
    """The take being recorded; `finishing` while its files are closed."""

    folder: Path
    seconds: float
    frames: int
    finishing: bool = False


@dataclass(frozen=True)
class CalibrationState:
    """Progress of a calibration.

    Attributes:
        phase: "countdown", "measuring", "done" or "failed".
        seconds_left: Of the countdown, or of standing still.
        hint: Instruction for the person.
        result: The measured values, or the reason why there are none.
    """

    phase: str
    seconds_left: float
    hint: str
    result: str = ""

    @property
    def measuring(self) -> bool:
        """Whether it is under way."""
        return self.phase in ("countdown", "measuring")


@dataclass(frozen=True)
class PlaybackState:
    """The take being played, and the position in it."""

    folder: Path
    row: int
    rows: int
    time_s: float
    duration_s: float

    @property
    def at_end(self) -> bool:
        """Whether its last frame is shown."""
        return self.row >= self.rows - 1


@dataclass(frozen=True)
class StudioState:
    """A snapshot of the studio.

    Attributes:
        phase: See `Phase`.
        doing: The step that is under way, e.g. "Opening the camera ..."; also while a run goes on and a model loads.
        progress: Of a download, 0..1; None without one.
        failure: In phase FAILED, what went wrong and what to do.
        trouble: A change that failed while the run goes on as before.
        notices: Choices made for the user, and problems that the run survived.
        source: Without credentials; of a take its folder's name.
        kind: "live", "file" or "take"; empty when nothing runs.
        fps: Over the last two seconds.
        source_fps: The source's own rate; 0 if unknown.
        mean_score: Of the keypoints in the last frame.
        packet: JSON of the last frame's first PosePacket.
        people: Track ids in the last frame.
        locked: Track id of the one person who is followed; None follows everybody.
        watchers: Browser tabs that show the live view.
    """

    phase: Phase = Phase.IDLE
    doing: str = ""
    progress: float | None = None
    failure: str = ""
    trouble: str = ""
    notices: tuple[str, ...] = ()
    source: str = ""
    kind: str = ""
    frames: int = 0
    frames_dropped: int = 0
    fps: float = 0.0
    seconds: float = 0.0
    persons: int = 0
    mean_score: float | None = None
    estimator: str = ""
    runtime: str = ""
    device: str = ""
    precision: str = ""
    latency_ms: Percentiles | None = None
    stages_ms: Mapping[str, Percentiles] = field(default_factory=dict)
    source_fps: float = 0.0
    sinks: tuple[SinkState, ...] = ()
    packet: str = ""
    recording: RecordingState | None = None
    calibration: CalibrationState | None = None
    people: tuple[int, ...] = ()
    locked: int | None = None
    playback: PlaybackState | None = None
    watchers: int = 0
