"""Poses over time, for figures of what stands still: of a run the last half minute, of a take all of it."""

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
_MOST = 800  # frames that a take's curves are drawn of: of a longer one so many, evenly spaced


@dataclass(frozen=True)
class Moment:
    """The poses of one frame."""

    frame: int
    time_s: float
    poses: dict[int, SkeletonPose]

    @classmethod
    def of(cls, result: FrameResult) -> "Moment":
        """The poses of a result that can be drawn, by person."""
        poses = {
            person.keypoints.track_id: person.pose
            for person in result.people
            if person.pose is not None and np.isfinite(person.pose.root_m).all()
        }
        return cls(result.frame.index, result.frame.time_ns / 1e9, poses)


class History:
    """The last half minute of a run; one thread adds, any may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moments: deque[Moment] = deque(maxlen=_LATEST)

    def add(self, result: FrameResult) -> None:
        """Take one result."""
        moment = Moment.of(result)
        with self._lock:
            if self._moments and moment.time_s < self._moments[-1].time_s:
                self._moments.clear()  # another source, or sought back
            self._moments.append(moment)
            while moment.time_s - self._moments[0].time_s > _KEPT_S:
                self._moments.popleft()

    def clear(self) -> None:
        """Forget all: another run begins."""
        with self._lock:
            self._moments.clear()

    def moments(self) -> list[Moment]:
        """What is kept, oldest first."""
        with self._lock:
            return list(self._moments)


class TakeMoments:
    """The poses of a take.

    Args:
        session: The take's.

    Attributes:
        moments: Of all frames, or so many of them as a curve shows.
        stages: Each stage's and the whole delay's percentiles when it was recorded; None if they were not kept.

    Raises:
        RecordingError: The session cannot be read.
    """

    def __init__(self, session: Session) -> None:
        self._index = SessionIndex(session)
        rows = np.linspace(0, len(self._index.times_ns) - 1, min(len(self._index.times_ns), _MOST)).astype(int)
        self.begin_s = self._index.times_ns[0] / 1e9
        try:
            self.moments = [Moment.of(self._index.result(row)) for row in rows.tolist()]
        finally:
            self._index.close()  # so that the take can be deleted
        self.stages: tuple[dict[str, Percentiles], Percentiles | None] | None = stages_beside(
            session, len(self._index.times_ns), []
        )

    def at(self, row: int) -> Moment:
        """The moment of a row.

        Raises:
            RecordingError: The session cannot be read any more.
        """
        if not 0 <= row < len(self._index.times_ns):
            raise RecordingError(f"the take has no frame {row}")
        try:
            return Moment.of(self._index.result(row))
        finally:
            self._index.close()


def people_of(moments: list[Moment]) -> list[int]:
    """Everybody in these moments, those seen longest first."""
    seen: dict[int, int] = {}
    for moment in moments:
        for person in moment.poses:
            seen[person] = seen.get(person, 0) + 1
    return sorted(seen, key=lambda person: (-seen[person], person))


def motion_in(moments: list[Moment], person: int) -> PersonMotion:
    """The person's motion, from the first of these moments with a pose to the last; there has to be one."""
    rows = [row for row, moment in enumerate(moments) if person in moment.poses]
    part = moments[rows[0] : rows[-1] + 1]
    return motion_of(
        [moment.poses.get(person) for moment in part],
        [moment.frame for moment in part],
        [moment.time_s for moment in part],
    )
