"""Resampling to a fixed rate for text formats (BVH, TRC, MOT): poses at any times in, one line per frame out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.person_files import PersonFiles
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.record_writer import RecordWriter

_LINES_PER_WRITE = 1000
_ROUNDING = 1e-3  # of a frame: times are whole nanoseconds, which rates rarely divide
DEFAULT_FPS = 30.0


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
        whole_take: Write from the take's first frame to its last; otherwise from the person's first to their last.
    """

    whole_take: bool

    def header(self, count: int) -> str:
        """The text before the `count` lines; of equal length for any count, since it is overwritten at the end."""
        ...

    def line_start(self, frame: int) -> str:
        """The start of a frame's line; frames count from 0 at the start of the take."""
        ...

    def line_end(self, sample: Sample) -> str:
        """The rest of the line, with its line break; empty leaves the line out."""
        ...


class _Track:
    """One person's file."""

    def __init__(
        self, path: Path, text: MotionText, pose: SkeletonPose, fps: float, start_ns: int, now_ns: int
    ) -> None:
        self._text, self._fps, self._start_ns = text, fps, start_ns
        self._writer = RecordWriter(path)
        self._writer.append(text.header(0).encode())
        # until a person is first seen, their first pose is held
        self._last = _sample(pose, start_ns if text.whole_take else now_ns)
        self._next = 0 if text.whole_take else math.ceil((now_ns - start_ns) * fps / 1e9 - _ROUNDING)
        self._count = 0
        self._last_seen_ns = now_ns

    def add(self, pose: SkeletonPose, time_ns: int, unseen_until_ns: int) -> None:
        """Add the pose at this time; up to the frame before, the last pose is held."""
        self.hold(unseen_until_ns)
        sample = _sample(pose, max(time_ns, self._last.time_ns))
        self._write_until(self._frames_until(sample.time_ns), sample)
        self._last, self._last_seen_ns = sample, sample.time_ns

    def hold(self, time_ns: int) -> None:
        """Hold the last pose up to this time."""
        if time_ns > self._last.time_ns:
            held = self._last._replace(time_ns=time_ns, seen=False)
            self._write_until(self._frames_until(time_ns), held)
            self._last = held

    def release(self) -> None:
        """Close the file while the person is out of view."""
        self._writer.close()

    def close(self, take_frames: int) -> None:
        """Hold the last pose up to the end, and write the count into the header."""
        try:
            if self._text.whole_take:
                self._write_until(take_frames, self._last)
        finally:
            self._writer.overwrite(0, self._text.header(self._count).encode())
            self._writer.close()

    def _frames_until(self, time_ns: int) -> int:
        """Number of output frames at or before this time."""
        return int((time_ns - self._start_ns) * self._fps / 1e9 + _ROUNDING) + 1

    def _write_until(self, frames: int, sample: Sample) -> None:
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
        time_ns = self._start_ns + round(frame * 1e9 / self._fps)
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
        self._start_ns: int | None = None
        self._last_ns = 0
        self._closed = False

    def send(self, result: FrameResult) -> None:
        """Add the poses of one frame; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; what was written before stays readable after `close`.
        """
        if self._closed:
            return
        if self._start_ns is None:
            self._start_ns = self._last_ns = result.frame.time_ns
        before_ns, self._last_ns = self._last_ns, max(self._last_ns, result.frame.time_ns)
        poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
        for track_id, track in self._files.of(poses).items():
            track.add(poses[track_id], self._last_ns, before_ns)

    def close(self) -> None:
        """Write every file up to its last frame and finish it. Safe to repeat.

        Raises:
            RecordingError: The disk is full or gone.
        """
        self._closed = True
        frames = round((self._last_ns - (self._start_ns or 0)) * self._fps / 1e9) + 1
        self._files.close(lambda track: track.close(frames))

    def _open(self, path: Path, pose: SkeletonPose) -> _Track:
        return _Track(path, self._text_of(path, pose, self._fps), pose, self._fps, self._start_ns or 0, self._last_ns)


def _sample(pose: SkeletonPose, time_ns: int) -> Sample:
    return Sample(
        time_ns,
        pose.rotations.local_xyzw.astype(np.float64),
        pose.root_m.astype(np.float64),
        pose.bone_m.astype(np.float64),
    )
