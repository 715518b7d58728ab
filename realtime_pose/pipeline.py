"""Pose pipeline: one frame in, everyone's poses out. Detect, estimate, then lift, solve and filter each person."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from realtime_pose.body.settings import FEET_MODES
from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
from realtime_pose.body_pipeline import BodyPipeline, build_body
from realtime_pose.checkpoints import Progress
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, PersonBox, PersonKeypoints
from realtime_pose.ik.table import SOLVERS
from realtime_pose.inference.base import PersonDetector, PoseEstimator, Tracker
from realtime_pose.inference.detectors.table import build_detector, check_detector_name
from realtime_pose.inference.estimators import build_estimator
from realtime_pose.inference.estimators import check_names as check_inference_names
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.lifting.table import LIFTERS
from realtime_pose.utils.choices import check_choice
from realtime_pose.utils.stopwatch import Stopwatch

log = logging.getLogger(__name__)

# Frames between runs of the detector while a person is missing: often enough to find someone who reappears, and counted
# in frames, so that a slow detector runs less often live.
_DETECT_MISSING_EVERY = 5


class FramePipeline(Protocol):
    """The part of a pipeline that a run uses.

    Attributes:
        estimator: Finds keypoints; named in reports.
        stopwatch: The times of the last step, by stage.
    """

    @property
    def estimator(self) -> PoseEstimator: ...

    @property
    def stopwatch(self) -> Stopwatch: ...

    def step(self, frame: Frame) -> FrameResult:
        """The frame with everyone in it."""
        ...

    def close(self) -> None:
        """Release the models."""
        ...


class PosePipeline:
    """Frames in, results out: no threads, no files, no sockets.

    Args:
        estimator: Finds keypoints.
        detector: Finds people; None for an estimator that finds people itself.
        tracker: Gives people track ids, and decides who is gone.
        body: Turns each person's keypoints into a pose.
        detect_every: Frames between two runs of the detector while everyone known is visible.

    Attributes:
        body: As given.
    """

    def __init__(
        self,
        estimator: PoseEstimator,
        detector: PersonDetector | None,
        tracker: Tracker,
        body: BodyPipeline,
        detect_every: int = 30,
    ) -> None:
        self.estimator, self.body = estimator, body
        self.stopwatch = Stopwatch()
        self._detector, self._tracker = detector, tracker
        self._detect_every = detect_every
        self._last_keypoints: list[PersonKeypoints] = []
        self._frames_since_detection = 0

    def step(self, frame: Frame) -> FrameResult:
        """Everyone in the frame with keypoints, joints and pose; without people, an empty result."""
        with self.stopwatch.measure("detect"):
            boxes = self._boxes(frame)
        with self.stopwatch.measure("estimate"):
            keypoints = [person.sane() for person in self.estimator.estimate(frame, boxes)]
        if not self.estimator.finds_people:
            keypoints = self._tracker.choose(boxes, keypoints)
        found = [self.body.person_of(person, frame, self.stopwatch) for person in keypoints]
        people = tuple(person for person in found if person is not None)
        self._last_keypoints = [person.keypoints for person in people]
        self.body.forget(self._tracker.update_lifetimes([k.track_id for k in self._last_keypoints], frame.time_ns))
        return FrameResult(frame, people, self.body.camera(frame))

    def retune(self, before: AppConfig, after: AppConfig, locked_on: int | None = None) -> None:
        """Change the settings between two frames; models stay loaded, and state is kept where it still holds.

        Args:
            before: The settings so far.
            after: The new settings.
            locked_on: Follow this person only; None follows as many as the settings say.
        """
        persons = after.inference.persons if locked_on is None else 1
        after = replace(after, inference=replace(after.inference, persons=persons))
        if replace(before.body, smoothing=after.body.smoothing) != after.body:
            self.body = build_body(after)
        elif before.body != after.body:
            self.body.use_smoothing(after.body)
        self.body.score_threshold = after.inference.score_threshold
        self._detect_every = after.inference.detect_every
        last = [person for person in self._last_keypoints if locked_on in (None, person.track_id)]
        self._last_keypoints = last[:persons]
        remaining = {person.track_id for person in self._last_keypoints}
        self.body.forget(self._tracker.known - remaining)
        self._tracker = PeopleTracker(after.inference)  # gets the remaining people from their last keypoints
        for person in self._last_keypoints:
            self._tracker.update_lifetimes([person.track_id], person.time_ns)
        self._frames_since_detection = after.inference.detect_every  # look for people in the next frame

    def close(self) -> None:
        """Release the models."""
        self.estimator.close()
        if self._detector is not None:
            self._detector.close()

    def _boxes(self, frame: Frame) -> list[PersonBox]:
        """The boxes to estimate: from the last keypoints, and from the detector where it is due."""
        if self._detector is None:
            return []
        self._frames_since_detection += 1
        detections: list[PersonBox] = []
        if self._frames_since_detection >= self._detection_interval():
            detections = self._detector.detect(frame)
            self._frames_since_detection = 0
        return self._tracker.update(frame, detections, self._last_keypoints)

    def _detection_interval(self) -> int:
        """Frames from one run of the detector to the next, for the people known now."""
        if not self._last_keypoints:
            return 1
        someone_is_missing = len(self._last_keypoints) < len(self._tracker.known)
        return min(_DETECT_MISSING_EVERY, self._detect_every) if someone_is_missing else self._detect_every


def check_names(config: AppConfig) -> None:
    """Check every name against its table, before anything is opened, loaded or downloaded.

    Raises:
        UnknownChoiceError: A name is in no table; the message lists the valid ones.
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
        notify: Callback for each choice made for the user, one sentence.
        progress: Callback for the progress of a download of weights.

    Raises:
        UnknownChoiceError: A name is in no table.
        CheckpointError: The estimator's weights are not available.
    """
    check_names(config)
    estimator = build_estimator(config.inference, notify, progress)
    detector = None if estimator.finds_people else build_detector(config.inference, notify, progress)
    return assemble_pipeline(config, estimator, detector)


def assemble_pipeline(
    config: AppConfig, estimator: PoseEstimator, detector: PersonDetector | None = None
) -> PosePipeline:
    """A new pipeline, without any people, around loaded models.

    Args:
        config: All settings; those of the models are not read.
        estimator: Finds keypoints.
        detector: Finds people; None for an estimator that finds people itself.

    Raises:
        UnknownChoiceError: A name is in no table.
    """
    return PosePipeline(
        estimator, detector, PeopleTracker(config.inference), build_body(config), config.inference.detect_every
    )
