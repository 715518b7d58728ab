"""Skeleton overlay: what is drawn and where, on a copy of the image."""

import numpy as np
import pytest
from support.people import HEIGHT, WIDTH, make_person, make_result

from realtime_pose.datatypes import Person, PersonBox, PersonKeypoints
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.skeletons import AP10K17, COCO17, COCO_WHOLEBODY133, LAYOUTS
from realtime_pose.utils.arrays import as_float32


def person_at(points, score=1.0):
    """A person with only the given keypoints visible."""
    xy, scores = np.zeros((17, 2)), np.zeros(17)
    for name, point in points.items():
        xy[COCO17.index[name]], scores[COCO17.index[name]] = point, score
    box = PersonBox(as_float32([20, 30, 120, 160]), 1.0, 7)
    return Person(box, PersonKeypoints(COCO17, as_float32(xy), as_float32(scores), 7, 0), None, None)


def canvas():
    image = np.full((200, 300, 3), 128, np.uint8)
    image.flags.writeable = False
    return image


def test_the_given_image_is_not_changed():
    result = make_result([make_person(1)])
    before = result.frame.image_bgr.copy()
    drawn = draw_skeleton_on_frame(result.frame.image_bgr, result.people, boxes=True)
    np.testing.assert_array_equal(result.frame.image_bgr, before)
    assert drawn.shape == (HEIGHT, WIDTH, 3)
    assert drawn.flags.writeable
    assert np.any(drawn != before)


def test_without_people_the_image_is_equal():
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
    assert left[0] > left[2]  # blue on the person's left, red on their right
    assert right[2] > right[0]


@pytest.mark.parametrize(("score", "drawn"), [(0.29, False), (0.30, True), (0.0, False)])
def test_points_below_the_threshold_and_their_limbs_are_not_drawn(score, drawn):
    person = person_at({"left_shoulder": (50, 50), "left_elbow": (150, 150)}, score)
    out = draw_skeleton_on_frame(canvas(), [person], score_threshold=0.3)
    assert np.any(out != canvas()) == drawn


def test_a_point_of_score_0_is_not_drawn_whatever_the_threshold():
    person = person_at({"nose": (50, 50)}, score=0.0)
    np.testing.assert_array_equal(draw_skeleton_on_frame(canvas(), [person], score_threshold=0.0), canvas())


def test_points_far_outside_or_not_finite_are_skipped():
    person = person_at({"nose": (np.nan, np.inf), "left_eye": (1e12, -1e12), "left_ear": (50_000, -50_000)})
    draw_skeleton_on_frame(canvas(), [person], boxes=True)


def test_the_id_is_written_inside_the_image_even_at_its_edge():
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


def test_lines_grow_with_the_image():
    def thickness(scale):
        image = np.full((200 * scale, 300 * scale, 3), 128, np.uint8)
        person = person_at({"left_shoulder": (50 * scale, 100 * scale), "left_elbow": (250 * scale, 100 * scale)})
        drawn = draw_skeleton_on_frame(image, [person], ids=False)
        return np.count_nonzero(np.any(drawn[:, 150 * scale] != 128, axis=1))

    assert thickness(1) < thickness(6) < thickness(12)


# --- layouts ------------------------------------------------------------------------------------------------------


def whole_person(layout, height_px, at=(20, 20)):
    """All points of a layout on a figure: body, a face of 68 points and two hands, to scale."""
    rng = np.random.default_rng(1)
    xy = np.empty((len(layout.names), 2))
    for row, (part, side) in enumerate(zip(layout.parts, layout.sides, strict=True)):
        left = {"left": 0.62, "right": 0.38, "middle": 0.5}[side]
        if part == "face":
            xy[row] = np.array([0.5, 0.1]) + rng.uniform(-0.06, 0.06, 2)
        elif part == "hand":
            xy[row] = np.array([0.5 + 2.5 * (left - 0.5), 0.5]) + rng.uniform(-0.05, 0.05, 2)
        else:
            xy[row] = (left + rng.uniform(-0.05, 0.05), row / 17 if row < 17 else 1.0)
    xy = xy * [0.5, 1.0] * height_px + at
    score = np.ones(len(layout.names), np.float32)
    box = PersonBox(as_float32([*xy.min(axis=0), *xy.max(axis=0)]), 1.0, 7)
    return Person(box, PersonKeypoints(layout, as_float32(xy), score, 7, 0), None, None)


def drawn_pixels(person, size=(700, 500), rows=None):
    """Number of pixels that the person's drawing covers, with all points or only those of the given rows."""
    image = np.full((*size, 3), 128, np.uint8)
    if rows is not None:
        keep = np.isin(np.arange(len(person.keypoints.layout.names)), rows)
        k = person.keypoints
        person = Person(person.box, PersonKeypoints(k.layout, k.xy_px, as_float32(keep), 7, 0), None, None)
    return np.any(draw_skeleton_on_frame(image, [person], ids=False) != image, axis=2)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("height_px", [20, 600])
def test_every_layout_is_drawn_at_any_size(layout, height_px):
    person = whole_person(layout, height_px)
    assert drawn_pixels(person).any()
    body = [row for row, part in enumerate(layout.parts) if part == "body"]
    assert drawn_pixels(person, rows=body).sum() > (20 if layout is AP10K17 else 50)


def test_hands_and_faces_are_drawn_finer_than_the_body():
    person = whole_person(COCO_WHOLEBODY133, 600)
    layout = COCO_WHOLEBODY133
    links = {part: [r for r, p in enumerate(layout.parts) if p == part] for part in ("body", "hand", "face")}
    xy = person.keypoints.xy_px
    thick = {}
    for part, rows in links.items():
        length = sum(np.hypot(*(xy[a] - xy[b])) for a, b in layout.links if a in rows and b in rows)
        thick[part] = drawn_pixels(person, rows=rows).sum() / length
    assert thick["face"] < thick["body"] / 2
    assert thick["hand"] < thick["body"] / 1.5


def test_a_small_face_is_drawn_with_cocos_points():
    face = [row for row, part in enumerate(COCO_WHOLEBODY133.parts) if part == "face"]
    assert drawn_pixels(whole_person(COCO_WHOLEBODY133, 600), rows=face).any()
    assert not drawn_pixels(whole_person(COCO_WHOLEBODY133, 30), rows=face).any()
    tiny = whole_person(COCO_WHOLEBODY133, 30)
    assert drawn_pixels(tiny, rows=range(5)).any()


def test_the_bodys_eyes_and_nose_do_not_cover_the_face():
    person = whole_person(COCO_WHOLEBODY133, 600)
    with_face = drawn_pixels(person, rows=[*range(5), *range(23, 91)])
    face_alone = drawn_pixels(person, rows=range(23, 91))
    assert (with_face & ~face_alone).sum() < 0.6 * drawn_pixels(person, rows=range(5)).sum()


def test_a_person_who_is_small_in_the_image_has_thinner_lines():
    def thickness(height_px):
        person = person_at({"left_shoulder": (300, 100), "left_hip": (300, 100 + height_px)})
        image = np.full((1080, 1920, 3), 128, np.uint8)
        drawn = draw_skeleton_on_frame(image, [person], ids=False)
        return np.count_nonzero(np.any(drawn[100 + height_px // 2] != 128, axis=1))

    assert thickness(40) < thickness(120) < thickness(600) == thickness(900)
