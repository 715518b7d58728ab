"""BlazePose through MediaPipe: one person, no download (the model is in its package), about 12 ms per frame.

Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking" (2020); MediaPipe 0.10.21.
"""

import hashlib
import os
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.skeletons import COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float32, UInt8, as_float32
from realtime_pose.utils.stderr import quiet_stderr

# MediaPipe's row for each of our keypoints, in the order of COCO17_FEET_HANDS.
# fmt: off
_ROWS = [
    0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28,  # COCO-17
    29, 30, 31, 32, 17, 18, 19, 20, 21, 22,                         # heels, toes, pinkies, indices, thumbs
]
# fmt: on
_ONLY_PERSON = 1


class _Graph:
    """MediaPipe's graph, with its messages silenced and its errors translated."""

    def __init__(self, *, video: bool) -> None:
        os.environ.setdefault("GLOG_minloglevel", "2")
        self._video, self._noisy, self._closed = video, True, False
        self.world_m: Float32 | None = None
        try:
            with quiet_stderr(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # deprecations of its dependencies
                from mediapipe.python.solutions.pose import Pose

                self._pose = Pose(static_image_mode=not video, model_complexity=1, smooth_landmarks=False)
                self.find(np.zeros((64, 64, 3), np.uint8))  # starts the threads, so that the first frame is not late
        except Exception as exc:  # MediaPipe's errors have no common base class
            raise CheckpointError(
                f"BlazePose does not start ({exc}); reinstall it with: pip install --no-deps mediapipe==0.10.21"
            ) from exc

    def find(self, image_bgr: UInt8) -> tuple[Float32, Float32] | None:
        """Keypoints (27, 2) in px and their scores (27,); None if nobody is found."""
        height, width = image_bgr.shape[:2]
        with warnings.catch_warnings(), quiet_stderr() if self._noisy else nullcontext():
            warnings.simplefilter("ignore")  # protobuf deprecates a call that MediaPipe makes
            results: Any = self._pose.process(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB))
        self.world_m = None
        if results.pose_landmarks is None:
            return None
        world = results.pose_world_landmarks.landmark
        self.world_m = as_float32([(world[i].x, world[i].y, world[i].z) for i in _ROWS])
        self._noisy = False  # its last start-up message is printed with the first person
        points = results.pose_landmarks.landmark
        raw = np.array([(points[i].x, points[i].y, points[i].visibility) for i in _ROWS])
        # BlazePose extrapolates beyond the image; points outside of it get score 0.
        inside = np.all((raw[:, :2] >= 0) & (raw[:, :2] <= 1), axis=1)
        return as_float32(raw[:, :2] * (width, height)), as_float32(raw[:, 2] * inside)

    def reset(self) -> None:
        if self._video:
            with quiet_stderr():
                self._pose.reset()
            self._noisy = True  # it starts again

    def close(self) -> None:
        if not self._closed:  # MediaPipe raises at a second close
            self._closed = True
            self._pose.close()


class BlazePoseEstimator:
    """Keypoints of one person, whom BlazePose tracks by itself.

    Args:
        config: The settings.
        video: True for frames of a stream; False for stills, each detected from scratch.
    """

    name = "blazepose"
    runtime = "mediapipe"
    precision = "fp32"
    device = "cpu"
    layout = COCO17_FEET_HANDS
    finds_people = True

    def __init__(self, config: InferenceConfig, *, video: bool = True) -> None:
        self._threshold = config.score_threshold
        self._graph = _Graph(video=video)
        self.model_hash = _hash_of_models()

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """At most one person; boxes are not used, as BlazePose tracks by itself (see `finds_people`)."""
        found = self._graph.find(frame.image_bgr)
        if found is None or float(np.mean(found[1][:17])) < self._threshold:
            return []
        return [PersonKeypoints(self.layout, *found, track_id=_ONLY_PERSON, time_ns=frame.time_ns)]

    def reset(self) -> None:
        """Forget the tracked person: the next frame is detected from scratch."""
        self._graph.reset()

    @property
    def world_m(self) -> Float32 | None:
        """BlazePose's own 3D estimate (27, 3) of the last result's keypoints, for comparison with ours.

        Metres from the middle of the hips, OpenCV's camera axes; None if nobody was found.
        """
        return self._graph.world_m

    def close(self) -> None:
        """Stop MediaPipe's threads. Safe to repeat; the object cannot be used afterwards."""
        self._graph.close()


def _hash_of_models() -> str:
    """SHA-256 over the two models inside the package: person detection and body landmarks."""
    import mediapipe

    modules, digest = Path(mediapipe.__file__).parent / "modules", hashlib.sha256()
    for name in ("pose_detection/pose_detection.tflite", "pose_landmark/pose_landmark_full.tflite"):
        digest.update((modules / name).read_bytes())
    return digest.hexdigest()


class BlazePoseDetector:
    """Person detector without a download: BlazePose, at most one person per frame."""

    def __init__(self, config: InferenceConfig) -> None:
        self._threshold = config.score_threshold
        self._graph = _Graph(video=False)

    def detect(self, frame: Frame) -> list[PersonBox]:
        """The box of the person that BlazePose finds, or none."""
        found = self._graph.find(frame.image_bgr)
        if found is None or float(np.mean(found[1][:17])) < self._threshold:
            return []
        keypoints = PersonKeypoints(COCO17_FEET_HANDS, *found, track_id=-1, time_ns=frame.time_ns)
        box = box_of_keypoints(keypoints, self._threshold, frame.width, frame.height)
        return [] if box is None else [box]

    def close(self) -> None:
        """Stop MediaPipe's threads. Safe to repeat; the object cannot be used afterwards."""
        self._graph.close()
