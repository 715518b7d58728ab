"""Retargeting: limbs point the same way on any rig, and joints match on rigs of equal proportions."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from support.gltf_player import Player
from support.people import make_clip
from support.rigs import NAMES, make_rig

from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.model3d.rest_pose import LIMBS
from realtime_pose.skeletons import HUMANOID

POSES = [result.people[0].pose for result in make_clip(4, seed=5)]
JOINTS_M = np.array([forward_kinematics(pose) for pose in POSES])
BONE_M = POSES[0].bone_m.astype(np.float64)
ON_ITS_BACK = (-np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5))
HALF_TURN = (0.0, 1.0, 0.0, 0.0)
SIDEWAYS = tuple(Rotation.from_euler("y", 70, degrees=True).as_quat())
EXTRA_SPINE = {("hips", "spine"): ["s1"], ("spine", "chest"): ["s2", "s3"], ("chest", "neck"): ["s4"]}
TWISTS = {("chest", "leftUpperArm"): ["clavicle_l"], ("leftUpperArm", "leftLowerArm"): ["twist"],
          ("neck", "head"): ["n2"], ("rightLowerLeg", "rightFoot"): ["t1", "t2"]}  # fmt: skip

RIGS = {
    "T-pose": {},
    "random rest rotations": {"turn_seed": 1},
    "A-pose": {"arms_down_deg": 45, "legs_out_deg": 6},
    "A-pose, random rest rotations": {"arms_down_deg": 52, "legs_out_deg": 4, "turn_seed": 2},
    "centimetres under a scaled node": {"scene": (0.01, (0, 0, 0, 1))},
    "Z up under a turned and scaled node": {"scene": (0.01, ON_ITS_BACK), "turn_seed": 3, "arms_down_deg": 30},
    "faces -Z": {"facing": HALF_TURN, "turn_seed": 4},
    "faces 70 degrees to the side": {"facing": SIDEWAYS, "arms_down_deg": 40},
    "lies on its back": {"facing": ON_ITS_BACK},
    "more bones in the spine": {"between": EXTRA_SPINE, "turn_seed": 5},
    "more bones in the limbs": {"between": TWISTS, "turn_seed": 6, "arms_down_deg": 45},
    "nodes in another pose than the mesh": {"posed_seed": 7, "turn_seed": 7},
    "nodes in another pose than the mesh, Z up": {"posed_seed": 8, "scene": (0.01, ON_ITS_BACK)},
    "limbs in pieces": {"loose": ("leftUpperArm", "rightUpperArm", "leftUpperLeg", "rightLowerLeg"), "turn_seed": 9},
}
SMALLER = {"bone_m": HUMANOID.rest_bone_m * np.random.default_rng(3).uniform(0.4, 0.7, 17)}


def perform(folder, character, clip):
    recorder = GlbRecorder(folder / "out.glb", character)
    for result in clip:
        recorder.send(result)
    recorder.close()
    return Player(folder / "out.glb")


def places_of(player, names, facing=(0, 0, 0, 1)):
    """(T, 17, 3) positions of the joints, rotated back to face +Z; NaN for missing nodes."""
    back = Rotation.from_quat(facing).inv()
    keys = [player.places(key) for key in range(len(player.times))]
    missing = np.full(3, np.nan)
    return np.array([[back.apply(places.get(names[joint], missing)) for joint in HUMANOID.joints] for places in keys])


def worst_direction_deg(got_m, wanted_m):
    """The largest angle between corresponding limb bones."""
    worst = 0.0
    for bone, end in LIMBS:
        a, b = HUMANOID.index[bone], HUMANOID.index[end]
        one, other = got_m[:, b] - got_m[:, a], wanted_m[:, b] - wanted_m[:, a]
        sine = np.linalg.norm(np.cross(one, other), axis=1)
        worst = max(worst, float(np.degrees(np.arctan2(sine, (one * other).sum(axis=1))).max()))
    return worst


@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS.keys())
def test_a_rig_of_the_persons_proportions_has_its_joints_where_the_persons_are(tmp_path, rig):
    player = perform(tmp_path, make_rig(tmp_path / "rig.glb", bone_m=BONE_M, **rig), make_clip(4, seed=5))
    got = places_of(player, NAMES["vrm"], rig.get("facing", (0, 0, 0, 1)))
    assert worst_direction_deg(got, JOINTS_M) < 0.1
    assert np.linalg.norm(got - JOINTS_M, axis=2).max() < 0.005


@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS.keys())
def test_a_rig_of_other_proportions_points_its_limbs_as_the_person_does(tmp_path, rig):
    player = perform(tmp_path, make_rig(tmp_path / "rig.glb", **SMALLER, **rig), make_clip(4, seed=5))
    got = places_of(player, NAMES["vrm"], rig.get("facing", (0, 0, 0, 1)))
    assert worst_direction_deg(got, JOINTS_M) < 0.1
    leg = [HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]]
    scale = SMALLER["bone_m"][leg].sum() / BONE_M[leg].sum()
    right = [HUMANOID.index["rightLowerLeg"], HUMANOID.index["rightFoot"]]
    scale = (scale + SMALLER["bone_m"][right].sum() / BONE_M[right].sum()) / 2
    travelled = got[:, 0] - got[0, 0]
    assert np.abs(travelled - scale * (JOINTS_M[:, 0] - JOINTS_M[0, 0])).max() < 0.01


@pytest.mark.parametrize(
    "without",
    [("chest",), ("spine", "chest"), ("neck",), ("spine", "chest", "neck")],
    ids=["one bone in the spine", "no spine", "no neck", "neither"],
)
def test_a_rig_without_optional_bones_points_its_limbs_as_the_person_does(tmp_path, without):
    rig = make_rig(tmp_path / "rig.glb", bone_m=BONE_M, without=without, turn_seed=1, arms_down_deg=45)
    player = perform(tmp_path, rig, make_clip(4, seed=5))
    got = places_of(player, NAMES["vrm"])
    assert worst_direction_deg(got, JOINTS_M) < 0.1
    legs = [row for row, joint in enumerate(HUMANOID.joints) if joint == "hips" or joint.endswith(("Leg", "Foot"))]
    assert np.linalg.norm(got - JOINTS_M, axis=2)[:, legs].max() < 0.005


def test_a_spine_of_many_bones_shares_the_bend(tmp_path):
    """Bones with other ends than the person's: the parent of the arms is the chest, the others are in between."""
    names = ["s1", "s2", "s3", "s4"]
    rig = make_rig(tmp_path / "rig.glb", bone_m=BONE_M, without=("spine", "chest"), between={("hips", "neck"): names})
    player = perform(tmp_path, rig, make_clip(4, seed=5))
    for key, pose in enumerate(POSES):
        worlds = player.worlds(key)
        turns = [Rotation.from_matrix(worlds[name][:3, :3]) for name in ("hips", *names)]
        bends = [(a.inv() * b).magnitude() for a, b in pairwise(turns)]
        hips, spine, chest = (Rotation.from_quat(q) for q in pose.rotations.local_xyzw[:3])
        assert (turns[-1].inv() * hips * spine * chest).magnitude() < 1e-4
        assert max(bends) < 1.01 * max(spine.magnitude(), chest.magnitude())
        assert max(bends[1:]) < 0.8 * chest.magnitude()  # the bone across the person's chest joint gets a part
