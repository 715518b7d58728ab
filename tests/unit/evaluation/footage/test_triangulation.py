"""Triangulation: exact without noise, robust to a wrong keypoint and to exchanged sides, and people kept apart."""

from dataclasses import replace

import numpy as np
import pytest
from support.calibrated import limbs_at, sighting

from realtime_pose.evaluation.footage.triangulation import epipolar_distance_m, follow, grouped, triangulated

MIRROR = [row ^ 1 for row in range(12)]


def views(limbs_m, noise_px=0.0):
    return [sighting(view, limbs_m, noise_px=noise_px, seed=view) for view in range(4)]


def test_exact_keypoints_give_exact_joints():
    joints_m, off_rad = triangulated(views(limbs_at(0.3, -0.2)))
    assert np.allclose(joints_m, limbs_at(0.3, -0.2), atol=1e-5)
    assert np.allclose(off_rad, 0, atol=1e-5)


def test_noise_is_averaged():
    joints_m, off_rad = triangulated(views(limbs_at(), noise_px=3.0))
    assert np.linalg.norm(joints_m - limbs_at(), axis=1).max() < 0.03
    assert 0.5 < np.mean(off_rad) * 900 < 6


def test_a_wrong_keypoint_in_one_view_is_left_out():
    seen = views(limbs_at())
    rays = seen[1].rays.copy()
    rays[4] = sighting(1, limbs_at(0.5)).rays[4]
    joints_m, _ = triangulated([seen[0], replace(seen[1], rays=rays), *seen[2:]])
    assert np.allclose(joints_m, limbs_at(), atol=2e-3)


def test_exchanged_sides_of_one_view_are_undone():
    seen = views(limbs_at())
    swapped = replace(seen[2], rays=seen[2].rays[MIRROR])
    joints_m, _ = triangulated([*seen[:2], swapped, seen[3]])
    assert np.allclose(joints_m, limbs_at(), atol=1e-4)


def test_the_frame_before_decides_where_as_many_views_say_either():
    seen = views(limbs_at())
    split = [*seen[:2], *(replace(each, rays=each.rays[MIRROR]) for each in seen[2:])]
    for before in (limbs_at(), limbs_at()[MIRROR]):
        assert np.allclose(triangulated(split, before)[0], before, atol=1e-4)


def test_a_joint_seen_once_is_unknown():
    seen = views(limbs_at())
    for each in seen[1:]:
        each.score[3] = 0.1
    joints_m, off_rad = triangulated(seen)
    assert np.isnan(joints_m[3]).all()
    assert np.isnan(off_rad[3])
    assert np.isfinite(np.delete(joints_m, 3, axis=0)).all()


def test_views_of_one_person_are_near_and_of_two_are_not():
    here, there = limbs_at(), limbs_at(0.8, 0.5)
    assert epipolar_distance_m(sighting(0, here), sighting(1, here)) == pytest.approx(0, abs=1e-6)
    assert epipolar_distance_m(sighting(0, here), sighting(1, here[MIRROR])) < 1e-6
    assert epipolar_distance_m(sighting(0, here), sighting(1, there)) > 0.1
    assert epipolar_distance_m(sighting(0, here), sighting(1, here, score=0.1)) == float("inf")


def test_two_people_are_matched_across_views_whatever_their_order():
    here, there = limbs_at(-0.6), limbs_at(0.8, 0.5)
    sightings = [
        sighting(view, limbs_m, person, noise_px=2.0, seed=10 * view + person)
        for view in range(4)
        for person, limbs_m in enumerate((here, there) if view % 2 else (there, here))
    ]
    groups = grouped(sightings)
    assert [len(group) for group in groups] == [4, 4]
    assert sorted(tuple(s.person for s in sorted(group, key=lambda s: s.view)) for group in groups) == [
        (0, 1, 0, 1), (1, 0, 1, 0),
    ]  # fmt: skip


def test_somebody_in_one_view_alone_is_in_no_group():
    assert grouped([sighting(0, limbs_at()), sighting(1, limbs_at(0.8, 0.5))]) == []


def test_people_keep_their_identity_while_they_walk_and_after_a_gap():
    frames = []
    for t in range(20):
        here, there = limbs_at(-0.8 + 0.02 * t), limbs_at(0.8, 0.02 * t)
        first = [] if 8 <= t < 12 else [sighting(view, here, 0) for view in range(4)]
        frames.append([*first, *(sighting(view, there, 1) for view in range(3))])
    first, second = follow(frames)
    assert (len(first.joints_m), len(second.joints_m)) == (20, 16)
    assert np.allclose(first.joints_m[19], limbs_at(0.8, 0.38), atol=1e-4)
    assert np.allclose(second.joints_m[19], limbs_at(-0.42), atol=1e-4)
    assert second.seen_as[0] == {0: 0, 1: 0, 2: 0, 3: 0}
    assert first.seen_as[5] == {0: 1, 1: 1, 2: 1}
