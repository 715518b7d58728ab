"""Conversions to supervision and COCO."""

import builtins
import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from support.people import make_person, make_result

from realtime_pose import ConfigError, coco_links, to_coco, to_supervision
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.skeletons import COCO17


def test_supervision_gets_points_scores_names_and_what_is_visible():
    supervision = pytest.importorskip("supervision", reason="supervision is not installed")
    people = [make_person(seed, track_id=name, layout=COCO17) for seed, name in ((1, 4), (2, 9))]
    points = to_supervision(make_result(people), score_threshold=0.7)
    assert isinstance(points, supervision.KeyPoints)
    for row, person in enumerate(people):
        np.testing.assert_array_equal(points.xy[row], person.keypoints.xy_px)
        np.testing.assert_array_equal(points.keypoint_confidence[row], person.keypoints.score)
        np.testing.assert_array_equal(points.visible[row], person.keypoints.score >= 0.7)
    assert 0 < points.visible.sum() < points.visible.size
    assert points.data["tracker_id"].tolist() == [4, 9]
    assert points.data["class_name"].tolist() == ["person", "person"]
    assert points.detection_confidence.tolist() == pytest.approx([0.9, 0.9])
    only = points[points.data["tracker_id"] == 9]  # supervision's own indexing covers all fields
    np.testing.assert_array_equal(only.xy[0], people[1].keypoints.xy_px)
    assert to_supervision(make_result()).is_empty()


def test_a_point_that_was_not_found_is_never_visible():
    pytest.importorskip("supervision", reason="supervision is not installed")
    person = make_person(layout=COCO17)
    score = person.keypoints.score.copy()
    score[3] = 0
    seen = PersonKeypoints(COCO17, person.keypoints.xy_px, score, 0, 0)
    people = [type(person)(person.box, seen, None, None)]
    assert np.flatnonzero(~to_supervision(make_result(people), score_threshold=0).visible[0]).tolist() == [3]


def test_without_supervision_the_error_names_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "supervision":
            raise ModuleNotFoundError("No module named 'supervision'", name="supervision")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r'not installed; install it with: pip install "supervision>=0\.29"'):
        to_supervision(make_result())


def test_coco_dictionaries_are_loaded_by_pycocotools():
    people = [make_person(seed, track_id=seed) for seed in (1, 2)]
    found = to_coco(make_result(people, index=5))
    assert [(entry["image_id"], entry["category_id"], entry["track_id"]) for entry in found] == [(5, 1, 1), (5, 1, 2)]
    rows = np.array(found[1]["keypoints"]).reshape(-1, 3)
    assert rows.shape == (17, 3)
    np.testing.assert_allclose(rows[:, :2], people[1].keypoints.xy_px[:17], atol=0.006)
    assert to_coco(make_result(people), image_id=77)[0]["image_id"] == 77
    assert to_coco(make_result()) == []
    truth = COCO()
    truth.dataset = {"images": [{"id": 5}], "annotations": [], "categories": [{"id": 1, "name": "person"}], "info": {}}
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        assert len(truth.loadRes(found).getAnnIds()) == 2


def test_links_are_counted_from_one():
    names = [(COCO17.names[a - 1], COCO17.names[b - 1]) for a, b in coco_links(COCO17)]
    assert ("left_elbow", "left_wrist") in names
    assert min(min(link) for link in coco_links(COCO17)) == 1
