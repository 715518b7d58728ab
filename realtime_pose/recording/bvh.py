"""motion.bvh: joint rotations as the motion file that Blender, Maya, MotionBuilder and the engines' importers read.

Y up, right-handed, facing +Z, centimetres, degrees; the rest pose is the T-pose with the person's own bone lengths.
Each joint's angles are intrinsic in the order of its channels, R = Rz Rx Ry. (Meredith and Maddock, "Motion Capture
File Formats Explained", 2001, section 3.2.)
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.recording.exporters import TakeInfo
from realtime_pose.recording.whole_writes import WholeWriter
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_CM_PER_M = 100.0
_COUNT_WIDTH = 10
_LINES_A_WRITE = 1000
_GIMBAL_SINE = 1 - 1e-9


def euler_zxy_deg(local_xyzw: Float64, before_deg: Float64 | None = None) -> Float64:
    """Angles (..., 3) about z, x, y such that R = Rz Rx Ry, in degrees.

    Of the triples that give the same rotation, the one nearest to `before_deg` (..., 3) is taken: the other solution
    is (z + 180, 180 - x, y + 180), and each angle may differ by whole turns. At x = +-90, where z and y turn about the
    same axis, y stays as before.
    """
    m = rot.to_matrix(local_xyzw)
    before = np.zeros((*m.shape[:-2], 3)) if before_deg is None else before_deg
    sine = np.clip(m[..., 2, 1], -1.0, 1.0)
    x = np.arcsin(sine)
    z, y = np.arctan2(-m[..., 0, 1], m[..., 1, 1]), np.arctan2(-m[..., 2, 0], m[..., 2, 2])
    locked = np.abs(sine) > _GIMBAL_SINE
    y = np.where(locked, np.radians(before[..., 2]), y)
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]) - np.sign(sine) * y, z)
    one = np.degrees(np.stack((z, x, y), axis=-1))
    other = np.stack((one[..., 0] + 180, 180 - one[..., 1], one[..., 2] + 180), axis=-1)
    one, other = (angles + 360 * np.round((before - angles) / 360) for angles in (one, other))
    far = [np.abs(angles - before).sum(axis=-1, keepdims=True) for angles in (one, other)]
    return np.where(far[1] < far[0], other, one)


class _Sample(NamedTuple):
    time_ns: int
    local_xyzw: Float64
    root_m: Float64


class _Track:
    """One person's file: poses at any times in, lines at even times out."""

    def __init__(self, path: Path, pose: SkeletonPose, fps: float, start_ns: int) -> None:
        self._writer = WholeWriter(path)
        self._fps, self._start_ns = fps, start_ns
        self._skeleton = pose.rotations.skeleton
        hierarchy, self._order = _hierarchy(self._skeleton, np.asarray(pose.bone_m, dtype=np.float64))
        before_count = f"{hierarchy}MOTION\nFrames: "
        self._count_at = len(before_count)
        self._writer.append(f"{before_count}{0:<{_COUNT_WIDTH}}\nFrame Time: {1 / fps:.7f}\n".encode())
        self._count = 0
        self._angles: Float64 | None = None
        # until a person is first seen, their first pose stands
        self._last = _Sample(start_ns, *_arrays(pose))

    def add(self, pose: SkeletonPose, time_ns: int, unseen_until_ns: int) -> None:
        """Take the pose of this moment; up to the frame before, the last pose is held."""
        self.hold(unseen_until_ns)
        sample = _Sample(max(time_ns, self._last.time_ns), *_arrays(pose))
        self._write_until(self._frames_until(sample.time_ns), sample)
        self._last = sample

    def hold(self, time_ns: int) -> None:
        """Hold the last pose up to this moment."""
        if time_ns > self._last.time_ns:
            held = self._last._replace(time_ns=time_ns)
            self._write_until(self._frames_until(time_ns), held)
            self._last = held

    def rest(self) -> None:
        """Give the file back while the person is away."""
        self._writer.close()

    def close(self, frames: int) -> None:
        """Hold the last pose up to this many frames in all, and write the count into the header."""
        try:
            self._write_until(frames, self._last)
        finally:
            self._writer.overwrite(self._count_at, f"{self._count:<{_COUNT_WIDTH}}".encode())
            self._writer.close()

    def _time_ns(self, frame: int) -> int:
        return self._start_ns + round(frame * 1e9 / self._fps)

    def _frames_until(self, time_ns: int) -> int:
        """How many even frames lie at or before this moment (one that rounding puts after it comes with the next)."""
        return int((time_ns - self._start_ns) * self._fps / 1e9) + 1

    def _write_until(self, frames: int, sample: _Sample) -> None:
        still = sample.local_xyzw is self._last.local_xyzw
        while self._count < frames:
            count = min(frames - self._count, _LINES_A_WRITE)
            if still:
                lines = [self._line(sample.local_xyzw, sample.root_m)] * count
            else:
                lines = [self._line_between(self._count + i, sample) for i in range(count)]
            self._writer.append("".join(lines).encode())
            self._count += count

    def _line_between(self, frame: int, sample: _Sample) -> str:
        span = sample.time_ns - self._last.time_ns
        f = np.clip((self._time_ns(frame) - self._last.time_ns) / span, 0.0, 1.0) if span > 0 else np.float64(1.0)
        local = rot.slerp(self._last.local_xyzw, sample.local_xyzw, f)
        return self._line(local, self._last.root_m + (sample.root_m - self._last.root_m) * f)

    def _line(self, local_xyzw: Float64, root_m: Float64) -> str:
        self._angles = euler_zxy_deg(local_xyzw, self._angles)
        numbers = np.concatenate((root_m * _CM_PER_M, self._angles[self._order].ravel()))
        return " ".join(f"{number:.4f}" for number in numbers) + "\n"


