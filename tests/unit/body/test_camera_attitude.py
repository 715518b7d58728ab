"""Camera attitude: measurements of the vertical become one pitch and roll, without jumps."""

import numpy as np
import pytest

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.utils import rotations as rot

FRAME_NS = 33_333_333


def up_of(pitch_deg, roll_deg=0.0):
    """The vertical (3,) in the axes of a camera that looks down by `pitch_deg` and is turned left by `roll_deg`."""
    pitch, roll = np.radians((pitch_deg, roll_deg))
    return rot.rotate(rot.from_axis_angle((0.0, 0.0, 1.0), roll), np.array([0.0, np.cos(pitch), np.sin(pitch)]))


def off_deg(attitude, up):
    return np.degrees(np.arccos(np.clip(attitude.up @ up, -1, 1)))


def pitch_deg(up):
    return np.degrees(np.arctan2(up[2], up[1]))


def test_it_starts_level_and_unknown():
    attitude = CameraAttitude(BodyConfig())
    assert attitude.up == pytest.approx([0, 1, 0])
    assert not attitude.is_known
    assert attitude.world_from_camera_xyzw == pytest.approx(rot.IDENTITY_XYZW)


def test_the_first_measurement_is_used_at_once_and_later_ones_are_eased():
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up_of(20.0), 0.1, 0)
    assert attitude.is_known
    assert off_deg(attitude, up_of(20.0)) < 0.3
    before = attitude.up
    for i in range(1, 200):
        attitude.add(up_of(30.0), 0.02, i * FRAME_NS)
        assert np.degrees(np.arccos(min(attitude.up @ before, 1.0))) < 0.6
        before = attitude.up
    assert off_deg(attitude, up_of(30.0)) < 0.3


def test_the_estimate_is_the_mean_weighted_by_the_inverse_squares_of_the_errors():
    attitude = CameraAttitude(BodyConfig())
    for i in range(60):
        pitch, error_rad = ((10.0, 0.05), (20.0, 0.1))[i % 2]
        attitude.add(up_of(pitch), error_rad, i * FRAME_NS)
    mean, error_rad = attitude.measured
    assert pitch_deg(mean) == pytest.approx((4 * 10 + 20) / 5, abs=0.3)
    assert 0.02 < error_rad < 0.07


def test_the_error_shrinks_with_time_but_never_below_what_all_frames_share():
    errors_rad = []
    attitude = CameraAttitude(BodyConfig())
    for i in range(1800):
        attitude.add(up_of(10.0), 0.1, i * FRAME_NS)
        errors_rad.append(attitude.measured[1])
    assert np.all(np.diff(errors_rad) <= 1e-12)
    assert errors_rad[0] < 0.1
    assert 0.03 < errors_rad[-1] < 0.6 * errors_rad[0]


def test_unsure_measurements_are_drawn_to_the_cameras_of_the_training_and_their_mean_is_not():
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up_of(25.0, 10.0), np.radians(8.0), 0)
    assert pitch_deg(attitude.measured[0]) == pytest.approx(25, abs=1)  # one frame: as the network says
    for i in range(1, 300):
        attitude.add(up_of(25.0, 10.0), np.radians(8.0), i * FRAME_NS)
    assert 26 < pitch_deg(attitude.measured[0]) < 32
    assert -attitude.measured[0][0] > 1.1 * -up_of(25.0, 10.0)[0]


def test_everyone_in_a_frame_counts():
    attitude = CameraAttitude(BodyConfig())
    for i in range(60):
        for pitch in (0.0, 20.0):
            attitude.add(up_of(pitch), 0.05, i * FRAME_NS)
    assert pitch_deg(attitude.measured[0]) == pytest.approx(10.0, abs=0.5)


def test_several_people_in_a_frame_leave_the_time_of_easing_alone():
    one, two = CameraAttitude(BodyConfig()), CameraAttitude(BodyConfig())
    for i in range(20):
        one.add(up_of(float(i)), 0.05, i * FRAME_NS)
        for _ in range(2):
            two.add(up_of(float(i)), 0.05, i * FRAME_NS)
    assert one.up == pytest.approx(two.up, abs=0.01)


def test_a_given_pitch_is_kept():
    attitude = CameraAttitude(BodyConfig(camera_pitch_deg=12.0))
    assert attitude.is_known
    assert attitude.is_given
    for i in range(60):
        attitude.add(up_of(40.0, 10.0), 0.01, i * FRAME_NS)
    assert attitude.measured[0] == pytest.approx(up_of(12.0))
    assert attitude.measured[1] < np.radians(2)
    assert off_deg(attitude, up_of(12.0)) < 0.01


