import math

import numpy as np
import pytest

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.camera_pitch import PosturePitch
from realtime_pose.filters.leg_ik import legs_of
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FPS = 30.0
X, Y = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def turned(*turns):
    """Local rotations of a body at rest, with joints rotated about an axis by degrees."""
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    for joint, axis, angle_deg in turns:
        row = HUMANOID.index[joint]
        local[row] = rot.multiply(local[row], rot.from_axis_angle(axis, np.radians(angle_deg)))
    return local


def body(local, root_m=(0.0, 0.0, -3.0)):
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(local)), as_float32(root_m), as_float32(HUMANOID.rest_bone_m),
        np.ones(17, np.float32), 1, 0,
    )  # fmt: skip


def pitch_of(local, seconds=4.0, fps=FPS, speed_m_s=0.0):
    """The pitch and its standard error, in degrees, from a person who keeps this pose."""
    posture = PosturePitch()
    for i in range(round(seconds * fps)):
        pose = body(local, (speed_m_s * i / fps, 0.0, -3.0))
        posture.add(pose, legs_of(pose), 1 / fps if i else 0.0)
    pitch_rad, error_rad = posture.pitch
    return math.degrees(pitch_rad), math.degrees(error_rad)


def test_a_lean_towards_the_camera_is_a_camera_that_looks_down():
    down, level, up = (pitch_of(turned(("hips", X, angle)))[0] for angle in (8.0, 0.0, -8.0))
    assert down == pytest.approx(level + 8.0 / 0.66, abs=0.1)
    assert up == pytest.approx(level - 8.0 / 0.66, abs=0.1)
    assert abs(level) < 4


def test_the_forward_lean_cancels_out_when_the_person_turns_round():
    facing, away = (pitch_of(turned(("hips", Y, yaw)))[0] for yaw in (0.0, 180.0))
    assert facing == pytest.approx(-away, abs=0.1)
    assert facing < -2


def test_the_error_is_infinite_at_first_and_falls_with_time():
    assert pitch_of(turned(), seconds=0.9)[1] == math.inf
    errors = [pitch_of(turned(), seconds=s)[1] for s in (1.5, 5.0, 15.0)]
    assert errors == sorted(errors, reverse=True)
    assert 3 < errors[-1] < errors[0] < 8


def test_the_frame_rate_does_not_matter():
    assert pitch_of(turned(("hips", X, 5.0)), fps=15.0)[0] == pytest.approx(
        pitch_of(turned(("hips", X, 5.0)), fps=60.0)[0]
    )


KNEES = [(f"{side}LowerLeg", X, 95.0) for side in ("left", "right")]
THIGHS = [(f"{side}UpperLeg", X, -90.0) for side in ("left", "right")]


@pytest.mark.parametrize(
    "local",
    [turned(*THIGHS, *KNEES), turned(*THIGHS), turned(("hips", X, 90.0)), turned(("spine", X, 60.0))],
    ids=["on a chair", "legs out", "lying", "bowing"],
)
def test_a_person_who_does_not_stand_upright_is_ignored(local):
    assert pitch_of(local)[1] == math.inf


def test_a_runner_is_ignored_and_a_walker_is_not():
    assert pitch_of(turned(("hips", X, 15.0)), speed_m_s=1.2)[1] < 10
    running = pitch_of(turned(("hips", X, 15.0)), speed_m_s=3.0)
    assert running[1] == math.inf
