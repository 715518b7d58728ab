"""Keypoints to pose for one person: lift, solve, filter. Live, replayed and evaluated alike."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints, SkeletonPose
from realtime_pose.filters.ankle_rays import ankle_rays
from realtime_pose.filters.base import PoseFilter
from realtime_pose.filters.table import build_filters
from realtime_pose.ik.base import IkSolver
from realtime_pose.ik.table import build_solver
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.table import build_lifter
from realtime_pose.utils.arrays import Float32, as_float32
from realtime_pose.utils.stopwatch import Stopwatch


class BodyStages:
    """One person's way from keypoints to a pose: lift, solve, filter; the same live, replayed and where it is judged.

    Attributes:
        lifter: From 2D to 3D.
        solver: From 3D to joint rotations.
        filters: In the order in which a pose passes them.
    """

    def __init__(self, lifter: Lifter, solver: IkSolver, filters: Sequence[PoseFilter], score_threshold: float) -> None:
        self.filters = list(filters)
        self.lifter, self.solver = lifter, solver
        self.score_threshold = score_threshold
        self._origin_m: Float32 = np.zeros(3, np.float32)
        self._recentre = False

    def pose_of(
        self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, stopwatch: Stopwatch
    ) -> tuple[Joints3D, SkeletonPose]:
        """Joints and pose of somebody with a body; what lies below the score's threshold counts as not seen."""
        keypoints = keypoints.sane()
        seen = keypoints.score >= self.score_threshold
        trusted = replace(keypoints, score=as_float32(keypoints.score * seen)).in_layout(keypoints.layout.lifts_as)
        with stopwatch.measure("lift"):
            joints = self.lifter.lift(trusted, intrinsics)
        with stopwatch.measure("solve"):
            pose = replace(self.solver.solve(joints), ankle_rays=ankle_rays(trusted, intrinsics))
            for pose_filter in self.filters:
                pose = pose_filter.apply(pose)
        return joints, self._placed(pose)

    def recentre(self) -> None:
        """Whoever comes next in the results stands at the origin from then on; heights and distances stay."""
        self._recentre = True

    def _placed(self, pose: SkeletonPose) -> SkeletonPose:
        if self._recentre:
            self._recentre, self._origin_m = False, as_float32(pose.root_m * [1, 0, 1])
        return replace(pose, root_m=as_float32(pose.root_m - self._origin_m)) if self._origin_m.any() else pose

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self.lifter.forget(track_id)
        self.solver.forget(track_id)
        for pose_filter in self.filters:
            pose_filter.forget(track_id)


def build_body(config: AppConfig) -> BodyStages:
    """The way from keypoints to poses that the settings describe, without pictures.

    Raises:
        UnknownChoiceError: A name is in no table.
    """
    body = config.body
    return BodyStages(build_lifter(body), build_solver(body), build_filters(body), config.inference.score_threshold)
