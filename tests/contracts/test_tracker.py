"""The contract of every Tracker."""

from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import empty_frame
from support.people import make_person

from realtime_pose.datatypes import PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.utils.arrays import as_float32

FRAME = empty_frame()


@pytest.fixture(params=[PeopleTracker])
def tracker(request):
    return request.param(replace(InferenceConfig(), persons=3))


def detection(left, score=0.9):
    return PersonBox(as_float32([left, 100, left + 80, 300]), score)


def keypoints_of(box, seed=1):
    """A person's keypoints, moved into the box, with its track id."""
    person = make_person(seed, track_id=box.track_id).keypoints
    low, high = person.xy_px.min(axis=0), person.xy_px.max(axis=0)
    left, top, right, bottom = box.bbox_xyxy_px
    xy = (person.xy_px - low) / (high - low) * [right - left, bottom - top] * 0.7 + [left + 10, top + 20]
    return replace(person, xy_px=as_float32(xy))


def test_no_detections_are_no_people(tracker):
    assert tracker.update(FRAME, [], []) == []


def test_everyone_detected_gets_an_id(tracker):
    found = tracker.update(FRAME, [detection(50), detection(400)], [])
    assert len(found) == len({box.track_id for box in found}) == 2
    assert all(isinstance(box, PersonBox) and box.track_id != -1 for box in found)


def test_ids_stay_while_people_are_visible_with_and_without_detections(tracker):
    found = tracker.update(FRAME, [detection(50), detection(400)], [])
    ids = [box.track_id for box in found]
    seen = [keypoints_of(box) for box in found]
    for step in range(10):
        detections = [detection(50), detection(400)] if step % 3 == 0 else []
        found = tracker.update(FRAME, detections, seen)
        assert [box.track_id for box in found] == ids


def test_ids_are_not_rows(tracker):
    first = tracker.update(FRAME, [detection(50), detection(400)], [])
    found = tracker.update(FRAME, [], [keypoints_of(first[1])])
    assert [box.track_id for box in found] == [first[1].track_id]


def test_at_most_the_set_number_of_people_is_followed(tracker):
    boxes = tracker.update(FRAME, [detection(left) for left in (0, 120, 240, 360, 480)], [])
    assert [p.track_id for p in tracker.choose(boxes, [keypoints_of(b) for b in boxes])] == [1, 2, 3]


def test_people_are_chosen_once_and_keep_their_ids(tracker):
    boxes = tracker.update(FRAME, [detection(50), detection(400)], [])
    first = keypoints_of(boxes[0])
    assert tracker.choose(boxes, [first, keypoints_of(boxes[1])])[0] is first
    boxes = tracker.update(FRAME, [], [first, keypoints_of(boxes[1])])
    assert tracker.choose(boxes, [first, replace(first, track_id=boxes[1].track_id)]) == [first]
    assert tracker.choose([], []) == []


def test_inputs_are_not_changed(tracker):
    boxes = [detection(50), detection(400)]
    found = tracker.update(FRAME, boxes, [])
    seen = [keypoints_of(box) for box in found]
    before = [array.copy() for array in (*(b.bbox_xyxy_px for b in boxes), *(k.xy_px for k in seen))]
    tracker.update(FRAME, boxes, seen)
    after = [*(b.bbox_xyxy_px for b in boxes), *(k.xy_px for k in seen)]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert [box.track_id for box in boxes] == [-1, -1]


def test_forgetting_unknown_ids_is_no_error(tracker):
    (found,) = tracker.update(FRAME, [detection(50)], [])
    tracker.forget(found.track_id)
    tracker.forget(found.track_id)
    tracker.forget(999)
    assert tracker.update(FRAME, [], []) == []


def test_it_reports_who_is_gone_and_drops_them(tracker):
    first, second = tracker.update(FRAME, [detection(50), detection(400)], [])
    both = {first.track_id, second.track_id}
    assert tracker.update_lifetimes(both, 0) == frozenset()
    assert tracker.known == both
    assert tracker.update_lifetimes([first.track_id], 3 * 10**9) == {second.track_id}
    assert tracker.known == {first.track_id}
