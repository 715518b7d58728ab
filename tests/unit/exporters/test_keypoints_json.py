"""keypoints.json: easy_ViTPose's format, and a complete document at every moment."""

import json

import numpy as np
import pytest
from support.people import make_clip, make_person, make_result

from realtime_pose.datatypes import Person, PersonKeypoints
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.keypoints_json import KeypointsJson
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, COCO25


def test_frames_hold_people_by_name_and_points_as_y_x_score(tmp_path):
    path = tmp_path / "keypoints.json"
    people = [make_person(1, layout=COCO17), make_person(2, track_id=5, layout=COCO17)]
    sink = KeypointsJson(path)
    for result in (make_result(people), make_result(index=1), make_result(people[1:], index=2)):
        sink.send(result)
    sink.close()
    document = json.loads(path.read_text())
    assert list(document) == ["keypoints", "skeleton"]
    assert [list(frame) for frame in document["keypoints"]] == [["0", "5"], [], ["5"]]
    assert document["skeleton"] == {str(i): name for i, name in enumerate(COCO17.names)}
    for person in people:
        rows = np.array(document["keypoints"][0][str(person.keypoints.track_id)])
        np.testing.assert_allclose(rows[:, 0], person.keypoints.xy_px[:, 1], atol=0.006)
        np.testing.assert_allclose(rows[:, 1], person.keypoints.xy_px[:, 0], atol=0.006)
        np.testing.assert_allclose(rows[:, 2], person.keypoints.score, atol=0.0006)


def test_coco_25_has_easy_vitposes_names(tmp_path):
    sink = KeypointsJson(tmp_path / "keypoints.json")
    keypoints = PersonKeypoints(COCO25, np.zeros((25, 2), np.float32), np.ones(25, np.float32), 0, 0)
    sink.send(make_result([Person(make_person(1).box, keypoints, None, None)]))
    sink.close()
    names = json.loads((tmp_path / "keypoints.json").read_text())["skeleton"]
    assert (names["5"], names["14"], names["19"], names["24"]) == ("neck", "hip", "left_big_toe", "right_heel")


def test_the_document_is_whole_after_every_frame(tmp_path):
    path = tmp_path / "keypoints.json"
    sink = KeypointsJson(path)
    assert json.loads(path.read_text())["keypoints"] == []
    for count, result in enumerate(make_clip(4), start=1):
        sink.send(result)
        assert len(json.loads(path.read_text())["keypoints"]) == count  # as after a crash at this moment
    assert json.loads(path.read_text())["skeleton"]["26"] == COCO17_FEET_HANDS.names[26]
    sink.close()


def test_points_without_a_position_are_written_as_not_visible(tmp_path):
    person = make_person(1, layout=COCO17)
    xy = person.keypoints.xy_px.copy()
    xy[3] = np.nan, np.inf
    person = Person(person.box, PersonKeypoints(COCO17, xy, person.keypoints.score, 0, 0), None, None)
    path = tmp_path / "keypoints.json"
    sink = KeypointsJson(path)
    sink.send(make_result([person]))
    sink.close()

    def refuse(literal):
        raise AssertionError(literal)

    document = json.loads(path.read_text(), parse_constant=refuse)
    assert document["keypoints"][0]["0"][3] == [0, 0, 0]


def test_one_file_holds_one_layout(tmp_path):
    sink = KeypointsJson(tmp_path / "keypoints.json")
    sink.send(make_result([make_person(1, layout=COCO17)]))
    with pytest.raises(RecordingError, match="holds one layout, coco17, and got coco17_feet_hands"):
        sink.send(make_result([make_person(1)]))
    sink.close()
    assert len(json.loads((tmp_path / "keypoints.json").read_text())["keypoints"]) == 1
