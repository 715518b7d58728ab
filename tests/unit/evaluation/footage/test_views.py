"""Views against triangulated people: exact poses have no error, known faults have their own size."""

from dataclasses import replace

import numpy as np
import pytest
from support.calibrated import FOUR, FOUR_SMALL, limbs_at, qualisys_text
from support.footage import make_clip
from support.tracks import camera, standing

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage import clip_keypoints
from realtime_pose.evaluation.footage.clip_poses import limb_joints
from realtime_pose.evaluation.footage.triangulation import TriangulatedPerson
from realtime_pose.evaluation.footage.views import compare, evaluate_views
from realtime_pose.skeletons import COCO17, LIMB_NAMES
from realtime_pose.utils import rotations as rot


def truth_of(track, turn_xyzw=(0.0, 0.0, 0.0, 1.0), scale=1.0):
    """The track's own limbs as the truth, turned and scaled."""
    limbs_m = rot.rotate(np.array(turn_xyzw), scale * limb_joints(track.joints_m)) + np.array([0.2, 0.1, 0.0])
    frames = track.frame.tolist()
    return TriangulatedPerson(dict(zip(frames, limbs_m, strict=True)), {}, {})


def test_a_pose_that_is_right_but_for_a_turn_and_a_scale_has_no_error():
    track = standing(20, yaw_deg=np.linspace(0, 60, 20))
    turn = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(90))
    found = compare(track, truth_of(track, turn, 0.8), FOUR[0], "a.mp4", "person 1")
    assert (found.view, found.person, found.frames) == ("a.mp4", "person 1", 20)
    assert (found.pa_mpjpe_mm, found.mpjpe_mm, found.feet_mm) == pytest.approx((0, 0, 0), abs=1e-6)


def test_a_turn_that_changes_over_the_clip_is_an_error_of_one_rotation_alone():
    track = standing(20)
    turns = rot.from_axis_angle((0.0, 1.0, 0.0), np.radians(np.linspace(-20, 20, 20)))[:, None]
    turned = rot.rotate(turns, limb_joints(track.joints_m))
    truth = TriangulatedPerson(dict(enumerate(turned)), {}, {})
    found = compare(track, truth, FOUR[0], "a", "b")
    assert found.pa_mpjpe_mm == pytest.approx(0, abs=1e-6)
    assert found.mpjpe_mm > 20


def test_feet_are_measured_apart():
    track = standing(20)
    truth = truth_of(track)
    for limbs_m in truth.joints_m.values():
        limbs_m[-2:] += (0.0, 0.0, 0.1)
    found = compare(track, truth, FOUR[0], "a", "b")
    assert found.feet_mm > 2 * found.mpjpe_mm


def test_gravity_is_the_angle_between_both_up_directions():
    wanted = FOUR[0].up
    pitch_deg = np.degrees(np.arcsin(-wanted[2]))
    for off_deg in (0.0, 10.0):
        track = standing(20, seen_by=camera(pitch_deg=pitch_deg + off_deg))
        assert compare(track, truth_of(track), FOUR[0], "a", "b").gravity_deg == pytest.approx(off_deg, abs=1e-4)


def test_unknown_joints_and_frames_do_not_count():
    track = standing(20)
    truth = truth_of(track)
    truth.joints_m[3][0] = np.nan
    truth.joints_m[4][6] = np.nan  # a hip: nothing to be relative to
    del truth.joints_m[5]
    found = compare(track, truth, FOUR[0], "a", "b")
    assert found.frames == 18
    assert found.mpjpe_mm == pytest.approx(0, abs=1e-6)
    few = TriangulatedPerson({frame: truth.joints_m[frame] for frame in range(6, 12)}, {}, {})
    assert compare(track, few, FOUR[0], "a", "b") is None


def keypoints(view, frame, x_m):
    """COCO17 keypoints of somebody at rest who sways, as one of FOUR_SMALL sees them."""
    limbs = FOUR_SMALL[view].project(limbs_at(x_m + 0.02 * np.sin(frame / 3)))
    xy, score = np.zeros((17, 2), np.float32), np.zeros(17, np.float32)
    xy[COCO17.rows(LIMB_NAMES)], score[COCO17.rows(LIMB_NAMES)] = limbs, 0.9
    return xy, score


@pytest.fixture
def videos(tmp_path, monkeypatch):
    """Videos of four cameras in which a fake estimator follows one person, or another where that one is covered."""

    class Estimator:
        name, layout, finds_people = "fake", COCO17, True
        view, runs = 0, []

        def estimate(self, frame, boxes):
            other = bool(covered_now)
            xy, score = keypoints(self.view, frame.index, 0.9 if other else -0.5)
            return [PersonKeypoints(COCO17, xy, score, 1, frame.time_ns)]

        def reset(self): ...

        def close(self): ...

    covered_now: list[int] = []
    estimator = Estimator()
    run = clip_keypoints.KeypointFinder._run

    def running(self, path, known, progress):
        estimator.view = int(path.stem[-1]) - 1
        covered_now[:] = [] if known is None else [1]
        return run(self, path, known, progress)

    monkeypatch.setattr(clip_keypoints.KeypointFinder, "_run", running)
    monkeypatch.setattr(clip_keypoints, "build_estimator", lambda config, notify: estimator)
    paths = [tmp_path / f"cam{i}.avi" for i in (1, 2, 3, 4)]
    for number, path in enumerate(paths):
        make_clip(path, 12 + number)
    (tmp_path / "calibration").write_text(qualisys_text(FOUR_SMALL))
    return paths


def config(persons):
    return AppConfig().with_values({"inference": {"persons": persons}, "body": {"lifter": "geometric"}}, "test")


def test_everyone_is_triangulated_and_measured_in_each_view(videos, tmp_path):
    found = evaluate_views(videos, tmp_path / "calibration", config(2), cache=tmp_path / "kp")
    assert found.truth_frames == {"person 1": 12, "person 2": 12}
    assert found.truth_off_px < 0.1
    assert [(row.person, row.view) for row in found.rows] == [
        (f"person {person}", f"cam{view}.avi") for person in (1, 2) for view in (1, 2, 3, 4)
    ]
    assert all(0 < row.pa_mpjpe_mm <= row.mpjpe_mm + 1e-9 for row in found.rows)
    report = found.as_dict()
    assert report["frames"] == 8 * 12
    assert len(report["views"]) == 8
    assert report["pa_mpjpe_mm"] == pytest.approx(np.mean([row.pa_mpjpe_mm for row in found.rows]), abs=0.01)


def test_one_person_is_followed_where_only_one_is_asked_for(videos, tmp_path):
    found = evaluate_views(videos, tmp_path / "calibration", config(1), cache=tmp_path / "kp")
    assert found.truth_frames == {"person 1": 12}


def test_too_little_is_refused(videos, tmp_path):
    with pytest.raises(RecordingError, match="one view has no truth"):
        evaluate_views(videos[:1], tmp_path / "calibration", config(1), cache=tmp_path / "kp")
    mixed = [videos[0], videos[1]]
    other = [FOUR_SMALL[0], replace(FOUR_SMALL[2], name="cam2", position_m=np.array([9.0, 9.0, 4.0]))]
    (tmp_path / "calibration").write_text(qualisys_text(other))
    with pytest.raises(RecordingError, match="nobody is seen by two cameras for 10 frames"):
        evaluate_views(mixed, tmp_path / "calibration", config(1), cache=tmp_path / "kp")
