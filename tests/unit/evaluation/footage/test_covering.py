"""Covering: the person is painted over, what is around them stays."""

import numpy as np
from support.people import make_person, make_pose

from realtime_pose.evaluation.footage.covering import covered


def test_a_person_is_painted_over_and_the_rest_stays():
    image = np.random.default_rng(0).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    person = make_person(2, pose=make_pose(2, turn_rad=0.1)).keypoints.sane()
    out = covered(image, [person])
    changed = (out != image).any(axis=-1)
    at = person.xy_px[person.layout.rows(["left_hip", "right_knee", "left_elbow", "nose"])].astype(int)
    assert changed[at[:, 1], at[:, 0]].mean() > 0.7
    assert 0.02 < changed.mean() < 0.5
    colours = np.unique(out[changed], axis=0)
    assert len(colours) == 1
    assert np.array_equal(covered(image, []), image)


def test_points_that_are_not_seen_cover_nothing():
    image = np.zeros((480, 640, 3), np.uint8)
    person = make_person(2).keypoints.sane()
    faint = type(person)(person.layout, person.xy_px.copy(), np.full_like(person.score, 0.1), 1, 0)
    assert np.array_equal(covered(image, [faint]), image)
