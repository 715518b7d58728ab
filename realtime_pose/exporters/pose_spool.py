"""Pose spool: the poses of a take in a temporary file, for formats that cannot be written frame by frame."""

import errno
import os
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from realtime_pose.datatypes import FrameResult, SceneCamera, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.person_files import check_humanoid
from realtime_pose.exporters.settled_bones import SettledBones
from realtime_pose.exporters.take_clock import TakeClock
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import Bool, Float32, Float64
from realtime_pose.utils.record_writer import write_error

_J = len(HUMANOID.joints)
_RECORD = np.dtype(
    [
        ("time_s", "<f4"),
        ("root_m", "<f4", (3,)),
        ("local_xyzw", "<f4", (_J, 4)),
        ("camera", "<f4", (7,)),
        ("contact", "?", (2,)),
    ]
)
_NO_CAMERA = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
_CHUNK = 2048


class Keys(NamedTuple):
    """A chunk of one person's poses: `time_s` (T,) strictly increasing, `root_m` (T, 3), `local_xyzw` (T, 17, 4).

    `foot_contact` (T, 2) says which feet stand; none where it is not known.

    With each pose the camera that saw it: `camera_m` (T, 3) and `camera_xyzw` (T, 4), as in SceneCamera; without
    meaning while the spool has no `camera`.
    """

    time_s: Float32
    root_m: Float32
    local_xyzw: Float32
    camera_m: Float32
    camera_xyzw: Float32
    foot_contact: Bool


class _Person:
    """The positions of one person's records in the file, and their latest pose."""

    def __init__(self, pose: SkeletonPose) -> None:
        self.records = array("Q")
        self.bones = SettledBones(pose.bone_m[:_J])
        self.last = pose
        self.time_s = -np.inf
        self.seen_ns = 0
        self.knows_contact = False


class PoseSpool:
    """Stores the poses of a take, and reads each person's poses back in chunks that fit into memory.

    A person's poses go from the take's first frame to its last: their first pose is held until they are first seen,
    and their last one while they are out of view. Time without frames is cut by TakeClock.

    Args:
        folder: The folder whose disk is used; the file has no name and is deleted when it is closed.
        fps: The source's nominal rate; 0 if unknown.

    Attributes:
        clock: The clock of its times.
        camera: The take's latest camera; None if it has none.
        camera_moves: Whether it stood elsewhere before.

    Raises:
        RecordingError: The folder cannot be written.
    """

    def __init__(self, folder: Path, fps: float = 0.0) -> None:
        self._folder = folder
        try:
            # unbuffered: a write either reaches the system or fails at once
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `close`
        except OSError as exc:
            raise write_error(f"into {folder}", exc) from exc
        self._people: dict[int, _Person] = {}
        self._count = 0
        self.clock, self._now_ns = TakeClock(fps), 0
        self.camera: SceneCamera | None = None
        self.camera_moves = False

    def add(self, result: FrameResult) -> None:
        """Add the poses of one frame.

        Raises:
            RecordingError: The disk is full or gone, or the skeleton is not HUMANOID.
        """
        before_ns, self._now_ns = self._now_ns, self.clock.at(result.frame.time_ns)
        if result.camera is not None:
            stays = self.camera is None or _place_of(self.camera) == _place_of(result.camera)
            self.camera, self.camera_moves = result.camera, self.camera_moves or not stays
        for seen in result.people:
            if (pose := seen.pose) is None:
                continue
            check_humanoid(pose)
            person = self._people.setdefault(seen.keypoints.track_id, _Person(pose))
            if not person.records:
                self._append(person, pose, 0)
            elif person.seen_ns < before_ns:
                self._append(person, person.last, before_ns)
            self._append(person, pose, self._now_ns)
            person.bones.add(pose.bone_m[:_J])
            person.knows_contact |= pose.foot_contact is not None
            person.seen_ns = self._now_ns

    def finish(self) -> tuple[int, ...]:
        """Hold every person's last pose until the take's last frame; returns their ids in order of appearance."""
        for person in self._people.values():
            with suppress(RecordingError):  # on a full disk the earlier poses stay usable
                self._append(person, person.last, self._now_ns)
        return tuple(track_id for track_id, person in self._people.items() if person.records)

    def bone_m(self, track_id: int) -> Float64:
        """(17,) the person's settled bone lengths."""
        return self._people[track_id].bones.bone_m

    def count(self, track_id: int) -> int:
        """Number of poses of the person."""
        return len(self._people[track_id].records)

    def knows_contact(self, track_id: int) -> bool:
        """Whether it is known when the person's feet stood."""
        return self._people[track_id].knows_contact

    def ends_s(self, track_id: int) -> tuple[float, float]:
        """Times of the person's first and last pose, from the take's first frame."""
        rows = self._people[track_id].records
        first, last = self._read(array("Q", (rows[0], rows[-1])))["time_s"].tolist()
        return first, last

    def keys(self, track_id: int) -> Iterator[Keys]:
        """The person's poses in order, chunk by chunk."""
        rows = self._people[track_id].records
        for start in range(0, len(rows), _CHUNK):
            part = self._read(rows[start : start + _CHUNK])
            camera = part["camera"]
            yield Keys(
                part["time_s"], part["root_m"], part["local_xyzw"], camera[:, :3], camera[:, 3:], part["contact"]
            )

    def close(self) -> None:
        """Delete the file. Safe to repeat."""
        self._file.close()

    def _append(self, person: _Person, pose: SkeletonPose, time_ns: int) -> None:
        time_s = np.float32(time_ns / 1e9)
        person.last = pose
        if time_s <= person.time_s:  # keyframe times must increase, in float32 too
            return
        record = np.empty((), _RECORD)
        record["time_s"], record["root_m"] = time_s, pose.root_m
        record["local_xyzw"] = pose.rotations.local_xyzw[:_J]
        record["contact"] = False if pose.foot_contact is None else pose.foot_contact
        record["camera"] = _NO_CAMERA if self.camera is None else _place_of(self.camera)
        try:
            self._file.seek(self._count * _RECORD.itemsize)
            if self._file.write(record.tobytes()) != _RECORD.itemsize:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            raise write_error(f"into {self._folder}", exc) from exc
        person.records.append(self._count)
        person.time_s = float(time_s)
        self._count += 1

    def _read(self, rows: "array[int]") -> np.ndarray[tuple[int], np.dtype[np.void]]:
        stored = np.memmap(self._file, _RECORD, "r", shape=(self._count,))
        return np.array(stored[np.frombuffer(rows, np.uint64)])


def _place_of(camera: SceneCamera) -> list[float]:
    """Its position and rotation as 7 numbers."""
    return [*camera.position_m.tolist(), *camera.rotation_xyzw.tolist()]