def test_a_camera_given_as_level_is_not_estimated():
    attitude = CameraAttitude(BodyConfig(camera_pitch_deg=0.0))
    assert attitude.is_given
    attitude.add(up_of(40.0), 0.01, 0)
    assert off_deg(attitude, up_of(0.0)) < 0.01


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (35.0, 0.0), (-20.0, 0.0), (0.0, 15.0), (30.0, -10.0)])
def test_the_rotation_takes_the_vertical_to_y_and_keeps_the_yaw(pitch, roll):
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up_of(pitch, roll), 0.1, 0)
    assert rot.rotate(attitude.world_from_camera_xyzw, up_of(pitch, roll)) == pytest.approx([0, 1, 0], abs=0.01)
    x, y, z = rot.rotate(attitude.world_from_camera_xyzw, np.array([0.0, 0.0, -1.0]))
    assert x == pytest.approx(0, abs=1e-9)
    assert z < 0
    assert np.degrees(np.arcsin(y)) == pytest.approx(-pitch, abs=0.3)


def test_a_camera_that_looks_straight_down_has_a_rotation_too():
    attitude = CameraAttitude(BodyConfig())
    attitude.add(np.array([0.0, 0.0, 1.0]), 0.1, 0)
    assert rot.rotate(attitude.world_from_camera_xyzw, np.array([0.0, 0.0, 1.0])) == pytest.approx([0, 1, 0], abs=0.01)


def test_a_camera_that_is_moved_is_followed():
    attitude = CameraAttitude(BodyConfig())
    for i in range(600):
        attitude.add(up_of(0.0), 0.05, i * 10 * FRAME_NS // 2)
    for i in range(600, 1200):
        attitude.add(up_of(30.0), 0.05, i * 10 * FRAME_NS // 2)
    assert off_deg(attitude, up_of(30.0)) < 3


def test_a_refined_estimate_is_eased_in_and_used_until_the_next():
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up_of(10.0), 0.05, 0)
    attitude.refine(up_of(16.0))
    assert off_deg(attitude, up_of(10.0)) < 0.3  # not yet
    for i in range(1, 200):
        attitude.add(up_of(10.0), 0.05, i * FRAME_NS)
    assert off_deg(attitude, up_of(16.0)) < 0.1
    assert pitch_deg(attitude.measured[0]) == pytest.approx(10, abs=0.3)


def test_a_refined_estimate_is_used_without_measurements():
    """A lifter that says nothing of the vertical, as the geometric one: the floor alone gives it."""
    attitude = CameraAttitude(BodyConfig())
    attitude.ease(0)
    attitude.refine(up_of(16.0))
    assert attitude.is_known
    for i in range(1, 200):
        attitude.ease(i * FRAME_NS)
        attitude.ease((i - 8) * FRAME_NS)  # of an earlier frame, as with look-ahead: no second step
        if i == 21:
            assert 8 < pitch_deg(attitude.up) < 12
    assert off_deg(attitude, up_of(16.0)) < 0.1


def test_after_a_restart_the_next_measurement_is_the_first():
    attitude = CameraAttitude(BodyConfig())
    for i in range(30):
        attitude.add(up_of(30.0), 0.05, i * FRAME_NS)
    attitude.refine(up_of(35.0))
    attitude.restart()
    assert not attitude.is_known
    assert attitude.up == pytest.approx([0, 1, 0])
    attitude.add(up_of(-5.0), 0.1, 0)
    assert off_deg(attitude, up_of(-5.0)) < 0.3


def test_time_that_runs_backwards_is_another_take():
    attitude = CameraAttitude(BodyConfig())
    for i in range(60):
        attitude.add(up_of(30.0), 0.05, i * FRAME_NS)
    attitude.add(up_of(30.0), 0.05, 50 * FRAME_NS)  # frames out of order are not
    attitude.add(up_of(-5.0), 0.1, 0)
    assert off_deg(attitude, up_of(-5.0)) < 0.3
    attitude.add(up_of(-5.0), 0.1, 60 * FRAME_NS)
    attitude.refine(up_of(10.0))
    attitude.ease(0)
    assert not attitude.is_known


def test_a_second_pass_knows_the_measurements_after_a_moment_as_well():
    first = CameraAttitude(BodyConfig(look_ahead=True))
    for i in range(120):  # level at first, then moved
        first.add(up_of(0.0 if i < 20 else 12.0), 0.05, i * FRAME_NS)
    second = CameraAttitude(BodyConfig(look_ahead=True), first.track())
    assert second.is_known
    assert pitch_deg(second.up) == pytest.approx(10.0, abs=0.6)  # before any frame
    second.add(up_of(-40.0), 0.05, 0)  # what is measured now was measured before
    assert pitch_deg(second.up) == pytest.approx(10.0, abs=0.6)


def test_a_track_weighs_measurements_by_how_near_they_are():
    first = CameraAttitude(BodyConfig(look_ahead=True))
    for i in range(240):
        first.add(up_of(0.0 if i < 120 else 20.0), 0.05, i * 1_000_000_000)
    second = CameraAttitude(BodyConfig(look_ahead=True), first.track())
    got = []
    for at_s in (0, 119, 239):
        second.restart()
        second.add(up_of(0.0), 0.05, at_s * 1_000_000_000)
        got.append(pitch_deg(second.measured[0]))
    assert got == pytest.approx([0.5, 10.0, 19.5], abs=1.0)


def test_nothing_is_kept_for_a_second_pass_that_will_not_come():
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up_of(5.0), 0.05, 0)
    assert attitude.track() is None
