"""Boxes from keypoints, their overlap, and one body found twice."""

import numpy as np
import pytest
from support.actor_frames import empty_frame

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.inference.tracking import box_of_keypoints, intersection_over_union
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

FRAME = empty_frame()
WIDTH, HEIGHT = FRAME.width, FRAME.height


def box(left, top, right, bottom, score=0.9, track_id=-1):
    return PersonBox(as_float32([left, top, right, bottom]), score, track_id)


def keypoints_in(left, top, right, bottom, track_id=1, score=0.9, seed=0):
    """Seventeen keypoints whose outermost ones are on these borders."""
    xy = np.random.default_rng(seed).uniform(0, 1, (17, 2))
    xy[:2] = [[0, 0], [1, 1]]
    xy = xy * [right - left, bottom - top] + [left, top]
    return PersonKeypoints(COCO17, as_float32(xy), np.full(17, score, np.float32), track_id, 0)


# --- the box of keypoints -----------------------------------------------------------------------------------------


def test_the_box_has_room_about_the_keypoints_by_the_longer_side():
    found = box_of_keypoints(keypoints_in(200, 100, 260, 300, track_id=7), 0.3, WIDTH, HEIGHT)
    assert np.allclose(found.bbox_xyxy_px, [200 - 30, 100 - 30, 260 + 30, 300 + 30])  # 15 % of 200
    assert found.track_id == 7
    assert found.score == pytest.approx(0.9)


def test_the_box_stays_inside_the_picture():
    found = box_of_keypoints(keypoints_in(-50, 10, 700, 470), 0.3, WIDTH, HEIGHT)
    assert found.bbox_xyxy_px.tolist() == [0, 0, WIDTH, HEIGHT]


def test_keypoints_that_were_not_seen_do_not_count():
    xy = keypoints_in(200, 100, 260, 300).xy_px.copy()
    score = np.full(17, 0.9, np.float32)
    xy[5:9], score[5:9] = [[1, 1], [639, 479], [-9999, 5], [np.nan, np.nan]], [0.29, 0.1, 0.0, 0.9]
    found = box_of_keypoints(PersonKeypoints(COCO17, xy, score, 1, 0), 0.3, WIDTH, HEIGHT)
    assert np.allclose(found.bbox_xyxy_px, [170, 70, 290, 330])
    assert found.score == pytest.approx(0.9)


@pytest.mark.parametrize(("seen", "is_found"), [(0, False), (3, False), (4, True), (17, True)])
def test_a_few_keypoints_are_no_person(seen, is_found):
    score = np.zeros(17, np.float32)
    score[:seen] = 0.3  # the threshold itself counts as seen
    person = PersonKeypoints(COCO17, keypoints_in(200, 100, 260, 300).xy_px, score, 1, 0)
    assert (box_of_keypoints(person, 0.3, WIDTH, HEIGHT) is not None) == is_found


def test_keypoints_in_one_spot_still_have_a_box_with_an_area():
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
