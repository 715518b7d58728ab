"""PosePipeline: detection, estimation, lifting, and people who are kept or dropped."""

import numpy as np
import pytest
from support.bodies import human_local, keypoints_of, points_of

from realtime_pose.body.settings import BodyConfig
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.pipeline import assemble_pipeline, build_pipeline
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
FILTERS = ("occlusion", "smoothing", "floor", "feet")


def frame(index):
    return Frame(np.zeros((480, 640, 3), np.uint8), index, index * FRAME_NS, 0)


class FakeDetector:
    """Finds the given people, and counts its calls."""

    def __init__(self, *boxes):
        self.boxes, self.calls, self.closed = boxes, 0, False

    def detect(self, frame):
        self.calls += 1
        return [PersonBox(as_float32(box), 0.9) for box in self.boxes]

    def close(self):
        self.closed = True


class FakeEstimator:
    """Finds the same standing body in every box while `sees` is set."""

    name, runtime, device, layout, finds_people = "fake", "none", "cpu", COCO17, False

    def __init__(self):
        self.sees, self.batches, self.closed = True, [], False

    def estimate(self, frame, boxes):
        self.batches.append([box.track_id for box in boxes])
        found = []
        for box in boxes:
            x = float(box.bbox_xyxy_px[[0, 2]].mean() - 320) / 554 * 3
            seen = keypoints_of(points_of(human_local(0, reach=0.2), root_m=(x, 0.0, -3.0)), track_id=box.track_id)
            score = seen.score if self.sees else np.zeros_like(seen.score)
            found.append(PersonKeypoints(COCO17, seen.xy_px, as_float32(score), box.track_id, frame.time_ns))
        return found

    def close(self):
        self.closed = True


def pipeline(estimator, detector, persons=2, detect_every=5):
    config = AppConfig(inference=InferenceConfig(persons=persons, detect_every=detect_every))
    return assemble_pipeline(config, estimator, detector)


def forgotten_by(whole):
    """A list of the ids that the solver forgets."""
    forgotten = []
    whole.body.solver.forget = forgotten.append
    return forgotten


LEFT, RIGHT = (60.0, 60.0, 260.0, 460.0), (380.0, 60.0, 580.0, 460.0)


def test_without_people_the_result_is_empty_and_detection_continues():
    detector = FakeDetector()
    whole = pipeline(FakeEstimator(), detector)
    results = [whole.step(frame(i)) for i in range(4)]
    assert [r.people for r in results] == [(), (), (), ()]
    assert detector.calls == 4


def test_two_people_get_poses_and_keep_their_ids():
    estimator = FakeEstimator()
    whole = pipeline(estimator, FakeDetector(LEFT, RIGHT))
    for i in range(12):
        result = whole.step(frame(i))
        assert [p.keypoints.track_id for p in result.people] == [1, 2]
        for person in result.people:
            assert person.joints is not None
            assert person.pose is not None
            assert person.pose.time_ns == result.frame.time_ns
            assert np.isfinite(person.pose.rotations.local_xyzw).all()
    assert estimator.batches == [[1, 2]] * 12  # all people of a frame in one batch


def test_the_detector_runs_on_loss_and_every_n_frames_only():
    detector, estimator = FakeDetector(LEFT), FakeEstimator()
    whole = pipeline(estimator, detector, detect_every=5)
    for i in range(11):
        whole.step(frame(i))
    assert detector.calls == 3  # frames 0, 5 and 10
    estimator.sees = False
    assert whole.step(frame(11)).people == ()
    estimator.sees = True
    (person,) = whole.step(frame(12)).people
    assert detector.calls == 4
    assert person.keypoints.track_id == 1  # the same person, back before they are dropped


def test_a_person_who_left_is_forgotten_by_every_stage():
    whole = pipeline(FakeEstimator(), FakeDetector(LEFT))
    forgotten = forgotten_by(whole)
    whole.step(frame(0))
    whole._detector.boxes = ()
    whole._last_keypoints = []
    whole.step(frame(30))
    assert forgotten == []
    whole.step(frame(100))
    assert forgotten == [1]
    whole._detector.boxes = (LEFT,)
    (person,) = whole.step(frame(101)).people
    assert person.keypoints.track_id == 2  # a new person


