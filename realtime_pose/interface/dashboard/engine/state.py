"""What the page is told of the studio: frozen, cheap to make, and without anything of Streamlit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

Percentiles = Mapping[str, float | None]
"""p50 and p95 in ms; None while nothing was measured."""


@dataclass(frozen=True)
class Folders:
    """Where the dashboard may read and write.

    Attributes:
        takes: What is recorded goes into folders of its own below it.
        uploads: Files that browsers sent.
        allowed: Where checkpoints and model configs may lie, beside the program's own folders.
    """

    takes: Path
    uploads: Path
    allowed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class SinkState:
    """One live output: its name in SINKS, its target as the user wrote it, and what went there."""

    name: str
    target: str
    packets_sent: int
    packets_per_s: float
    lost: int


@dataclass(frozen=True)
class RecordingState:
    """The take that is being recorded; `finishing` while its last files are written."""

    folder: Path
    seconds: float
    frames: int
    finishing: bool = False


@dataclass(frozen=True)
class CalibrationState:
    """Where a calibration stands.

    Attributes:
        phase: "countdown", "measuring", "done" or "failed".
        seconds_left: Of the countdown, or of standing still.
        hint: What the person is to do now.
        result: What was found, or why nothing was.
    """

    phase: str
    seconds_left: float
    hint: str
    result: str = ""


@dataclass(frozen=True)
class PlaybackState:
    """The take that is being played, and where in it."""

    folder: Path
    row: int
    rows: int
    time_s: float
    duration_s: float


@dataclass(frozen=True)
class StudioState:
    """Where the studio stands.

    Attributes:
        phase: "idle", "opening", "running", "paused" or "failed".
        doing: What takes a while now, e.g. "Opening the camera ..."; also while a run goes on and a model is loaded.
        progress: How much of a download is here, 0..1; None where nothing is fetched.
        failure: In phase "failed" what went wrong and what to do.
        trouble: A change that could not be had while the run goes on as before.
        notices: What was chosen for the user, or survived.
        source: As it may be shown; of a take its folder's name.
        kind: "live", "file" or "take"; empty when nothing runs.
        fps: Of the last two seconds.
        source_fps: The source's own rate; 0 when unknown.
        mean_score: Of the keypoints in the last frame.
        packet: JSON of the last frame's first PosePacket.
        people: Names of those in the last frame.
        locked: The performer who alone is followed.
    """

    phase: str = "idle"
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
