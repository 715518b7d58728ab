from dataclasses import replace

import numpy as np
import pytest
from support.actor_frames import actor_truth
from support.bodies import POINT_OF, human_local, joints_of
from support.moving_bodies import HEIGHT_M, actor_motion, as_joints, mocap_points

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import Joints3D
from realtime_pose.ik.limits import JOINT_LIMITS, LIMB_LIMITS
from realtime_pose.ik.simple_ik import SimpleIKSolver
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

ROW = HUMANOID.index
FRAME_NS = 33_333_333


def solver(**settings):
    return SimpleIKSolver(BodyConfig(**settings))


def distances_m(pose, joints):
    """Distance of each limb joint from the point that it was solved for."""
    found = forward_kinematics(pose) - pose.root_m
    rows = joints.layout.index
    return np.array([np.linalg.norm(found[ROW[j]] - joints.xyz_m[rows[p]]) for p, j in POINT_OF.items()])


def assert_inside_limits(pose):
    """Unit quaternions inside every limit, and finite values."""
    local = pose.rotations.local_xyzw.astype(float)
    assert np.allclose(np.linalg.norm(local, axis=-1), 1.0, atol=1e-5)
    assert np.isfinite(pose.root_m).all()
    for joint, limits in JOINT_LIMITS.items():
        assert limits.violation_rad(tuple(local[ROW[joint]].tolist())) < 1e-5, joint


def test_poses_inside_the_limits_are_met():
    away = []
    for seed in range(40):
        joints = joints_of(human_local(seed))
        away.append(distances_m(solver().solve(joints), joints))
    assert np.median(away) < 0.002
    assert np.percentile(away, 95) < 0.02


def test_the_rest_pose_gives_identity_rotations():
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    pose = solver().solve(joints_of(local))
    assert np.degrees(rot.angle_between_rad(pose.rotations.local_xyzw, local)).max() < 0.5


def test_rotations_themselves_are_recovered():
    """Rotations too, as the twist of a bent limb follows from its plane.

    Thighs are compared globally, as the pelvis tilts back a little with raised thighs.
    """
    for seed in range(20):
        local = human_local(seed)
        found = solver().solve(joints_of(local)).rotations.local_xyzw
        turned, wanted = global_rotations(HUMANOID, found), global_rotations(HUMANOID, local)
        for joint in LIMB_LIMITS:
            bend = np.linalg.norm(rot.to_rotvec(local[ROW[joint] + 1]))
            if bend > 0.7:
                angle = rot.angle_between_rad(turned[ROW[joint]], wanted[ROW[joint]])
                assert np.degrees(angle) < 3.0, (seed, joint)


LAYOUTS = {layout.name: layout for layout in (COCO17, COCO17_FEET_HANDS)}


def drawn_joints(rng, layout, kind, time_ns=0):
    """Implausible points of several kinds."""
    count = len(layout.names)
    xyz, score, root = 0.5 * rng.normal(size=(count, 3)), np.ones(count), np.array([0.0, 0.0, -3.0])
    if kind == "some occluded":
        score = rng.choice([0.0, 0.3, 1.0], size=count)
    elif kind == "not finite":
        xyz[rng.random(count) < 0.4] = rng.choice([np.nan, np.inf, -np.inf])
        score[rng.random(count) < 0.2] = np.nan
        root = root * rng.choice([1.0, np.nan, np.inf])
    elif kind == "coinciding":
        xyz[:] = xyz[0] * rng.choice([0.0, 1.0])
    elif kind == "huge":
        xyz *= 10.0 ** rng.uniform(2, 30)
    elif kind == "tiny":
        xyz *= 1e-9
    elif kind == "in a line":
        xyz = rng.normal(size=(count, 1)) * rng.normal(size=3)
    elif kind == "flat":
        xyz[:, 2] = 0.0
    elif kind == "one limb":
        score[:] = 0.0
        limb = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")][rng.integers(2)]
        score[layout.rows([f"right_{point}" for point in limb])] = 1.0
    elif kind == "none":
        score[:] = 0.0
    return Joints3D(layout, as_float32(xyz), as_float32(root), as_float32(score), 1, time_ns)


