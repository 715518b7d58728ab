"""Poses of a clip: in live order by the same stages as a run, one track a person, most frames first."""

from pathlib import Path

import numpy as np
import pytest
from support.lifting import FPS, make_case
from support.tracks import FLOOR_M, camera, standing

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints
from realtime_pose.evaluation.footage.clip_poses import tracks_of
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import AP10K17
from realtime_pose.utils.stopwatch import Stopwatch

CONFIG = AppConfig().with_values({"body": {"lifter": "geometric"}}, "test")
CASE = make_case(12)


def clip(people=((1, range(12)),), forgotten=(), layout=CASE.layout):
    """A clip in which each person, by id, is seen in some frames."""
    rows = sorted((frame, track_id) for track_id, frames in people for frame in frames)
    frames, ids = np.array(rows, np.int64).T
    time_ns = np.round(np.arange(12) / FPS * 1e9).astype(np.int64)
    shift = (ids[:, None, None] - 1) * np.array([100.0, 0.0])
    return ClipKeypoints(
        Path("a.mp4"), "fake", False, 640, 480, time_ns, layout, frames, ids,
        (CASE.xy_px[frames] + shift).astype(np.float32), CASE.score[frames],
        np.array(forgotten, np.int64).reshape(-1, 2),
    )  # fmt: skip


def test_the_poses_are_those_of_a_live_run():
    (track,) = tracks_of(clip(), CONFIG)
    body, intrinsics = build_body(CONFIG), clip().intrinsics(60.0)
    for frame in range(12):
        _, pose = body.pose_of(CASE.keypoints(frame, 1), intrinsics, Stopwatch())
        assert np.allclose(track.joints_m[frame], forward_kinematics(pose))
        assert np.array_equal(track.contact[frame], pose.foot_contact)
    assert track.frame.tolist() == list(range(12))
    assert track.time_s[3] == pytest.approx(0.1)


def test_the_keypoints_of_limbs_lie_near_the_projected_joints():
    (track,) = tracks_of(clip(), CONFIG)
    middle = track.projected_px[:, 0]
    hips = track.limbs_px[:, 6:8].mean(axis=1)
    assert np.abs(middle - hips).max() < 40


def test_people_are_sorted_by_their_frames():
    tracks = tracks_of(clip([(1, range(3)), (2, range(2, 12))]), CONFIG)
    assert [(track.track_id, len(track)) for track in tracks] == [(2, 10), (1, 3)]
    assert tracks[0].rows(0, 4) == slice(0, 3)
    assert tracks[0].rows(11, 20) == slice(9, 10)
    assert tracks[1].rows(5, 9) == slice(3, 3)


def test_who_is_given_up_starts_anew():
    people = [(1, [*range(6), *range(8, 12)])]
    (kept,), (anew,) = (tracks_of(clip(people, lost), CONFIG) for lost in ([], [(5, 1)]))
    assert np.allclose(kept.joints_m[:6], anew.joints_m[:6])
    assert not np.allclose(kept.joints_m[6:], anew.joints_m[6:])


def test_a_layout_without_a_human_body_is_refused():
    with pytest.raises(ConfigError, match="ap10k17 is no human body"):
        tracks_of(clip(layout=AP10K17), CONFIG)


def test_angles_are_those_of_the_body():
    track = standing(3, lean_deg=20, knees_deg=(90, 170), yaw_deg=40)
    assert track.knees_deg[0] == pytest.approx((90, 170), abs=1e-6)
    assert track.yaw_deg[0] == pytest.approx(40, abs=1e-6)
    assert 10 < track.trunk_deg[0] < 20  # the bone from hips to spine stays upright
    assert standing(3).legs_deg[0] == pytest.approx(0, abs=1e-6)
    assert standing(3).lower_ankle_m[0] == pytest.approx(FLOOR_M - 0.83)


def test_yaw_is_against_the_camera():
    assert standing(3, yaw_deg=40, seen_by=camera(pitch_deg=-30)).yaw_deg[0] == pytest.approx(40, abs=1e-6)
