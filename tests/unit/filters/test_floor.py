from dataclasses import replace

import numpy as np
import pytest
from support.people import make_pose

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, JointRotations, SkeletonPose
from realtime_pose.filters.chain import FilterChain
from realtime_pose.filters.floor import FloorFilter, StandingTrack, ankle_height_m, fit_floor
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


def standing(place_m, time_ns=0, *, height_m=1.0, pitch_deg=0.0, track_id=1, up_m=0.0, size=1.0, local=None,
             stands=True):  # fmt: skip
    """A body at rest over a point (x, z) of the floor, as a camera above the origin sees it, in the camera's axes."""
    turn = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(pitch_deg))  # camera from world
    local = np.tile(rot.IDENTITY_XYZW, (17, 1)) if local is None else local.copy()
    local[0] = rot.multiply(turn, local[0])
    hips = np.array([place_m[0], 0.9 * size + up_m - height_m, place_m[1]])
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(local)), as_float32(rot.rotate(turn, hips)),
        as_float32(HUMANOID.rest_bone_m * size), np.ones(17, np.float32), track_id, time_ns,
        foot_contact=np.full(2, stands),
    )  # fmt: skip


def up_of(pitch_deg, roll_deg=0.0):
    """The vertical (3,) in the axes of a camera that looks down by `pitch_deg` and is turned left by `roll_deg`."""
    pitch, roll = np.radians((pitch_deg, roll_deg))
    return rot.rotate(rot.from_axis_angle((0.0, 0.0, 1.0), roll), np.array([0.0, np.cos(pitch), np.sin(pitch)]))


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


