"""What every PersonDetector promises, checked for every entry of the table."""

from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import FACING, actor_frame, actor_truth, empty_frame

from realtime_pose.datatypes import PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors import DETECTORS, build_detector


@pytest.fixture(scope="module", params=sorted(DETECTORS))
def detector(request):
    made = build_detector(replace(InferenceConfig(), detector=request.param, device="cpu", download=False))
    yield made
    made.close()


def test_the_best_box_shows_the_person(detector):
    boxes = detector.detect(actor_frame(FACING))
    assert boxes
    low, high = boxes[0].bbox_xyxy_px[:2], boxes[0].bbox_xyxy_px[2:]
    inside = ((actor_truth().keypoints_px[FACING] >= low) & (actor_truth().keypoints_px[FACING] <= high)).all(axis=1)
    assert inside.mean() > 0.9
    assert np.prod(high - low) < 0.5 * 640 * 480


def test_boxes_come_best_first_unnamed_and_with_an_area_inside_the_picture(detector):
    boxes = detector.detect(actor_frame(FACING))
    assert all(isinstance(box, PersonBox) for box in boxes)
    assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
    for box in boxes:
        left, top, right, bottom = box.bbox_xyxy_px
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 480
        assert 0 <= box.score <= 1
        assert box.track_id == -1


def test_nobody_is_an_empty_list_and_never_the_whole_frame(detector):
    assert detector.detect(empty_frame()) == []
    assert detector.detect(empty_frame(1, 64, 48)) == []


def test_the_picture_stays_as_it_is(detector):
    frame = actor_frame(FACING)
    before = frame.image_bgr.copy()
    detector.detect(frame)
    assert np.array_equal(frame.image_bgr, before)


def test_answers_depend_on_the_frame_alone(detector):
    first = detector.detect(actor_frame(FACING))
    detector.detect(empty_frame())
    again = detector.detect(actor_frame(FACING))
    assert len(first) == len(again)
    assert np.allclose(first[0].bbox_xyxy_px, again[0].bbox_xyxy_px, atol=1.0)
