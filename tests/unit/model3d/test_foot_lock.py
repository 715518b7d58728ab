"""Foot locking: feet that stand keep their place on any character, soles stay on the floor, knees do not pop."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.actor_frames import actor_truth
from support.rigs import make_rig

from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.model3d.character import load_character
from realtime_pose.model3d.foot_lock import FootMotion, bend_leg, levelled, lock_feet
from realtime_pose.model3d.retarget import Retargeter
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

CASES = Path(__file__).parents[4] / "shared" / "data" / "cases" / "characters"
SIDES = ("left", "right")


def lengths(**factors):
    """The rest pose's bone lengths, some of them scaled on both sides."""
    bone_m = HUMANOID.rest_bone_m.copy()
    for side in SIDES:
        for joint, factor in factors.items():
            bone_m[HUMANOID.index[side + joint]] *= factor
    return bone_m


PROPORTIONS = {
    "half as tall": HUMANOID.rest_bone_m * 0.5,
    "wide hips": lengths(UpperLeg=2.0),
    "long thighs": lengths(LowerLeg=1.4, Foot=0.7),
    "long shanks": lengths(LowerLeg=0.6, Foot=1.3),
    "each bone otherwise": HUMANOID.rest_bone_m * np.random.default_rng(3).uniform(0.4, 0.7, 17),
}


def performed(character, truth):
    """Joints (T, 17, 3) of the character in its scene, canonical, with the actor's motion; and its sole's heights."""
    retargeter = Retargeter(character, truth.bone_m)
    time_s = np.arange(len(truth.root_m)) / truth.fps
    half = len(time_s) // 2
    keys = [
        (time_s[part], truth.local_xyzw[part], truth.root_m[part], truth.foot_contact[part])
        for part in (slice(0, half), slice(half, None))
    ]
    lock = retargeter.feet(keys)
    motion = retargeter.motion(truth.local_xyzw, truth.root_m, lock)
    tree, count = character.tree, len(time_s)
    local = np.broadcast_to(tree.rotation, (count, *tree.rotation.shape)).copy()
    local[:, list(character.driven)] = motion.rotations_xyzw
    moved = np.broadcast_to(tree.translation, (count, *tree.translation.shape)).copy()
    moved[:, character.bones["hips"]] = motion.hips
    place, turned = np.zeros_like(moved), local.copy()
    scale = tree.world.scale
    for node in tree.order:
        above = tree.parents[node]
        place[:, node] = moved[:, node]
        if above >= 0:
            place[:, node] = place[:, above] + rot.rotate(turned[:, above], moved[:, node] * scale[above])
            turned[:, node] = rot.multiply(turned[:, above], local[:, node])
    place = rot.rotate(retargeter._canonical_from_scene, place)
    feet = global_rotations(HUMANOID, truth.local_xyzw)
    soles = []
    for side, points in enumerate(retargeter.soles):
        foot = levelled(feet[:, HUMANOID.index[f"{SIDES[side]}Foot"]], lock.level[:, side])
        ankle = place[:, character.bones[f"{SIDES[side]}Foot"]]
        soles.append(ankle[:, 1] + rot.rotate(foot[:, None], points)[..., 1].min(axis=1))
    return {bone: place[:, node] for bone, node in character.bones.items()}, np.stack(soles, axis=1)


