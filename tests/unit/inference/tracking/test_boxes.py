"""Boxes around keypoints, their overlap, and the removal of duplicates."""

import numpy as np
import pytest
from support.actor_frames import empty_frame

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.inference.tracking.boxes import (
    box_of_keypoints,
    boxes_of_keypoints,
    intersection_over_union,
    one_per_body,
    person_boxes,
)
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

FRAME = empty_frame()
WIDTH, HEIGHT = FRAME.width, FRAME.height


def box(left, top, right, bottom, score=0.9, track_id=-1):
    return PersonBox(as_float32([left, top, right, bottom]), score, track_id)


def keypoints_in(left, top, right, bottom, track_id=1, score=0.9, seed=0):
    """17 keypoints that reach to these borders."""
    xy = np.random.default_rng(seed).uniform(0, 1, (17, 2))
    xy[:2] = [[0, 0], [1, 1]]
    xy = xy * [right - left, bottom - top] + [left, top]
    return PersonKeypoints(COCO17, as_float32(xy), np.full(17, score, np.float32), track_id, 0)


# --- the box of keypoints -----------------------------------------------------------------------------------------


def test_the_margin_of_the_box_is_a_share_of_the_longer_side():
    found = box_of_keypoints(keypoints_in(200, 100, 260, 300, track_id=7), 0.3, WIDTH, HEIGHT)
    assert np.allclose(found.bbox_xyxy_px, [200 - 30, 100 - 30, 260 + 30, 300 + 30])  # 15 % of 200
    assert found.track_id == 7
    assert found.score == pytest.approx(0.9)


def test_the_box_stays_inside_the_image():
    found = box_of_keypoints(keypoints_in(-50, 10, 700, 470), 0.3, WIDTH, HEIGHT)
    assert found.bbox_xyxy_px.tolist() == [0, 0, WIDTH, HEIGHT]


def test_occluded_keypoints_do_not_count():
    xy = keypoints_in(200, 100, 260, 300).xy_px.copy()
    score = np.full(17, 0.9, np.float32)
    xy[5:9], score[5:9] = [[1, 1], [639, 479], [-9999, 5], [np.nan, np.nan]], [0.29, 0.1, 0.0, 0.9]
    found = box_of_keypoints(PersonKeypoints(COCO17, xy, score, 1, 0), 0.3, WIDTH, HEIGHT)
    assert np.allclose(found.bbox_xyxy_px, [170, 70, 290, 330])
    assert found.score == pytest.approx(0.9)


@pytest.mark.parametrize(("seen", "is_found"), [(0, False), (3, False), (4, True), (17, True)])
def test_a_few_keypoints_are_no_person(seen, is_found):
    score = np.zeros(17, np.float32)
    score[:seen] = 0.3  # the threshold itself counts as visible
    person = PersonKeypoints(COCO17, keypoints_in(200, 100, 260, 300).xy_px, score, 1, 0)
    assert (box_of_keypoints(person, 0.3, WIDTH, HEIGHT) is not None) == is_found


def test_keypoints_at_one_point_have_a_box_with_an_area():
    found = box_of_keypoints(keypoints_in(300, 200, 300, 200), 0.3, WIDTH, HEIGHT).bbox_xyxy_px
    assert found[2] > found[0]
    assert found[3] > found[1]


# --- overlap ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (5, 5, 15, 15), 25 / 175),
        ((0, 0, 10, 10), (2, 2, 4, 7), 0.1),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),  # right is exclusive: they only touch
        ((0, 0, 10, 10), (50, 50, 60, 60), 0.0),
        ((0, 0, 10, 10), (20, -20, 30, -10), 0.0),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),
    ],
)
def test_intersection_over_union(a, b, share):
    a, b = as_float32([a]), as_float32([b, (900, 900, 910, 910)])
    assert intersection_over_union(a, b) == pytest.approx(np.array([[share, 0]]))
    assert intersection_over_union(b, a) == pytest.approx(np.array([[share], [0]]))


