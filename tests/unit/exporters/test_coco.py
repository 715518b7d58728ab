"""coco.json, loaded by pycocotools."""

import contextlib
import io
import json

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from support.people import make_clip, make_person, make_result

from realtime_pose.datatypes import Person, PersonKeypoints
from realtime_pose.exporters.coco import CocoResults
from realtime_pose.skeletons import AP10K17, COCO17
from realtime_pose.utils.arrays import as_float32


def record(path, results):
    recorder = CocoResults(path)
    for result in results:
        recorder.send(result)
    recorder.close()
    return json.loads(path.read_text())


def truth_of(results):
    """The same people as annotations."""
    annotations = []
    for result in results:
        for person in result.people:
            points = person.keypoints.in_layout(COCO17)
            left, top, right, bottom = person.box.bbox_xyxy_px.tolist()
            flat = np.column_stack((points.xy_px, np.full(17, 2))).ravel().tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": result.frame.index, "category_id": 1, "iscrowd": 0,
                    "bbox": [left, top, right - left, bottom - top], "area": (right - left) * (bottom - top),
                    "keypoints": flat, "num_keypoints": 17,
                }
            )  # fmt: skip
    truth = COCO()
    truth.dataset = {
        "images": [{"id": r.frame.index} for r in results],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
    return truth


def test_pycocotools_loads_it_and_finds_perfect_keypoints(tmp_path):
    clip = make_clip(10)
    record(tmp_path / "coco.json", clip)
    truth = truth_of(clip)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, truth.loadRes(str(tmp_path / "coco.json")), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)


def test_an_entry_has_the_person_and_the_score(tmp_path):
    person = make_person(1, track_id=7)
    (entry,) = record(tmp_path / "a", [make_result(), make_result([person], index=3)])
    assert set(entry) == {"image_id", "category_id", "keypoints", "score", "track_id"}  # "bbox" would make it a box
    assert (entry["image_id"], entry["category_id"], entry["track_id"]) == (3, 1, 7)
    points = person.keypoints.in_layout(COCO17)
    got = np.array(entry["keypoints"]).reshape(17, 3)
    assert np.abs(got[:, :2] - points.xy_px).max() <= 0.0051
    assert np.abs(got[:, 2] - points.score).max() <= 0.00051
    assert entry["score"] == pytest.approx(points.score.mean(), abs=1e-4)


def test_points_that_were_not_found_are_zeros_and_count_for_nothing(tmp_path):
    person = make_person(1, layout=COCO17)
    xy, score = person.keypoints.xy_px.copy(), np.full(17, 0.5, np.float32)
    xy[0], score[1] = np.nan, 0
    person = Person(person.box, PersonKeypoints(COCO17, xy, score, 0, 0), None, None)
    (entry,) = record(tmp_path / "a", [make_result([person])])
    assert entry["keypoints"][:6] == [0.0] * 6
    assert entry["score"] == 0.5


def test_an_animal_keeps_its_own_points(tmp_path):
    animal = PersonKeypoints(AP10K17, as_float32(np.arange(34).reshape(17, 2)), np.ones(17, np.float32), 0, 0)
    (entry,) = record(tmp_path / "a", [make_result([Person(make_person(1).box, animal, None, None)])])
    assert entry["keypoints"][:6] == [0.0, 1.0, 1.0, 2.0, 3.0, 1.0]


def test_it_is_whole_json_while_it_grows_and_without_people(tmp_path):
    recorder = CocoResults(tmp_path / "a")
    for count, result in enumerate(make_clip(3)):
        assert len(json.loads((tmp_path / "a").read_text())) == count
        recorder.send(result)
    recorder.close()
    recorder.send(make_clip(1)[0])
    assert len(json.loads((tmp_path / "a").read_text())) == 3
    assert record(tmp_path / "b", [make_result()]) == []
