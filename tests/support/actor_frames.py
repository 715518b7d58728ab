"""Frames of the actor's clip with their truth, for tests that need a person whom an estimator finds."""

from functools import cache

import cv2
import numpy as np

from realtime_pose.datatypes import Frame
from realtime_pose.model3d.actor_truth import ActorTruth, load_truth
from realtime_pose.utils.paths import data_path

FACING = 0  # the actor stands and looks into the camera
TURNED_AWAY = 195  # its back to the camera: its left hand is on the image's left


@cache
def actor_truth() -> ActorTruth:
    """The truth beside the clip."""
    return load_truth(data_path("resources/videos/default_truth.npz"))


@cache
def actor_frame(index: int) -> Frame:
    """One frame of the clip."""
    clip = cv2.VideoCapture(str(data_path("resources/videos/default.mp4")), cv2.CAP_FFMPEG)
    for _ in range(index + 1):
        found, image = clip.read()
        assert found, f"the clip has no frame {index}"
    clip.release()
    return Frame(image, index, round(index * 1e9 / actor_truth().fps), 0)


def empty_frame(index: int = 0, width: int = 640, height: int = 480) -> Frame:
    """A grey wall."""
    return Frame(np.full((height, width, 3), 120, np.uint8), index, round(index * 1e9 / 30), 0)
