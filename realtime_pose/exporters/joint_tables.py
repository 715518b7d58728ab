"""joints.csv and joints.parquet: one row per frame with a pose, at the source's own times.

Columns: `frame` and `time_s` (media time of the source); for each joint its position `NAME_x_m` `_y_m` `_z_m` and local
rotation `NAME_qx` `_qy` `_qz` `_qw` in canonical axes, and `NAME_score`; then the angles of `body_angles`, `NAME_deg`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from realtime_pose.body.joint_angles import ANGLES, BodyAngles
from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.person_files import PersonFiles, check_humanoid
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.extras import needs_extra
from realtime_pose.utils.record_writer import RecordWriter

_ROWS_PER_GROUP = 1000


def columns_of(skeleton: Skeleton) -> list[str]:
    """The names of a row's values, after `frame` and `time_s`."""
    names = [f"{joint}_{axis}_m" for joint in skeleton.joints for axis in "xyz"]
    names += [f"{joint}_q{part}" for joint in skeleton.joints for part in "xyzw"]
    names += [f"{joint}_score" for joint in skeleton.joints]
    return names + [f"{angle}_deg" for angle in ANGLES]


class _Row:
    """One person's rows; keeps the previous angles, so that none jumps by 360 degrees."""

    def __init__(self) -> None:
        self._angles = BodyAngles()

    def of(self, pose: SkeletonPose) -> Float64:
        local = pose.rotations.local_xyzw.astype(np.float64)
        return np.concatenate(
            (forward_kinematics(pose).ravel(), local.ravel(), pose.score.astype(np.float64), self._angles.of(local))
        )


class _Table(Protocol):
    """One person's file."""

    def add(self, frame: int, time_s: float, pose: SkeletonPose) -> None: ...

    def release(self) -> None: ...

    def close(self) -> None: ...


class _CsvTable:
    """Numbers with 5 decimals: a hundredth of a millimetre."""

    def __init__(self, path: Path, pose: SkeletonPose) -> None:
        self._writer, self._row = RecordWriter(path), _Row()
        self._writer.append((",".join(["frame", "time_s", *columns_of(pose.rotations.skeleton)]) + "\n").encode())

    def add(self, frame: int, time_s: float, pose: SkeletonPose) -> None:
        values = ",".join(f"{value:.5f}" for value in self._row.of(pose))
        self._writer.append(f"{frame},{time_s:.6f},{values}\n".encode())

    def release(self) -> None:
        self._writer.close()

    def close(self) -> None:
        self._writer.close()


class _ParquetTable:
    """Float32 columns, written 1000 rows at a time; the file is readable once it is closed."""

    def __init__(self, path: Path, pose: SkeletonPose) -> None:
        self._arrow, parquet = _import_pyarrow()
        self._path, self._row = path, _Row()
        self._rows: list[tuple[int, float, Float64]] = []
        values = [(name, self._arrow.float32()) for name in columns_of(pose.rotations.skeleton)]
        index = [("frame", self._arrow.int64()), ("time_s", self._arrow.float64())]
        self._schema = self._arrow.schema([*index, *values])
        try:
            self._writer = parquet.ParquetWriter(str(path), self._schema)
        except OSError as exc:
            raise self._translated(exc) from exc

    def add(self, frame: int, time_s: float, pose: SkeletonPose) -> None:
        self._rows.append((frame, time_s, self._row.of(pose)))
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._flush()

    def release(self) -> None:
        """Does nothing: a Parquet file cannot be reopened for writing."""

    def close(self) -> None:
        try:
            self._flush()
        finally:
            try:
                self._writer.close()
            except OSError as exc:
                raise self._translated(exc) from exc

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        frames, times, values = zip(*rows, strict=True)
        columns: list[Any] = [np.array(frames, np.int64), np.array(times), *np.array(values, np.float32).T]
        try:
            self._writer.write_table(self._arrow.table(columns, schema=self._schema))
        except OSError as exc:
            raise self._translated(exc) from exc

    def _translated(self, exc: OSError) -> RecordingError:
        reason = exc.strerror or str(exc)
        return RecordingError(
            f"cannot write {self._path}: {reason}; free some space there, then: realtime-pose export SESSION"
        )


class JointsTable:
    """Writes each person's joints and angles as a table; no file if nobody has a pose.

    Args:
        path: The first person's file, NAME_<id> beside it for each other one; existing files are replaced.
        open_table: Opens a person's file.
    """

    def __init__(self, path: Path, open_table: Callable[[Path, SkeletonPose], _Table]) -> None:
        self._files = PersonFiles(path, open_table)
        self._closed = False

    def send(self, result: FrameResult) -> None:
        """Write one frame's rows; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone, or a skeleton is not HUMANOID.
        """
        if self._closed:
            return
        poses = {person.keypoints.track_id: person.pose for person in result.people if person.pose is not None}
        for pose in poses.values():
            check_humanoid(pose)
        for track_id, table in self._files.of(poses).items():
            table.add(result.frame.index, result.frame.time_ns / 1e9, poses[track_id])

    def close(self) -> None:
        """Finish every file. Safe to repeat.

        Raises:
            RecordingError: The disk is full or gone.
        """
        self._closed = True
        self._files.close(lambda table: table.close())


def open_csv(path: Path, take: TakeInfo) -> JointsTable:
    """joints.csv of a take."""
    return JointsTable(path, _CsvTable)


def open_parquet(path: Path, take: TakeInfo) -> JointsTable:
    """joints.parquet of a take.

    Raises:
        MissingPackageError: pyarrow is not installed.
    """
    _import_pyarrow()  # fails now rather than at the first person
    return JointsTable(path, _ParquetTable)


def _import_pyarrow() -> tuple[Any, Any]:
    with needs_extra("parquet", "Parquet"):
        import pyarrow
        import pyarrow.parquet
    return pyarrow, pyarrow.parquet