def test_the_single_person_is_not_forgotten_while_alone():
    estimator, detector = FakeEstimator(), FakeDetector(LEFT)
    whole = pipeline(estimator, detector, persons=1)
    forgotten = forgotten_by(whole)
    whole.step(frame(0))
    whole.step(frame(1))
    estimator.sees, detector.boxes = False, ()
    whole.step(frame(2))
    whole.step(frame(1000))
    assert forgotten == []
    estimator.sees, detector.boxes = True, (RIGHT,)
    (person,) = whole.step(frame(1001)).people
    assert person.keypoints.track_id == 1


def test_points_below_the_threshold_are_not_lifted_but_are_reported():
    class Weak(FakeEstimator):
        def estimate(self, frame, boxes):
            (seen,) = super().estimate(frame, boxes)
            score = seen.score.copy()
            score[COCO17.index["left_wrist"]] = 0.29
            return [PersonKeypoints(COCO17, seen.xy_px, score, seen.track_id, frame.time_ns)]

    (person,) = pipeline(Weak(), FakeDetector(LEFT), persons=1).step(frame(0)).people
    assert person.joints.score[COCO17.index["left_wrist"]] == 0
    assert person.keypoints.score[COCO17.index["left_wrist"]] == pytest.approx(0.29)


def test_every_stage_is_timed():
    whole = pipeline(FakeEstimator(), FakeDetector(LEFT))
    whole.step(frame(0))
    assert set(whole.stopwatch.take()) == {"detect", "estimate", "lift", "solve", "filter"}
    assert whole.stopwatch.take() == {}


def test_closing_releases_the_models():
    estimator, detector = FakeEstimator(), FakeDetector()
    pipeline(estimator, detector).close()
    assert estimator.closed
    assert detector.closed


def test_a_pipeline_is_built_from_settings():
    config = AppConfig().with_values({"inference": {"estimator": "blazepose"}}, "test")
    whole = build_pipeline(config)
    assert whole.estimator.name == "blazepose"
    assert whole.step(frame(0)).people == ()
    whole.close()


@pytest.mark.parametrize(
    "values",
    [{"inference": {"estimator": "vitpos"}}, {"body": {"lifter": "magic"}}, {"body": {"solver": "x"}}],
)
def test_wrong_names_are_refused_with_the_known_ones(values):
    settings = {"inference": {"estimator": "blazepose"}} | values
    with pytest.raises(UnknownChoiceError, match="is not one of"):
        build_pipeline(AppConfig().with_values(settings, "test"))


class Standing(FakeEstimator):
    """Finds everyone at a fixed place: odd ids left, even ones right."""

    def estimate(self, frame, boxes):
        found = []
        for box in boxes:
            x = -0.9 if box.track_id % 2 else 0.9
            seen = keypoints_of(points_of(human_local(0, reach=0.2), root_m=(x, 0.0, -3.0)), track_id=box.track_id)
            score = as_float32(seen.score * 0.9)
            found.append(PersonKeypoints(COCO17, seen.xy_px, score, box.track_id, frame.time_ns))
        return found


def settings(persons=2, threshold=0.3, **body):
    return AppConfig(inference=InferenceConfig(persons=persons, score_threshold=threshold), body=BodyConfig(**body))


def test_another_smoothing_keeps_the_state_and_another_height_does_not():
    whole = pipeline(Standing(), FakeDetector(LEFT))
    before = whole.step(frame(0)).people[0].pose
    body, solver = whole.body, whole.body.solver
    occlusion, smoothing, floor, feet = (getattr(body.filters, name) for name in FILTERS)
    whole.retune(settings(), settings(smoothing="crisp"))
    assert (whole.body, whole.body.solver) == (body, solver)
    assert (body.filters.occlusion, body.filters.floor, body.filters.feet) == (occlusion, floor, feet)
    assert body.filters.smoothing is not smoothing
    after = whole.step(frame(1)).people[0].pose
    assert np.abs(after.root_m - before.root_m).max() < 0.02
    whole.retune(settings(smoothing="crisp"), settings(smoothing="crisp", height_m=1.9))
    taller = whole.step(frame(2)).people[0].pose
    assert whole.body is not body
    assert taller.bone_m.sum() > 1.05 * after.bone_m.sum()


