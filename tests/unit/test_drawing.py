"""What is drawn, where, and that the caller's picture stays as it was."""

import numpy as np
import pytest
from support.people import HEIGHT, WIDTH, make_person, make_result

from realtime_pose.datatypes import Person, PersonBox, PersonKeypoints
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32


def person_at(points, score=1.0):
    """A person of whom only the given keypoints are seen."""
    xy, scores = np.zeros((17, 2)), np.zeros(17)
    for name, point in points.items():
        xy[COCO17.index[name]], scores[COCO17.index[name]] = point, score
    box = PersonBox(as_float32([20, 30, 120, 160]), 1.0, 7)
    return Person(box, PersonKeypoints(COCO17, as_float32(xy), as_float32(scores), 7, 0), None, None)


def canvas():
    image = np.full((200, 300, 3), 128, np.uint8)
    image.flags.writeable = False
    return image


def test_the_callers_picture_stays_as_it_was():
    result = make_result([make_person(1)])
    before = result.frame.image_bgr.copy()
    drawn = draw_skeleton_on_frame(result.frame.image_bgr, result.people, boxes=True)
    np.testing.assert_array_equal(result.frame.image_bgr, before)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert drawn.flags.writeable
    assert np.any(drawn != before)


def test_nobody_leaves_an_equal_picture():
    np.testing.assert_array_equal(draw_skeleton_on_frame(canvas(), []), canvas())


def test_left_right_and_midline_have_different_colours():
    person = person_at(
        {
            "left_shoulder": (200, 50),
            "left_elbow": (200, 150),
            "right_shoulder": (100, 50),
            "right_elbow": (100, 150),
        }
    )
    drawn = draw_skeleton_on_frame(canvas(), [person], ids=False)
    left, right, middle = (tuple(int(v) for v in drawn[y, x]) for x, y in ((200, 100), (100, 100), (150, 50)))
    assert len({left, right, middle, (128, 128, 128)}) == 4
    assert left[0] > left[2]  # blue rules on the person's left, red on their right
    assert right[2] > right[0]


@pytest.mark.parametrize(("score", "drawn"), [(0.29, False), (0.30, True), (0.0, False)])
def test_points_below_the_threshold_and_their_limbs_are_not_drawn(score, drawn):
    person = person_at({"left_shoulder": (50, 50), "left_elbow": (150, 150)}, score)
    out = draw_skeleton_on_frame(canvas(), [person], score_threshold=0.3)
    assert np.any(out != canvas()) == drawn


def test_a_point_of_score_0_is_not_drawn_whatever_the_threshold():
    person = person_at({"nose": (50, 50)}, score=0.0)
    np.testing.assert_array_equal(draw_skeleton_on_frame(canvas(), [person], score_threshold=0.0), canvas())


def test_points_far_outside_and_points_without_a_place_do_no_harm():
    person = person_at({"nose": (np.nan, np.inf), "left_eye": (1e12, -1e12), "left_ear": (50_000, -50_000)})
    draw_skeleton_on_frame(canvas(), [person], boxes=True)


def test_the_name_is_written_inside_the_picture_even_at_its_edge():
    person = person_at({"nose": (299, 1)})
    without = draw_skeleton_on_frame(canvas(), [person], ids=False)
    with_id = draw_skeleton_on_frame(canvas(), [person])
    rows, columns = np.nonzero(np.any(with_id != without, axis=2))
    assert rows.size > 100  # a tag with a number on it
    assert rows.max() < 60
    assert columns.min() > 200


def test_boxes_are_drawn_when_asked():
    person = person_at({})
    out = draw_skeleton_on_frame(canvas(), [person], boxes=True)
    assert np.any(out[30, 60:80] != 128)
    np.testing.assert_array_equal(draw_skeleton_on_frame(canvas(), [person]), canvas())


def test_lines_grow_with_the_picture():
    def thickness(scale):
        image = np.full((200 * scale, 300 * scale, 3), 128, np.uint8)
        person = person_at({"left_shoulder": (50 * scale, 100 * scale), "left_elbow": (250 * scale, 100 * scale)})
        drawn = draw_skeleton_on_frame(image, [person], ids=False)
        return np.count_nonzero(np.any(drawn[:, 150 * scale] != 128, axis=1))

    assert thickness(1) < thickness(6) < thickness(12)