class BvhRecorder:
    """Writes the first person to `path`, and each other one beside it, as NAME_<id>.bvh; no file if nobody is seen.

    All files start at the take's first frame and end at its last, at an even rate: until a person is first seen their
    first pose stands, and while they are not seen their last one is held.

    Args:
        path: The first person's file; one that is there already is replaced.
        fps: Rate of the file; 0 takes 30.

    Raises:
        ConfigError: The rate is no positive number.
    """

    def __init__(self, path: str | Path, fps: float = 30.0) -> None:
        self._path = Path(path)
        self._fps = float(fps) or 30.0
        if not 0 < self._fps < 1e6:
            raise ConfigError(f"fps={fps} is no frame rate; give a positive number")
        self._tracks: dict[int, _Track] = {}
        self._present: set[int] = set()
        self._start_ns: int | None = None
        self._last_ns = 0
        self._closed = False

    def send(self, result: FrameResult) -> None:
        """Take the poses of one frame; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; what was written before stays readable after `close`.
        """
        if self._closed:
            return
        if self._start_ns is None:
            self._start_ns = self._last_ns = result.frame.time_ns
        before_ns, self._last_ns = self._last_ns, max(self._last_ns, result.frame.time_ns)
        poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
        for track_id in self._present - poses.keys():
            self._tracks[track_id].rest()
        self._present = set(poses)
        for track_id, pose in poses.items():
            if track_id not in self._tracks:
                self._tracks[track_id] = _Track(self._path_of(track_id), pose, self._fps, self._start_ns)
            self._tracks[track_id].add(pose, self._last_ns, before_ns)

    def close(self) -> None:
        """Bring every file to the take's last frame and finish it. Safe to repeat.

        Raises:
            RecordingError: The disk is full or gone.
        """
        tracks, self._tracks, self._closed = self._tracks, {}, True
        frames = round((self._last_ns - (self._start_ns or 0)) * self._fps / 1e9) + 1
        failure: RecordingError | None = None
        for track in tracks.values():
            try:
                track.close(frames)
            except RecordingError as exc:  # the other people's files are finished first
                failure = failure or exc
        if failure is not None:
            raise failure

    def _path_of(self, track_id: int) -> Path:
        return self._path.with_stem(f"{self._path.stem}_{track_id}") if self._tracks else self._path


def _arrays(pose: SkeletonPose) -> tuple[Float64, Float64]:
    return pose.rotations.local_xyzw.astype(np.float64), pose.root_m.astype(np.float64)


def _hierarchy(skeleton: Skeleton, bone_m: Float64) -> tuple[str, list[int]]:
    """The HIERARCHY section, and the joints' rows in its order: each before its children, depth first."""
    offsets_cm = skeleton.rest_direction * bone_m[:, None] * _CM_PER_M
    lines, order = ["HIERARCHY"], []

    def add(row: int, depth: int) -> None:
        order.append(row)
        pad, name = "  " * depth, skeleton.joints[row]
        channels = "Zrotation Xrotation Yrotation"
        lines.append(f"{pad}{'JOINT' if depth else 'ROOT'} {name}")
        lines.append(f"{pad}{{")
        # the root's place is in its channels: readers differ in whether they add its offset
        lines.append(f"{pad}  OFFSET {_numbers(offsets_cm[row])}")
        if depth:
            lines.append(f"{pad}  CHANNELS 3 {channels}")
        else:
            lines.append(f"{pad}  CHANNELS 6 Xposition Yposition Zposition {channels}")
        children = [child for child, parent in enumerate(skeleton.parents) if parent == row]
        for child in children:
            add(child, depth + 1)
        if not children:
            tip_cm = np.array(skeleton.tip_offset_m.get(name, (0.0, 0.0, 0.0))) * _CM_PER_M
            lines.extend((f"{pad}  End Site", f"{pad}  {{", f"{pad}    OFFSET {_numbers(tip_cm)}", f"{pad}  }}"))
        lines.append(f"{pad}}}")

    add(0, 0)
    return "\n".join(lines) + "\n", order


def _numbers(xyz: Float64) -> str:
    return " ".join(f"{value:.4f}" for value in xyz + 0.0)


def open_bvh(path: Path, take: TakeInfo) -> BvhRecorder:
    """motion.bvh of a take, at the source's rate."""
    return BvhRecorder(path, take.fps)
