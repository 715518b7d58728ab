"""Packaged clips as lifting cases: BlazePose's keypoints, the actor's ground truth, and BlazePose's own 3D."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.datatypes import Frame, PersonKeypoints
from realtime_pose.errors import EndOfStream
from realtime_pose.evaluation.lifting import Prediction
from realtime_pose.evaluation.lifting_cases import LiftingCase
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.model3d.actor_truth import ActorTruth, load_truth
from realtime_pose.skeletons import COCO17_FEET_HANDS, LIMB_NAMES, LIMB_ROWS
from realtime_pose.utils.arrays import Float64, FloatArray

_POINT_ROWS = COCO17_FEET_HANDS.rows(LIMB_NAMES)


def actor_case(
    name: str, config: InferenceConfig, progress: Callable[[int, int], None] = lambda done, total: None
) -> tuple[LiftingCase, Prediction]:
    """A packaged clip as a case, and BlazePose's world landmarks as the prediction for it.

    In frames where BlazePose finds nobody, the keypoints have score 0 and the prediction repeats the last one.

    Args:
        name: "actor" or "actor-2".
        config: The estimator's settings.
        progress: Called with the number of frames done, and the total.

    Raises:
        RealtimePoseError: The clip, its truth or BlazePose is not available.
    """
    truth = load_truth(name)
    frames, k = len(truth.joints_m), len(COCO17_FEET_HANDS.names)
    xy_px, score = np.zeros((frames, k, 2), np.float32), np.zeros((frames, k), np.float32)
    world_m, took_ms = np.zeros((frames, len(LIMB_NAMES), 3)), np.zeros(frames)
    config = replace(config, persons=1)
    estimator, detector, tracker = BlazePoseEstimator(config), BlazePoseDetector(config), PeopleTracker(config)
    people: list[PersonKeypoints] = []
    with closing(open_source(CaptureConfig(source=name))) as source, closing(estimator), closing(detector):
        for row in range(frames):
            frame = _next(source.read)
            if frame is None:
                break
            boxes = tracker.update(frame, [] if people else detector.detect(frame), people)
            people = [
                person for person in tracker.choose(boxes, estimator.estimate(frame, boxes)) if person.score.any()
            ]
            if people:
                xy_px[row], score[row] = people[0].xy_px, people[0].score
                world_m[row] = canonical_from_opencv(estimator.bodies[people[0].track_id].world_m[_POINT_ROWS])
            elif row:
                world_m[row] = world_m[row - 1]
            progress(row + 1, frames)
    limbs_m = seen_from_camera(truth, truth.joints_m[:, LIMB_ROWS])
    all_seen = np.ones(limbs_m.shape[:2], bool)
    up = canonical_from_opencv(truth.camera_from_world[:3, 1])
    case = LiftingCase(name, COCO17_FEET_HANDS, xy_px, score, limbs_m, all_seen, truth.intrinsics, truth.fps, up)
    hips = world_m[:, [LIMB_NAMES.index("left_hip"), LIMB_NAMES.index("right_hip")]].mean(axis=1, keepdims=True)
    return case, Prediction(case, world_m - hips, world_m - hips, took_ms, took_ms)


def _next(read: Callable[[], Frame | None]) -> Frame | None:
    try:
        return read()
    except EndOfStream:
        return None


def seen_from_camera(truth: ActorTruth, world_m: FloatArray) -> Float64:
    """World points (..., 3) relative to the actor's camera, in canonical axes."""
    rotation, translation = truth.camera_from_world[:3, :3], truth.camera_from_world[:3, 3]
    return canonical_from_opencv(np.asarray(world_m, dtype=np.float64) @ rotation.T + translation)
