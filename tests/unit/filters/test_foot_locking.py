"""Foot locking: on the actor's true poses, on the same with a lifter's noise, and on synthetic motions."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from support.actor_frames import actor_truth
from support.bodies import human_local

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.evaluation.errors3d import foot_slide_cm_s
from realtime_pose.filters.base import Observation
from realtime_pose.filters.chain import FilterChain
from realtime_pose.filters.floor import FloorFilter
from realtime_pose.filters.foot_contact import contacts_of
from realtime_pose.filters.foot_locking import FootLockFilter
from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FPS = 30.0
ROW = HUMANOID.index
FEET = [ROW["leftFoot"], ROW["rightFoot"]]
LEGS = [f"{side}{joint}" for side in ("left", "right") for joint in ("UpperLeg", "LowerLeg", "Foot")]
SOLE_M = np.array([(0.0, -0.07, -0.05), (0.0, -0.07, 0.15)])
ANKLE_M = 0.07
CAMERA_M = 1.2
LEVEL = BodyConfig(camera_height_m=CAMERA_M)  # 1.70 m; with the camera given, feet do not depend on its estimation


@cache
def actor_poses():
    """The truth as a perfect lifter would return it: in camera axes; the camera is level."""
    truth = actor_truth()
    turn, shift = truth.camera_from_world[:3, :3], truth.camera_from_world[:3, 3]
    roots = canonical_from_opencv(truth.root_m @ turn.T + shift)
    return [
        SkeletonPose(JointRotations(HUMANOID, local.copy()), as_float32(root), truth.bone_m.copy(),
                     np.ones(17, np.float32), 1, round(i * 1e9 / truth.fps))
        for i, (local, root) in enumerate(zip(truth.local_xyzw, roots, strict=True))
    ]  # fmt: skip


def noisy(poses, seed=1, depth_m=0.05, leg_rad=0.02):
    """The same with a lifter's errors: distances that drift along the rays, legs with jitter."""
    rng, wander = np.random.default_rng(seed), 0.0
    for pose in poses:
        wander = 0.93 * wander + 0.37 * rng.normal()
        longer = 1.0 + depth_m * wander / -float(pose.root_m[2])
        local = pose.rotations.local_xyzw.astype(np.float64)
        legs = [ROW[joint] for joint in LEGS]
        local[legs] = rot.multiply(local[legs], rot.from_rotvec(leg_rad * rng.normal(size=(6, 3)) * (1.0, 0.0, 0.0)))
        yield replace(pose, rotations=JointRotations(HUMANOID, as_float32(local)),
                      root_m=as_float32(pose.root_m * longer), bone_m=as_float32(pose.bone_m * longer))  # fmt: skip


def body(root_m=(0.0, 0.9, -3.0), *, time_s=0.0, local=None, score=None, track_id=1, bone_m=HUMANOID.rest_bone_m):
    """A body as the camera of LEVEL sees it; `root_m` is measured from the floor below that camera."""
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(np.tile(rot.IDENTITY_XYZW, (17, 1)) if local is None else local)),
        as_float32(np.array(root_m) - (0.0, CAMERA_M, 0.0)), as_float32(bone_m),
        np.ones(17, np.float32) if score is None else as_float32(score), track_id, round(time_s * 1e9),
    )  # fmt: skip


