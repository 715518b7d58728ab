"""Ankle rays: from the image where it matches the pose, else from the pose."""

from dataclasses import replace

import numpy as np
import pytest
from support.bodies import human_local, keypoints_of, points_of
from support.people import CAMERA, make_pose

from realtime_pose.filters.ankle_rays import ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

LEFT, RIGHT = COCO17.index["left_ankle"], COCO17.index["right_ankle"]


def test_the_rays_of_keypoints_pass_through_the_joints():
    points = points_of(human_local(1), root_m=(0.3, 0.1, -3.0))
    rays = Observation.of(keypoints_of(points), CAMERA).ankle_rays
    assert rays == pytest.approx(points[[LEFT, RIGHT], :2] / -points[[LEFT, RIGHT], 2:], abs=1e-4)


def test_an_occluded_ankle_has_no_ray():
    score = np.ones(17)
    score[RIGHT] = 0
    occluded = keypoints_of(points_of(human_local(1), root_m=(0, 0, -3.0)), score=score)
    rays = Observation.of(occluded, CAMERA).ankle_rays
    assert np.isfinite(rays[0]).all()
    assert np.isnan(rays[1]).all()


def observed(rays):
    return None if rays is None else Observation(as_float32(rays))


ANKLES = [(0.3, -0.9, -3.0), (-0.3, -0.9, -3.0)]
POSED = [(0.1, -0.3), (-0.1, -0.3)]


@pytest.mark.parametrize(
    ("rays", "expected"),
    [
        (None, [(POSED[0], False), (POSED[1], False)]),
        ([(0.11, -0.31), (-0.12, -0.3)], [((0.11, -0.31), True), ((-0.12, -0.3), True)]),
        ([(-0.12, -0.3), (0.11, -0.31)], [((0.11, -0.31), True), ((-0.12, -0.3), True)]),  # sides are swapped
        ([(np.nan, np.nan), (-0.12, -0.3)], [(POSED[0], False), ((-0.12, -0.3), True)]),
        ([(0.11, -0.31), (0.9, 0.5)], [((0.11, -0.31), True), (POSED[1], False)]),  # far from the pose
    ],
)
def test_rays_come_from_the_image_where_it_matches_the_pose(rays, expected):
    got = ankle_rays(make_pose(0), observed(rays), ANKLES)
    for (ray, seen), (wanted, is_seen) in zip(got, expected, strict=True):
        assert ray == pytest.approx(wanted, abs=1e-6)
        assert seen is is_seen


def test_an_ankle_behind_the_camera_breaks_nothing():
    assert np.isfinite([ray for ray, _ in ankle_rays(make_pose(0), None, [(0.1, -1.0, 0.5), (0.0, 0.0, 0.0)])]).all()


def test_a_pose_that_is_blending_does_not_match_the_image():
    blending = replace(make_pose(0), blending=True)
    got = ankle_rays(blending, observed([(0.11, -0.31), (-0.12, -0.3)]), ANKLES)
    assert got == [(pytest.approx(POSED[0]), False), (pytest.approx(POSED[1]), False)]
