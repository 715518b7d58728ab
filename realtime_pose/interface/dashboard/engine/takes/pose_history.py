"""Poses over time, for plots: the last half minute of a run, or a whole take."""

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime_pose.app.plot import stages_beside
from realtime_pose.datatypes import FrameResult, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.figures.latency import Percentiles
from realtime_pose.figures.person_motion import PersonMotion, motion_of
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import Session

_KEPT_S = 30.0
_LATEST = 2000
_MOST = 800  # frames in a take's curves; of a longer take so many, evenly spaced


@dataclass(frozen=True)
class FramePoses:
    """The poses of one frame."""

    frame: int
    time_s: float
    poses: dict[int, SkeletonPose]

    @classmethod
    def of(cls, result: FrameResult) -> "FramePoses":
        """The poses of a result that can be plotted, by track id."""
        poses = {
            person.keypoints.track_id: person.pose
            for person in result.people
            if person.pose is not None and np.isfinite(person.pose.root_m).all()
        }
        return cls(result.frame.index, result.frame.time_ns / 1e9, poses)


class PoseHistory:
    """The last half minute of a run; one thread adds, any may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._frames: deque[FramePoses] = deque(maxlen=_LATEST)

    def add(self, result: FrameResult) -> None:
        """Add one result."""
        poses = FramePoses.of(result)
        with self._lock:
            if self._frames and poses.time_s < self._frames[-1].time_s:
                self._frames.clear()  # another source, or a seek back
            self._frames.append(poses)
            while poses.time_s - self._frames[0].time_s > _KEPT_S:
                self._frames.popleft()

    def clear(self) -> None:
        """Forget everything: another run starts."""
        with self._lock:
            self._frames.clear()

    def poses(self) -> list[FramePoses]:
        """The frames that are kept, oldest first."""
        with self._lock:
            return list(self._frames)


class TakePoses:
    """The poses of a take.

    Args:
        session: The take's.

    Attributes:
        poses: Of all frames, or of `_MOST` evenly spaced ones.
        stages: Percentiles of each stage and of the latency during the recording; None if they were not kept.

    Raises:
        RecordingError: The session cannot be read.
    """

    def __init__(self, session: Session) -> None:
        self._index = SessionIndex(session)
        rows = np.linspace(0, len(self._index.times_ns) - 1, min(len(self._index.times_ns), _MOST)).astype(int)
        self.start_s = self._index.times_ns[0] / 1e9
        try:
            self.poses = [FramePoses.of(self._index.result(row)) for row in rows.tolist()]
        finally:
            self._index.close()  # so that the take can be deleted
        self.stages: tuple[dict[str, Percentiles], Percentiles | None] | None = stages_beside(
            session, len(self._index.times_ns), []
        )

    def at(self, row: int) -> FramePoses:
        """The poses of a frame.

        Raises:
            RecordingError: The session cannot be read any more.
        """
        if not 0 <= row < len(self._index.times_ns):
            raise RecordingError(f"the take has no frame {row}")
        try:
            return FramePoses.of(self._index.result(row))
        finally:
            self._index.close()


def people_in(frames: list[FramePoses]) -> list[int]:
    """Track ids in these frames, the most frequent first."""
    seen: dict[int, int] = {}
    for frame in frames:
        for person in frame.poses:
            seen[person] = seen.get(person, 0) + 1
    return sorted(seen, key=lambda person: (-seen[person], person))


def motion_in(frames: list[FramePoses], person: int) -> PersonMotion:
    """The person's motion from their first pose in these frames to the last; there must be one."""
    rows = [row for row, frame in enumerate(frames) if person in frame.poses]
    part = frames[rows[0] : rows[-1] + 1]
    return motion_of(
        [frame.poses.get(person) for frame in part],
        [frame.frame for frame in part],
        [frame.time_s for frame in part],
    )
