"""One file per person of a take: opened when they are first seen, named by id, all finished at the end."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.skeletons import HUMANOID


def check_humanoid(pose: SkeletonPose) -> None:
    """Check that the pose has HUMANOID's joints first, as formats with named bones or angles need.

    Raises:
        RecordingError: It has not.
    """
    skeleton = pose.rotations.skeleton
    if skeleton.joints[: len(HUMANOID.joints)] != HUMANOID.joints:
        raise RecordingError(f"the take has a skeleton {skeleton.name}, wanted {HUMANOID.name}; record it again")


class PersonFile(Protocol):
    """One person's file."""

    def release(self) -> None:
        """Close the file while the person is out of view; the next write opens it again."""
        ...


F = TypeVar("F", bound=PersonFile)


class PersonFiles(Generic[F]):
    """Opens a file when a person is first seen: `path` for the first one, NAME_<id> beside it for each other one.

    Args:
        path: The first person's file.
        open_file: Opens a person's file, given its path and their first pose.
    """

    def __init__(self, path: Path, open_file: Callable[[Path, SkeletonPose], F]) -> None:
        self._path, self._open = path, open_file
        self._files: dict[int, F] = {}
        self._joints: dict[int, tuple[str, ...]] = {}
        self._present: set[int] = set()

    def of(self, poses: dict[int, SkeletonPose]) -> dict[int, F]:
        """The files of these people, by id; all others are released.

        Raises:
            RecordingError: A file cannot be created, or someone's skeleton is not the one of their first pose.
        """
        for track_id in self._present - poses.keys():
            self._files[track_id].release()
        self._present = set(poses)
        for track_id, pose in poses.items():
            if track_id not in self._files:
                self._files[track_id] = self._open(self._path_of(track_id), pose)
                self._joints[track_id] = pose.rotations.skeleton.joints
            elif pose.rotations.skeleton.joints != self._joints[track_id]:
                raise RecordingError(
                    f"person {track_id} has another skeleton than before, {pose.rotations.skeleton.name}, and "
                    f"{self._path.name} holds one; record again"
                )
        return {track_id: self._files[track_id] for track_id in poses}

    def close(self, finish: Callable[[F], None]) -> None:
        """Finish every file, even if one of them fails. Safe to repeat.

        Raises:
            RecordingError: A file cannot be finished.
        """
        files, self._files, self._present = self._files, {}, set()
        failure: RecordingError | None = None
        for file in files.values():
            try:
                finish(file)
            except RecordingError as exc:  # finish the other files first
                failure = failure or exc
        if failure is not None:
            raise failure

    def _path_of(self, track_id: int) -> Path:
        return self._path.with_stem(f"{self._path.stem}_{track_id}") if self._files else self._path
