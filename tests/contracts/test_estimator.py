"""Contract of PoseEstimator, checked for every entry of the table that runs without a download."""

import re
from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import FACING, TURNED_AWAY, actor_frame, actor_truth, empty_frame
from support.vitpose import huggingface_tensors, mmpose_tensors, random_vitpose, save

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig, Resettable
from realtime_pose.inference.estimators import ESTIMATORS, build_estimator
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.paths import data_path

OFFLINE = InferenceConfig(device="cpu", download=False)
TORCH = replace(OFFLINE, runtime="torch", precision="fp32")


def blazepose(folder):
    return OFFLINE


def vitpose_s(folder):
    """Random weights: the contract does not depend on training."""
    return replace(TORCH, checkpoint=str(save(mmpose_tensors(random_vitpose()), folder / "s.pth")))


def mmpose(folder):
    """A user's config: ViTPose-S with two layers."""
    text = data_path("configs/vitpose/vitpose-s.py").read_text("utf-8")
    (folder / "mine.py").write_text(text.replace("num_layers=", "num_layers=2 if True else "), "utf-8")
    weights = save(huggingface_tensors(random_vitpose("s", layers=2)), folder / "mine.safetensors")
    return replace(TORCH, model_config=str(folder / "mine.py"), checkpoint=str(weights))


MAKERS = {"blazepose": blazepose, "vitpose-s": vitpose_s, "mmpose": mmpose}
LARGER = {"vitpose-b", "vitpose-l", "vitpose-h"}  # random weights of these sizes take too long to make


@pytest.fixture(scope="module", params=[*MAKERS])
def estimator(request, tmp_path_factory):
    config = MAKERS[request.param](tmp_path_factory.mktemp("weights"))
    made = build_estimator(replace(config, estimator=request.param), notify=pytest.fail)
    yield made
    made.close()


@pytest.fixture
def boxes(estimator):
    """Two boxes around the actor and one around its head; none for an estimator that finds people by itself."""
    if estimator.finds_people:
        return []
    low, high = actor_truth().keypoints_px[FACING].min(axis=0), actor_truth().keypoints_px[FACING].max(axis=0)
    around = [*(low - 20), *(high + 20)]
    head = [*(low - 20), high[0] + 20, low[1] + 60]
    return [PersonBox(as_float32(x), 0.9, name) for x, name in ((around, 7), (head, 3), (around, 12))]


def copies(people):
    return [(person.xy_px.copy(), person.score.copy()) for person in people]


def test_every_entry_of_the_table_is_tested():
    assert set(ESTIMATORS) == {*MAKERS, *LARGER}
    assert {ESTIMATORS[name] for name in LARGER} == {ESTIMATORS["vitpose-s"]}  # one class, tested at its smallest size


def test_it_has_the_attributes_of_the_protocol(estimator):
    assert all(isinstance(text, str) and text for text in (estimator.name, estimator.runtime, estimator.device))
    assert isinstance(estimator.layout, KeypointLayout)
    assert isinstance(estimator.finds_people, bool)


def test_each_box_has_a_result_in_order_with_its_id(estimator, boxes):
    frame = actor_frame(FACING)
    people = estimator.estimate(frame, boxes)
    assert all(isinstance(person, PersonKeypoints) for person in people)
    if estimator.finds_people:
        assert len(people) == 1
    else:
        assert [person.track_id for person in people] == [box.track_id for box in boxes]
    for person in people:
        assert person.layout is estimator.layout
        assert person.time_ns == frame.time_ns
        assert np.isfinite(person.xy_px).all()
        assert ((person.score >= 0) & (person.score <= 1)).all()


def test_the_order_of_the_boxes_changes_the_order_alone(estimator, boxes):
    if estimator.finds_people:
        pytest.skip("it gets no boxes, as it finds people itself")
    frame = actor_frame(FACING)

    def alone(boxes):
        if isinstance(estimator, Resettable):  # else it starts from the last answer
            estimator.reset()
        return estimator.estimate(frame, boxes)

    there, reversed_order = alone(boxes), alone(boxes[::-1])[::-1]
    single_box = [alone([box])[0] for box in boxes]
    for person, other, single in zip(there, reversed_order, single_box, strict=True):
        assert person.track_id == other.track_id == single.track_id
        assert np.allclose(person.xy_px, other.xy_px, atol=0.05)
        assert np.allclose(person.xy_px, single.xy_px, atol=0.05)
    assert not np.allclose(there[0].xy_px, there[1].xy_px, atol=1)
    assert np.allclose(there[0].xy_px, there[2].xy_px, atol=0.05)


def test_no_boxes_in_an_empty_frame_give_no_people(estimator):
    assert estimator.estimate(empty_frame(), []) == []


def test_frame_and_boxes_are_not_changed(estimator, boxes):
    frame = actor_frame(FACING)
    image, before = frame.image_bgr.copy(), [box.bbox_xyxy_px.copy() for box in boxes]
    estimator.estimate(frame, boxes)
    assert np.array_equal(frame.image_bgr, image)
    assert all(np.array_equal(box.bbox_xyxy_px, old) for box, old in zip(boxes, before, strict=True))


def test_a_later_frame_does_not_change_an_earlier_result(estimator, boxes):
    people = estimator.estimate(actor_frame(FACING), boxes)
    kept = copies(people)
    estimator.estimate(actor_frame(TURNED_AWAY), boxes)
    for person, (xy, score) in zip(people, kept, strict=True):
        assert np.array_equal(person.xy_px, xy)
        assert np.array_equal(person.score, score)


def test_its_model_has_a_hash(estimator):
    assert re.fullmatch(r"[0-9a-f]{64}", estimator.model_hash)
