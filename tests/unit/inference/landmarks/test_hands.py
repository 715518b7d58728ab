"""Hands on the actor, whose knuckles are known, and on real stills."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.actor_frames import FACING, actor_frame

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks import hands
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.landmarks.hands import BodyHands, HandLandmarks
from realtime_pose.inference.landmarks.regions import Region
from realtime_pose.skeletons import BLAZE_BODY_HANDS63, COCO17_FEET_HANDS

REAL = Path(__file__).parents[5] / "shared" / "data" / "real"
LEFT = BLAZE_BODY_HANDS63.rows([f"left_{point}" for point in hands.HAND_POINTS])
RIGHT = BLAZE_BODY_HANDS63.rows([f"right_{point}" for point in hands.HAND_POINTS])
THUMB_TIP, INDEX_TIP, INDEX, MIDDLE_TIP, PINKY_TIP, MIDDLE = 4, 8, 5, 12, 20, 9


@pytest.fixture(scope="module")
def estimator():
    return BlazePoseEstimator(InferenceConfig(hands=True))


def found_in(estimator, frame):
    estimator.reset()
    (box,) = BlazePoseDetector(InferenceConfig()).detect(frame)
    return estimator.estimate(frame, [replace(box, track_id=1)])[0]


def test_both_hands_have_21_points_at_the_bodys_wrists(estimator):
    clip = REAL / "sign_again.mkv"
    if not clip.exists():
        pytest.skip("../shared has the clip, and is not here")
    capture = cv2.VideoCapture(str(clip))
    for _ in range(41):
        image = capture.read()[1]
    person = found_in(estimator, Frame(image, 0, 0, 0))
    assert person.layout is BLAZE_BODY_HANDS63
    for side, rows in (("left", LEFT), ("right", RIGHT)):
        assert person.score[rows].min() > 0.5
        wrist = person.xy_px[BLAZE_BODY_HANDS63.index[f"{side}_wrist"]]
        assert np.linalg.norm(person.xy_px[rows[0]] - wrist) < 20
    assert person.xy_px[LEFT, 0].min() > person.xy_px[RIGHT, 0].max()  # he faces us


def test_the_body_stays_as_it_is_without_hands(estimator):
    plain = found_in(BlazePoseEstimator(InferenceConfig()), actor_frame(FACING))
    person = found_in(estimator, actor_frame(FACING))
    assert np.array_equal(person.xy_px[:21], plain.xy_px[:21])
    assert estimator.model_hash != BlazePoseEstimator(InferenceConfig()).model_hash


def test_a_hand_that_is_not_there_has_score_0_and_the_bodys_knuckles(estimator, monkeypatch):
    monkeypatch.setattr(HandLandmarks, "read", lambda self, image, region: None)
    person = found_in(estimator, actor_frame(FACING))
    known = set(BLAZE_BODY_HANDS63.rows(COCO17_FEET_HANDS.names))
    assert person.score[[row for row in LEFT + RIGHT if row not in known]].max() == 0
    assert person.score[BLAZE_BODY_HANDS63.index["left_index"]] > 0.5


def test_a_hand_is_followed_without_being_looked_for_again(estimator, monkeypatch):
    frame = still("room_call")
    first = found_in(estimator, frame)
    wanted = BodyHands._find

    def left_alone(self, image, key, body):
        return wanted(self, image, key, body) if key[1] == "left" else None

    monkeypatch.setattr(BodyHands, "_find", left_alone)
    monkeypatch.setattr(HandLandmarks, "find", lambda *given: pytest.fail("it was looked for"))
    (box,) = BlazePoseDetector(InferenceConfig()).detect(frame)
    (again,) = estimator.estimate(frame, [replace(box, track_id=1)])
    assert first.score[LEFT].min() > 0.5
    assert np.linalg.norm(again.xy_px[LEFT] - first.xy_px[LEFT], axis=1).max() < 5


def test_a_region_that_cannot_be_cut_out_has_no_hand():
    assert HandLandmarks().read(np.zeros((50, 50, 3), np.uint8), Region(np.nan, 0, 10)) is None


def test_nobody_has_no_hands(estimator):
    estimator.reset()
    box = PersonBox(np.array([0, 0, 60, 80], np.float32), 0.9, 3)
    (nobody,) = estimator.estimate(Frame(np.zeros((80, 60, 3), np.uint8), 0, 0, 0), [box])
    assert nobody.layout is BLAZE_BODY_HANDS63
    assert not nobody.score.any()


def still(name):
    path = REAL / "stills" / f"{name}.jpg"
    if not path.exists():
        pytest.skip("../shared has the stills, and is not here")
    return Frame(cv2.imread(str(path)), 0, 0, 0)


def lengths(person, rows):
    """Distance of each point from the wrist, in palms."""
    away = np.linalg.norm(person.xy_px[rows] - person.xy_px[rows[0]], axis=1)
    return away / away[MIDDLE]


def test_a_raised_index_is_seen_and_the_hand_that_hangs_is_not(estimator):
    person = found_in(estimator, still("room_point_up"))
    away = lengths(person, LEFT)
    assert away[INDEX_TIP] > 1.5
    assert away[MIDDLE_TIP] < 1.2
    assert person.score[RIGHT].max() == 0


def test_thumb_and_little_finger_are_seen(estimator):
    away = lengths(found_in(estimator, still("room_call")), LEFT)
    assert away[PINKY_TIP] > 1.2 > away[MIDDLE_TIP]
    assert away[THUMB_TIP] > 0.9
