"""Track ids over time, and the boxes to estimate."""

from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import empty_frame

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.inference.tracking.people import PeopleTracker
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


def make_tracker(persons=5):
    return PeopleTracker(replace(InferenceConfig(), persons=persons))


def corners(found):
    return [person.bbox_xyxy_px.tolist() for person in found]


def ids(found):
    return [person.track_id for person in found]


# --- ids --------------------------------------------------------------------------------------------------------------


def test_no_detections_are_no_people():
    assert make_tracker().update(FRAME, [], []) == []


def test_new_people_get_ids_of_their_own_best_detection_first():
    found = make_tracker().update(FRAME, [box(0, 0, 100, 200, 0.9), box(300, 0, 400, 200, 0.5)], [])
    assert corners(found) == [[0, 0, 100, 200], [300, 0, 400, 200]]
    assert len(set(ids(found))) == 2
    assert -1 not in ids(found)
    assert [person.score for person in found] == [0.9, 0.5]


def test_ids_stay_with_their_people_as_they_walk_past_each_other():
    tracker = make_tracker()
    left, right = ids(tracker.update(FRAME, [box(0, 0, 100, 200), box(400, 0, 500, 200)], []))
    for step in range(20):
        people = [
            keypoints_in(20 * step, 50, 60 + 20 * step, 250, left),
            keypoints_in(420 - 20 * step, 50, 460 - 20 * step, 250, right),
        ]
        assert ids(tracker.update(FRAME, [], people)) == [left, right]


def test_a_detection_of_a_followed_person_is_no_new_person():
    tracker = make_tracker()
    (track_id,) = ids(tracker.update(FRAME, [box(170, 70, 290, 330)], []))
    found = tracker.update(FRAME, [box(160, 90, 280, 340)], [keypoints_in(200, 100, 260, 300, track_id)])
    assert ids(found) == [track_id]
    assert np.allclose(found[0].bbox_xyxy_px, [170, 70, 290, 330])  # the box comes from keypoints, not from detections


def test_a_detection_elsewhere_is_a_new_person_after_the_followed_ones():
    tracker = make_tracker()
    (track_id,) = ids(tracker.update(FRAME, [box(170, 70, 290, 330)], []))
    people = [keypoints_in(200, 100, 260, 300, track_id)]
    found = tracker.update(FRAME, [box(450, 80, 560, 320), box(168, 72, 292, 333)], people)
    assert ids(found)[0] == track_id
    assert len(found) == 2
    assert ids(found)[1] not in (track_id, -1)
    assert corners(found)[1] == [450, 80, 560, 320]


def test_of_two_side_by_side_each_detection_goes_to_its_own_person():
    tracker = make_tracker()
    one, other = ids(tracker.update(FRAME, [box(100, 70, 220, 330), box(160, 70, 280, 330)], []))
    people = [keypoints_in(130, 100, 190, 300, one), keypoints_in(190, 100, 250, 300, other)]
    # the first detection overlaps both, but the second fits the second better
    assert ids(tracker.update(FRAME, [box(115, 70, 235, 330), box(160, 70, 280, 330)], people)) == [one, other]


def test_a_new_person_is_found_where_the_followed_one_is_not_detected():
    tracker = make_tracker()
    (track_id,) = ids(tracker.update(FRAME, [box(170, 70, 290, 330)], []))
    found = tracker.update(FRAME, [box(280, 70, 400, 330)], [keypoints_in(200, 100, 260, 300, track_id)])
    assert ids(found)[0] == track_id
    assert corners(found)[1:] == [[280, 70, 400, 330]]


def test_the_best_fits_are_assigned():
    tracker = make_tracker()
    one, other = ids(tracker.update(FRAME, [box(100, 70, 220, 330), box(160, 70, 280, 330)], []))
    people = [keypoints_in(130, 100, 190, 300, one), keypoints_in(190, 100, 250, 300, other)]
    # the first is exactly `one`, though it overlaps `other`; the second overlaps `one` a little, `other` too little
    found = tracker.update(FRAME, [box(100, 70, 220, 330), box(40, 70, 160, 330)], people)
    assert ids(found)[:2] == [one, other]
    assert corners(found)[2:] == [[40, 70, 160, 330]]


def test_a_person_half_behind_a_followed_one_is_new():
    tracker = make_tracker()
    (track_id,) = ids(tracker.update(FRAME, [box(170, 70, 290, 330)], []))
    people = [keypoints_in(200, 100, 260, 300, track_id)]
    assert len(tracker.update(FRAME, [box(170, 70, 290, 330), box(220, 70, 340, 330)], people)) == 2


