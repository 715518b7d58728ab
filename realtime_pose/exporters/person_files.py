"""A file for each person of a take: which is whose, and how all of them are finished."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.errors import RecordingError


class PersonFile(Protocol):
    """What one person's file can do."""

    def rest(self) -> None:
        """Give the file back while the person is away."""
        ...


F = TypeVar("F", bound=PersonFile)


class PersonFiles(Generic[F]):
    """Opens a file when a person is first seen: the first one has `path`, each other one NAME_<id> beside it.

    Args:
        path: The first person's file.
        open_file: Opens a person's file, given its path and their first pose.
    """

    def __init__(self, path: Path, open_file: Callable[[Path, SkeletonPose], F]) -> None:
        self._path, self._open = path, open_file
        self._files: dict[int, F] = {}
        self._present: set[int] = set()

    def of(self, poses: dict[int, SkeletonPose]) -> dict[int, F]:
        """The files of the people who are here, by id; those of everybody else rest."""
        for track_id in self._present - poses.keys():
            self._files[track_id].rest()
        self._present = set(poses)
        for track_id, pose in poses.items():
            if track_id not in self._files:
                self._files[track_id] = self._open(self._path_of(track_id), pose)
        return {track_id: self._files[track_id] for track_id in poses}

    def close(self, finish: Callable[[F], None]) -> None:
        """Finish every file, also if one of them fails. Safe to repeat.

        Raises:
            RecordingError: A file cannot be finished.
        """
        files, self._files, self._present = self._files, {}, set()
        failure: RecordingError | None = None
        for file in files.values():
            try:
                finish(file)
            except RecordingError as exc:  # the other people's files are finished first
                failure = failure or exc
        if failure is not None:
            raise failure

    def _path_of(self, track_id: int) -> Path:
        return self._path.with_stem(f"{self._path.stem}_{track_id}") if self._files else self._path
