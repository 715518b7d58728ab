"""Bone rescaling: the profile's lengths, the lifted directions."""

import numpy as np
import pytest
from support.people import make_person

from realtime_pose.body.profile import BodyProfile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.lifting.bone_rescaling import BoneRescaling, with_lengths
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS

AVERAGE = BodyDimensions.of_height(1.8)
SHARES = (0.9, 1.2, 1.3, 0.85, 1.1, 1.05, 0.95)
OWN = {name: getattr(AVERAGE, name) * share for name, share in zip(LENGTHS, SHARES, strict=True)}
BONES = [
    ("upper_arm", "shoulder", "elbow"),
    ("forearm", "elbow", "wrist"),
    ("thigh", "hip", "knee"),
    ("shank", "knee", "ankle"),
]


def lifted(layout, seed=3):
    """A person's points with noise."""
    xyz = make_person(seed, layout=layout).joints.xyz_m.astype(float)
    xyz += np.random.default_rng(seed).normal(size=xyz.shape) * 0.02
    return xyz - xyz[layout.rows(["left_hip", "right_hip"])].mean(axis=0)


def vector(xyz, layout, start, end):
    def middle(name):
        return xyz[layout.rows([name] if name in layout.index else [f"left_{name}", f"right_{name}"])].mean(axis=0)

    return middle(end) - middle(start)


@pytest.mark.parametrize("layout", [COCO17, COCO17_FEET_HANDS], ids=lambda layout: layout.name)
def test_lengths_are_the_profiles_and_directions_the_lifted_ones(layout):
    before = lifted(layout)
    after = with_lengths(before, layout, OWN)
    pairs = [("torso", "hip", "shoulder", 1.0)]
    for side in ("left", "right"):
        pairs += [(name, f"{side}_{start}", f"{side}_{end}", 1.0) for name, start, end in BONES]
        pairs += [("hip_width", "hip", f"{side}_hip", 0.5), ("shoulder_width", "shoulder", f"{side}_shoulder", 0.5)]
    for name, start, end, share in pairs:
        old, new = (vector(xyz, layout, start, end) for xyz in (before, after))
        assert np.linalg.norm(new) == pytest.approx(OWN[name] * share), (name, end)
        np.testing.assert_allclose(new / np.linalg.norm(new), old / np.linalg.norm(old), atol=1e-9)
    np.testing.assert_allclose(after[layout.rows(["left_hip", "right_hip"])].mean(axis=0), 0, atol=1e-12)


def test_hands_feet_and_face_move_with_their_bone():
    layout = COCO17_FEET_HANDS
    before = lifted(layout)
    after = with_lengths(before, layout, OWN)
    carried = {
        "left_wrist": ("left_index", "left_pinky"),
        "right_ankle": ("right_heel", "right_toe"),
        "shoulder": ("nose",),
    }
    for carrier, points in carried.items():
        for point in points:
            old, new = (vector(xyz, layout, carrier, point) for xyz in (before, after))
            np.testing.assert_allclose(new, old, atol=1e-9)
    assert np.abs(after - before).max() > 0.05


def test_coinciding_points_stay_in_place():
    after = with_lengths(np.zeros((17, 3)), COCO17, OWN)
    np.testing.assert_array_equal(after, np.zeros((17, 3)))


def test_only_a_profile_changes_anything():
    before = lifted(COCO17)
    assert BoneRescaling(BodyConfig()).apply(before, COCO17) is before
    profile = BodyProfile(1.8, OWN).text
    for height_m in (1.8, 0.9):
        after = BoneRescaling(BodyConfig(height_m=height_m, profile=profile)).apply(before, COCO17)
        thigh_m = np.linalg.norm(vector(after, COCO17, "left_hip", "left_knee"))
        assert thigh_m == pytest.approx(OWN["thigh"] * height_m / 1.8, abs=1e-4)