def test_a_changed_threshold_applies_from_the_next_frame_on():
    whole = pipeline(Standing(), FakeDetector(LEFT))
    assert whole.step(frame(0)).people
    whole.retune(settings(), settings(threshold=0.95))
    whole.step(frame(1))
    assert whole.step(frame(2)).people == ()


def test_the_locked_person_is_followed_alone_and_the_others_afterwards():
    whole = pipeline(Standing(), FakeDetector(LEFT, RIGHT))
    for i in range(3):
        whole.step(frame(i))
    whole.retune(settings(), settings(), locked_on=2)
    for i in range(3, 10):
        (person,) = whole.step(frame(i)).people
        assert person.keypoints.track_id == 2
        assert person.box.bbox_xyxy_px[0] > 320  # the right one of the two
    whole.retune(settings(), settings())
    for i in range(10, 20):
        result = whole.step(frame(i))
    assert len(result.people) == 2
    assert 2 in [person.keypoints.track_id for person in result.people]


def test_fewer_people_are_followed_at_once():
    whole = pipeline(Standing(), FakeDetector(LEFT, RIGHT))
    whole.step(frame(0))
    whole.step(frame(1))
    whole.retune(settings(), settings(persons=1))
    for i in range(2, 12):
        assert [p.keypoints.track_id for p in whole.step(frame(i)).people] == [1]


def test_recentring_moves_the_person_to_the_origin_and_keeps_heights():
    whole = pipeline(Standing(), FakeDetector(LEFT))
    for i in range(3):
        before = whole.step(frame(i)).people[0].pose.root_m
    whole.body.recentre()
    first = whole.step(frame(3)).people[0].pose.root_m
    np.testing.assert_allclose(first[[0, 2]], 0, atol=1e-6)
    assert first[1] == pytest.approx(before[1], abs=0.01)
    np.testing.assert_allclose(whole.step(frame(4)).people[0].pose.root_m, first, atol=0.02)


def off_px(result):
    """How far hips, knees and ankles of each person's pose, seen by the result's camera, are from their keypoints."""
    joints = [
        HUMANOID.index[f"{side}{name}"] for side in ("left", "right") for name in ("UpperLeg", "LowerLeg", "Foot")
    ]
    points = COCO17.rows([f"{side}_{name}" for side in ("left", "right") for name in ("hip", "knee", "ankle")])
    return max(
        float(np.abs(result.camera.project(forward_kinematics(p.pose)[joints]) - p.keypoints.xy_px[points]).max())
        for p in result.people
    )


def test_a_pose_seen_by_the_results_camera_lies_on_the_person():
    whole = pipeline(Standing(), FakeDetector(LEFT, RIGHT))
    for i in range(12):
        result = whole.step(frame(i))
        assert off_px(result) < 20  # of 250 px of a person
    camera = result.camera
    assert (camera.width, camera.height, camera.fov_deg) == pytest.approx((640, 480, 60))
    assert camera.position_m[1] == pytest.approx(0.9, abs=0.15)  # the hips are straight ahead
    whole.retune(settings(), settings(), locked_on=2)
    whole.body.recentre()
    moved = whole.step(frame(12))
    assert off_px(moved) < 20
    assert np.abs(moved.camera.position_m - camera.position_m).max() > 0.5


def test_a_given_camera_is_the_results_camera():
    whole = assemble_pipeline(settings(camera_pitch_deg=15.0, camera_height_m=1.5), Standing(), FakeDetector(LEFT))
    camera = whole.step(frame(0)).camera
    assert (camera.pitch_deg, camera.roll_deg, camera.position_m[1]) == pytest.approx((15, 0, 1.5), abs=1e-3)
    assert (camera.source, camera.sigma_deg) == ("given", 0)


def test_there_is_no_camera_before_the_first_pose():
    estimator = FakeEstimator()
    whole = pipeline(estimator, FakeDetector(LEFT))
    estimator.sees = False
    assert whole.step(frame(0)).camera is None
    estimator.sees = True
    assert whole.step(frame(1)).camera is not None
