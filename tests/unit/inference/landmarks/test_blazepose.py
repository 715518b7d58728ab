"""BlazePose on the actor, whose ground truth is known: positions, sides, scores and ids."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.actor_frames import FACING, TURNED_AWAY, actor_frame, actor_truth, empty_frame

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS

NEAR_PX = 25.0
BODY = COCO17_FEET_HANDS.rows([name for name in COCO17.names if name.startswith(("left", "right"))][4:])
everyones_view = pytest.mark.parametrize("index", [FACING, TURNED_AWAY], ids=["facing", "turned away"])


@pytest.fixture(scope="module")
def started():
    made = BlazePoseEstimator(InferenceConfig())
    yield made
    made.close()


@pytest.fixture
def estimator(started):
    """An estimator without a tracked person: an empty frame ends the tracking of the test before."""
    started.estimate(empty_frame(), [])
    return started


@pytest.fixture(scope="module")
def detector():
    made = BlazePoseDetector(InferenceConfig())
    yield made
    made.close()


def truth_px(index):
    return actor_truth().keypoints_px[index]


def distance_px(found, index):
    return np.linalg.norm(found.xy_px - truth_px(index), axis=-1)


# --- the estimator ------------------------------------------------------------------------------------------------


@everyones_view
def test_one_person_is_found_where_they_are(estimator, index):
    (person,) = estimator.estimate(actor_frame(index), [])
    assert person.layout is COCO17_FEET_HANDS
    assert person.time_ns == actor_frame(index).time_ns
    assert distance_px(person, index).max() < NEAR_PX
    assert np.median(distance_px(person, index)) < 8


@everyones_view
def test_left_and_right_are_the_persons_own(estimator, index):
    (person,) = estimator.estimate(actor_frame(index), [])
    swapped = np.linalg.norm(person.xy_px[list(COCO17_FEET_HANDS.mirror)] - truth_px(index), axis=-1)
    assert (distance_px(person, index)[BODY] < swapped[BODY]).all()
    shoulders = person.xy_px[COCO17_FEET_HANDS.rows(["left_shoulder", "right_shoulder"]), 0]
    assert (shoulders[0] > shoulders[1]) == (index == FACING)  # who faces us has their left on our right


def test_scores_are_between_0_and_1_and_high_for_who_is_in_full_view(estimator):
    (person,) = estimator.estimate(actor_frame(FACING), [])
    assert ((person.score >= 0) & (person.score <= 1)).all()
    assert person.score[BODY].min() > 0.5


def test_an_empty_room_has_no_people_before_and_after_a_person(estimator):
    assert estimator.estimate(empty_frame(), []) == []
    assert len(estimator.estimate(actor_frame(FACING), [])) == 1
    assert estimator.estimate(empty_frame(1), []) == []
    assert len(estimator.estimate(actor_frame(FACING), [])) == 1


def test_boxes_are_not_used_as_it_finds_people_itself(estimator):
    assert estimator.finds_people
    elsewhere = PersonBox(np.array([0, 0, 40, 40], np.float32), 0.9, 77)
    (person,) = estimator.estimate(actor_frame(FACING), [elsewhere])
    assert distance_px(person, FACING).max() < NEAR_PX


def test_a_single_person_keeps_the_track_id(estimator):
    ids = {estimator.estimate(actor_frame(index), [])[0].track_id for index in (0, 1, 2)}
    assert len(ids) == 1


def test_pixels_are_those_of_the_image_at_any_size(estimator):
    frame = actor_frame(FACING)
    wide = cv2.copyMakeBorder(cv2.resize(frame.image_bgr, (960, 720)), 0, 0, 240, 80, cv2.BORDER_REPLICATE)
    (person,) = estimator.estimate(Frame(wide, 0, 0, 0), [])
    expected = truth_px(FACING) * 1.5 + [240, 0]
    assert np.linalg.norm(person.xy_px - expected, axis=-1).max() < 1.5 * NEAR_PX


def test_points_outside_the_image_have_score_0(estimator):
    knees = truth_px(FACING)[COCO17_FEET_HANDS.index["left_knee"], 1]
    cut = np.ascontiguousarray(actor_frame(FACING).image_bgr[: int(knees) - 10])
    (person,) = estimator.estimate(Frame(cut, 0, 0, 0), [])
    outside = (person.xy_px < 0).any(axis=1) | (person.xy_px > [640, len(cut)]).any(axis=1)
    assert outside[COCO17_FEET_HANDS.rows(["left_ankle", "right_ankle"])].all()
    assert (person.score[outside] == 0).all()
    assert person.score[COCO17_FEET_HANDS.index["left_shoulder"]] > 0.5


def test_a_person_below_the_score_threshold_is_dropped():
    strict = BlazePoseEstimator(replace(InferenceConfig(), score_threshold=1.0))
    assert strict.estimate(actor_frame(FACING), []) == []
    strict.close()


def test_the_image_and_earlier_results_stay_unchanged(estimator):
    frame = actor_frame(FACING)
    before = frame.image_bgr.copy()
    (first,) = estimator.estimate(frame, [])
    kept = first.xy_px.copy()
    estimator.estimate(actor_frame(TURNED_AWAY), [])
    assert np.array_equal(frame.image_bgr, before)
    assert np.array_equal(first.xy_px, kept)


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2)], ids=str)
def test_images_of_odd_shapes_have_no_people(estimator, size):
    assert estimator.estimate(empty_frame(0, *size), []) == []


def test_a_mediapipe_that_does_not_start_reports_how_to_reinstall_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe.python.solutions.pose", None)
    for kind in (BlazePoseEstimator, BlazePoseDetector):
        with pytest.raises(CheckpointError, match=r"^BlazePose does not start \(.*\); reinstall it with: pip install"):
            kind(InferenceConfig())


QUIET = """
import sys
from support.actor_frames import actor_frame, empty_frame
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator
estimator = BlazePoseEstimator(InferenceConfig())
found = [len(estimator.estimate(frame, [])) for frame in (empty_frame(), actor_frame(0), actor_frame(1))]
estimator.close()
print(found)
print("mine", file=sys.stderr)
"""


def test_nothing_foreign_appears_on_the_terminal(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", QUIET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 1, 1]\n", "mine\n")


# --- the detector -------------------------------------------------------------------------------------------------


@everyones_view
def test_the_box_holds_the_whole_person_and_not_the_whole_image(detector, index):
    (box,) = detector.detect(actor_frame(index))
    left, top, right, bottom = box.bbox_xyxy_px
    low, high = truth_px(index).min(axis=0), truth_px(index).max(axis=0)
    assert (low >= [left, top]).all()
    assert (high <= [right, bottom]).all()
    assert 0 <= left < right <= 640
    assert 0 <= top < bottom <= 480
    assert (right - left) * (bottom - top) < 4 * np.prod(high - low)
    assert 0 < box.score <= 1
    assert box.track_id == -1


def test_the_detector_keeps_no_state_between_frames(detector):
    (first,) = detector.detect(actor_frame(FACING))
    assert detector.detect(empty_frame()) == []
    detector.detect(actor_frame(TURNED_AWAY))
    (again,) = detector.detect(actor_frame(FACING))
    assert np.allclose(first.bbox_xyxy_px, again.bbox_xyxy_px, atol=1.0)
