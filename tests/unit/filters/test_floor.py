from dataclasses import replace

import numpy as np
import pytest
from support.people import make_pose

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, JointRotations, SkeletonPose
from realtime_pose.filters.floor import FloorFilter, _Person
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]


def at(pose, root_m, time_ns=0, score=None):
    return replace(
        pose, root_m=as_float32(root_m), time_ns=time_ns, score=pose.score if score is None else as_float32(score)
    )


def standing(place_m, time_ns=0, *, height_m=1.0, pitch_deg=0.0, track_id=1, up_m=0.0, size=1.0, local=None):
    """A body at rest over a point (x, z) of the floor, as a camera above the origin sees it, in the camera's axes."""
    turn = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(pitch_deg))  # camera from world
    local = np.tile(rot.IDENTITY_XYZW, (17, 1)) if local is None else local.copy()
    local[0] = rot.multiply(turn, local[0])
    hips = np.array([place_m[0], 0.9 * size + up_m - height_m, place_m[1]])
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(local)), as_float32(rot.rotate(turn, hips)),
        as_float32(HUMANOID.rest_bone_m * size), np.ones(17, np.float32), track_id, time_ns,
    )  # fmt: skip


def stances(distances_m, *, seconds=0.8, fps=30.0, noise_m=0.0, seed=0, start_ns=0, **how):
    """A person who stands for a while at each of several distances, without walking between them."""
    rng, frame = np.random.default_rng(seed), 0
    for distance in distances_m:
        off = noise_m * rng.normal()
        for _ in range(round(seconds * fps)):
            pose = standing((0.0, -distance), start_ns + round(frame * 1e9 / fps), **how)
            longer = 1.0 + off / distance  # same rays, another distance
            yield replace(pose, root_m=as_float32(pose.root_m * longer), bone_m=as_float32(pose.bone_m * longer))
            frame += 1


def run(floor, poses):
    return [floor.apply(pose) for pose in poses]


def lowest(pose):
    return float(forward_kinematics(pose)[FEET, 1].min())


def test_the_first_position_stands_on_the_floor_at_the_origin():
    pose = at(make_pose(1), (0.4, -0.3, -2.7))
    placed = FloorFilter(BodyConfig()).apply(pose)
    assert placed.root_m[[0, 2]] == pytest.approx([0, 0], abs=1e-6)
    assert lowest(placed) == pytest.approx(0.07, abs=1e-4)


def test_later_positions_are_measured_from_the_first():
    floor = FloorFilter(BodyConfig())
    first = floor.apply(at(make_pose(1), (0.4, -0.3, -2.7)))
    later = floor.apply(at(make_pose(1), (0.9, 0.1, -2.2), FRAME_NS))
    assert later.root_m - first.root_m == pytest.approx([0.5, 0.4, 0.5], abs=1e-5)


def test_without_feet_a_standing_body_is_assumed():
    score = np.ones(17)
    score[FEET] = 0
    placed = FloorFilter(BodyConfig(height_m=2.04)).apply(at(make_pose(2), (0.4, 0.1, -1.0), score=score))
    assert placed.root_m == pytest.approx([0, 0.9 * 1.2, 0], abs=1e-5)


def test_people_keep_their_distances():
    floor = FloorFilter(BodyConfig())
    first = floor.apply(standing((-0.5, -3.0), track_id=1))
    second = floor.apply(standing((1.0, -4.0), track_id=2))
    assert first.root_m == pytest.approx([0, 0.9, 0], abs=1e-5)
    assert second.root_m == pytest.approx([1.5, 0.9, -1.0], abs=1e-5)


def test_a_person_who_returns_keeps_their_position():
    floor = FloorFilter(BodyConfig())
    floor.apply(standing((0.0, -3.0)))
    floor.forget(1)
    floor.forget(99)  # unknown id
    back = floor.apply(standing((0.7, -2.0), 10_000_000_000))
    assert back.root_m == pytest.approx([0.7, 0.9, 1.0], abs=1e-4)


