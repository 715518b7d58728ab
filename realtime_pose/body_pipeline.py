"""Body pipeline: one person's keypoints to their pose (lift, solve, filter); live, in replays and in evaluation."""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import (
    CameraIntrinsics,
    Frame,
    Joints3D,
    Person,
    PersonKeypoints,
    SceneCamera,
    SkeletonPose,
)
from realtime_pose.filters.base import Observation
from realtime_pose.filters.chain import FilterChain
from realtime_pose.filters.clip_evidence import ClipEvidence
from realtime_pose.ik.base import IkSolver
from realtime_pose.ik.table import build_solver
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.table import build_lifter
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float32, Float64, as_float32
from realtime_pose.utils.stopwatch import Stopwatch


class BodyPipeline:
    """The 3D stages of one run, with state per person.

    Attributes:
        lifter: 2D keypoints to 3D joints.
        solver: 3D joints to joint rotations.
        filters: The filters of a pose in order; None leaves poses as the solver made them.
        bones: Everyone's bone lengths, shared with the solver; None if it keeps its own.
        score_threshold: A keypoint with a lower score counts as occluded.
        fov_deg: Field of view along the image's longer side.
    """

    def __init__(
        self,
        lifter: Lifter,
        solver: IkSolver,
        filters: FilterChain | None,
        *,
        bones: BoneLengths | None = None,
        score_threshold: float = 0.3,
        fov_deg: float = 60.0,
    ) -> None:
        self.lifter, self.solver, self.filters, self.bones = lifter, solver, filters, bones
        self.score_threshold, self.fov_deg = score_threshold, fov_deg
        self._origin_m: Float32 = np.zeros(3, np.float32)
        self._recentre = False

    def person_of(self, keypoints: PersonKeypoints, frame: Frame, stopwatch: Stopwatch) -> Person | None:
        """One person with box, joints and pose; None when too little of them is visible.

        Keypoints without a human body, such as a dog's, get neither joints nor a pose.
        """
        box = box_of_keypoints(keypoints, self.score_threshold, frame.width, frame.height)
        if box is None:
            return None
        if not keypoints.layout.has_body:
            return Person(box, keypoints, None, None)
        joints, pose = self.pose_of(keypoints, self.intrinsics_of(frame), stopwatch)
        return Person(box, keypoints, joints, pose)

    def pose_of(
        self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics, stopwatch: Stopwatch
    ) -> tuple[Joints3D, SkeletonPose]:
        """One person's joints and pose.

        Args:
            keypoints: Valid ones (see `PersonKeypoints.sane`), of a layout with a human body.
            intrinsics: The camera.
            stopwatch: Gets the time of "lift", "solve" and "filter".
        """
        visible = keypoints.for_lifting(self.score_threshold)
        with stopwatch.measure("lift"):
            joints = self.lifter.lift(visible, intrinsics)
        with stopwatch.measure("solve"):
            pose = self.solver.solve(joints)
        with stopwatch.measure("filter"):
            if self.filters is not None:
                pose = self.filters.apply(pose, Observation.of(visible, intrinsics, joints))
            pose = self._recentred(pose)
        return joints, pose

    def finish(self, pose: SkeletonPose, person: Person, frame: Frame) -> SkeletonPose:
        """A person's pose that the look-ahead has smoothed, after the filters that follow the smoothing."""
        if self.filters is None:
            return pose
        visible = person.keypoints.for_lifting(self.score_threshold)
        return self.filters.finish(pose, Observation.of(visible, self.intrinsics_of(frame), person.joints))

    def intrinsics_of(self, frame: Frame) -> CameraIntrinsics:
        """The intrinsics of the frame's camera."""
        return CameraIntrinsics.from_field_of_view(self.fov_deg, frame.width, frame.height)

    def camera(self, frame: Frame) -> SceneCamera | None:
        """The frame's camera in the world of the newest poses, rounded as in sessions; None before the first pose."""
        found = None if self.filters is None else self.filters.floor.camera(self.intrinsics_of(frame))
        return None if found is None else replace(found, position_m=found.position_m - self._origin_m).rounded()

    def in_camera_axes(self, points_m: Float64) -> Float64:
        """Points (..., 3) of a pose rotated from world axes to camera axes; the origin stays."""
        if self.filters is None:
            return points_m
        return rot.rotate(rot.inverse(self.filters.world_from_camera_xyzw), points_m)

    def evidence(self) -> ClipEvidence:
        """What all frames so far say, if `look_ahead` was set from the start."""
        ratios = {} if self.bones is None else self.bones.ratios()
        if self.filters is None:
            return ClipEvidence(None, None, ratios)
        return ClipEvidence(self.filters.floor.attitude.track(), self.filters.floor.standing, ratios)

    def use_smoothing(self, config: BodyConfig) -> None:
        """Replace the smoothing by that of another preset; the solver and the other filters keep their state.

        The lifter is built again, without state of people.

        Raises:
            UnknownChoiceError: There is no such smoothing preset.
        """
        self.lifter = build_lifter(config, None if self.filters is None else self.filters.floor.attitude)
        if self.filters is not None:
            self.filters.use_smoothing(config)

    def recentre(self) -> None:
        """Move the origin to the next pose's position on the floor; heights and distances stay."""
        self._recentre = True

    def forget(self, track_ids: Collection[int]) -> None:
        """Drop the state of these people."""
        for track_id in track_ids:
            self.lifter.forget(track_id)
            self.solver.forget(track_id)
            if self.filters is not None:
                self.filters.forget(track_id)

    def _recentred(self, pose: SkeletonPose) -> SkeletonPose:
        if self._recentre:
            self._recentre, self._origin_m = False, as_float32(pose.root_m * [1, 0, 1])
        return replace(pose, root_m=as_float32(pose.root_m - self._origin_m)) if self._origin_m.any() else pose


def build_body(config: AppConfig, known: ClipEvidence | None = None, *, filtered: bool = True) -> BodyPipeline:
    """The 3D stages that the settings describe.

    Args:
        config: All settings.
        known: What a first pass over the same frames found.
        filtered: Whether poses pass the filters.

    Raises:
        UnknownChoiceError: There is no such lifter, solver, smoothing preset or mode for the feet.
    """
    body = config.body
    known = known or ClipEvidence(None, None, {})
    attitude, bones = CameraAttitude(body, known.attitude), BoneLengths(body, known.bone_ratios)
    return BodyPipeline(
        build_lifter(body, attitude),
        build_solver(body, bones),
        FilterChain(body, attitude, known.standing) if filtered else None,
        bones=bones,
        score_threshold=config.inference.score_threshold,
        fov_deg=body.fov_deg,
    )
