"""Person motion: poses over time as arrays, with the stick figure to draw them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.kinematics import global_pose
from realtime_pose.skeletons import Skeleton, side_of
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class StickFigure:
    """Points and bones to draw a skeleton: its joints first, then the tips of head, hands and feet.

    Attributes:
        skeleton: The tree.
        tips: Rows of the joints that have a tip.
        names: The P points' names.
        bones: Pairs of connected points, from the trunk outwards.
        sides: "left", "right" or "middle" for each point.
    """

    skeleton: Skeleton
    tips: tuple[int, ...]
    names: tuple[str, ...]
    bones: tuple[tuple[int, int], ...]
    sides: tuple[str, ...]

    @classmethod
    def of(cls, skeleton: Skeleton) -> "StickFigure":
        """The stick figure of a skeleton."""
        tips = tuple(row for row, joint in enumerate(skeleton.joints) if joint in skeleton.tip_offset_m)
        names = (*skeleton.joints, *(f"{skeleton.joints[row]}Tip" for row in tips))
        bones = [(parent, row) for row, parent in enumerate(skeleton.parents) if parent >= 0]
        bones += [(row, len(skeleton.joints) + i) for i, row in enumerate(tips)]
        return cls(skeleton, tips, names, tuple(bones), tuple(side_of(name) for name in names))

    def points(self, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike, bone_m: npt.ArrayLike) -> Float64:
        """Positions of the points (..., P, 3), canonical axes, metres; arguments as for `global_pose`."""
        joints, rotations = global_pose(self.skeleton, local_xyzw, root_m, bone_m)
        at_rest = np.array([self.skeleton.tip_offset_m[self.skeleton.joints[row]] for row in self.tips]).reshape(-1, 3)
        # tips are scaled like the body's other bones
        bones = np.asarray(bone_m, dtype=np.float64)
        scale = bones.sum(axis=-1) / max(float(self.skeleton.rest_bone_m.sum()), 1e-12)
        tips = joints[..., self.tips, :] + rot.rotate(rotations[..., self.tips, :], at_rest * scale[..., None, None])
        return np.concatenate((joints, tips), axis=-2)

    def known(self, score: npt.ArrayLike) -> Bool:
        """Mask (..., P) of the known points: no rotation above them is held or guessed (score 0)."""
        rotation_known = np.asarray(score) > 0
        for row, parent in enumerate(self.skeleton.parents):
            if parent >= 0:
                rotation_known[..., row] &= rotation_known[..., parent]
        # a joint's position depends on its parent's rotation
        placed_by = [max(parent, 0) for parent in self.skeleton.parents] + list(self.tips)
        return rotation_known[..., placed_by]


@dataclass(frozen=True, eq=False)
class PersonMotion:
    """One person from their first frame with a pose to their last; frames without a pose have NaN and score 0.

    Attributes:
        track_id: The person's id.
        figure: Points and bones.
        frame: (T,) the source's frame indices.
        time_s: (T,) media time.
        local_xyzw: (T, J, 4) local rotations.
        points_m: (T, P, 3) the figure's points, canonical axes.
        score: (T, J) the joints' scores.
    """

    track_id: int
    figure: StickFigure
    frame: npt.NDArray[np.int64]
    time_s: Float64
    local_xyzw: Float64
    points_m: Float64
    score: Float64

    @property
    def present(self) -> Bool:
        """(T,) whether there is a pose to draw."""
        return np.asarray(np.isfinite(self.points_m).all(axis=(1, 2)))

    @property
    def known(self) -> Bool:
        """(T, P) which of the figure's points are known."""
        return self.figure.known(self.score) & self.present[:, None]

    def row_of(self, frame: int) -> int | None:
        """The row of a frame; None if it has no pose."""
        rows = np.flatnonzero((self.frame == frame) & self.present)
        return int(rows[0]) if len(rows) else None

    def at(self, rows: Rows) -> "PersonMotion":
        """The motion at these rows only."""
        return PersonMotion(
            self.track_id,
            self.figure,
            self.frame[rows],
            self.time_s[rows],
            self.local_xyzw[rows],
            self.points_m[rows],
            self.score[rows],
        )


def motion_of(poses: Sequence[SkeletonPose | None], frames: Sequence[int], times_s: Sequence[float]) -> PersonMotion:
    """One person's poses as arrays.

    Args:
        poses: At least one; None for a frame without the person. Poses of another skeleton than the first are skipped.
        frames: The frames' indices.
        times_s: Their media times.
    """
    given = [pose for pose in poses if pose is not None]
    skeleton = given[0].rotations.skeleton
    rows = [i for i, pose in enumerate(poses) if pose is not None and pose.rotations.skeleton is skeleton]
    kept = [pose for pose in given if pose.rotations.skeleton is skeleton]
    figure, t, j = StickFigure.of(skeleton), len(poses), len(skeleton.joints)
    local, points, score = np.full((t, j, 4), np.nan), np.full((t, len(figure.names), 3), np.nan), np.zeros((t, j))
    local[rows] = np.array([pose.rotations.local_xyzw for pose in kept])
    score[rows] = np.array([pose.score for pose in kept])
    with np.errstate(invalid="ignore"):  # poses that are not finite are not drawn
        points[rows] = figure.points(
            local[rows], np.array([pose.root_m for pose in kept]), np.array([pose.bone_m for pose in kept])
        )
    indices, times = np.array(frames, np.int64), np.array(times_s, np.float64)
    return PersonMotion(given[0].track_id, figure, indices, times, local, points, score)