def test_a_floor_that_was_wrong_at_first_is_corrected_by_standing_feet():
    """The first frame shows a jump: the floor is 30 cm too high until the feet are down."""
    floor = FloorFilter(BodyConfig())
    floor.apply(standing((0.0, -3.0), up_m=0.3))
    down = run(floor, stances([3.0, 3.1], seconds=2.5, start_ns=FRAME_NS))
    assert lowest(down[0]) < -0.2
    assert lowest(down[-1]) == pytest.approx(0.07, abs=0.01)
    steps = np.diff([pose.root_m[1] for pose in down])
    assert np.abs(steps).max() < 0.03  # eased


def test_jumping_and_a_foot_on_a_chair_do_not_move_the_floor():
    floor = FloorFilter(BodyConfig())
    run(floor, stances([3.0], seconds=2.0))
    start_ns = 2_000_000_000
    for i in range(60):
        up = max(0.0, 0.4 * np.sin(i / 5))  # jumps of 40 cm
        floor.apply(standing((0.0, -3.0), start_ns + i * FRAME_NS, up_m=up))
    start_ns += 60 * FRAME_NS
    chair = np.tile(rot.IDENTITY_XYZW, (17, 1))
    chair[HUMANOID.index["leftUpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(-90.0))
    chair[HUMANOID.index["leftLowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(90.0))
    for i in range(120):
        last = floor.apply(standing((0.0, -3.0), start_ns + i * FRAME_NS, local=chair))
    assert last.root_m[1] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("pitch_deg", [18.0, -9.0])
def test_the_slope_of_the_floor_gives_the_cameras_pitch(pitch_deg):
    floor = FloorFilter(BodyConfig())
    distances = [2.0, 2.4, 2.8, 3.2, 3.6, 4.0, 3.4, 2.6, 2.2, 3.0]
    how = {"pitch_deg": pitch_deg, "height_m": 1.2, "noise_m": 0.03}
    poses = run(floor, stances(distances * 2, **how))
    x, y, z, w = floor.world_from_camera_xyzw
    assert np.degrees(2 * np.arctan2(x, w)) == pytest.approx(-pitch_deg, abs=1.5)
    assert (y, z) == (0, 0)
    assert floor.camera_m[1] == pytest.approx(1.2, abs=0.05)
    upright = rot.rotate(poses[-1].rotations.local_xyzw[0], [0.0, 1.0, 0.0])
    assert upright[1] > np.cos(np.radians(1.5))
    assert lowest(poses[-1]) == pytest.approx(0.07, abs=0.05)
    hips = np.array([pose.rotations.local_xyzw[0] for pose in poses])
    assert np.degrees(rot.angle_between_rad(hips[:-1], hips[1:]).max()) < 2  # eased


@pytest.mark.parametrize("seed", range(2))
def test_a_level_camera_is_taken_as_level_however_noisy_the_distances(seed):
    floor = FloorFilter(BodyConfig())
    distances = np.random.default_rng(seed).uniform(2.6, 3.6, 24)
    for pose in stances(distances, noise_m=0.08, seed=seed):
        floor.apply(pose)
        assert floor.world_from_camera_xyzw == pytest.approx(rot.IDENTITY_XYZW)
    assert floor.camera_m[1] == pytest.approx(1.0, abs=0.04)


def test_a_given_camera_is_not_changed():
    floor = FloorFilter(BodyConfig(camera_height_m=1.4, camera_pitch_deg=12.0))
    poses = run(floor, stances([2.5, 3.5], height_m=1.4, pitch_deg=12.0))
    for pose in poses:
        assert pose.root_m[1] == pytest.approx(0.9, abs=1e-5)
        assert rot.angle_between_rad(pose.rotations.local_xyzw[0], rot.IDENTITY_XYZW) < 1e-3
    assert poses[-1].root_m == pytest.approx([0, 0.9, -1.0], abs=1e-5)
    assert floor.camera_m == pytest.approx([0, 1.4, 2.5], abs=1e-5)
    run(floor, stances([2.0, 3.0, 4.0], height_m=1.0, start_ns=10_000_000_000))  # feet that contradict it
    assert floor.camera_m[1] == 1.4


def test_a_pitch_alone_may_be_given_and_the_height_found():
    floor = FloorFilter(BodyConfig(camera_pitch_deg=12.0))
    poses = run(floor, stances([2.5], height_m=1.4, pitch_deg=12.0))
    assert poses[0].root_m == pytest.approx([0, 0.9, 0], abs=1e-5)
    assert floor.camera_m[1] == pytest.approx(1.4, abs=1e-3)


def test_time_that_runs_backwards_is_another_take():
    used, fresh = FloorFilter(BodyConfig()), FloorFilter(BodyConfig())
    run(used, stances([2.0, 3.0, 4.0], height_m=0.7, start_ns=5_000_000_000))
    for pose in stances([3.0], height_m=1.5):
        assert np.array_equal(used.apply(pose).root_m, fresh.apply(pose).root_m)


def test_a_person_of_another_size_does_not_move_the_floor_of_one_with_more_samples():
    """A child lifted at an adult's size seems to stand far below the floor."""
    floor = FloorFilter(BodyConfig())
    run(floor, stances([3.0, 3.2], seconds=2.0))
    before = floor.camera_m[1]
    run(floor, stances([4.0], seconds=2.0, start_ns=4_000_000_000, track_id=2, height_m=1.4, size=1.0))
    assert floor.camera_m[1] == pytest.approx(before, abs=1e-3)


def test_the_floor_is_found_alike_at_every_frame_rate():
    heights = []
    for fps in (15.0, 30.0, 60.0):
        floor = FloorFilter(BodyConfig())
        floor.apply(standing((0.0, -3.0), up_m=0.2))
        run(floor, stances([3.0], seconds=1.5, fps=fps, start_ns=FRAME_NS))
        heights.append(floor.camera_m[1])
    assert np.ptp(heights) < 0.01


def test_two_stances_on_different_heights_still_give_a_floor() -> None:
    # The percentile must be one of the samples: no sample is near the middle of the two.
    floor = FloorFilter(BodyConfig())
    person = _Person(0)
    person.samples.extend([(-0.2, 0.20), (-0.2, 0.14)])
    floor._fit(person)
    assert np.isfinite(floor._height_goal_m)


def test_a_few_places_close_together_do_not_change_the_pitch():
    for seed in range(20):
        floor = FloorFilter(BodyConfig())
        distances = np.random.default_rng(seed).uniform(2.8, 3.3, 6)
        run(floor, stances(distances, seconds=0.4, noise_m=0.08, seed=seed))
        assert floor.world_from_camera_xyzw == pytest.approx(rot.IDENTITY_XYZW)


def test_feet_that_never_rest_do_not_make_a_floor():
    floor = FloorFilter(BodyConfig())
    for i in range(150):
        floor.apply(standing((0.0, -3.0), i * FRAME_NS, up_m=0.15 * (1 - np.cos(i / 3))))
    assert floor.camera_m[1] == pytest.approx(1.0, abs=0.02)


def test_a_person_in_one_place_gives_the_pitch_by_standing_upright():
    floor = FloorFilter(BodyConfig())
    poses = run(floor, stances([3.0], seconds=8.0, pitch_deg=12.0, height_m=1.4))
    x, _, _, w = floor.world_from_camera_xyzw
    assert (
        9 < -np.degrees(2 * np.arctan2(x, w)) < 16
    )  # a perfect lifter shows more of the pitch than the constant assumes
    assert lowest(poses[-1]) == pytest.approx(0.07, abs=0.02)


def test_people_keep_their_positions_when_the_pitch_is_found():
    """Before the pitch is known the camera seems to be below the floor, and its height gives no distances."""
    floor = FloorFilter(BodyConfig())
    poses = run(floor, stances([5.0], seconds=8.0, pitch_deg=25.0, height_m=1.8))
    ways = np.array([pose.root_m[[0, 2]] for pose in poses])
    assert np.linalg.norm(ways - ways[0], axis=1).max() < 0.6
    assert lowest(poses[-1]) == pytest.approx(0.07, abs=0.02)


def test_feet_keep_to_the_floor_while_the_pitch_is_eased_in():
    """Height and pitch are eased together, also before any foot has stood: this body glides in a circle."""
    floor = FloorFilter(BodyConfig())
    times_s = np.arange(240) / 30
    way = np.column_stack((0.4 * np.sin(2 * times_s), -3.0 - 0.4 * np.cos(2 * times_s)))
    poses = run(
        floor,
        (standing(place, round(t * 1e9), pitch_deg=14.0, height_m=1.5) for t, place in zip(times_s, way, strict=True)),
    )
    assert floor.world_from_camera_xyzw[0] < -0.05
    heights = [lowest(pose) for pose in poses]
    assert min(heights) > -0.15
    assert max(heights) < 0.3


def test_the_floor_stays_when_its_person_is_forgotten():
    floor = FloorFilter(BodyConfig())
    run(floor, stances([3.0, 3.2], seconds=2.0, height_m=1.4))
    before = floor.camera_m
    floor.forget(1)
    run(floor, stances([4.0], seconds=1.0, start_ns=5_000_000_000, track_id=2, height_m=1.4, size=1.0))
    assert floor.camera_m == pytest.approx(before, abs=1e-3)


def test_a_person_with_more_samples_than_a_forgotten_one_moves_the_floor():
    floor = FloorFilter(BodyConfig())
    run(floor, stances([3.0], seconds=1.0, height_m=1.4))
    floor.forget(1)
    run(floor, stances([3.0, 3.2], seconds=4.0, start_ns=5_000_000_000, track_id=2, height_m=1.6))
    assert floor.camera_m[1] == pytest.approx(1.6, abs=0.02)


def test_forgetting_a_stranger_keeps_the_floor():
    floor = FloorFilter(BodyConfig())
    run(floor, stances([3.0, 3.2], seconds=2.0, height_m=1.4))
    floor.forget(1)
    floor.forget(99)
    assert len(floor._best_known().samples) > 0


def test_the_camera_says_where_its_direction_comes_from():
    lens = CameraIntrinsics.from_field_of_view(70.0, 1280, 720)
    floor, up = FloorFilter(BodyConfig()), rot.rotate(rot.inverse(rot.from_pitch_roll(0.2, -0.1)), (0.0, 1.0, 0.0))
    assert floor.camera(lens) is None
    floor.apply(standing((0.0, -3.0)))
    first = floor.camera(lens)
    assert (first.source, first.sigma_deg, first.pitch_deg) == ("assumed", pytest.approx(10), 0)
    floor.attitude.add(up, 0.05, 0)
    camera = floor.camera(lens)
    assert (camera.source, camera.pitch_deg, camera.roll_deg) == (
        "estimated", pytest.approx(np.degrees(0.2)), pytest.approx(np.degrees(-0.1))
    )  # fmt: skip
    assert 0 < camera.sigma_deg < 5
    assert camera.position_m == pytest.approx(floor.camera_m)
    given = FloorFilter(BodyConfig(camera_pitch_deg=12.0))
    given.apply(standing((0.0, -3.0)))
    seen = given.camera(lens)
    assert (seen.source, seen.sigma_deg, seen.pitch_deg) == ("given", 0, pytest.approx(12))
    broken = FloorFilter(BodyConfig())
    broken.apply(at(standing((0.0, -3.0)), (np.nan, 0.0, -3.0)))
    assert broken.camera(lens) is None