KINDS = (
    "random", "some occluded", "not finite", "coinciding", "huge", "tiny", "in a line", "flat", "one limb", "none",
)  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_input_gives_a_pose_inside_the_limits(layout):
    """Each kind on its own, then all mixed: a thousand frames."""
    rng = np.random.default_rng(5)
    with np.errstate(over="ignore", invalid="ignore"):
        for kind in KINDS:
            body = solver()
            for i in range(40):
                assert_inside_limits(body.solve(drawn_joints(rng, LAYOUTS[layout], kind, i * FRAME_NS)))
        body = solver()
        for i in range(200):
            step = int(rng.choice([0, 1, 1, 1, 1, 30]))
            assert_inside_limits(
                body.solve(drawn_joints(rng, LAYOUTS[layout], rng.choice(KINDS), (i + step) * FRAME_NS))
            )


def test_implausible_input_has_no_lasting_effect():
    """Not in the trunk, not in a limb's twist, not in the root."""
    rng, body = np.random.default_rng(6), solver()
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(50):
            body.solve(drawn_joints(rng, COCO17, rng.choice(KINDS), i * FRAME_NS))
    for i in range(50, 60):
        joints = joints_of(human_local(1), time_ns=i * FRAME_NS)
        pose = body.solve(joints)
    assert distances_m(pose, joints).max() < 0.02
    assert np.allclose(pose.root_m, joints.root_m)


def test_a_knee_that_seems_to_bend_backwards_is_bent_forwards():
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    joints = joints_of(local)
    xyz = joints.xyz_m.copy()
    knee, ankle, hip = (COCO17.index[f"left_{p}"] for p in ("knee", "ankle", "hip"))
    xyz[knee] = xyz[hip] + [0.0, -0.36, -0.20]
    xyz[ankle] = xyz[hip] + [0.0, -0.72, 0.0]
    body = solver()
    pose = body.solve(Joints3D(COCO17, xyz, joints.root_m, joints.score, 1, 0))
    found = forward_kinematics(pose) - pose.root_m
    assert np.linalg.norm(found[ROW["leftFoot"]] - xyz[ankle]) < 0.05
    hips_to_foot = (found[ROW["leftUpperLeg"]] + found[ROW["leftFoot"]]) / 2
    assert found[ROW["leftLowerLeg"]][2] > hips_to_foot[2]  # the knee is in front


def followed(clip, height_m):
    """The poses of a clip, each inside the limits and continuous with the last."""
    body, before, poses = solver(height_m=height_m), None, []
    for joints in clip:
        pose = body.solve(joints)
        got = pose.rotations.local_xyzw.astype(float)
        assert_inside_limits(pose)
        if before is not None:
            assert np.all(np.sum(got * before, axis=-1) > 0), "a quaternion changed its sign"
            assert np.degrees(rot.angle_between_rad(got, before)).max() < 60, "a joint jumped"
        before = got
        poses.append(pose)
    return poses


def test_the_actor_is_followed_without_a_jump_and_met_within_a_centimetre():
    points, truth = actor_motion()
    clip = as_joints(points)
    poses = followed(clip, actor_truth().height_m)
    away_mm = 1e3 * np.array([distances_m(pose, joints) for pose, joints in zip(poses, clip, strict=True)])
    assert np.median(away_mm) < 2
    assert np.percentile(away_mm, 95) < 15
    local = np.array([pose.rotations.local_xyzw for pose in poses], dtype=float)
    wrong_deg = np.degrees(rot.angle_between_rad(local, truth)).mean(axis=0)
    assert wrong_deg.mean() < 3
    assert wrong_deg.max() < 6  # of any joint, with twist, hands, feet and head