def bent(knee_rad, swing_rad=None):
    """Standing with both knees bent, feet flat and under the hips; or one thigh swung forward."""
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    for side in ("left", "right"):
        local[ROW[f"{side}UpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-knee_rad / 2))
        local[ROW[f"{side}LowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(knee_rad))
        local[ROW[f"{side}Foot"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-knee_rad / 2))
    if swing_rad is not None:
        local[ROW["leftUpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-swing_rad))
    return local


def hip_height(knee_rad):
    return ANKLE_M + 0.83 * np.cos(knee_rad / 2)


def said(observation, stands):
    """The observation with the lifter's probabilities of contact."""
    contact = as_float32([[0.95 if foot else 0.05] * 2 for foot in stands])
    unseen = Observation(as_float32(np.full((2, 2), np.nan)))
    return replace(observation or unseen, contact=contact)


BOTH = (True, True)


class Run:
    """Poses after the contact, floor and foot filters.

    Args:
        poses: The lifter's.
        config: The settings.
        rays: The ankle rays in the image, one (2, 2) a pose.
        stands: What the lifter says of the feet, (left, right) a pose; without it their motion decides.
    """

    def __init__(self, poses, config=LEVEL, rays=None, stands=None):
        self.inputs = list(poses)
        chain = FilterChain(config)
        self.contact_filter, self.floor, self.feet = chain.contacts, chain.floor, chain.feet
        count = len(self.inputs)
        observations = [None] * count if rays is None else [Observation(as_float32(r)) for r in rays]
        if stands is not None:
            observations = [said(o, feet) for o, feet in zip(observations, stands, strict=True)]
        self.poses, self.before = [], []
        for pose, observation in zip(self.inputs, observations, strict=True):
            self.before.append(chain.floor.apply(chain.contacts.apply(pose, observation), observation))
            self.poses.append(chain.feet.apply(self.before[-1], observation) if chain.feet else self.before[-1])
        self.contacts = np.array([pose.foot_contact for pose in self.poses])

    @property
    def joints_m(self):
        return np.array([forward_kinematics(pose) for pose in self.poses])

    @property
    def ankles_m(self):
        return self.joints_m[:, FEET]

    @property
    def roots_m(self):
        return np.array([pose.root_m for pose in self.poses])

    @property
    def soles_m(self):
        """(T, 2, 2) heights of heel and toe of both feet."""
        local = np.array([pose.rotations.local_xyzw for pose in self.poses], dtype=np.float64)
        turned = global_rotations(HUMANOID, local)[:, FEET, None]
        return (self.ankles_m[:, :, None] + rot.rotate(turned, SOLE_M))[..., 1]

    def slide_cm_s(self, stands, fps=FPS):
        return foot_slide_cm_s(self.ankles_m, stands, fps)


def violation_rad(pose):
    """The largest violation of a joint limit in the legs."""
    local = pose.rotations.local_xyzw.astype(np.float64)
    return max(JOINT_LIMITS[joint].violation_rad(tuple(local[ROW[joint]].tolist())) for joint in LEGS)


WALK = slice(85, 290)
HEIGHT = {"height_m": 1.76}  # the actor's


@cache
def walk(noise):
    poses = actor_poses()[WALK]
    return Run(noisy(poses) if noise else poses, BodyConfig(**HEIGHT), stands=actor_truth().foot_contact[WALK])


def test_the_actors_feet_do_not_slide_and_have_contact():
    stands, moved = actor_truth().foot_contact[WALK], walk(noise=False)
    assert moved.slide_cm_s(stands) < 1.0  # the drift of pins to where their feet are seen
    assert moved.contacts[stands].mean() > 0.98
    speed = np.linalg.norm(np.diff(moved.ankles_m, axis=0), axis=-1) * FPS
    assert moved.contacts[1:][speed > 1.5].mean() < 0.05  # swinging feet are not pinned


def test_exact_poses_are_hardly_touched():
    moved, truth = walk(noise=False), actor_truth()
    path = moved.roots_m - moved.roots_m[0] - (truth.root_m[WALK] - truth.root_m[WALK][0])
    assert np.linalg.norm(path, axis=-1).max() < 0.05
    assert np.linalg.norm(path, axis=-1).mean() < 0.025


def test_a_lifters_noise_does_not_move_standing_feet():
    stands, moved = actor_truth().foot_contact[WALK], walk(noise=True)
    before = np.array([forward_kinematics(pose)[FEET] for pose in moved.before])
    assert foot_slide_cm_s(before, stands, FPS) > 20
    assert moved.slide_cm_s(stands) < 2
    assert moved.contacts[stands].mean() > 0.95


@pytest.mark.parametrize("noise", [False, True])
def test_no_sole_sinks_and_every_joint_keeps_its_limits(noise):
    moved = walk(noise)
    assert moved.soles_m.min() > -0.01
    assert max(violation_rad(pose) for pose in moved.poses) < 1e-3
    local = np.array([pose.rotations.local_xyzw for pose in moved.poses], dtype=np.float64)
    assert np.linalg.norm(local, axis=-1) == pytest.approx(1.0, abs=1e-5)
    assert (np.sum(local[1:] * local[:-1], axis=-1) > 0).all()  # no sign flips


def test_noise_is_not_added_to_the_pelvis():
    moved = walk(noise=True)
    before = np.array([pose.root_m for pose in moved.before])
    shake = [np.linalg.norm(np.diff(x, n=2, axis=0), axis=-1).mean() for x in (moved.roots_m, before)]
    assert shake[0] < 1.1 * shake[1]


def test_contacts_can_be_found_again_from_the_poses_alone():
    moved = walk(noise=True)
    again = contacts_of(moved.poses)
    assert again.shape == moved.contacts.shape
    assert (again == moved.contacts).mean() > 0.8  # they start a little later
    assert contacts_of([]).shape == (0, 2)


def hop(fps=FPS, up_m=0.30):
    """Stand, crouch, take off, fly, land, stand: times and hip heights."""
    fly_s = 2 * np.sqrt(2 * up_m / 9.81)
    for i in range(round(4.0 * fps)):
        t = i / fps
        flying = t - 2.0
        knee = 0.2 + 0.9 * np.clip(1 - abs(t - 1.7) / 0.3, 0, 1) + 0.5 * np.clip(1 - abs(t - 2.2 - fly_s) / 0.2, 0, 1)
        up = max(0.0, 9.81 * flying * (fly_s - flying) / 2) if 0 < flying < fly_s else 0.0
        yield body((0.0, hip_height(knee) + up, -3.0), time_s=t, local=bent(knee)), up


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_jumps_leave_the_ground_as_high_as_they_are(fps):
    poses, up = zip(*hop(fps), strict=True)
    moved, up = Run(poses), np.array(up)
    height = moved.ankles_m[..., 1].min(axis=1) - ANKLE_M
    assert height.max() == pytest.approx(up.max(), rel=0.08)
    assert not moved.contacts[up > 0.06].any()
    assert moved.contacts[: round(1.9 * fps)].all()
    assert moved.contacts[round(2.9 * fps) :].all()
    assert height[round(3.2 * fps) :] == pytest.approx(0.0, abs=0.005)


def test_always_keeps_the_lower_foot_on_the_floor_so_people_do_not_jump():
    poses, _ = zip(*hop(), strict=True)
    moved = Run(poses, replace(LEVEL, feet="always"))
    assert moved.soles_m.min(axis=(1, 2)) == pytest.approx(0.0, abs=0.01)


def test_never_leaves_feet_alone():
    poses, _ = zip(*hop(), strict=True)
    moved = Run(poses, replace(LEVEL, feet="never"))
    for pose, after in zip(poses, moved.poses, strict=True):
        assert np.array_equal(after.rotations.local_xyzw[1:], pose.rotations.local_xyzw[1:])
        assert after.root_m[1] == pytest.approx(pose.root_m[1] + CAMERA_M, abs=0.02)
    with pytest.raises(UnknownChoiceError, match=r"body\.feet='sometimes' is not one of: always, auto, never"):
        FilterChain(BodyConfig(feet="sometimes"))


@pytest.mark.parametrize("seed", range(12))
def test_a_body_that_is_too_low_is_bent_so_that_nothing_sinks(seed):
    """Any pose, its hips at any height: soles above the floor in the first frame, within the joint limits."""
    rng = np.random.default_rng(seed)
    local = human_local(seed, reach=0.3)
    moved = Run([body((0.0, rng.uniform(0.55, 0.95), -3.0), local=local)])
    assert moved.soles_m.min() > -0.01
    assert violation_rad(moved.poses[0]) < 1e-3


def test_someone_with_occluded_feet_stands_where_they_are_seen():
    """Feet that nobody sees move the pelvis up or down only: the legs of the pose reach the floor."""
    score = np.ones(17)
    score[[ROW[joint] for joint in LEGS]] = 0
    poses = [body((0.4 * np.sin(i / 9), 0.55, -1.2), time_s=i / FPS, score=score) for i in range(90)]
    moved = Run(poses)
    before = np.array([pose.root_m for pose in moved.before])
    assert np.ptp((moved.roots_m - before)[:, [0, 2]], axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert moved.ankles_m[..., 1] == pytest.approx(ANKLE_M, abs=0.01)
    assert not moved.contacts.any()
    assert moved.soles_m.min() > -0.01


def test_a_sitting_person_with_visible_feet_keeps_their_place():
    local = bent(0.3)
    for side in ("left", "right"):
        local[ROW[f"{side}UpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-np.pi / 2))
        local[ROW[f"{side}LowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(np.pi / 2))
        local[ROW[f"{side}Foot"]] = rot.IDENTITY_XYZW
    rng = np.random.default_rng(0)
    hips = ANKLE_M + 0.415
    poses = [body((0.0, hips + 0.004 * rng.normal(), -2.0 + 0.008 * rng.normal()), time_s=i / FPS, local=local)
             for i in range(120)]  # fmt: skip
    moved = Run(poses, stands=[BOTH] * 120)
    assert moved.contacts.all()
    assert moved.roots_m[:, 1] == pytest.approx(hips, abs=0.04)
    assert np.ptp(moved.ankles_m[1:], axis=0).max() < 0.005


def test_a_foot_on_a_chair_is_not_pulled_down():
    local = bent(0.0)
    local[ROW["leftUpperLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-np.pi / 2))
    local[ROW["leftLowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(np.pi / 2))
    moved = Run([body(time_s=i / FPS, local=local) for i in range(60)])
    assert (moved.contacts == (False, True)).all()
    assert moved.ankles_m[-1, 0, 1] == pytest.approx(ANKLE_M + 0.415, abs=0.01)
    assert moved.roots_m[-1] == pytest.approx([0, 0.9, 0], abs=0.01)


def test_standing_feet_that_are_lifted_too_high_are_brought_down():
    """A lifting error in a squat puts the whole body 8 cm up; the feet are seen where they stood."""

    def pose(i):
        up = 0.08 if i > 30 else 0.0
        nearer = 1.0 - up / (CAMERA_M - ANKLE_M)  # along the ankles' rays
        return body((0.0, 0.9 * nearer + CAMERA_M * (1 - nearer), -3.0 * nearer), time_s=i / FPS)

    moved = Run([pose(i) for i in range(100)])
    assert moved.contacts[45:].all()
    assert moved.ankles_m[70:, :, 1] == pytest.approx(ANKLE_M, abs=0.02)


def test_a_foot_keeps_its_contact_through_a_brief_occlusion_only():
    score = np.ones(17)
    score[FEET] = 0

    def poses(occluded):
        rng = np.random.default_rng(0)
        for i in range(60):
            sees = None if i < 30 or i >= 30 + occluded else score
            yield body((0.002 * rng.normal(), 0.9, -3.0), time_s=i / FPS, score=sees)

    brief, long = (Run(poses(frames)) for frames in (4, 20))
    assert brief.contacts.all()
    assert np.ptp(brief.ankles_m[..., [0, 2]], axis=0).max() < 0.005
    assert not long.contacts[40:50].any()
    assert long.contacts[-1].all()


def step_aside(fps=FPS, seed=0):
    """The left foot lifts, swings aside by 40 cm and stands again, with a little noise."""
    rng = np.random.default_rng(seed)
    for i in range(round(3 * fps)):
        t = i / fps
        u = np.clip((t - 1.0) / 0.5, 0, 1)
        lift = 0.10 * np.sin(np.pi * u)
        local = bent(0.5)
        knee = 2 * np.arccos((0.83 * np.cos(0.25) - lift) / 0.83)
        local[ROW["leftUpperLeg"]] = rot.multiply(
            rot.from_axis_angle((0.0, 0.0, 1.0), np.array(0.45 * u**2 * (3 - 2 * u))),
            rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-knee / 2)),
        )
        local[ROW["leftLowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.array(knee))
        far = -3.0 + 0.004 * rng.normal()
        yield body((0.002 * rng.normal(), hip_height(0.5) + 0.002 * rng.normal(), far), time_s=t, local=local)


def step_contacts(fps=FPS):
    """Which feet stand in `step_aside`."""
    return [(not 1.0 < i / fps < 1.5, True) for i in range(round(3 * fps))]


def test_leaving_and_coming_to_stand_is_without_a_pop():
    moved = Run(step_aside(), stands=step_contacts())
    before = np.array([forward_kinematics(pose) for pose in moved.before])
    for joint in (ROW["hips"], ROW["leftLowerLeg"], ROW["leftFoot"], ROW["rightFoot"]):
        steps = [np.linalg.norm(np.diff(x[:, joint], axis=0), axis=-1).max() for x in (moved.joints_m, before)]
        assert steps[0] < 1.6 * steps[1] + 0.015
    assert not moved.contacts[round(1.25 * FPS), 0]
    assert moved.contacts[:, 1].all()


def test_contacts_do_not_depend_on_the_frame_rate():
    left = {}
    for fps in (15.0, 30.0, 60.0):
        stands = Run(step_aside(fps)).contacts[:, 0]
        air = np.flatnonzero(~stands) / fps
        left[fps] = (air.min(), air.max())
    assert np.ptp(list(left.values()), axis=0).max() < 0.12


@pytest.mark.parametrize("later_s", [10.0, -0.3])
def test_after_a_gap_or_when_time_runs_backwards_feet_start_from_scratch(later_s):
    run = Run(step_aside())
    fresh = FootLockFilter(LEVEL, run.floor)
    last_s = run.inputs[-1].time_ns / 1e9
    for i in range(10):
        pose = run.floor.apply(body((0.5, 0.95, -2.0), time_s=last_s + later_s + i / FPS, local=bent(0.4)))
        expected, got = fresh.apply(pose), run.feet.apply(pose)
        assert np.array_equal(got.root_m, expected.root_m)
        assert np.array_equal(got.rotations.local_xyzw, expected.rotations.local_xyzw)
        assert np.isfinite(got.root_m).all()


def test_people_have_feet_of_their_own_on_one_floor():
    apart = [body((x, 0.9, -3.0), time_s=i / FPS, track_id=who)
             for i in range(30) for who, x in ((1, -0.6), (2, 0.7))]  # fmt: skip
    moved = Run(apart)
    alone = Run([pose for pose in apart if pose.track_id == 1])
    ones = [pose for pose in moved.poses if pose.track_id == 1]
    assert all(np.array_equal(a.root_m, b.root_m) for a, b in zip(ones, alone.poses, strict=True))
    twos = [pose for pose in moved.poses if pose.track_id == 2]
    assert twos[-1].root_m - ones[-1].root_m == pytest.approx([1.3, 0, 0], abs=1e-3)
    moved.feet.forget(1)
    moved.feet.forget(99)  # unknown id
    assert moved.poses[-1].foot_contact.tolist() == [True, True]
    hop = moved.floor.apply(body((0.7, 1.3, -3.0), time_s=1.0, track_id=2))
    assert moved.feet.apply(hop).foot_contact.tolist() == [False, False]
    known = moved.floor.apply(body((-0.6, 1.3, -3.0), time_s=1.0, track_id=1))
    stranger = replace(known, track_id=99)
    assert np.array_equal(moved.feet.apply(known).root_m, moved.feet.apply(stranger).root_m)


def test_a_camera_on_the_floor_still_finds_contacts():
    """Rays to feet at the camera's own height show no depth on the floor."""
    low = BodyConfig(camera_height_m=0.2)
    poses = [replace(p, root_m=as_float32(p.root_m + np.array([0.0, CAMERA_M - 0.2, 0.0]))) for p in step_aside()]
    moved = Run(poses, low, stands=step_contacts())
    assert moved.contacts[: round(0.9 * FPS)].all()
    assert not moved.contacts[round(1.25 * FPS), 0]
    assert moved.contacts[-1].all()


def test_the_chain_has_the_filters_that_the_settings_ask_for():
    both, floor_alone = FilterChain(BodyConfig()), FilterChain(BodyConfig(feet="never"))
    assert (type(both.floor), type(both.feet)) == (FloorFilter, FootLockFilter)
    assert (type(floor_alone.floor), floor_alone.feet) == (FloorFilter, None)


def seen_rays(pose):
    """The exact ankle rays of a pose in camera axes."""
    ankles = forward_kinematics(pose)[FEET]
    return as_float32(ankles[:, :2] / -ankles[:, 2:])


def with_wrong_distance(poses, by_m=0.6):
    """A lifter whose distance grows and falls back, as in a squat; the image's rays stay right."""
    for i, pose in enumerate(poses):
        off = by_m * np.sin(np.pi * min(i / 60, 1.0)) ** 2
        yield replace(pose, root_m=as_float32(pose.root_m * (1 + off / -pose.root_m[2])))


def test_ankles_in_the_image_outweigh_the_lifted_ones():
    poses = [body(time_s=i / FPS, local=bent(0.4)) for i in range(90)]
    true_m = forward_kinematics(Run(poses[:1]).poses[0])[FEET]
    moved = Run(with_wrong_distance(poses), rays=map(seen_rays, poses), stands=[BOTH] * 90)
    assert moved.contacts.all()
    assert np.ptp(moved.ankles_m[..., [0, 2]], axis=0).max() < 0.01
    assert np.linalg.norm(moved.ankles_m[-1] - true_m, axis=-1).max() < 0.02


def test_feet_keep_their_lifted_distance_where_their_rays_disagree():
    """Two pixels are 10 cm on a floor far away: they must not pull a standing body's feet apart."""
    off = as_float32([[0.0, 0.012], [0.0, -0.012]])
    poses = [body(time_s=i / FPS, local=bent(0.3)) for i in range(60)]
    moved = Run(poses, rays=[seen_rays(pose) + off for pose in poses])
    assert moved.contacts.all()
    assert np.ptp(moved.ankles_m[0, :, 2]) < 0.01
    assert np.ptp(moved.ankles_m[-1, :, 2]) < 0.05


def test_rays_of_swapped_sides_are_matched_and_missing_rays_do_no_harm():
    def run(change):
        poses = list(step_aside())
        return Run(poses, rays=[change(seen_rays(pose), i) for i, pose in enumerate(poses)])

    right = run(lambda rays, i: rays)
    for change in (
        lambda rays, i: rays[::-1] if 20 < i < 40 else rays,
        lambda rays, i: np.full((2, 2), np.nan) if 50 < i < 60 else rays,
        lambda rays, i: rays + (1.0 if 50 < i < 60 else 0.0),  # another body's
    ):
        other = run(change)
        assert (other.contacts == right.contacts).mean() > 0.95
        assert other.ankles_m == pytest.approx(right.ankles_m, abs=0.06)


def test_toes_that_point_down_are_flattened_before_the_leg_is_raised():
    local = bent(0.0)
    for side in ("left", "right"):
        local[ROW[f"{side}Foot"]] = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(40.0))
    score = np.ones(17)
    score[FEET] = 0  # contact is unknown
    moved = Run([body(local=local, score=score)])
    assert moved.soles_m.min() > -0.01
    assert moved.ankles_m[..., 1] == pytest.approx(ANKLE_M, abs=0.01)


def test_a_foot_pinned_far_from_its_lifted_position_leaves_without_a_pop():
    def poses():
        for i, pose in enumerate(step_aside()):
            off = 0.15 * np.clip(
                (i / FPS - 0.9) / 0.2, 0, 1
            )  # the lifter's distance is wrong just before the foot leaves
            yield replace(pose, root_m=as_float32(pose.root_m * (1 + off / -pose.root_m[2])))

    moved = Run(poses(), rays=map(seen_rays, step_aside()), stands=step_contacts())
    left = int(np.flatnonzero(~moved.contacts[:, 0])[0])
    steps = np.linalg.norm(np.diff(moved.ankles_m[:, 0], axis=0), axis=-1)
    held = np.linalg.norm(
        np.array([forward_kinematics(p)[FEET[0]] for p in moved.before])[left] - moved.ankles_m[left, 0]
    )
    assert held > 0.05
    assert steps[left - 1] < 0.03


def test_a_new_person_is_at_once_where_their_feet_are_seen():
    pose = body(local=bent(0.4))
    first = next(iter(with_wrong_distance([pose] * 31)))  # right
    wrong = list(with_wrong_distance([pose] * 31))[-1]  # 60 cm too far away
    right, moved = Run([first]), Run([wrong], rays=[seen_rays(pose)])
    assert moved.ankles_m[0, :, 2] - moved.floor.camera_m[2] == pytest.approx(
        right.ankles_m[0, :, 2] - right.floor.camera_m[2], abs=0.04
    )
    assert np.linalg.norm(moved.poses[0].root_m - moved.before[0].root_m) > 0.3


def test_a_foot_that_is_dragged_is_released_and_pinned_again_where_it_comes_to_rest():
    """The lifter says that both feet stand, but the person is pulled aside by 90 cm."""
    aside = 0.9 * np.clip((np.arange(120) / FPS - 1.0) / 1.0, 0, 1)
    moved = Run([body((x, 0.9, -3.0), time_s=i / FPS) for i, x in enumerate(aside)], stands=[BOTH] * 120)
    assert moved.contacts[:30].all()
    assert not moved.contacts[44:58].any()
    assert moved.contacts[70:].all()
    seen = np.array([forward_kinematics(pose)[FEET] for pose in moved.before])
    away = np.linalg.norm((moved.ankles_m - seen)[..., [0, 2]], axis=-1)
    assert away.max() < 0.25
    assert away[-1].max() < 0.03
    assert np.ptp(moved.ankles_m[80:], axis=0).max() < 1e-3
    assert np.linalg.norm(np.diff(moved.ankles_m, axis=0), axis=-1).max() < 0.1  # without a pop


def test_a_pinned_foot_does_not_move_by_a_millimetre():
    rng = np.random.default_rng(3)
    local = bent(0.3)
    poses = [body((0.01 * rng.normal(), 0.89, -3.0 + 0.02 * rng.normal()), time_s=i / FPS, local=local)
             for i in range(60)]  # fmt: skip
    moved = Run(poses, stands=[BOTH] * 60)
    assert moved.contacts.all()
    before = np.array([forward_kinematics(pose)[FEET] for pose in moved.before])
    assert np.linalg.norm(np.diff(before, axis=0), axis=-1).max() > 0.02
    assert np.linalg.norm(np.diff(moved.ankles_m[1:], axis=0), axis=-1).max() < 1e-3
