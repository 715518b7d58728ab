"""The whole way of one frame, from picture to poses: read this first."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
from realtime_pose.body_pipeline import BodyStages, build_body
from realtime_pose.checkpoints import Progress
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import (
    CameraIntrinsics,
    Frame,
    FrameResult,
    Person,
    PersonBox,
    PersonKeypoints,
)
from realtime_pose.filters.base import PoseFilter
from realtime_pose.filters.foot_locking import FEET_MODES
from realtime_pose.filters.table import build_filters, with_smoothing
from realtime_pose.ik.base import IkSolver
from realtime_pose.ik.table import SOLVERS, build_solver
from realtime_pose.inference.base import PersonDetector, PoseEstimator, Tracker
from realtime_pose.inference.detectors.table import build_detector, check_detector_name
from realtime_pose.inference.estimators import build_estimator
from realtime_pose.inference.estimators import check_names as check_inference_names
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.lifting.base import Lifter
from realtime_pose.lifting.table import LIFTERS, build_lifter
from realtime_pose.utils.choices import check_choice
from realtime_pose.utils.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_FORGET_AFTER_NS = 2_000_000_000  # somebody gone for longer starts anew when they return
# Often enough to meet who comes out from behind another; in frames, so that live a slow detector is asked less.
_LOOK_FOR_LOST_EVERY = 5


@dataclass(frozen=True)
class PipelineSettings:
    """What the pipeline itself needs to know.

    Attributes:
        fov_deg: Field of view along the image's longer side.
        detect_every: Frames between two looks for people while somebody is followed.
        score_threshold: Below it a keypoint counts as not seen.
        single: Somebody who leaves an empty picture is remembered until they or somebody else come in.
    """

    fov_deg: float = 60.0
    detect_every: int = 30
    score_threshold: float = 0.3
    single: bool = False


class FramePipeline(Protocol):
    """What a run needs of a pipeline.

    Attributes:
        estimator: What finds keypoints; reports name it.
        stopwatch: Has the times of the last step, by stage.
    """

    @property
    def estimator(self) -> PoseEstimator: ...

    @property
    def stopwatch(self) -> Stopwatch: ...

    def step(self, frame: Frame) -> FrameResult:
        """The frame with everybody in it."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class PosePipeline:
    """Frames in, results out: no threads, no files, no sockets.

    `detector` is None for an estimator that finds people by itself.

    Attributes:
        body: The way of each person from keypoints to a pose.
    """

    def __init__(
        self,
        estimator: PoseEstimator,
        detector: PersonDetector | None,
        tracker: Tracker,
        lifter: Lifter,
        solver: IkSolver,
        filters: Sequence[PoseFilter],
        settings: PipelineSettings,
    ) -> None:
        self.estimator = estimator
        self.stopwatch = Stopwatch()
        self._detector, self._tracker = detector, tracker
        self.body = BodyStages(lifter, solver, filters, settings.score_threshold)
        self._settings = settings
        self._last_keypoints: list[PersonKeypoints] = []
        self._last_seen_ns: dict[int, int] = {}
        self._frames_since_detection = 0

    def step(self, frame: Frame) -> FrameResult:
        """Everybody in the frame with keypoints, joints and pose; an empty room gives an empty result."""
        with self.stopwatch.measure("detect"):
            boxes = self._boxes(frame)
        with self.stopwatch.measure("estimate"):
            keypoints = [person.sane() for person in self.estimator.estimate(frame, boxes)]
        if not self.estimator.finds_people:
            keypoints = self._tracker.choose(boxes, keypoints)
        people = [self._person(person, frame) for person in keypoints]
        seen = tuple(person for person in people if person is not None)
        self._remember(frame, seen)
        return FrameResult(frame, seen)

    def retune(self, before: AppConfig, after: AppConfig, locked_on: int | None = None) -> None:
        """Go on with other settings between two frames; models stay, and so does what is known where it still holds.

        Args:
            before: The settings so far.
            after: Those from now on.
            locked_on: Follow this person only, whoever else comes; None follows as many as the settings say.
        """
        followed = after.inference.persons if locked_on is None else 1
        after = replace(after, inference=replace(after.inference, persons=followed))
        if replace(before.body, smoothing=after.body.smoothing) != after.body:
            self.body = build_body(after)
        elif before.body != after.body:
            self.body.lifter = build_lifter(after.body)
            self.body.filters = with_smoothing(self.body.filters, after.body)
        self.body.score_threshold = after.inference.score_threshold
        self._settings = pipeline_settings(after)
        last = [person for person in self._last_keypoints if locked_on in (None, person.track_id)]
        self._last_keypoints = last[:followed]
        self._tracker = PeopleTracker(after.inference)  # learns those who stay by their last keypoints
        self._frames_since_detection = after.inference.detect_every  # somebody else may be followed now
        self._forget_gone(set(self._last_seen_ns) - {person.track_id for person in self._last_keypoints})

    def close(self) -> None:
        """Give the models back."""
        self.estimator.close()
        if self._detector is not None:
            self._detector.close()

    def _boxes(self, frame: Frame) -> list[PersonBox]:
        """Where to look: from the last keypoints, and from the detector when somebody is lost or it is time."""
        if self._detector is None:
            return []
        self._frames_since_detection += 1
        detections: list[PersonBox] = []
        if self._frames_since_detection >= self._look_after():
            detections = self._detector.detect(frame)
            self._frames_since_detection = 0
        return self._tracker.update(frame, detections, self._last_keypoints)

    def _look_after(self) -> int:
        """Frames between two looks of the detector, as things stand."""
        if not self._last_keypoints:
            return 1
        somebody_is_lost = len(self._last_keypoints) < len(self._last_seen_ns)
        return (
            min(_LOOK_FOR_LOST_EVERY, self._settings.detect_every) if somebody_is_lost else self._settings.detect_every
        )

    def _person(self, keypoints: PersonKeypoints, frame: Frame) -> Person | None:
        """One person's way to a pose: lift, solve, filter; None when too little of them was seen.

        What has no human body, such as a dog, has keypoints and no pose.
        """
        box = box_of_keypoints(keypoints, self._settings.score_threshold, frame.width, frame.height)
        if box is None:
            return None
        if not keypoints.layout.has_body:
            return Person(box, keypoints, None, None)
        intrinsics = CameraIntrinsics.from_field_of_view(self._settings.fov_deg, frame.width, frame.height)
        joints, pose = self.body.pose_of(keypoints, intrinsics, self.stopwatch)
        return Person(box, keypoints, joints, pose)

    def _remember(self, frame: Frame, people: Sequence[Person]) -> None:
        """Keep what the next frame needs, and let everybody forget those who have been gone for long."""
        self._last_keypoints = [person.keypoints for person in people]
        self._last_seen_ns |= {keypoints.track_id: frame.time_ns for keypoints in self._last_keypoints}
        if self._settings.single and len(self._last_seen_ns) == 1:
            return  # the stage is theirs: the same character goes on whenever they return
        self._forget_gone(
            {i for i, seen_ns in self._last_seen_ns.items() if frame.time_ns - seen_ns > _FORGET_AFTER_NS}
        )

    def _forget_gone(self, gone: Collection[int]) -> None:
        for track_id in gone:
            del self._last_seen_ns[track_id]
            self._tracker.forget(track_id)
            self.body.forget(track_id)