@pytest.mark.parametrize("clip", ["02_05", "02_03", "01_05"])  # punches, a run, climbing
def test_motion_capture_is_followed_without_a_jump(clip):
    points = mocap_points(clip)[:300]
    joints = as_joints(points)
    poses = followed(joints, HEIGHT_M)
    away_mm = 1e3 * np.array([distances_m(pose, j) for pose, j in zip(poses, joints, strict=True)])
    assert np.median(away_mm) < 5


def test_no_sign_flips_and_no_jumps_along_a_smooth_motion():
    start, end = human_local(1), human_local(2)
    body, before = solver(), None
    for i in range(90):
        local = rot.slerp(start, end, np.full(17, i / 89))
        pose = body.solve(joints_of(local, time_ns=i * FRAME_NS))
        got = pose.rotations.local_xyzw.astype(float)
        if before is not None:
            assert np.all(np.sum(got * before, axis=-1) > 0)
            assert np.degrees(rot.angle_between_rad(got, before)).max() < 60
        before = got


def test_occluded_joints_hold_then_ease_to_rest():
    config = BodyConfig(hold_s=0.5, ease_s=0.3)
    body = SimpleIKSolver(config)
    local = human_local(3)
    seen = body.solve(joints_of(local, time_ns=0)).rotations.local_xyzw.astype(float)
    score = np.ones(17)
    score[[COCO17.index["left_elbow"], COCO17.index["left_wrist"]]] = 0
    arm = [ROW["leftUpperArm"], ROW["leftLowerArm"]]
    for i in range(1, 150):
        pose = body.solve(joints_of(local, time_ns=i * FRAME_NS, score=score))
        got = pose.rotations.local_xyzw.astype(float)
        if i * FRAME_NS < 0.5e9:
            assert np.allclose(got[arm], seen[arm], atol=1e-5)
    assert np.all(pose.score[arm] == 0)
    assert np.degrees(rot.angle_between_rad(got[arm], RELAXED_XYZW[arm])).max() < 1.0
    assert np.degrees(rot.angle_between_rad(got[ROW["rightUpperArm"]], seen[ROW["rightUpperArm"]])) < 1.0


def test_occluded_joints_ease_to_rest_inside_the_limits():
    """The shortest rotation between two allowed ones leads an arm through impossible ones."""
    rng = np.random.default_rng(1)
    hidden = np.ones(17)
    hidden[COCO17.rows(["left_elbow", "left_wrist", "right_elbow", "right_wrist"])] = 0
    left_limits = 0
    for _ in range(12):
        local = RELAXED_XYZW.copy()
        for joint in ("leftUpperArm", "rightUpperArm"):
            drawn = JOINT_LIMITS[joint].clamp(tuple(rot.unit(rng.normal(size=4)).tolist()))
            local[ROW[joint]] = drawn
            way = rot.slerp(drawn, RELAXED_XYZW[ROW[joint]], np.array([0.3, 0.5, 0.7]))
            left_limits += max(JOINT_LIMITS[joint].violation_rad(tuple(turn)) for turn in way.tolist()) > 0.05
        body = solver(hold_s=0.1, ease_s=0.3)
        for i in range(60):
            score = None if i < 10 else hidden
            pose = body.solve(joints_of(local, time_ns=i * FRAME_NS, score=score))
            assert_inside_limits(pose)
        arms = [ROW["leftUpperArm"], ROW["rightUpperArm"]]
        away = rot.angle_between_rad(pose.rotations.local_xyzw[arms], RELAXED_XYZW[arms])
        assert np.degrees(away).max() < 15
    assert left_limits > 2


def test_a_lifter_that_flips_a_body_does_not_make_it_jump():
    body, before = solver(), None
    turned = RELAXED_XYZW.copy()
    turned[0] = rot.from_axis_angle((0.0, 1.0, 0.0), np.array(3.0))
    for i in range(20):
        pose = body.solve(joints_of(RELAXED_XYZW if i < 5 else turned, time_ns=i * FRAME_NS))
        got = pose.rotations.local_xyzw.astype(float)
        if before is not None:
            assert np.degrees(rot.angle_between_rad(got, before)).max() < 60
        before = got
    assert np.degrees(rot.angle_between_rad(got[0], turned[0])) < 1  # it still gets there


