"""Our BlazePose beside MediaPipe's own graph: the same points, while both follow the same person.

MediaPipe's runtime is no part of this project; requirements-dev.txt says how to add it.
"""

import os
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime_pose.datatypes import Frame
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.landmarks.body import _ROWS
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.utils.paths import data_path

DATA = Path(__file__).parents[5] / "shared" / "data"
CLIPS = {  # the frames compared; in the first ones of sports2d_demo MediaPipe has not found the man yet
    "actor": (data_path("resources/videos/default.mp4"), range(60)),
    "mmpose_demo": (DATA / "video/mmpose_demo.mp4", range(5)),
    "sports2d_demo": (DATA / "video/sports2d_demo.mp4", range(14, 75)),
    "tennis": (DATA / "real2d/tennis.mp4", range(75)),
}
SAME_PERSON_PX = 30.0


@pytest.fixture
def graph():
    os.environ.setdefault("GLOG_minloglevel", "2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from mediapipe.python.solutions.pose import Pose

            made = Pose(model_complexity=1, smooth_landmarks=False)
        except (ImportError, AttributeError, TypeError) as exc:  # not there, or with a protobuf that it does not know
            pytest.skip(f"MediaPipe's runtime is not installed ({exc})")
        with made:
            yield made


def frames_of(path, last):
    clip = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    for index in range(last + 1):
        found, image = clip.read()
        assert found
        yield Frame(image, index, index * 33_333_333, 0)  # MediaPipe assumes 30 frames a second


def theirs(graph, frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = graph.process(cv2.cvtColor(frame.image_bgr, cv2.COLOR_BGR2RGB)).pose_landmarks
    if found is None:
        return None
    points = np.array([(p.x * frame.width, p.y * frame.height, p.visibility) for p in found.landmark])
    return points[_ROWS]


@pytest.mark.parametrize("name", CLIPS)
def test_points_are_those_of_mediapipe(graph, name):
    path, compared = CLIPS[name]
    if not path.exists():
        pytest.skip(f"{path} is not here")
    config = InferenceConfig()
    estimator, detector, tracker = BlazePoseEstimator(config), BlazePoseDetector(config), PeopleTracker(config)
    away_px, last, both = [], [], 0
    for frame in frames_of(path, compared[-1]):
        boxes = tracker.update(frame, [] if last else detector.detect(frame), last)
        last = [person for person in tracker.choose(boxes, estimator.estimate(frame, boxes)) if person.score.any()]
        wanted = theirs(graph, frame)
        if not last or wanted is None or frame.index not in compared:
            continue
        scale = 640 / max(frame.width, frame.height)
        px = np.linalg.norm(last[0].xy_px - wanted[:, :2], axis=1) * scale
        if np.median(px) < SAME_PERSON_PX:
            both += 1
            away_px.append(px[(last[0].score >= config.score_threshold) & (wanted[:, 2] >= config.score_threshold)])
    assert both > 0.8 * len(compared)
    median, p95 = np.percentile(np.concatenate(away_px), [50, 95])
    print(f"{name}: median {median:.2f} px, 95 % {p95:.2f} px of 640x480, {both} frames")
    assert median <= 1
    assert p95 <= 3
