"""Bone lengths: learnt in the first seconds without jumps, then constant."""

from dataclasses import replace

import numpy as np
import pytest

from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.profile import BodyProfile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import Joints3D
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, LIMB_NAMES
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

CONFIG = BodyConfig(height_m=1.75)
AVERAGE = BodyDimensions.of_height(1.75)
ODD = AVERAGE.with_lengths(
    {"torso": 0.47, "shoulder_width": 0.40, "hip_width": 0.24, "upper_arm": 0.33, "forearm": 0.235, "thigh": 0.47,
     "shank": 0.40}
)  # fmt: skip
_ROWS = [
    HUMANOID.index[f"{side}{joint}"]
    for joint in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
    for side in ("left", "right")
]
LEGS = [COCO17.index[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee", "ankle")]


def seen(body, seconds=20.0, fps=15.0, seed=0, noise_m=0.012, depth=1.0, start_s=0.0, track_id=1, layout=COCO17):
    """A person in a new pose every half second, lifted with correlated noise.

    `depth` is how much of the depth inside the body the lifter sees: 1 is all of it.
    """
    rng = np.random.default_rng(seed)
    frames, poses = round(seconds * fps), round(2 * seconds) + 1
    turns = rng.normal(size=(poses, 17, 3)) * 0.6
    turns[:, [HUMANOID.index[joint] for joint in ("hips", "spine", "chest")]] = 0.0  # a bent trunk is a shorter one
    turns[:, 0, 1] = rng.uniform(-0.8, 0.8, poses)
    places = joint_positions(HUMANOID, rot.from_rotvec(turns), np.zeros((poses, 3)), body.bone_m)[:, _ROWS]
    places = places[(np.arange(frames) * 2 / fps).astype(int)] * (1.0, 1.0, depth)
    keep = 0.85 ** (30 / fps)
    noise, fresh = np.zeros((12, 3)), rng.normal(size=(frames, 12, 3)) * noise_m * np.sqrt(1 - keep**2)
    rows = layout.rows(LIMB_NAMES)
    score = as_float32(np.full(len(layout.names), 0.8))
    for i in range(frames):
        noise = keep * noise + fresh[i]
        xyz = np.zeros((len(layout.names), 3))
        xyz[rows] = places[i] + noise
        time_ns = round((start_s + i / fps) * 1e9)
        yield Joints3D(layout, as_float32(xyz), as_float32([0.2, 0.0, -3.0]), score, track_id, time_ns)


def learnt(frames, bones=None):
    """The bones of each frame (T, 17), and the estimator."""
    bones = bones or BoneLengths(CONFIG)
    return np.array([bones.update(joints) for joints in frames]), bones


def lengths_of(bone_m):
    """The bones that are a length of their own, in the order of LENGTHS from the third one on."""
    joints = ("leftUpperLeg", "leftLowerArm", "leftHand", "leftLowerLeg", "leftFoot")
    return bone_m[..., [HUMANOID.index[joint] for joint in joints]] * (2, 1, 1, 1, 1)


def test_it_starts_between_the_average_body_and_the_first_measurement():
    bones = BoneLengths(CONFIG)
    first = bones.update(next(seen(ODD, noise_m=0.0)))
    share = np.log(lengths_of(first) / AVERAGE.lengths[2:]) / np.log(ODD.lengths[2:] / AVERAGE.lengths[2:])
    assert (share > 0.2).all()
    assert (share < 1.0).all()
    assert not bones.settled(1)
    with pytest.raises(ValueError, match="read-only"):
        first[3] = 1.0


@pytest.mark.parametrize("layout", [COCO17, COCO17_FEET_HANDS], ids=lambda layout: layout.name)
def test_an_unusual_body_is_learnt(layout):
    history, bones = learnt(seen(ODD, 30.0, layout=layout))
    assert bones.settled(1)
    away = history[-1][1:] / ODD.bone_m[1:] - 1
    assert np.abs(away).max() < 0.035
    assert np.abs(away).mean() < 0.015
    assert np.abs(AVERAGE.bone_m[1:] / ODD.bone_m[1:] - 1).mean() > 0.07  # the difference to learn
    np.testing.assert_array_equal(history[-1], history[-1][list(HUMANOID.mirror)])


def test_settled_bones_are_constant():
    """With the same body or another one, and after forward kinematics."""
    _, bones = learnt(seen(ODD, 30.0))
    after, _ = learnt([*seen(ODD, 3.0, seed=5, start_s=30.0), *seen(AVERAGE, 10.0, seed=6, start_s=33.0)], bones)
    assert bones.settled(1)
    assert (after == after[0]).all()
    local = rot.from_rotvec(np.random.default_rng(1).normal(size=(len(after), 17, 3)))
    places = joint_positions(HUMANOID, local, np.zeros((len(after), 3)), after)
    size = np.linalg.norm(places[:, 1:] - places[:, list(HUMANOID.parents[1:])], axis=-1)
    assert (size.std(axis=0) / size.mean(axis=0)).max() < 1e-12


def test_a_wrong_first_frame_has_a_limited_effect():
    wrong = replace(next(seen(AVERAGE)), xyz_m=next(seen(AVERAGE)).xyz_m * np.float32(1.4))
    first = BoneLengths(CONFIG).update(wrong)
    np.testing.assert_allclose(first[1:] / AVERAGE.bone_m[1:], 1.0, atol=0.13)
    unseen = replace(wrong, score=np.zeros_like(wrong.score))
    np.testing.assert_allclose(BoneLengths(CONFIG).update(unseen), AVERAGE.bone_m, atol=1e-12)


def test_bones_never_jump():
    frames = [*seen(ODD, 3.0), *seen(ODD, 3.0, seed=2, start_s=13.0)]  # ten seconds are missing
    history, _ = learnt(frames)
    own = lengths_of(history)
    step = np.abs(np.diff(own, axis=0) / AVERAGE.lengths[2:])
    times_s = np.array([joints.time_ns for joints in frames]) / 1e9
    dt_s = np.minimum(np.diff(times_s), 0.1)[:, None]
    known_s = (times_s[1:] - times_s[0])[:, None]
    assert (step <= np.where(known_s < 1.5, 0.15, 0.02) * dt_s + 1e-12).all()
    assert step.max() > 0


def test_bones_that_point_at_the_camera_do_not_shorten_the_estimate():
    """A lifter that sees 40 % of the depth makes limbs that point at the camera too short."""
    history, _ = learnt(seen(ODD, 40.0, depth=0.4, seed=3))
    short = 1 - lengths_of(history[-1])[1:] / ODD.lengths[3:]
    plain = np.array([_plain_lengths(joints) for joints in seen(ODD, 40.0, depth=0.4, seed=3)])
    plain_short = 1 - np.median(plain, axis=0) / ODD.lengths[3:]
    assert (short < 0.8 * plain_short).all()
    assert short.max() < 0.085


def _plain_lengths(joints):
    at = joints.layout.index
    pairs = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
    return [np.linalg.norm(joints.xyz_m[at[f"left_{a}"]] - joints.xyz_m[at[f"left_{b}"]]) for a, b in pairs]


def test_guessed_points_have_no_weight():
    def with_guesses(joints):
        score, xyz = joints.score.copy(), joints.xyz_m.copy()
        score[LEGS], xyz[LEGS] = 0.0, xyz[LEGS] * 1.3
        return replace(joints, score=score, xyz_m=xyz)

    history, bones = learnt(map(with_guesses, seen(ODD, 40.0)))
    legs = [HUMANOID.index[f"left{joint}"] for joint in ("UpperLeg", "LowerLeg", "Foot")]
    np.testing.assert_allclose(history[-1][legs], AVERAGE.bone_m[legs], atol=1e-12)
    assert bones.settled(1)  # at a desk: all visible lengths are known
    arm = HUMANOID.index["leftLowerArm"]
    later, _ = learnt(seen(ODD, 30.0, seed=9, start_s=40.0), bones)  # they stand up
    assert later[-1][arm] == history[-1][arm]
    np.testing.assert_allclose(later[-1][legs], ODD.bone_m[legs], rtol=0.035)


def test_a_lower_score_has_less_weight():
    def doubted(joints):
        wrong = replace(joints, xyz_m=joints.xyz_m * np.float32(1.25), score=joints.score * np.float32(0.2))
        return joints if joints.time_ns // 100_000_000 % 3 == 0 else wrong

    history, _ = learnt(map(doubted, seen(AVERAGE, 30.0)))
    np.testing.assert_allclose(history[-1][1:], AVERAGE.bone_m[1:], rtol=0.06)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_points_that_are_not_finite_count_as_occluded(value):
    def every_third(joints, which, **changes):
        return replace(joints, **changes) if joints.time_ns // 66_000_000 % 3 == which else joints

    def broken(joints):
        bad_points = as_float32(np.full_like(joints.xyz_m, value))
        return every_third(every_third(joints, 0, xyz_m=bad_points), 1, root_m=as_float32([0, 0, value]))

    def unseen(joints):
        nothing = joints.score * np.float32(0)
        return every_third(every_third(joints, 0, score=nothing), 1, score=nothing)

    got, wanted = (learnt(map(change, seen(ODD, 8.0)))[0] for change in (broken, unseen))
    np.testing.assert_array_equal(got, wanted)
    assert np.abs(got[-1] - got[0]).max() > 0.01


def test_implausible_lengths_are_ignored():
    history, bones = learnt(replace(j, xyz_m=j.xyz_m * np.float32(3.0)) for j in seen(AVERAGE, 10.0))
    np.testing.assert_allclose(history[-1], AVERAGE.bone_m, rtol=1e-3)
    assert not bones.settled(1)


def test_people_are_learnt_and_forgotten_separately():
    alone = {track_id: learnt(seen(ODD, 8.0, seed=track_id, track_id=track_id))[0] for track_id in (1, 2)}
    bones, together = BoneLengths(CONFIG), {1: [], 2: []}
    for pair in zip(*(seen(ODD, 8.0, seed=track_id, track_id=track_id) for track_id in (1, 2)), strict=True):
        for joints in pair:
            together[joints.track_id].append(bones.update(joints))
    for track_id, history in alone.items():
        np.testing.assert_array_equal(together[track_id], history)
    bones.forget(1)
    bones.forget(77)
    assert not bones.settled(1)
    again, _ = learnt(seen(ODD, 8.0, seed=1), bones)
    np.testing.assert_array_equal(again, alone[1])
    goes_on = bones.update(next(seen(ODD, seed=2, track_id=2, start_s=8.0)))
    assert np.abs(goes_on - alone[2][-1]).max() < 0.001 < np.abs(goes_on - AVERAGE.bone_m).max()


def test_frames_without_progress_in_time_have_no_weight():
    frames = [*seen(ODD, 5.0)]
    history, bones = learnt(frames)
    back, _ = learnt([replace(j, time_ns=0) for j in frames], bones)
    assert (back == history[-1]).all()


@pytest.mark.parametrize("fps", [12.0, 60.0])
def test_weights_follow_time_not_frames(fps):
    """Across the line of sight with a score of 0.8, five seconds of weight take 6.25, less the first frame's."""
    at_rest = joint_positions(HUMANOID, np.tile(rot.IDENTITY_XYZW, (17, 1)), np.zeros(3), AVERAGE.bone_m)
    xyz = np.zeros((17, 3))
    xyz[COCO17.rows(LIMB_NAMES)] = at_rest[_ROWS]
    t_pose = replace(next(seen(AVERAGE)), xyz_m=as_float32(xyz), root_m=as_float32([0, 0, -50]))
    bones, settled_s = BoneLengths(CONFIG), None
    for i in range(round(8 * fps)):
        bones.update(replace(t_pose, time_ns=round(i / fps * 1e9)))
        settled_s = settled_s or (i / fps if bones.settled(1) else None)
    assert settled_s == pytest.approx(5.85, abs=0.1)


def test_a_profile_is_known_from_the_first_frame():
    profile = BodyProfile(1.75, dict(zip(LENGTHS, ODD.lengths.tolist(), strict=True)))
    history, bones = learnt(seen(AVERAGE, 6.0), BoneLengths(BodyConfig(height_m=1.75, profile=profile.text)))
    assert bones.settled(1)
    assert (history == history[0]).all()
    np.testing.assert_allclose(history[0], ODD.bone_m, atol=1e-4)