def test_ids_are_never_used_twice():
    tracker, seen = make_tracker(), set()
    for step in range(10):
        (track_id,) = ids(tracker.update(FRAME, [box(10 * step, 0, 10 * step + 90, 200)], []))
        assert track_id not in seen
        seen.add(track_id)
        assert tracker.update(FRAME, [], []) == []
        tracker.forget(track_id)


def test_a_person_without_visible_keypoints_is_not_returned():
    tracker = make_tracker()
    (track_id,) = ids(tracker.update(FRAME, [box(170, 70, 290, 330)], []))
    assert tracker.update(FRAME, [], [keypoints_in(200, 100, 260, 300, track_id, score=0.1)]) == []


@pytest.mark.parametrize("persons", [1, 2, 3])
def test_at_most_this_many_people_are_followed(persons):
    tracker = make_tracker(persons)
    detections = [box(150 * i, 0, 150 * i + 100, 200, 0.9 - 0.1 * i) for i in range(4)]
    found = tracker.update(FRAME, detections, [])[:persons]
    assert corners(found) == corners(detections[:persons])  # the best ones
    people = [keypoints_in(150 * i + 30, 30, 150 * i + 70, 170, track_id) for i, track_id in enumerate(ids(found))]
    boxes = tracker.update(FRAME, detections, people)
    assert ids(tracker.choose(boxes, seen_in(boxes))) == ids(found)
    # a person without keypoints for a frame keeps their slot
    boxes = tracker.update(FRAME, detections, people[1:])
    assert ids(boxes)[:persons] == [*ids(found)[1:], ids(found)[0]]
    assert corners(boxes)[persons - 1] == corners(detections)[0]
    assert {person.track_id for person in tracker.choose(boxes, seen_in(boxes))} == set(ids(found))


# --- lost and found -----------------------------------------------------------------------------------------------


def seen_in(found, seed=0):
    """Keypoints of everyone in `found`, whose boxes are those of the detections."""
    return [keypoints_in(*np.add(b.bbox_xyxy_px, [15, 25, -15, -25]), b.track_id, seed=seed) for b in found]


def lose(tracker, *detections):
    """The ids of people who were detected, visible, and then lost."""
    track_ids = ids(tracker.update(FRAME, [], seen_in(tracker.update(FRAME, detections, []))))
    for _ in range(3):
        assert tracker.update(FRAME, [], []) == []
    return track_ids


def test_a_person_who_returns_where_they_were_lost_keeps_the_id():
    tracker = make_tracker()
    left, right = lose(tracker, box(0, 0, 100, 200), box(400, 0, 500, 200))
    assert ids(tracker.update(FRAME, [box(410, 10, 510, 210), box(10, 0, 110, 200)], [])) == [right, left]


def test_with_several_people_one_who_appears_elsewhere_is_new():
    tracker = make_tracker()
    track_ids = lose(tracker, box(0, 0, 100, 200))
    (found,) = ids(tracker.update(FRAME, [box(400, 0, 500, 200)], []))
    assert found not in track_ids
    assert ids(tracker.update(FRAME, [box(0, 0, 100, 200)], [])) == track_ids  # still known


def test_a_single_person_keeps_the_id_wherever_they_return():
    tracker = make_tracker(persons=1)
    track_ids = lose(tracker, box(0, 0, 100, 200))
    assert ids(tracker.update(FRAME, [box(500, 200, 600, 400)], [])) == track_ids


def test_a_single_person_keeps_the_id_however_long_they_are_missing():
    tracker = make_tracker(1)
    (track_id,) = lose(tracker, box(0, 0, 100, 200))
    for i in range(0, 3000, 100):
        assert tracker.update(empty_frame(i), [], []) == []
    assert ids(tracker.update(empty_frame(3000), [box(500, 200, 600, 400)], [])) == [track_id]


def test_with_several_people_one_who_was_missing_for_long_gets_a_new_id():
    tracker = make_tracker(2)
    track_ids = lose(tracker, box(0, 0, 100, 200))
    tracker.update(empty_frame(3000), [], [])
    assert ids(tracker.update(empty_frame(3001), [box(0, 0, 100, 200)], []))[0] not in track_ids


