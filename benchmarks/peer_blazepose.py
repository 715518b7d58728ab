"""Speed of BlazePose here and in MediaPipe's own graph: the same frames of the actor, in turn in one process."""

import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from realtime_pose.datatypes import Frame, PersonKeypoints
from realtime_pose.errors import RealtimePoseError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.utils.paths import data_path

_WARM_FRAMES = 5
_SETTLE_S = 0.03  # threads of the previous one may still spin


@dataclass
class _Column:
    name: str
    way: Callable[[Frame], bool]  # whether the person was found
    seconds: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def run(self, frame: Frame) -> None:
        time.sleep(_SETTLE_S)
        start, cpu = time.perf_counter(), time.process_time()
        found = self.way(frame)
        self.seconds.append(time.perf_counter() - start)
        self.cpu_s.append(time.process_time() - cpu)
        if not found:
            raise SystemExit(f"{self.name} finds nobody in frame {frame.index}")


def measure_blazepose(frames: int) -> None:
    """Measure and print."""
    columns = [_ours("fp32")]
    try:
        columns.append(_ours("bf16"))
    except RealtimePoseError as exc:
        print(f"left out: ours at bf16: {exc}")
    columns.append(_mediapipe())
    clip = cv2.VideoCapture(str(data_path("resources/videos/default.mp4")))
    for index in range(frames + _WARM_FRAMES):
        found, image = clip.read()
        if not found:
            raise SystemExit(f"the clip has {index - _WARM_FRAMES} frames to measure; give fewer --rounds")
        first = index % len(columns)  # so that the order varies
        for column in columns[first:] + columns[:first]:
            column.run(Frame(image, index, index * 33_333_333, 0))
    theirs = columns[-1].seconds[_WARM_FRAMES:]
    print(f"BlazePose (full), {os.cpu_count()} CPU cores, 640x480, one person, {frames} frames")
    print(f"{'':24}{'ms':>8}{'95 %':>8}{'CPU ms':>8}{'MediaPipe /':>13}")
    for column in columns:
        taken, cpu = column.seconds[_WARM_FRAMES:], column.cpu_s[_WARM_FRAMES:]
        ratio = statistics.median(b / a for a, b in zip(taken, theirs, strict=True))
        ms = 1e3 * statistics.median(taken), 1e3 * float(np.percentile(taken, 95)), 1e3 * statistics.median(cpu)
        print(f"{column.name:24}{ms[0]:8.2f}{ms[1]:8.2f}{ms[2]:8.2f}{ratio:12.2f}x")


def _ours(precision: str) -> _Column:
    """Detector, tracker and estimator, as the pipeline runs them."""
    config = InferenceConfig(estimator="blazepose", precision=precision)
    estimator, detector, tracker = BlazePoseEstimator(config), BlazePoseDetector(config), PeopleTracker(config)
    last: list[PersonKeypoints] = []

    def way(frame: Frame) -> bool:
        nonlocal last
        due = not last or frame.index % config.detect_every == 0
        boxes = tracker.update(frame, detector.detect(frame) if due else [], last)
        last = [person for person in tracker.choose(boxes, estimator.estimate(frame, boxes)) if person.score.any()]
        return bool(last)

    return _Column(f"ours, openvino {precision}", way)


def _mediapipe() -> _Column:
    """MediaPipe's own graph, which requirements-dev.txt says how to run."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        from mediapipe.python.solutions.pose import Pose
    except ImportError as exc:
        raise SystemExit(f"MediaPipe's runtime is not installed ({exc}); see requirements-dev.txt") from exc
    graph = Pose(model_complexity=1, smooth_landmarks=False)

    def way(frame: Frame) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = graph.process(cv2.cvtColor(frame.image_bgr, cv2.COLOR_BGR2RGB)).pose_landmarks
        return found is not None

    return _Column("MediaPipe", way)
