"""BlazePose on the actor, whose ground truth is known: positions, sides, scores, ids, and several people."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.actor_frames import FACING, TURNED_AWAY, actor_frame, actor_truth, empty_frame

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS
from realtime_pose.utils.arrays import as_float32

NEAR_PX = 25.0
BODY = COCO17_FEET_HANDS.rows([name for name in COCO17.names if name.startswith(("left", "right"))][4:])
everyones_view = pytest.mark.parametrize("index", [FACING, TURNED_AWAY], ids=["facing", "turned away"])


@pytest.fixture(scope="module")
def started():
    return BlazePoseEstimator(InferenceConfig())


@pytest.fixture
def estimator(started):
    """An estimator that knows nobody."""
    started.reset()
    return started


@pytest.fixture(scope="module")
def detector():
    return BlazePoseDetector(InferenceConfig(persons=3))


def truth_px(index):
    return actor_truth().keypoints_px[index]


def box_of(xy_px, track_id=1, margin=20):
    return PersonBox(as_float32([*(xy_px.min(axis=0) - margin), *(xy_px.max(axis=0) + margin)]), 0.9, track_id)


def shifted(xy_px, right_px):
    return xy_px + np.array([right_px, 0])


def distance_px(found, index):
    return np.linalg.norm(found.xy_px - truth_px(index), axis=-1)


def moved(image, right_px):
    """The image, moved to the right; its left edge repeats."""
    shift = np.array([[1, 0, right_px], [0, 1, 0]], float)
    return cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def two_people(index=FACING, apart_px=480):
    """The actor twice in one wide image."""
    image = actor_frame(index).image_bgr
    wide = np.hstack([image[:, :apart_px], image])
    return Frame(np.ascontiguousarray(wide), index, actor_frame(index).time_ns, 0)


# --- the estimator ------------------------------------------------------------------------------------------------


@everyones_view
def test_a_person_is_found_where_they_are(estimator, index):
    (person,) = estimator.estimate(actor_frame(index), [box_of(truth_px(index))])
    assert person.layout is COCO17_FEET_HANDS
    assert person.time_ns == actor_frame(index).time_ns
    assert distance_px(person, index).max() < NEAR_PX
    assert np.median(distance_px(person, index)) < 8


@everyones_view
def test_left_and_right_are_the_persons_own(estimator, index):
    (person,) = estimator.estimate(actor_frame(index), [box_of(truth_px(index))])
    swapped = np.linalg.norm(person.xy_px[list(COCO17_FEET_HANDS.mirror)] - truth_px(index), axis=-1)
    assert (distance_px(person, index)[BODY] < swapped[BODY]).all()
    shoulders = person.xy_px[COCO17_FEET_HANDS.rows(["left_shoulder", "right_shoulder"]), 0]
    assert (shoulders[0] > shoulders[1]) == (index == FACING)  # who faces us has their left on our right


def test_scores_are_between_0_and_1_and_high_for_who_is_in_full_view(estimator):
    (person,) = estimator.estimate(actor_frame(FACING), [box_of(truth_px(FACING))])
    assert ((person.score >= 0) & (person.score <= 1)).all()
    assert person.score[BODY].min() > 0.5


def test_nobody_is_invented_in_a_box_without_a_person(estimator):
    corner = PersonBox(np.array([560, 0, 640, 80], np.float32), 0.9, 7)
    wall = PersonBox(np.array([100, 50, 400, 450], np.float32), 0.9, 8)
    (nobody,) = estimator.estimate(empty_frame(), [wall])
    assert nobody.track_id == 8
    assert not nobody.score.any()
    (nobody,) = estimator.estimate(actor_frame(FACING), [corner])
    assert not nobody.score.any()


def test_a_person_who_leaves_is_let_go_at_once_and_found_again(estimator):
    box = box_of(truth_px(FACING))
    assert estimator.estimate(actor_frame(FACING), [box])[0].score.any()
    assert not estimator.estimate(empty_frame(1), [box])[0].score.any()
    assert estimator.bodies == {}
    assert estimator.estimate(actor_frame(FACING), [box])[0].score.any()


def test_points_do_not_stick_to_where_a_person_was(estimator):
    """The box says who is where, and the last points only how they are turned."""
    frame = actor_frame(FACING)
    estimator.estimate(frame, [box_of(truth_px(FACING))])
    there = shifted(truth_px(FACING), 260)
    (person,) = estimator.estimate(Frame(moved(frame.image_bgr, 260), 1, 10**8, 0), [box_of(there)])
    assert np.median(np.linalg.norm(person.xy_px - there, axis=1)) < 8


def test_two_people_keep_their_ids_when_their_boxes_change_places(estimator):
    frame, left = two_people(), truth_px(FACING)
    boxes = [box_of(left, 5), box_of(shifted(left, 480), 9)]
    for order in (boxes, boxes[::-1], boxes):
        people = estimator.estimate(frame, order)
        assert [person.track_id for person in people] == [box.track_id for box in order]
        for person in people:
            wanted = left if person.track_id == 5 else shifted(left, 480)
            assert np.median(np.linalg.norm(person.xy_px - wanted, axis=1)) < 8
    swapped = [replace(box, track_id=14 - box.track_id) for box in boxes]  # the tracker undid a swap of ids
    for person, box in zip(estimator.estimate(frame, swapped), swapped, strict=True):
        wanted = left if box.track_id == 9 else shifted(left, 480)
        assert np.median(np.linalg.norm(person.xy_px - wanted, axis=1)) < 8


def test_a_box_that_no_detection_fits_is_looked_at_itself(estimator, monkeypatch):
    monkeypatch.setattr(estimator._finder, "find", lambda image: [])
    (person,) = estimator.estimate(actor_frame(FACING), [box_of(truth_px(FACING))])
    assert np.median(distance_px(person, FACING)) < 8


def test_a_head_in_close_up_is_followed_by_the_whole_body_below_it(estimator, detector):
    """Their box is small, and the region that the model needs is not."""
    shoulders = truth_px(FACING)[COCO17_FEET_HANDS.index["left_shoulder"], 1]
    image = cv2.resize(actor_frame(FACING).image_bgr[: int(shoulders)], None, fx=2, fy=2)
    head = Frame(image, 0, 0, 0)
    (box,) = detector.detect(head)
    (person,) = estimator.estimate(head, [replace(box, track_id=1)])
    assert person.score[:5].min() > 0.5
    assert estimator._followed[1].region.size_px > 2 * np.ptp(box.bbox_xyxy_px[1::2])


def test_pixels_are_those_of_the_image_at_any_size(estimator, detector):
    frame = actor_frame(FACING)
    wide = cv2.copyMakeBorder(cv2.resize(frame.image_bgr, (960, 720)), 0, 0, 240, 80, cv2.BORDER_REPLICATE)
    larger = Frame(wide, 0, 0, 0)
    (person,) = estimator.estimate(larger, detector.detect(larger))
    expected = truth_px(FACING) * 1.5 + [240, 0]
    assert np.linalg.norm(person.xy_px - expected, axis=-1).max() < 1.5 * NEAR_PX


def test_points_outside_the_image_have_score_0(estimator, detector):
    knees = truth_px(FACING)[COCO17_FEET_HANDS.index["left_knee"], 1]
    cut = Frame(np.ascontiguousarray(actor_frame(FACING).image_bgr[: int(knees) - 10]), 0, 0, 0)
    (person,) = estimator.estimate(cut, detector.detect(cut))
    outside = (person.xy_px < 0).any(axis=1) | (person.xy_px > [640, cut.height]).any(axis=1)
    assert outside[COCO17_FEET_HANDS.rows(["left_ankle", "right_ankle"])].all()
    assert (person.score[outside] == 0).all()
    assert person.score[COCO17_FEET_HANDS.index["left_shoulder"]] > 0.5


def test_a_person_below_the_score_threshold_is_dropped():
    strict = BlazePoseEstimator(replace(InferenceConfig(), score_threshold=1.0))
    (person,) = strict.estimate(actor_frame(FACING), [box_of(truth_px(FACING))])
    assert not person.score.any()


def test_a_followed_person_may_score_low_for_four_frames(estimator, monkeypatch):
    frame, box = actor_frame(FACING), box_of(truth_px(FACING))
    estimator.estimate(frame, [box])
    look = estimator._landmarks.read

    def faint(image, region):
        body = look(image, region)
        return replace(body, score=as_float32(body.score * (np.arange(27) % 2)))

    monkeypatch.setattr(estimator._landmarks, "read", faint)
    monkeypatch.setattr(estimator, "_threshold", 0.6)  # some points stay visible, and their mean does not
    found = [bool(estimator.estimate(frame, [box])[0].score.any()) for _ in range(6)]
    assert found == [True] * 4 + [False] * 2


@pytest.mark.parametrize("size", [(1, 1), (2, 500), (500, 2)], ids=str)
def test_images_of_odd_shapes_have_no_people(estimator, detector, size):
    frame = empty_frame(0, *size)
    assert detector.detect(frame) == []
    whole = PersonBox(as_float32([0, 0, *size]), 0.9, 1)
    assert not estimator.estimate(frame, [whole])[0].score.any()


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_frames_have_no_people(detector, level):
    assert detector.detect(Frame(np.full((480, 640, 3), level, np.uint8), 0, 0, 0)) == []


def test_a_box_without_area_or_outside_the_frame_has_no_person(estimator):
    for xyxy in ([10, 10, 10, 90], [900, 0, 990, 400], [np.nan, 0, 50, 50]):
        assert not estimator.estimate(actor_frame(FACING), [PersonBox(as_float32(xyxy), 0.9, 1)])[0].score.any()


QUIET = """
import sys
from support.actor_frames import actor_frame, empty_frame
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
estimator, detector = BlazePoseEstimator(InferenceConfig()), BlazePoseDetector(InferenceConfig())
found = [len(estimator.estimate(frame, detector.detect(frame))) for frame in (empty_frame(), actor_frame(0))]
estimator.close()
print(found, "mediapipe" in sys.modules)
print("mine", file=sys.stderr)
"""


def test_nothing_foreign_appears_on_the_terminal_and_mediapipe_is_not_imported(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    command = [sys.executable, "-c", QUIET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[0, 1] False\n", "mine\n")


# --- with the tracker -----------------------------------------------------------------------------------------------


def followed(estimator, detector, images, config):
    """The ids of each frame, as the pipeline finds them."""
    tracker, last, answers = PeopleTracker(config), [], []
    for index, image in enumerate(images):
        frame = Frame(image, index, index * 33_333_333, 0)
        detections = detector.detect(frame) if len(last) < config.persons or index % 30 == 0 else []
        boxes = tracker.update(frame, detections, last)
        last = [person for person in tracker.choose(boxes, estimator.estimate(frame, boxes)) if person.score.any()]
        answers.append({person.track_id: person for person in last})
        tracker.update_lifetimes(list(answers[-1]), frame.time_ns)
    return answers


def test_a_person_who_jumps_across_the_frame_is_found_within_10_frames(estimator, detector):
    """As at the seam of a looped clip: the last points must not stick to the background."""
    image = actor_frame(FACING).image_bgr
    images = [image] * 3 + [moved(image, 280)] * 10
    answers = followed(estimator, detector, images, InferenceConfig())
    (last,) = answers[-1].values()
    assert np.median(np.linalg.norm(last.xy_px - truth_px(FACING) - [280, 0], axis=1)) < 8


def test_two_people_are_followed_at_once(estimator, detector):
    config = InferenceConfig(persons=2)
    images = [two_people(index).image_bgr for index in range(6)]
    answers = followed(estimator, detector, images, config)
    assert [len(answer) for answer in answers] == [2] * 6
    assert {tuple(sorted(answer)) for answer in answers} == {(1, 2)}


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


def test_each_of_two_people_has_one_box(detector):
    found = sorted(box.bbox_xyxy_px[0] for box in detector.detect(two_people()))
    assert len(found) == 2
    assert abs(found[1] - found[0] - 480) < 30


def test_people_far_apart_in_a_wide_image_are_found(detector):
    """The network alone, which sees a frame of 3200x480 as one of 224x34, finds nobody there."""
    image = actor_frame(FACING).image_bgr
    wall = np.repeat(image[:, :1], 1920, axis=1)
    frame = Frame(np.hstack([image, wall, image]), 0, 0, 0)
    assert BlazePoseDetector(InferenceConfig()).detect(frame) == []
    found = sorted(box.bbox_xyxy_px[0] for box in detector.detect(frame))
    assert len(found) == 2
    assert abs(found[1] - found[0] - 2560) < 30


def test_the_detector_keeps_no_state_between_frames(detector):
    (first,) = detector.detect(actor_frame(FACING))
    assert detector.detect(empty_frame()) == []
    detector.detect(actor_frame(TURNED_AWAY))
    (again,) = detector.detect(actor_frame(FACING))
    assert np.array_equal(first.bbox_xyxy_px, again.bbox_xyxy_px)