def test_a_lost_id_is_assigned_to_one_person_only():
    tracker = make_tracker()
    (track_id,) = lose(tracker, box(100, 0, 200, 200))
    found = ids(tracker.update(FRAME, [box(100, 0, 200, 200), box(110, 0, 210, 200)], []))
    assert found[0] == track_id
    assert len(set(found)) == 2


def test_a_person_forgotten_while_lost_returns_with_a_new_id():
    for persons in (1, 5):
        tracker = make_tracker(persons)
        track_ids = lose(tracker, box(100, 0, 200, 200))
        tracker.forget(track_ids[0])
        assert ids(tracker.update(FRAME, [box(100, 0, 200, 200)], []))[0] not in track_ids


# --- smoothing ----------------------------------------------------------------------------------------------------


def fresh_box(keypoints):
    return box_of_keypoints(keypoints, 0.3, WIDTH, HEIGHT).bbox_xyxy_px


def test_jitter_of_the_box_is_reduced():
    tracker, widths, raw = make_tracker(), [], []
    for step in range(40):
        tremble = 4 * (-1) ** step
        person = keypoints_in(200, 100, 260 + tremble, 300)
        found = tracker.update(FRAME, [], [person])[0].bbox_xyxy_px
        widths.append(found[2] - found[0])
        raw.append(fresh_box(person)[2] - fresh_box(person)[0])
    assert np.std(widths[10:]) < 0.6 * np.std(raw[10:])


def test_the_smoothed_box_never_cuts_the_person_off():
    tracker, rng = make_tracker(), np.random.default_rng(3)
    for step in range(60):
        left, top = rng.uniform(0, 400), rng.uniform(0, 250)
        person = keypoints_in(left, top, left + rng.uniform(20, 200), top + rng.uniform(20, 200), seed=step)
        smoothed, fresh = tracker.update(FRAME, [], [person])[0].bbox_xyxy_px, fresh_box(person)
        assert (smoothed[:2] <= fresh[:2]).all()
        assert (smoothed[2:] >= fresh[2:]).all()
        assert (smoothed[:2] >= 0).all()
        assert (smoothed[2:] <= [WIDTH, HEIGHT]).all()


def test_the_box_comes_to_rest_where_the_person_does():
    tracker = make_tracker()
    tracker.update(FRAME, [], [keypoints_in(0, 0, 60, 200)])
    person = keypoints_in(400, 200, 460, 400)
    for _ in range(20):
        found = tracker.update(FRAME, [], [person])[0]
    assert np.allclose(found.bbox_xyxy_px, fresh_box(person), atol=0.1)


def test_people_are_smoothed_independently():
    tracker = make_tracker()
    tracker.update(FRAME, [], [keypoints_in(0, 0, 60, 200, 1), keypoints_in(400, 200, 460, 400, 2)])
    swapped = [keypoints_in(410, 200, 470, 400, 2), keypoints_in(0, 0, 60, 200, 1)]
    second, first = tracker.update(FRAME, [], swapped)
    assert np.allclose(first.bbox_xyxy_px, fresh_box(swapped[1]))
    assert second.bbox_xyxy_px[0] > 300


def test_a_forgotten_person_has_no_smoothed_box():
    tracker, fresh = make_tracker(), make_tracker()
    here, there = keypoints_in(0, 0, 60, 200), keypoints_in(400, 200, 460, 400)
    tracker.update(FRAME, [], [here])
    assert not np.allclose(tracker.update(FRAME, [], [there])[0].bbox_xyxy_px, fresh_box(there))
    tracker.forget(there.track_id)
    assert corners(tracker.update(FRAME, [], [there])) == corners(fresh.update(FRAME, [], [there]))
    tracker.forget(12345)  # unknown id


def test_a_person_elsewhere_is_not_the_lost_one():
    tracker = make_tracker(2)
    (lost,) = tracker.update(FRAME, [box(0, 0, 100, 200)], [])
    (other,) = tracker.update(FRAME, [box(400, 0, 500, 200)], [])
    assert other.track_id != lost.track_id


def test_a_single_person_keeps_the_id_until_forgotten():
    tracker = make_tracker(1)
    (lost,) = lose(tracker, box(0, 0, 100, 200))
    (back,) = tracker.update(FRAME, [box(400, 0, 500, 200)], [])
    assert back.track_id == lost
    tracker.forget(lost)
    (stranger,) = tracker.update(FRAME, [box(0, 0, 100, 200)], [])
    assert stranger.track_id != lost