def test_occluded_feet_are_put_on_the_floor_as_well():
    score = np.ones(17)
    score[FEET] = 0
    placed = FloorFilter(BodyConfig(height_m=2.04)).apply(at(make_pose(2), (0.4, 0.1, -1.0), score=score))
    assert placed.root_m[[0, 2]] == pytest.approx([0, 0], abs=1e-6)
    assert lowest(placed) == pytest.approx(ankle_height_m(2.04), abs=1e-5)


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
    floor.apply(standing((0.0, -3.0), up_m=0.3, stands=False))
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
        floor.apply(standing((0.0, -3.0), start_ns + i * FRAME_NS, up_m=up, stands=up == 0))
    start_ns += 60 * FRAME_NS
    chair = np.tile(rot.IDENTITY_XYZW, (17, 1))
    chair[HUMANOID.index["leftUpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(-90.0))
    chair[HUMANOID.index["leftLowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(90.0))
    for i in range(120):
        pose = standing((0.0, -3.0), start_ns + i * FRAME_NS, local=chair)
        last = floor.apply(replace(pose, foot_contact=np.array([False, True])))
    assert last.root_m[1] == pytest.approx(0.9, abs=0.01)


@pytest.mark.parametrize("pitch_deg", [18.0, -9.0])
def test_the_slope_of_the_floor_gives_the_cameras_pitch(pitch_deg):
    floor = FloorFilter(BodyConfig())
    distances = [2.0, 2.4, 2.8, 3.2, 3.6, 4.0, 3.4, 2.6, 2.2, 3.0]
    how = {"pitch_deg": pitch_deg, "height_m": 1.2, "noise_m": 0.03}
    poses = run(floor, stances(distances * 2, **how))
    x, y, z, w = floor.world_from_camera_xyzw
    assert np.degrees(2 * np.arctan2(x, w)) == pytest.approx(-pitch_deg, abs=1.5)
    assert (y, z) == pytest.approx((0, 0), abs=0.02)
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
    for pose in stances(distances, noise_m=0.08, seed=seed, fps=15.0):
        floor.apply(pose)
        assert np.degrees(rot.angle_between_rad(floor.world_from_camera_xyzw, rot.IDENTITY_XYZW)) < 4
    assert floor.camera_m[1] == pytest.approx(1.0, abs=0.06)


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


def test_a_few_places_close_together_hardly_change_the_pitch():
    for seed in range(4):
        floor = FloorFilter(BodyConfig())
        distances = np.random.default_rng(seed).uniform(2.8, 3.3, 6)
        run(floor, stances(distances, seconds=0.4, noise_m=0.08, seed=seed))
        assert np.degrees(rot.angle_between_rad(floor.world_from_camera_xyzw, rot.IDENTITY_XYZW)) < 4


def test_feet_that_never_rest_leave_the_floor_below_the_lifted_ankles():
    floor = FloorFilter(BodyConfig())
    for i in range(150):
        floor.apply(standing((0.0, -3.0), i * FRAME_NS, up_m=0.15 * (1 - np.cos(i / 3)), stands=False))
    assert floor.camera_m[1] == pytest.approx(0.85, abs=0.05)


def measured_late(pitch_deg, at_frame):
    """Attitudes that a lifter measures, one a frame: a level camera at first, later the truth."""
    for i in range(10_000):
        yield up_of(0.0 if i < at_frame else pitch_deg)


def test_people_keep_their_place_when_the_pitch_is_found():
    """A camera that looks down by 20 degrees is taken as level for a second: the camera moves, not the person."""
    attitude = CameraAttitude(BodyConfig())
    chain = FilterChain(BodyConfig(smoothing="none"), attitude)
    ankles, cameras = [], []
    for pose, up in zip(
        stances([4.0], seconds=5.0, pitch_deg=20.0, height_m=1.8), measured_late(20.0, 15), strict=False
    ):
        attitude.add(up, 0.05, pose.time_ns)
        ankles.append(forward_kinematics(chain.finish(pose))[FEET])
        cameras.append(chain.floor.camera_m)
    assert chain.floor.world_from_camera_xyzw[0] < -0.12  # 14 degrees found
    assert np.linalg.norm(cameras[-1] - cameras[10]) > 0.4
    ways = np.array(ankles)[10:, :, [0, 2]]
    assert np.linalg.norm(ways - ways[0], axis=-1).max() < 0.12
    assert ankles[-1][:, 1] == pytest.approx(0.07, abs=0.01)


def test_the_place_of_feet_does_not_depend_on_the_estimate_of_the_camera():
    attitude = CameraAttitude(BodyConfig())
    floor, places = FloorFilter(BodyConfig(), attitude), []
    walk = stances([4.0], seconds=4.0, pitch_deg=20.0, height_m=1.8)
    for pose, up in zip(walk, measured_late(20.0, 15), strict=False):
        attitude.add(up, 0.05, pose.time_ns)
        floor.apply(pose)
        x, y, z = (pose.root_m + forward_kinematics(replace(pose, root_m=np.zeros(3, np.float32)))[FEET[0]]).tolist()
        in_world = rot.rotate(floor.world_from_camera_xyzw, np.array((x, y, z)))
        places.append(floor.standing_place((x / -z, y / -z), tuple(in_world.tolist())))
    assert np.linalg.norm(np.array(places)[10:] - places[10], axis=1).max() < 0.05


def test_feet_keep_to_the_floor_while_the_pitch_is_eased_in():
    """Also when no foot ever stands: this body glides in a circle."""
    attitude = CameraAttitude(BodyConfig())
    floor = FloorFilter(BodyConfig(), attitude)
    heights = []
    for i, up in zip(range(240), measured_late(14.0, 10), strict=False):
        place = (0.4 * np.sin(i / 15), -3.0 - 0.4 * np.cos(i / 15))
        attitude.add(up, 0.05, i * FRAME_NS)
        pose = standing(place, i * FRAME_NS, pitch_deg=14.0, height_m=1.5, stands=False)
        heights.append(lowest(floor.apply(pose)))
    assert floor.world_from_camera_xyzw[0] < -0.1
    assert min(heights) > -0.3
    assert max(heights) < 0.35
    assert heights[-1] == pytest.approx(0.07, abs=0.04)
    assert np.abs(np.diff(heights)).max() < 0.05  # eased


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
        "estimated", pytest.approx(np.degrees(0.2), abs=0.3), pytest.approx(np.degrees(-0.1), abs=0.3)
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


def samples_of(places_m, up, height_m, *, noise=0.0, seed=0):
    """Samples (N, 3) of ankles at (x, z) below a camera, as `fit_floor` takes them; `height_m` may differ for each."""
    attitude = CameraAttitude(BodyConfig())
    attitude.add(up, 0.1, 0)
    world = np.column_stack((places_m[:, 0], np.broadcast_to(-np.asarray(height_m), len(places_m)), places_m[:, 1]))
    x, y, z = rot.rotate(rot.inverse(attitude.world_from_camera_xyzw), world).T
    off = 1.0 + noise * np.random.default_rng(seed).normal(size=len(z))
    return np.column_stack((x / -z, y / -z, 1.0 / (-z * off)))


def many_places(count=200, seed=1):
    rng = np.random.default_rng(seed)
    return np.column_stack((rng.uniform(-2, 2, count), -rng.uniform(2.5, 8, count)))


def off_deg(normal, up):
    return np.degrees(np.arccos(np.clip(normal @ up, -1, 1)))


UP, HEIGHT_M = up_of(25.0, 10.0), 2.3


def test_feet_at_many_places_give_height_pitch_and_roll():
    prior = up_of(28.0, 6.0)
    assert off_deg(prior, UP) > 4
    fits = [fit_floor(samples_of(many_places(), UP, HEIGHT_M, noise=0.08, seed=seed), prior, np.radians(5.0))
            for seed in range(10)]  # fmt: skip
    off = [off_deg(normal, UP) for normal, _ in fits]
    assert np.mean(off) < 1
    assert max(off) < 2.5
    assert np.mean([height_m for _, height_m in fits]) == pytest.approx(HEIGHT_M, rel=0.02)


def test_a_block_does_not_move_the_floor_however_long_someone_stands_on_it():
    places, height_m = many_places(), np.full(200, HEIGHT_M)
    places[:60], height_m[:60] = (0.3, -4.0), HEIGHT_M - 0.5
    normal, found_m = fit_floor(samples_of(places, UP, height_m, noise=0.03), UP, np.radians(5.0))
    assert off_deg(normal, UP) < 1.5
    assert found_m == pytest.approx(HEIGHT_M, rel=0.03)


def test_blocks_in_many_places_do_not_lower_the_camera():
    height_m = np.where(np.arange(200) % 10 < 3, HEIGHT_M - 0.5, HEIGHT_M)
    normal, found_m = fit_floor(samples_of(many_places(), UP, height_m, noise=0.03), UP, np.radians(5.0))
    assert found_m == pytest.approx(HEIGHT_M, rel=0.1)
    assert off_deg(normal, UP) < 4


def test_a_camera_below_the_floor_has_a_negative_height():
    up = up_of(-15.0)
    normal, height_m = fit_floor(samples_of(many_places(), up, -0.9, noise=0.05), up_of(-12.0), np.radians(5.0))
    assert height_m == pytest.approx(-0.9, rel=0.04)
    assert off_deg(normal, up) < 2


def test_a_given_height_outweighs_a_few_distances():
    """Someone who is taken for 20 % taller than they are seems to be 20 % further away."""
    samples = samples_of(np.array([[0.3, -4.0]]), UP, HEIGHT_M) * (1.0, 1.0, 1 / 1.2)
    assert fit_floor(samples, UP, np.radians(5.0))[1] == pytest.approx(1.2 * HEIGHT_M, rel=0.02)
    normal, height_m = fit_floor(samples, UP, np.radians(5.0), HEIGHT_M)
    assert height_m == pytest.approx(HEIGHT_M, rel=0.02)
    assert off_deg(normal, UP) < 6


def test_one_place_says_nothing_of_the_direction():
    places = np.tile([[0.3, -4.0]], (100, 1))
    prior = up_of(21.0, 8.0)
    samples = samples_of(places, UP, HEIGHT_M, noise=0.08)
    normal, height_m = fit_floor(samples, prior, np.radians(5.0))
    assert off_deg(normal, prior) < 0.5
    assert 1.5 < height_m < 3.0
    assert np.isfinite(fit_floor(samples[:1], prior, np.radians(5.0))[1])


def test_two_stances_on_different_heights_still_give_a_floor():
    samples = samples_of(np.array([[0.0, -3.0], [0.5, -4.0]]), up_of(10.0), [1.2, 1.7])
    normal, height_m = fit_floor(samples, up_of(10.0), np.radians(5.0))
    assert 1.1 < height_m < 1.8
    assert np.linalg.norm(normal) == pytest.approx(1)


def placed_floor(height_m=1.27):
    """A floor below a level camera of this height, whose position above the floor is the origin."""
    floor = FloorFilter(BodyConfig(camera_height_m=height_m))
    floor.apply(standing((0.0, 0.0), height_m=height_m))
    return floor


def test_a_near_foot_stands_where_its_ray_meets_the_floor_and_a_far_one_where_it_was_lifted():
    floor = placed_floor()
    for distance, low, high in ((2.0, 0.0, 0.15), (50.0, 0.8, 1.0)):
        lifted = 1.1 * distance  # too far
        _, z = floor.standing_place((0.0, -1.2 / distance), (0.0, -1.1 * 1.2, -lifted))
        share = (-z - distance) / (lifted - distance)  # 0 on the floor, 1 as lifted
        assert low <= share <= high, distance


def test_the_standing_place_is_continuous():
    floor = placed_floor()
    for distances, descents in (([3.0], np.linspace(-0.3, 0.8, 401)), (np.linspace(0.5, 12, 401), [0.4])):
        places = [
            floor.standing_place((0.1, -descent), (0.1 * d, -descent * d, -d))
            for d in distances
            for descent in descents
        ]
        assert np.linalg.norm(np.diff(places, axis=0), axis=1).max() < 0.1


def test_a_foot_far_from_the_floor_stands_on_something_else():
    """A foot on a table is lifted at half the distance of the floor behind it."""
    floor = placed_floor()
    _, z = floor.standing_place((0.0, -0.3), (0.0, -0.3 * 1.6, -1.6))
    assert -z < 1.6 + 0.5 * (4.0 - 1.6)


def test_a_second_pass_has_the_floor_of_the_clip_from_the_first_frame_on():
    config = BodyConfig(look_ahead=True)
    poses = list(stances([2.5, 3.5, 4.5, 3.0], pitch_deg=8.0, noise_m=0.05, height_m=1.4))
    first = FloorFilter(config)
    run(first, poses)
    second = FloorFilter(config, None, first.standing)
    placed = run(second, poses)
    last = np.array(first.camera_m)
    assert np.degrees(np.arctan2(second.attitude.up[2], second.attitude.up[1])) == pytest.approx(8.0, abs=2.5)
    assert second.camera_m[1] == pytest.approx(last[1], abs=0.03)
    assert lowest(placed[0]) == pytest.approx(lowest(placed[-1]), abs=0.05)
    again = FloorFilter(config, None, first.standing)
    again.apply(poses[0])
    assert again.camera_m[1] == pytest.approx(second.camera_m[1], abs=0.03)


def test_a_second_pass_takes_the_floor_of_whoever_stood_most_at_that_time():
    track = StandingTrack()
    for second in range(200):
        who = 1 if second < 100 else 2
        for _ in range(5):
            track.add(who, second * 1_000_000_000, np.array([0.0, -0.3, who / 10]))
    assert track.samples_around(10_000_000_000)[:, 2] == pytest.approx(0.1)
    assert track.samples_around(190_000_000_000)[:, 2] == pytest.approx(0.2)
    assert len(track.lifted_around(0)) == 0


def test_feet_that_never_rest_leave_the_floor_of_the_clip_below_the_lifted_ankles():
    config = BodyConfig(look_ahead=True)
    poses = [standing((0.0, -2.5), i * FRAME_NS, stands=False, up_m=0.3 if i < 10 else 0.0) for i in range(120)]
    first = FloorFilter(config)
    run(first, poses)
    placed = FloorFilter(config, None, first.standing).apply(poses[0])
    assert lowest(placed) == pytest.approx(0.07 + 0.3, abs=0.03)
