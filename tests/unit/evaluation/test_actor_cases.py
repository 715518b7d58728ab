"""Packaged clips as cases: keypoints match the truth, and BlazePose's 3D is read in the right axes."""

from types import SimpleNamespace

import numpy as np
import pytest
from support.actor_frames import FACING, actor_frame, actor_truth

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.errors import EndOfStream, UnknownChoiceError
from realtime_pose.evaluation import actor_cases
from realtime_pose.evaluation.actor_cases import actor_case
from realtime_pose.evaluation.lifting import evaluate
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.skeletons import COCO17_FEET_HANDS, LIMB_NAMES

LOST = {5, 6}
LOST_AT_FIRST = {0}


class KnowsTheTruth:
    """Returns the actor's true keypoints and, like BlazePose, world landmarks; finds no person in some frames."""

    def __init__(self, config):
        self._frame, self.bodies = -1, {}

    def estimate(self, frame, boxes):
        self._frame += 1
        if self._frame in LOST | LOST_AT_FIRST or not boxes:
            self.bodies = {}
            return []
        truth = actor_truth()
        camera = truth.camera_from_world
        world_m = (truth.keypoints_m[self._frame] @ camera[:3, :3].T + camera[:3, 3]).astype(np.float32)
        name = boxes[0].track_id
        self.bodies = {name: SimpleNamespace(world_m=world_m * np.float32(0.9))}  # its scale is its own
        xy, score = truth.keypoints_px[self._frame].copy(), np.full(27, 0.8, np.float32)
        return [PersonKeypoints(COCO17_FEET_HANDS, xy, score, name, frame.time_ns)]

    def close(self):
        pass


class TwentyFrames:
    def __init__(self, config):
        self._left = 20

    def read(self):
        self._left -= 1
        if self._left < 0:
            raise EndOfStream
        return actor_frame(FACING)

    def close(self):
        pass


def test_keypoints_truth_and_its_own_answer_line_up(monkeypatch):
    monkeypatch.setattr(actor_cases, "BlazePoseEstimator", KnowsTheTruth)
    monkeypatch.setattr(actor_cases, "open_source", TwentyFrames)
    steps = []
    case, its_own = actor_case("actor", InferenceConfig(), lambda done, total: steps.append(done))
    truth = actor_truth()
    assert (len(case), case.fps, case.intrinsics) == (len(truth.joints_m), truth.fps, truth.intrinsics)
    assert steps == list(range(1, 21))
    k = truth.intrinsics
    seen = case.limbs_m[:20, :, :2] * (1, -1) / -case.limbs_m[:20, :, 2:] * (k.fx, k.fy) + (k.cx, k.cy)
    away = np.linalg.norm(seen - case.xy_px[:20, COCO17_FEET_HANDS.rows(LIMB_NAMES)], axis=-1)
    found = [i for i in range(20) if i not in LOST | LOST_AT_FIRST]
    assert np.median(away[found]) < 8  # annotators do not mark the joints' centres
    assert (case.score[[0, 5, 6]] == 0).all()
    assert (case.score[20:] == 0).all()
    assert np.allclose(its_own.limbs_m[found, 6:8].mean(axis=1), 0, atol=1e-6)
    truth_m = case.limbs_m - case.limbs_m[:, 6:8].mean(axis=1, keepdims=True)
    assert np.linalg.norm(its_own.limbs_m[1:5] / 0.9 - truth_m[1:5], axis=-1).mean() < 0.05
    assert np.array_equal(its_own.limbs_m[5], its_own.limbs_m[4])  # no person found: repeats the last prediction
    assert evaluate([its_own]).frames == len(case)


def test_blazeposes_world_landmarks_are_in_opencv_axes():
    estimator, detector = BlazePoseEstimator(InferenceConfig()), BlazePoseDetector(InferenceConfig())
    try:
        assert estimator.bodies == {}
        boxes = detector.detect(actor_frame(FACING))
        for _ in range(3):
            estimator.estimate(actor_frame(FACING), boxes)
        (body,) = estimator.bodies.values()
        world = body.world_m
        at = {name: world[row] for name, row in COCO17_FEET_HANDS.index.items()}
        assert at["left_shoulder"][0] > 0.05 > -0.05 > at["right_shoulder"][0]  # the actor faces the camera
        assert at["left_ankle"][1] > 0.4 > -0.2 > at["nose"][1]  # y down
        assert at["nose"][2] < at["left_ear"][2]  # z away from the camera
        assert 0.3 < np.linalg.norm(at["left_shoulder"] - at["left_hip"]) < 0.7  # metres
    finally:
        estimator.close()


def test_an_unknown_clip_is_refused():
    with pytest.raises(UnknownChoiceError, match="actor-2"):
        actor_case("actor-9", InferenceConfig())