def test_a_keypoint_that_is_no_number_does_not_spoil_the_box():
    seen = keypoints_in(100, 100, 200, 300, 1)
    xy = seen.xy_px.copy()
    xy[3] = np.nan
    tracker = make_tracker(1)
    tracker.update(FRAME, [box(80, 80, 220, 320)], [])
    (followed,) = tracker.update(FRAME, [], [PersonKeypoints(seen.layout, xy, seen.score, 1, 0)])
    assert np.isfinite(followed.bbox_xyxy_px).all()


# --- followed people --------------------------------------------------------------------------------------------------


def test_a_second_detection_of_a_followed_person_does_not_become_a_new_one():
    """They ran out of the expected box, so the detection fits better, and the estimator finds them in both."""
    tracker = make_tracker()
    (track_id,) = lose(tracker, box(100, 70, 220, 330))
    tracker.update(FRAME, [], [keypoints_in(115, 95, 205, 305, track_id)])
    boxes = tracker.update(FRAME, [box(200, 70, 320, 330)], [keypoints_in(115, 95, 205, 305, track_id)])
    assert ids(boxes)[0] == track_id
    assert len(boxes) == 2
    there = [keypoints_in(215, 95, 305, 305, i, seed=5) for i in ids(boxes)]
    assert tracker.choose(boxes, there) == [there[0]]
    again = tracker.update(FRAME, [], there[:1])
    assert ids(again) == [track_id]


def test_a_detection_without_keypoints_is_dropped():
    """An object that the detector reports as a person and in which the estimator finds no keypoints."""
    tracker = make_tracker()
    (unconfirmed,) = ids(tracker.update(FRAME, [box(100, 70, 220, 330)], []))
    for _ in range(3):
        assert tracker.update(FRAME, [], []) == []
        (again,) = ids(tracker.update(FRAME, [box(100, 70, 220, 330)], []))
        assert again != unconfirmed  # the id was never reported, so it need not be kept


def test_slots_go_to_the_largest():
    tracker = make_tracker(2)
    boxes = tracker.update(FRAME, [box(0, 0, 60, 120), box(200, 0, 300, 300), box(400, 0, 480, 200, 0.5)], [])
    assert corners(boxes)[:2] == [[200, 0, 300, 300], [400, 0, 480, 200]]
    assert ids(tracker.choose(boxes, seen_in(boxes))) == ids(boxes)[:2]


@pytest.mark.parametrize(("missing_s", "taken"), [(0.5, False), (1.5, True)])
def test_a_slot_is_kept_for_a_second(missing_s, taken):
    tracker = make_tracker(2)
    track_ids = ids(
        tracker.update(FRAME, [], seen_in(tracker.update(FRAME, [box(0, 0, 90, 200), box(500, 0, 600, 200)], [])))
    )
    here = box(0, 0, 90, 200, track_id=track_ids[0])
    frame = empty_frame(round(30 * missing_s))
    last = [replace(person, time_ns=frame.time_ns) for person in seen_in([here])]
    boxes = tracker.update(frame, [box(0, 0, 90, 200), box(230, 0, 330, 220)], last)
    chosen = ids(tracker.choose(boxes, seen_in(boxes)))
    assert chosen[0] == track_ids[0]
    assert (len(chosen) == 2) == taken
    assert track_ids[1] not in chosen


def test_a_box_is_moved_ahead_by_the_velocity():
    tracker = make_tracker()
    for index in range(20):
        left = 50 + 10 * index  # 300 px/s
        person = replace(keypoints_in(left, 100, left + 60, 300, 1), time_ns=empty_frame(index).time_ns)
        (found,) = tracker.update(empty_frame(index + 1), [], [person])
    centre = found.bbox_xyxy_px[[0, 2]].mean()
    assert left + 30 + 2 < centre < left + 30 + 12  # the predicted position, not the last
    assert found.bbox_xyxy_px[2] > fresh_box(person)[2] + 7


def test_a_swinging_arm_is_no_motion():
    tracker, rng = make_tracker(), np.random.default_rng(0)
    base = keypoints_in(300, 100, 360, 300, 1)
    for index in range(20):
        xy = base.xy_px + rng.normal(0, 0.5, (17, 2))
        xy[9:11] += [40 * np.sin(index), 0]  # wrists
        person = PersonKeypoints(COCO17, as_float32(xy), base.score.copy(), 1, empty_frame(index).time_ns)
        tracker.update(empty_frame(index + 1), [], [person])
    assert np.abs(tracker._tracks[1].motion.velocity).max() < 20
