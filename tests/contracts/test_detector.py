"""Contract of PersonDetector, checked for every class in the table."""

import numpy as np
import pytest
from support.actor_frames import FACING, actor_frame, actor_truth, empty_frame
from support.detectors import YOLOX_NANO, rtdetr_file

from realtime_pose.datatypes import PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors.table import DETECTORS, build_detector

CLASSES = {target: name for name, target in reversed(DETECTORS.items())}  # each once, by its first name
NO_REAL_DETECTION = ("rtdetr", "whole-frame")  # random weights; and the whole frame, whatever it shows


@pytest.fixture(scope="module", params=sorted(CLASSES.values()))
def detector(request, tmp_path_factory):
    name, file = request.param, ""
    if name == "rtdetr":
        file = str(rtdetr_file(tmp_path_factory.mktemp("rtdetr")))
    elif name == "yolox":
        if not YOLOX_NANO.is_file():
            pytest.skip(f"{YOLOX_NANO.name} is not on this machine")
        file = str(YOLOX_NANO)
    config = InferenceConfig(detector=name, detector_checkpoint=file, device="cpu", download=False)
    made = build_detector(config)
    yield made
    made.close()


@pytest.fixture
def seeing(detector, request):
    """Detectors that truly recognise people."""
    if request.node.callspec.params["detector"] in NO_REAL_DETECTION:
        pytest.skip("does not find people: its weights are random, or it returns the whole frame")
    return detector


def test_the_best_box_shows_the_person(seeing):
    boxes = seeing.detect(actor_frame(FACING))
    assert boxes
    low, high = boxes[0].bbox_xyxy_px[:2], boxes[0].bbox_xyxy_px[2:]
    inside = ((actor_truth().keypoints_px[FACING] >= low) & (actor_truth().keypoints_px[FACING] <= high)).all(axis=1)
    assert inside.mean() > 0.9
    assert np.prod(high - low) < 0.5 * 640 * 480


def test_boxes_are_best_first_without_ids_and_with_an_area_inside_the_image(detector):
    boxes = detector.detect(actor_frame(FACING))
    assert boxes
    assert all(isinstance(box, PersonBox) for box in boxes)
    assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
    for box in boxes:
        left, top, right, bottom = box.bbox_xyxy_px
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 480
        assert 0 <= box.score <= 1
        assert box.track_id == -1


def test_without_people_the_list_is_empty_and_never_the_whole_frame(seeing):
    assert seeing.detect(empty_frame()) == []
    assert seeing.detect(empty_frame(1, 64, 48)) == []


def test_the_image_is_not_changed(detector):
    frame = actor_frame(FACING)
    before = frame.image_bgr.copy()
    detector.detect(frame)
    assert np.array_equal(frame.image_bgr, before)


def test_results_depend_on_the_frame_alone(detector):
    first = detector.detect(actor_frame(FACING))
    detector.detect(empty_frame())
    again = detector.detect(actor_frame(FACING))
    assert len(first) == len(again)
    assert np.allclose(first[0].bbox_xyxy_px, again[0].bbox_xyxy_px, atol=1.0)