def test_without_visible_points_the_pose_is_relaxed():
    joints = joints_of(human_local(0), score=np.zeros(17))
    pose = solver().solve(joints)
    assert np.allclose(pose.rotations.local_xyzw, RELAXED_XYZW, atol=1e-6)
    assert not pose.score.any()


def test_an_upper_body_alone_rotates_the_hips_with_it():
    local = human_local(4)
    score = np.ones(17)
    score[[COCO17.index[n] for n in COCO17.names if n.split("_")[-1] in ("hip", "knee", "ankle")]] = 0
    pose = solver().solve(joints_of(local, score=score))
    turned = rot.rotate(pose.rotations.local_xyzw[0], [0.0, 0.0, 1.0])
    truth = rot.rotate(local[0], [0.0, 0.0, 1.0])
    assert pose.score[ROW["hips"]] > 0  # they follow the chest
    assert pose.score[ROW["leftUpperLeg"]] == 0
    assert abs(np.arctan2(turned[0], turned[2]) - np.arctan2(truth[0], truth[2])) < 0.2


@pytest.mark.parametrize("hidden", [["left_hip", "right_hip"], ["left_hip"]])
def test_a_body_cut_off_by_a_desk_keeps_its_rotation_and_its_hands(hidden):
    local = RELAXED_XYZW.copy()
    local[0] = rot.from_axis_angle([0.0, 1.0, 0.0], np.array(np.radians(50)))
    score = np.ones(17)
    score[COCO17.rows([*hidden, "left_knee", "right_knee", "left_ankle", "right_ankle"])] = 0
    joints = joints_of(local, score=score)
    body = solver()
    for i in range(60):  # long enough for held joints to have eased to rest
        pose = body.solve(joints_of(local, score=score, time_ns=i * FRAME_NS))
    assert np.degrees(rot.angle_between_rad(pose.rotations.local_xyzw[0], local[0])) < 3
    hand = forward_kinematics(pose)[ROW["leftHand"]] - pose.root_m
    assert np.linalg.norm(hand - joints.xyz_m[COCO17.index["left_wrist"]]) < 0.02


def test_a_straight_limb_shorter_than_its_bones_bends_little_and_nearly_reaches():
    joints = joints_of(np.tile(rot.IDENTITY_XYZW, (17, 1)))
    xyz = joints.xyz_m.copy()
    hip, knee, ankle = (COCO17.index[f"left_{p}"] for p in ("hip", "knee", "ankle"))
    xyz[knee], xyz[ankle] = xyz[hip] + [0, -0.40, 0], xyz[hip] + [0, -0.80, 0]
    pose = solver().solve(Joints3D(COCO17, xyz, joints.root_m, joints.score, 1, 0))
    found = forward_kinematics(pose) - pose.root_m
    assert np.linalg.norm(found[ROW["leftFoot"]] - xyz[ankle]) < 0.025
    assert found[ROW["leftLowerLeg"]][2] > 0.02  # and the knee bends to the front
    bend = np.linalg.norm(rot.to_rotvec(pose.rotations.local_xyzw[ROW["leftLowerLeg"]]))
    assert np.degrees(bend) < 22  # where its length alone would have 31


def test_bone_lengths_follow_body_height():
    unseen = joints_of(human_local(0), score=np.zeros(17))  # visible points would change them
    tall = SimpleIKSolver(BodyConfig(height_m=2.04)).solve(unseen)
    assert tall.bone_m == pytest.approx(HUMANOID.rest_bone_m * 1.2, rel=1e-5)


