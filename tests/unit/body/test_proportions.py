"""Body dimensions agree with the skeleton's bones."""

import numpy as np
import pytest

from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot

T_POSE = np.tile(rot.IDENTITY_XYZW, (17, 1))


def joints_at_rest(body):
    places = joint_positions(HUMANOID, T_POSE, np.zeros(3), body.bone_m)
    return {joint: places[row] for joint, row in HUMANOID.index.items()}


@pytest.mark.parametrize("height_m", [0.9, REST_HEIGHT_M, 2.05])
def test_an_average_body_has_the_skeletons_own_bones(height_m):
    bone_m = BodyDimensions.of_height(height_m).bone_m
    np.testing.assert_allclose(bone_m, HUMANOID.rest_bone_m * height_m / REST_HEIGHT_M, atol=1e-12)


def test_a_skeleton_with_the_bones_of_a_body_has_its_lengths():
    own = {"torso": 0.47, "shoulder_width": 0.41, "hip_width": 0.25, "upper_arm": 0.33, "forearm": 0.22, "thigh": 0.48,
           "shank": 0.39}  # fmt: skip
    body = BodyDimensions.of_height(1.8).with_lengths(own)
    at = joints_at_rest(body)
    shoulders, hips = ([at[f"{side}{joint}"] for side in ("left", "right")] for joint in ("UpperArm", "UpperLeg"))
    got = {
        "torso": np.linalg.norm(np.mean(shoulders, axis=0) - np.mean(hips, axis=0)),
        "shoulder_width": np.linalg.norm(shoulders[0] - shoulders[1]),
        "hip_width": np.linalg.norm(hips[0] - hips[1]),
    }
    for side in ("left", "right"):
        chain = (
            ("upper_arm", "UpperArm", "LowerArm"),
            ("forearm", "LowerArm", "Hand"),
            ("thigh", "UpperLeg", "LowerLeg"),
        )
        for name, start, end in (*chain, ("shank", "LowerLeg", "Foot")):
            got[name] = np.linalg.norm(at[f"{side}{start}"] - at[f"{side}{end}"])
            assert got[name] == pytest.approx(own[name], abs=1e-12), (side, name)
    assert got == pytest.approx(own, abs=1e-12)
    assert [*got] == [*LENGTHS]
    assert body.lengths.tolist() == [own[name] for name in LENGTHS]


def test_longer_legs_raise_the_hips_and_wider_shoulders_keep_the_neck():
    average = BodyDimensions.of_height(1.7)
    legs = average.with_lengths({"thigh": average.thigh + 0.03, "shank": average.shank - 0.01})
    assert legs.hip_height == pytest.approx(average.hip_height + 0.02)
    assert legs.head_height == average.head_height
    wide = average.with_lengths({"shoulder_width": average.shoulder_width * 1.2})
    for body in (average, wide):
        at = joints_at_rest(body)
        assert at["neck"][1] - at["leftUpperArm"][1] == pytest.approx(0.03)


def test_no_bone_vanishes_whatever_the_lengths():
    average = BodyDimensions.of_height(1.7)
    odd = average.with_lengths({"torso": 0.6 * average.torso, "shoulder_width": 1.6 * average.shoulder_width})
    assert odd.bone_m[1:].min() > 0.02