def knees_deg(joints, side):
    hip, knee, ankle = (joints[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot"))
    cosine = (rot.unit(knee - hip) * rot.unit(ankle - knee)).sum(axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def check(character, truth):
    joints, soles = performed(character, truth)
    actor = dict(zip(HUMANOID.joints, np.moveaxis(truth.joints_m.astype(float), 1, 0), strict=True))
    stands = truth.foot_contact[1:] & truth.foot_contact[:-1]
    for i, side in enumerate(SIDES):
        speed_m_s = np.linalg.norm(np.diff(joints[f"{side}Foot"][:, [0, 2]], axis=0), axis=1) * truth.fps
        assert speed_m_s[stands[:, i]].max() < 0.002
        own, theirs = knees_deg(joints, side), knees_deg(actor, side)
        assert np.abs(np.diff(own)).max() < 1.3 * np.abs(np.diff(theirs)).max()
        assert np.abs(own - theirs).max() < 25
    assert soles.min() > -0.001
    assert np.abs(soles[truth.foot_contact]).max() < 0.01
    scale = np.ptp(joints["hips"][:, 0]) / np.ptp(actor["hips"][:, 0])
    jolt, theirs = (np.linalg.norm(np.diff(hips, 2, axis=0), axis=1).max() for hips in (joints["hips"], actor["hips"]))
    assert jolt < 1.5 * scale * theirs


@pytest.mark.parametrize("bone_m", PROPORTIONS.values(), ids=PROPORTIONS.keys())
def test_feet_that_stand_stay_on_a_character_of_other_proportions(tmp_path, bone_m):
    check(load_character(make_rig(tmp_path / "rig.glb", bone_m=bone_m, turn_seed=1, arms_down_deg=45)), actor_truth())


@pytest.mark.parametrize("name", ["cc.glb", "debug_robot_vrm1.vrm", "godette_vrm0_ccby.vrm", "kaykit_chibi_cc0.glb"])
def test_feet_that_stand_stay_on_real_characters(name):
    if not (CASES / name).exists():
        pytest.skip("the characters of ../shared are not here")
    check(load_character(CASES / name), actor_truth())


def test_a_character_of_the_actors_proportions_is_left_alone(tmp_path):
    truth = actor_truth()
    joints, _ = performed(load_character(make_rig(tmp_path / "rig.glb", bone_m=truth.bone_m.astype(float))), truth)
    wanted = joint_positions(HUMANOID, truth.local_xyzw, truth.root_m, truth.bone_m)
    for bone, places in joints.items():
        assert np.linalg.norm(places - wanted[:, HUMANOID.index[bone]], axis=1).max() < 0.01, bone


def motion_of(contact, drift, count=60):
    """A nearly straight leg of 1 m whose ankle, 0.1 m high, drifts (T, 3) while the person's stands at the origin."""
    leg = np.broadcast_to([0.0, -0.99, 0.0], (count, 2, 3)).copy()
    place = np.broadcast_to([0.0, 0.1, 0.0], (count, 2, 3))
    ankle = place + np.stack((drift, np.zeros((count, 3))), axis=1)
    flags = np.stack((contact, np.zeros(count, bool)), axis=1)
    level = np.broadcast_to(rot.IDENTITY_XYZW, (count, 2, 4))
    return FootMotion(np.arange(count) / 30, flags, leg, ankle, place, level)


SOLE = np.array([[0.0, -0.1, -0.05], [0.0, -0.1, 0.15]])


def test_in_contact_a_foot_stays_at_its_mean_place_and_the_offset_fades_in_and_out():
    contact = np.arange(60) // 20 == 1
    drift = np.zeros((60, 3))
    drift[:, 0] = np.linspace(0.3, 0.36, 60)
    motion = motion_of(contact, drift)
    lock = lock_feet(motion, (SOLE, SOLE), np.ones(2))
    offset = lock.ankles[:, 0, 0]
    assert drift[20:40, 0] + offset[20:40] == pytest.approx(drift[20:40, 0].mean())
    assert np.all(offset[:12] == 0)
    assert np.all(offset[48:] == 0)
    assert np.abs(np.diff(offset)).max() < 0.004  # no jump at either end
    assert np.all(lock.ankles[:, 1, [0, 2]] == 0)


def test_noise_of_the_persons_foot_is_held_and_a_drag_is_followed():
    rng = np.random.default_rng(1)
    place = np.broadcast_to([0.0, 0.1, 0.0], (60, 2, 3)) + rng.normal(size=(60, 2, 3)) * [0.008, 0, 0.008]
    motion = motion_of(np.ones(60, bool), np.zeros((60, 3)))
    noisy = motion._replace(ankle=place, wanted=place)
    own = (place + lock_feet(noisy, (SOLE, SOLE), np.ones(2)).ankles)[:, 0, [0, 2]]
    assert np.ptp(own, axis=0).max() < 1e-9
    dragged = place + (np.arange(60) / 30)[:, None, None] * [0.5, 0.0, 0.0]
    lock = lock_feet(motion._replace(ankle=dragged, wanted=dragged), (SOLE, SOLE), np.ones(2))
    assert np.abs(lock.ankles[:, 0, [0, 2]]).max() < 0.09
    assert np.diff((dragged + lock.ankles)[:, 0, 0])[10:].mean() * 30 == pytest.approx(0.5, abs=0.05)


def test_a_contact_that_flickers_is_one():
    contact = np.ones(60, bool)
    contact[[30, 31, 32]] = False
    drift = np.zeros((60, 3))
    drift[:, 2] = np.linspace(-0.1, 0.1, 60)
    lock = lock_feet(motion_of(contact, drift), (SOLE, SOLE), np.ones(2))
    assert drift[:, 2] + lock.ankles[:, 0, 2] == pytest.approx(0.0)


def test_hips_go_down_smoothly_when_a_leg_would_be_too_short():
    drift = np.zeros((60, 3))
    drift[:, 2] = np.where(np.arange(60) < 30, 0.2, -0.2)
    lock = lock_feet(motion_of(np.ones(60, bool), drift), (SOLE, SOLE), np.ones(2))
    target = [0.0, -0.99, 0.0] + lock.ankles[:, 0] - lock.hips[:, None] * [0.0, 1.0, 0.0]
    assert np.linalg.norm(target, axis=1).max() <= 0.9996
    assert lock.hips.min() < -0.01
    assert np.abs(np.diff(lock.hips, 2)).max() < 0.002


def test_a_foot_that_would_sink_is_levelled_then_lifted():
    motion = motion_of(np.zeros(60, bool), np.zeros((60, 3)))
    foot = np.broadcast_to(rot.from_rotvec([0.5, 0.0, 0.0]), (60, 2, 4))  # toes down
    for height_m, lift_m in ((0.12, 0.0), (0.05, 0.05)):
        ankle = np.broadcast_to([0.0, height_m, 0.0], (60, 2, 3))
        lock = lock_feet(motion._replace(ankle=ankle, foot_xyzw=foot), (SOLE, SOLE), np.ones(2))
        turned = levelled(foot[:, 0], lock.level[:, 0])
        lowest = height_m + lock.ankles[:, 0, 1] + rot.rotate(turned[:, None], SOLE)[..., 1].min(axis=1)
        assert lowest.min() > -1e-9
        assert lock.ankles[:, 0, 1] == pytest.approx(lift_m, abs=0.01)


def test_without_contact_nothing_is_locked():
    lock = lock_feet(motion_of(np.zeros(60, bool), np.ones((60, 3))), (SOLE, SOLE), np.ones(2))
    assert not lock.ankles.any()
    assert not lock.hips.any()


def test_a_leg_bends_to_its_target_in_its_own_plane():
    rng = np.random.default_rng(1)
    turn = Rotation.random(200, rng=rng)
    bend = rng.uniform(0.0, 2.0, 200)
    thigh = turn.apply([0.0, -0.4, 0.0])
    shank = (turn * Rotation.from_rotvec(bend[:, None] * [1.0, 0.0, 0.0])).apply([0.0, -0.5, 0.0])
    hinge = turn.apply([1.0, 0.0, 0.0])
    same = bend_leg(thigh, shank, hinge, thigh + shank)
    for change in same:
        assert rot.angle_between_rad(change, rot.IDENTITY_XYZW).max() < 1e-5
    target = (thigh + shank) * rng.uniform(0.8, 1.0, (200, 1)) + rng.normal(size=(200, 3)) * 0.03
    upper, lower = bend_leg(thigh, shank, hinge, target)
    reached = rot.rotate(upper, thigh) + rot.rotate(lower, shank)
    near = np.linalg.norm(target, axis=1) < 0.89
    assert np.linalg.norm(reached - target, axis=1)[near].max() < 1e-3
    far = bend_leg(thigh[:1], shank[:1], hinge[:1], np.array([[0.0, -2.0, 0.0]]))
    assert np.linalg.norm(rot.rotate(far[0], thigh[:1]) + rot.rotate(far[1], shank[:1])) <= 0.9