def test_time_that_runs_backwards_resets_the_person():
    body = solver()
    body.solve(joints_of(human_local(1), time_ns=10**9))
    again = body.solve(joints_of(human_local(2), time_ns=0)).rotations.local_xyzw
    fresh = solver().solve(joints_of(human_local(2))).rotations.local_xyzw
    assert np.degrees(rot.angle_between_rad(again, fresh)).max() < 0.05  # learnt bone lengths stay


# --- hands, feet and head ---------------------------------------------------------------------------------------------


def turned_points(local):
    """COCO17_FEET_HANDS points of a pose, hands and feet as the actor has them."""
    body = joints_of(local).xyz_m.astype(float)
    world = global_rotations(HUMANOID, local)
    offsets = {
        "pinky": (0.085, 0.0, -0.03), "index": (0.085, 0.0, 0.03), "thumb": (0.06, -0.01, 0.05),
        "heel": (0.0, -0.05, -0.055), "toe": (0.0, -0.05, 0.165),
    }  # fmt: skip
    places = dict(zip(COCO17.names, body, strict=True))
    for name in COCO17_FEET_HANDS.names[17:]:
        side, part = name.split("_")
        end, point = ("Foot", "ankle") if part in ("heel", "toe") else ("Hand", "wrist")
        x, y, z = offsets[part]
        at = (x if side == "left" else -x, y, z)
        places[name] = places[f"{side}_{point}"] + rot.rotate(world[ROW[side + end]], at)
    return np.array([places[name] for name in COCO17_FEET_HANDS.names])


def ends_local(seed, spin_deg=0.0):
    """A pose with hands and feet turned inside their limits."""
    local = human_local(seed)
    rng = np.random.default_rng(seed + 100)
    for joint in ("leftHand", "rightHand", "leftFoot", "rightFoot"):
        local[ROW[joint]] = JOINT_LIMITS[joint].clamp(tuple(rot.from_rotvec(0.25 * rng.normal(size=3)).tolist()))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        spin = rot.from_axis_angle((sign, 0.0, 0.0), np.array(np.radians(spin_deg)))
        local[ROW[f"{side}Hand"]] = rot.multiply(spin, local[ROW[f"{side}Hand"]])
    return local


def solved(local, frames=10):
    """A pose after some frames of standing still, as the plane of a slightly bent limb has a low weight."""
    body = solver()
    for joints in as_joints([turned_points(local)] * frames):
        pose = body.solve(joints)
    return pose


def test_hands_and_feet_turn_where_the_layout_has_their_points():
    for seed in range(12):
        local = ends_local(seed)
        pose = solved(local)
        found = global_rotations(HUMANOID, pose.rotations.local_xyzw.astype(float))
        wanted = global_rotations(HUMANOID, local)
        for side in ("left", "right"):
            hand, foot = ROW[f"{side}Hand"], ROW[f"{side}Foot"]
            assert np.degrees(rot.angle_between_rad(found[hand], wanted[hand])) < 2, seed
            toes, true_toes = (rot.rotate(world[foot], [0.0, 0.0, 1.0]) for world in (found, wanted))
            assert np.linalg.norm(np.cross(toes, true_toes)) < np.sin(np.radians(1)), seed
            # Only a part of its roll is used.
            assert np.degrees(rot.angle_between_rad(found[foot], wanted[foot])) < 20, seed


@pytest.mark.parametrize("spin_deg", [-70, 50])
def test_a_hand_turned_over_turns_half_of_its_forearm(spin_deg):
    local = human_local(3)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        local[ROW[f"{side}Hand"]] = rot.from_axis_angle((sign, 0.0, 0.0), np.array(np.radians(spin_deg)))
    pose = solved(local)
    for side in ("left", "right"):
        hinge = LIMB_LIMITS[f"{side}UpperArm"].hinge
        lower, hand = (tuple(pose.rotations.local_xyzw[ROW[side + j]].tolist()) for j in ("LowerArm", "Hand"))
        assert np.degrees(hinge.decompose(lower)[1]) == pytest.approx(spin_deg / 2, abs=1.5)
        assert np.degrees(JOINT_LIMITS[f"{side}Hand"].decompose(hand)[1]) == pytest.approx(spin_deg / 2, abs=1.5)


