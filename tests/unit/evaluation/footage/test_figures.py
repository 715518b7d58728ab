"""Figures on footage: each is zero for a pose that fits, and its own size where the pose is off by a known amount."""

from dataclasses import replace

import numpy as np
import pytest
from support.tracks import FLOOR_M, FPS, camera, standing, track_of

from realtime_pose.evaluation.footage.clip_poses import limb_joints
from realtime_pose.evaluation.footage.facts import Fact
from realtime_pose.evaluation.footage.figures import measure, pooled
from realtime_pose.skeletons import COCO17, LIMB_NAMES


def figures(track, facts=()):
    return pooled([measure(track, len(track), facts)])


def test_a_still_pose_that_lies_on_its_keypoints_has_no_errors():
    found = figures(standing(yaw_deg=30.0))
    assert (found.frames, found.poses_percent) == (40, 100)
    assert found.reprojection_percent == pytest.approx(0, abs=1e-9)
    assert found.reprojection_p95_percent == pytest.approx(0, abs=1e-9)
    assert found.jitter_m_s2 == pytest.approx(0, abs=1e-9)
    assert found.swaps_percent == 0
    assert found.slide_cm_s is None  # no contact
    assert found.trunk_deg is None  # no facts


def test_reprojection_is_in_percent_of_the_person_whatever_their_distance():
    for distance_m in (2.0, 8.0):
        track = standing(seen_by=camera(position_m=(0, 1, distance_m)))
        height_px = 900 * 1.70 / distance_m
        moved = replace(track, limbs_px=track.limbs_px + np.array([0.05 * height_px, 0.0]))
        assert figures(moved).reprojection_percent == pytest.approx(5.0, rel=1e-6)


def test_a_pose_at_twice_the_distance_is_measured_against_the_person():
    near, far = standing(seen_by=camera(position_m=(0, 1, 4))), standing(seen_by=camera(position_m=(0, 1, 8)))
    error_px = np.linalg.norm(near.limbs_px - far.limbs_px, axis=-1)
    expected = np.median(error_px / (900 * 1.70 / 4)) * 100
    assert figures(replace(far, limbs_px=near.limbs_px)).reprojection_percent == pytest.approx(expected, rel=1e-6)


def test_keypoints_with_a_low_score_do_not_count():
    track = standing()
    off = replace(track, limbs_px=track.limbs_px + np.eye(12)[0][:, None] * 500, limbs_score=0.9 - 0.8 * np.eye(40, 12))
    worse = replace(track, limbs_px=off.limbs_px)
    assert figures(worse).reprojection_p95_percent > 50
    off.limbs_score[:, 0] = 0.2
    assert figures(off).reprojection_p95_percent == pytest.approx(0, abs=1e-6)


def test_frames_without_enough_keypoints_have_no_error():
    track = standing()
    track.limbs_score[:, 2:] = 0.0
    found = figures(track)
    assert found.reprojection_percent is None
    assert found.swaps_percent == 0


def test_mirrored_keypoints_are_a_swap_but_a_side_view_is_not():
    track = standing()
    mirror = [list(LIMB_NAMES).index(COCO17.names[COCO17.mirror[COCO17.index[name]]]) for name in LIMB_NAMES]
    swapped = replace(track, limbs_px=np.where((track.frame < 10)[:, None, None], track.limbs_px[:, mirror],
                                               track.limbs_px))  # fmt: skip
    assert figures(swapped).swaps_percent == 25
    side = standing(yaw_deg=90.0, seen_by=camera(position_m=(0, 1, 20)))  # far away, both sides coincide
    side.limbs_score[:, :6] = 0.0  # but not the stretched arms
    assert figures(replace(side, limbs_px=side.limbs_px[:, mirror])).swaps_percent == 0


def test_slide_is_the_horizontal_speed_of_feet_in_contact():
    root = np.tile((0.0, FLOOR_M, 0.0), (40, 1))
    root[:, 0] = np.arange(40) * 0.01
    track = standing(root_m=root)
    track.contact[10:20, 0] = True
    assert figures(track).slide_cm_s == pytest.approx(1.0 * FPS)


def test_a_gap_is_neither_a_slide_nor_jitter():
    joints = np.concatenate([standing(20).joints_m, standing(20, root_m=(2, FLOOR_M, 0)).joints_m])
    track = track_of(joints, camera(), contact=np.ones((40, 2), bool))
    jump = figures(track)
    assert jump.slide_cm_s > 100
    assert jump.jitter_m_s2 > 10
    gap = replace(track, frame=track.frame + 5 * (track.frame >= 20), time_s=track.time_s + (track.frame >= 20) / 6)
    calm = pooled([measure(gap, 45)])
    assert (calm.slide_cm_s, calm.jitter_m_s2) == pytest.approx((0, 0), abs=1e-9)
    assert calm.poses_percent == pytest.approx(100 * 40 / 45)


def test_jitter_is_the_acceleration_at_the_clips_own_times():
    t = np.arange(40) / FPS
    root = np.stack((np.zeros(40), np.full(40, FLOOR_M), 0.5 * 3.0 * t**2), axis=1)
    assert figures(standing(root_m=root)).jitter_m_s2 == pytest.approx(3.0, rel=1e-6)


def test_trunk_knees_and_ankles_are_those_of_standing_facts():
    lean = np.where(np.arange(40) < 20, 10.0, 50.0)
    track = standing(lean_deg=lean, knees_deg=(160, 175))
    facts = [
        Fact(0, 9, "standing", "", {"trunk_deg_max": 8, "knee_deg_min": 150}),
        Fact(30, 39, "sitting", "", {"trunk_deg_max": 60}),
        Fact(30, 39, "standing", "", {"trunk_deg_max": 8, "who": "left"}),
    ]
    found = figures(track, facts)
    assert found.trunk_deg == pytest.approx(np.median(track.trunk_deg[:10]))
    assert found.knee_deg == pytest.approx(160, abs=0.01)
    assert found.ankle_cm == pytest.approx(100 * np.median(track.lower_ankle_m[:10]))


def test_clips_are_pooled_by_their_frames():
    clean, off = standing(30), standing(10)
    off = replace(off, limbs_px=off.limbs_px + np.array([0.1 * 900 * 1.70 / 4, 0.0]))
    found = pooled([measure(clean, 30), measure(off, 10), measure(None, 40)])
    assert (found.frames, found.poses_percent) == (80, 50)
    assert found.reprojection_percent == pytest.approx(0, abs=1e-6)
    assert found.reprojection_p95_percent == pytest.approx(10)


def test_a_clip_without_anybody_has_empty_figures():
    found = pooled([measure(None, 12)]).as_dict()
    assert found["poses_percent"] == 0
    assert all(value is None for name, value in found.items() if name not in ("frames", "poses_percent"))


def test_limb_joints_are_in_the_order_of_the_keypoints():
    left, right = (LIMB_NAMES.index(f"{side}_wrist") for side in ("left", "right"))
    x = limb_joints(standing(1).joints_m)[0, :, 0]
    assert x[left] > 0.5
    assert x[right] < -0.5