def check_names(config: AppConfig) -> None:
    """Refuse every name that is in no table, before anything is opened, loaded or fetched.

    Raises:
        UnknownChoiceError: The message lists the names there are.
    """
    check_inference_names(config.inference)
    check_detector_name(config.inference)
    check_choice("body.lifter", config.body.lifter, LIFTERS)
    check_choice("body.solver", config.body.solver, SOLVERS)
    check_choice("body.smoothing", config.body.smoothing, SMOOTHING_PRESETS)
    check_choice("body.feet", config.body.feet, FEET_MODES)


def build_pipeline(
    config: AppConfig, notify: Callable[[str], None] = log.warning, progress: Progress = lambda had, total: None
) -> PosePipeline:
    """The pipeline that the settings describe.

    Args:
        config: All settings.
        notify: Is told, in one plain sentence, of everything that was chosen for the user.
        progress: Is told how far a download of weights has come.

    Raises:
        UnknownChoiceError: A name is in no table.
        CheckpointError: The estimator's weights cannot be had.
    """
    check_names(config)
    estimator = build_estimator(config.inference, notify, progress)
    detector = None if estimator.finds_people else build_detector(config.inference, notify, progress)
    return assemble_pipeline(config, estimator, detector)


def assemble_pipeline(
    config: AppConfig, estimator: PoseEstimator, detector: PersonDetector | None = None
) -> PosePipeline:
    """A pipeline that knows nobody yet, around models that are loaded already.

    Args:
        config: All settings; the models' own are not read.
        estimator: What finds keypoints.
        detector: What finds people; None for an estimator that does so by itself.

    Raises:
        UnknownChoiceError: A name is in no table.
    """
    return PosePipeline(
        estimator,
        detector,
        PeopleTracker(config.inference),
        build_lifter(config.body),
        build_solver(config.body),
        build_filters(config.body),
        pipeline_settings(config),
    )


def pipeline_settings(config: AppConfig) -> PipelineSettings:
    """What the pipeline itself needs to know, out of all settings."""
    inference = config.inference
    return PipelineSettings(
        config.body.fov_deg, inference.detect_every, inference.score_threshold, single=inference.persons == 1
    )
