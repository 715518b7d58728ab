"""Resampling to a fixed rate for text formats (BVH, TRC, MOT): poses at any times in, one line per frame out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.person_files import PersonFiles
from realtime_pose.exporters.take_clock import TakeClock
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.record_writer import RecordWriter

_LINES_PER_WRITE = 1000
_ROUNDING = 1e-3  # of a frame: times are whole nanoseconds, which rates rarely divide
_ABSENCE_NS = 2_000_000_000  # a longer one is mentioned
_NOTED_S = 0.1  # a file that begins later than this after its take is mentioned
_NAMED = 3  # files in one sentence
DEFAULT_FPS = 30.0
MAX_ROWS = 2_592_000
"""Of one person's file: a day at 30 frames/s."""


class Sample(NamedTuple):
    """A pose at a time: local rotations (J, 4), root (3,), bone lengths (J,); `seen` is False for a held pose."""

    time_ns: int
    local_xyzw: Float64
    root_m: Float64
    bone_m: Float64
    seen: bool = True


class MotionText(Protocol):
    """Text format of one person's motion.

    Attributes:
        timed: Whether a line says its time; otherwise a person who is seen later needs a note.
        holds: Whether it holds the last pose while the person is out of view, which a note says.
    """

    timed: bool
    holds: bool

    def header(self, count: int) -> str:
        """The text before the `count` lines; of equal length for any count, since it is overwritten at the end."""
        ...

    def line_start(self, frame: int) -> str:
        """The start of a frame's line; frames count from 0 at the start of the take's clock."""
        ...

    def line_end(self, sample: Sample) -> str:
        """The rest of the line, with its line break; empty leaves the line out."""
        ...


class _Track:
    """One person's file, from their first frame to their last."""

    def __init__(self, path: Path, text: MotionText, pose: SkeletonPose, fps: float, now_ns: int) -> None:
        self.path, self._text, self._fps = path, text, fps
        self._writer = RecordWriter(path)
        self._writer.append(text.header(0).encode())
        self._last = _sample(pose, now_ns)
        self._first = self._next = math.ceil(now_ns * fps / 1e9 - _ROUNDING)
        self._count = 0
        self._seen_ns = now_ns
        self._absences, self._longest_ns = 0, 0
        self._is_full = False

    @property
    def timed(self) -> bool:
        """Whether its lines have times."""
        return self._text.timed

    @property
    def begins_s(self) -> float:
        """Time of the first row after the take's first frame."""
        return self._first / self._fps

    @property
    def notes(self) -> list[str]:
        """Sentences on what differs from the person's motion."""
        found = []
        if self._absences and self._text.holds:
            times = "once, for" if self._absences == 1 else f"{self._absences} times, at most"
            found.append(
                f"{self.path.name} holds the last pose while the person is out of view for more than "
                f"{_ABSENCE_NS / 1e9:g} s: {times} {self._longest_ns / 1e9:.1f} s."
            )
        if self._is_full:
            found.append(f"{self.path.name} ends after {MAX_ROWS:,} rows; the session has the rest.")
        return found

    def add(self, pose: SkeletonPose, time_ns: int, unseen_until_ns: int) -> None:
        """Add the pose at this time; up to the frame before, the last pose is held."""
        if time_ns - self._seen_ns > _ABSENCE_NS and unseen_until_ns > self._seen_ns:
            self._absences, self._longest_ns = self._absences + 1, max(self._longest_ns, time_ns - self._seen_ns)
        if unseen_until_ns > self._last.time_ns:
            held = self._last._replace(time_ns=unseen_until_ns, seen=False)
            self._write_until(self._frames_until(unseen_until_ns), held)
            self._last = held
        sample = _sample(pose, max(time_ns, self._last.time_ns))
        self._write_until(self._frames_until(sample.time_ns), sample)
        self._last, self._seen_ns = sample, sample.time_ns

    def release(self) -> None:
        """Close the file while the person is out of view."""
        self._writer.close()

    def close(self) -> None:
        """Write the count into the header."""
        try:
            self._writer.overwrite(0, self._text.header(self._count).encode())
        finally:
            self._writer.close()

    def _frames_until(self, time_ns: int) -> int:
        """Number of output frames at or before this time."""
        return int(time_ns * self._fps / 1e9 + _ROUNDING) + 1

    def _write_until(self, frames: int, sample: Sample) -> None:
        if frames > self._first + MAX_ROWS:
            frames, self._is_full = self._first + MAX_ROWS, True
        held = sample.local_xyzw is self._last.local_xyzw
        same_end = self._text.line_end(sample) if held and self._next < frames else None
        while self._next < frames:
            numbers = range(self._next, min(frames, self._next + _LINES_PER_WRITE))
            ends = [self._text.line_end(self._between(n, sample)) if same_end is None else same_end for n in numbers]
            lines = [self._text.line_start(n) + end for n, end in zip(numbers, ends, strict=True) if end]
            self._writer.append("".join(lines).encode())
            self._next = numbers.stop
            self._count += len(lines)

    def _between(self, frame: int, sample: Sample) -> Sample:
        """The pose at an output frame, interpolated between the last sample and this one."""
        last = self._last
        time_ns = round(frame * 1e9 / self._fps)
        span = sample.time_ns - last.time_ns
        f = np.clip((time_ns - last.time_ns) / span, 0.0, 1.0) if span > 0 else np.float64(1.0)
        return Sample(
            time_ns,
            rot.slerp(last.local_xyzw, sample.local_xyzw, f),
            last.root_m + (sample.root_m - last.root_m) * f,
            last.bone_m + (sample.bone_m - last.bone_m) * f,
            seen=last.seen or f == 1.0,
        )