def test_boxes_of_many_are_the_boxes_of_each():
    people = [keypoints_in(100 * i, 20 * i, 100 * i + 60, 300, i, seed=i) for i in range(5)]
    people.append(keypoints_in(0, 0, 60, 200, 5, score=0.1))  # occluded
    people.append(keypoints_in(-500, 0, -300, 200, 6))  # outside
    boxes, scores, found = boxes_of_keypoints(people, 0.3, WIDTH, HEIGHT)
    assert found.tolist() == [True] * 5 + [False] * 2
    for person, box_px, score in zip(people[:5], boxes, scores, strict=False):
        alone = box_of_keypoints(person, 0.3, WIDTH, HEIGHT)
        assert np.allclose(alone.bbox_xyxy_px, box_px)
        assert alone.score == pytest.approx(score)
    assert [len(part) for part in boxes_of_keypoints([], 0.3, WIDTH, HEIGHT)] == [0, 0, 0]


def test_detections_are_sorted_and_clipped_to_the_image():
    boxes = np.array([[10, 20, 30, 40], [-5, -5, 9999, 9999], [700, 10, 800, 60]], float)
    found = person_boxes(boxes, np.array([0.4, 0.7, 0.9]), 640, 480)
    assert [(b.bbox_xyxy_px.tolist(), b.score) for b in found] == [([0, 0, 640, 480], 0.7), ([10, 20, 30, 40], 0.4)]
    assert person_boxes(np.zeros((0, 4)), np.zeros(0), 640, 480) == []


# --- duplicates -------------------------------------------------------------------------------------------------------


def shaken(person, track_id, by_px, seed=1):
    """The same body as another run of the estimator sees it."""
    xy = person.xy_px + np.random.default_rng(seed).normal(0, by_px, (17, 2))
    return PersonKeypoints(COCO17, as_float32(xy), person.score.copy(), track_id, 0)


BODY = keypoints_in(200, 100, 300, 400, 1, seed=3)


def test_the_person_whose_box_fits_the_body_is_kept():
    again = shaken(BODY, 2, by_px=5)
    right, wrong = box(160, 60, 340, 440), box(280, 80, 420, 420)
    assert one_per_body([right, wrong], [BODY, again], (), 0.3) == [BODY]
    assert one_per_body([wrong, right], [BODY, again], (), 0.3) == [again]


def test_a_known_person_is_kept_over_a_new_one():
    again = shaken(BODY, 2, by_px=5)
    right, wrong = box(160, 60, 340, 440), box(280, 80, 420, 420)
    assert one_per_body([right, wrong], [BODY, again], {2}, 0.3) == [again]
    assert one_per_body([right, wrong], [BODY, again], {1, 2}, 0.3) == [BODY]


def test_two_bodies_stay_two_even_close_together():
    other = keypoints_in(230, 110, 330, 410, 2, seed=4)
    assert one_per_body([box(160, 60, 340, 440), box(190, 70, 370, 450)], [BODY, other], (), 0.3) == [BODY, other]


def test_occluded_keypoints_make_no_duplicates():
    """A body that is hardly visible is no duplicate."""
    faint = PersonKeypoints(COCO17, BODY.xy_px.copy(), np.full(17, 0.1, np.float32), 2, 0)
    assert one_per_body([box(160, 60, 340, 440)] * 2, [BODY, faint], (), 0.3) == [BODY, faint]


def test_of_three_on_one_body_one_is_kept_and_the_order_stays():
    far = keypoints_in(450, 100, 550, 400, 9)
    people = [shaken(BODY, 5, 4, seed=5), far, BODY, shaken(BODY, 6, 4, seed=6)]
    boxes = [box(300, 60, 400, 440), box(430, 60, 570, 440), box(160, 60, 340, 440), box(100, 60, 210, 440)]
    assert one_per_body(boxes, people, (), 0.3) == [far, BODY]
    assert one_per_body([], [], (), 0.3) == []
    assert one_per_body(boxes[:1], [BODY], (), 0.3) == [BODY]