def test_without_points_of_them_hands_and_feet_follow_their_limbs():
    for seed in range(5):
        local = solver().solve(joints_of(human_local(seed))).rotations.local_xyzw
        ends = local[[ROW[j] for j in ("leftHand", "rightHand", "leftFoot", "rightFoot")]]
        assert np.allclose(ends, rot.IDENTITY_XYZW)


def test_an_occluded_hand_holds_then_eases_while_its_wrist_is_followed():
    local = ends_local(2, spin_deg=30)
    points = turned_points(local)
    body = solver(hold_s=0.3, ease_s=0.2)
    for joints in as_joints([points] * 20):
        first = body.solve(joints)
    knuckles = COCO17_FEET_HANDS.rows([f"left_{p}" for p in ("pinky", "index", "thumb")])
    hand = [ROW["leftLowerArm"], ROW["leftHand"]]
    for i in range(20, 80):
        joints = as_joints([points])[0]
        score = joints.score.copy()
        score[knuckles] = 0
        pose = body.solve(replace(joints, score=score, time_ns=i * FRAME_NS))
        if i == 25:
            assert np.allclose(pose.rotations.local_xyzw[hand], first.rotations.local_xyzw[hand], atol=1e-5)
    assert pose.score[hand].tolist() == [1.0, 1.0]  # their positions are visible
    assert np.allclose(pose.rotations.local_xyzw[hand[1]], rot.IDENTITY_XYZW, atol=0.01)


@pytest.mark.parametrize(
    ("hidden", "most_deg"), [((), 1), (("nose", "left_eye"), 2), (("nose", "left_eye", "right_eye"), 25)]
)
def test_the_head_rotates_with_any_number_of_points(hidden, most_deg):
    local = human_local(4)
    local[ROW["neck"]] = local[ROW["head"]] = rot.from_axis_angle((0.0, 1.0, 0.0), np.array(0.35))
    score = np.ones(17)
    score[COCO17.rows(hidden)] = 0
    pose = solver().solve(joints_of(local, score=score))
    found = global_rotations(HUMANOID, pose.rotations.local_xyzw.astype(float))
    wanted = global_rotations(HUMANOID, local)
    assert np.degrees(rot.angle_between_rad(found[ROW["head"]], wanted[ROW["head"]])) < most_deg
    assert np.allclose(pose.rotations.local_xyzw[ROW["neck"]], pose.rotations.local_xyzw[ROW["head"]], atol=1e-6)


def test_the_end_of_a_limb_with_an_occluded_middle_is_still_met():
    local = human_local(5)
    joints = joints_of(local)
    body = solver()
    for i in range(20):
        body.solve(replace(joints, time_ns=i * FRAME_NS))
    score = np.ones(17)
    score[COCO17.rows(["left_elbow", "right_knee"])] = 0
    pose = body.solve(joints_of(local, score=score, time_ns=20 * FRAME_NS))
    away_m = dict(zip(POINT_OF, distances_m(pose, joints), strict=True))
    assert max(away_m.pop(point) for point in ("left_elbow", "right_knee")) < 0.03  # the last plane is kept
    assert max(away_m.values()) < 0.005
    assert 0 < pose.score[ROW["leftUpperArm"]] < 1


def test_limbs_have_the_learnt_bone_lengths(monkeypatch):
    body = solver()
    longer = HUMANOID.rest_bone_m * 1.1
    monkeypatch.setattr(body._bones, "update", lambda joints: longer)
    points = as_joints([np.array(joints_of(human_local(6)).xyz_m) * 1.1], COCO17)[0]
    pose = body.solve(points)
    assert np.allclose(pose.bone_m, longer)
    assert np.median(distances_m(pose, points)) < 0.002