class EvenRateRecorder:
    """Writes each person's motion as text at a fixed rate; no file if nobody is seen.

    A file goes from its person's first frame to their last, and has at most MAX_ROWS rows; TakeClock cuts long gaps.

    Args:
        path: The first person's file, NAME_<id> beside it for each other one; existing files are replaced.
        fps: Frame rate of the files; 0 means 30.
        text_of: Makes the text format of a person's file from its path, their first pose and the rate.

    Raises:
        ConfigError: The rate is not a positive number.
    """

    def __init__(
        self, path: str | Path, fps: float, text_of: Callable[[Path, SkeletonPose, float], MotionText]
    ) -> None:
        self._fps = float(fps) or DEFAULT_FPS
        if not 0 < self._fps < 1e6:
            raise ConfigError(f"fps={fps} is not a frame rate; give a positive number")
        self._text_of = text_of
        self._files = PersonFiles(Path(path), self._open)
        self._tracks: list[_Track] = []
        self._clock, self._now_ns = TakeClock(self._fps), 0
        self._closed = False

    @property
    def notes(self) -> list[str]:
        """Sentences on where the files differ from the take so far."""
        later = [track for track in self._tracks if track.begins_s > _NOTED_S and not track.timed]
        begins = [f"{track.path.name} {track.begins_s:.2f} s" for track in later[:_NAMED]]
        more = f", and {len(later) - _NAMED} more" if len(later) > _NAMED else ""
        notes = self._clock.notes
        if later:
            notes.append(
                f"Files that begin with their person, after the take's first frame: {', '.join(begins)}{more}."
            )
        return notes + [note for track in self._tracks for note in track.notes]

    def send(self, result: FrameResult) -> None:
        """Add the poses of one frame; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; what was written before stays readable after `close`.
        """
        if self._closed:
            return
        before_ns, self._now_ns = self._now_ns, self._clock.at(result.frame.time_ns)
        poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
        for track_id, track in self._files.of(poses).items():
            track.add(poses[track_id], self._now_ns, before_ns)

    def close(self) -> None:
        """Finish every file. Safe to repeat.

        Raises:
            RecordingError: The disk is full or gone.
        """
        self._closed = True
        self._files.close(lambda track: track.close())

    def _open(self, path: Path, pose: SkeletonPose) -> _Track:
        track = _Track(path, self._text_of(path, pose, self._fps), pose, self._fps, self._now_ns)
        self._tracks.append(track)
        return track


def _sample(pose: SkeletonPose, time_ns: int) -> Sample:
    return Sample(
        time_ns,
        pose.rotations.local_xyzw.astype(np.float64),
        pose.root_m.astype(np.float64),
        pose.bone_m.astype(np.float64),
    )
