"""Bones by structure: bodies whose nodes have meaningless names."""

import pytest
from support.rigs import NAMES, make_rig

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import load_character
from realtime_pose.model3d.character_bones import look_for_bones
from realtime_pose.model3d.glb import read_glb
from realtime_pose.skeletons import HUMANOID

ON_ITS_BACK = (-(0.5**0.5), 0.0, 0.0, 0.5**0.5)
HALF_TURN = (0.0, 1.0, 0.0, 0.0)
NUMBERED = {joint: f"Bone.{i:03}" for i, joint in enumerate(HUMANOID.joints)}
FOUND = [joint for joint in HUMANOID.joints if joint not in ("spine", "chest")]
_TOES = {f"{side}Foot": [("toes", (0, -0.05, 0.13)), ("toe end", (0, 0, 0.05))] for side in ("left", "right")}
_FINGERS = {
    f"{side}Hand": [
        (f"finger {i}", (sign * 0.1, 0, 0.03 * i)),
        ("middle", (sign * 0.03, 0, 0)),
        ("tip", (sign * 0.02, 0, 0)),
    ]
    for side, sign in (("left", 1), ("right", -1))
    for i in (-1, 0, 1)
}


def with_chains(names, *chains):
    """Adds chains of nodes (name, offset from the one before) to joints."""

    def change(document):
        at = {node["name"]: i for i, node in enumerate(document["nodes"])}
        for joint, chain in chains:
            above = at[names[joint]]
            for name, offset in chain:
                document["nodes"][above].setdefault("children", []).append(len(document["nodes"]))
                above = len(document["nodes"])
                document["nodes"].append({"name": name, "translation": list(offset)})
                document["skins"][0]["joints"].append(above)
        del document["skins"][0]["inverseBindMatrices"]  # it has none for the nodes that were added

    return change


TAIL = ("hips", [(f"tail {i}", (0, -0.02, -0.15)) for i in range(5)])
HAIR = [("head", [(f"hair {i}", (x, -0.12, -0.05)) for i in range(6)]) for x in (0.05, -0.05)]
SKIRT = [("hips", [(f"skirt {i}", (x, -0.1, z)) for i in range(4)]) for x in (0.04, -0.04) for z in (0.04, -0.04)]
LIMBS = {
    "a bare body": [],
    "toes and fingers": [*_TOES.items(), *_FINGERS.items()],
    "crown": [("head", [("crown", (0, 0.2, 0))])],
    "a tail, hair and a skirt": [*_TOES.items(), TAIL, *HAIR, *SKIRT],
    "a weapon in one hand": [*_TOES.items(), ("rightHand", [("sword", (0, 0.1, 0)), ("blade", (0, 0.9, 0))])],
}


@pytest.mark.parametrize("chains", LIMBS.values(), ids=LIMBS.keys())
def test_a_body_is_found_whatever_hangs_on_it(tmp_path, chains):
    rig = make_rig(tmp_path / "rig.glb", names=NUMBERED, change=with_chains(NUMBERED, *chains))
    character = load_character(rig)
    got = {bone: character.glb.nodes[node]["name"] for bone, node in character.bones.items()}
    assert got == {joint: NUMBERED[joint] for joint in FOUND}


POSES = {
    "A-pose": {"arms_down_deg": 45, "legs_out_deg": 6},
    "random rest rotations, centimetres": {"turn_seed": 3, "scene": (0.01, ON_ITS_BACK), "arms_down_deg": 30},
    "more bones in the spine": {"between": {("hips", "spine"): ["s1"], ("spine", "chest"): ["s2", "s3"]}},
    "clavicles": {"between": {("chest", "leftUpperArm"): ["a"], ("chest", "rightUpperArm"): ["b"]}},
    "nodes in another pose": {"posed_seed": 1},
}


@pytest.mark.parametrize("rig", POSES.values(), ids=POSES.keys())
def test_a_body_is_found_in_any_pose(tmp_path, rig):
    character = load_character(make_rig(tmp_path / "rig.glb", names=NUMBERED, **rig))
    got = {bone: character.glb.nodes[node]["name"] for bone, node in character.bones.items() if bone != "neck"}
    assert got == {joint: NUMBERED[joint] for joint in FOUND if joint != "neck"}


def test_toes_and_sides_in_names_tell_left_from_right(tmp_path):
    """A body that faces -Z has its left where another one has its right."""
    turned = {"facing": HALF_TURN, "turn_seed": None}
    with_toes = make_rig(tmp_path / "toes.glb", names=NUMBERED, change=with_chains(NUMBERED, *_TOES.items()), **turned)
    sided = {joint: f"{name}_{joint[0].upper()}" for joint, name in NUMBERED.items() if joint.startswith(("l", "r"))}
    with_sides = make_rig(tmp_path / "sides.glb", names=NUMBERED | sided, **turned)
    for path, names in ((with_toes, NUMBERED), (with_sides, NUMBERED | sided)):
        character = load_character(path)
        assert character.glb.nodes[character.bones["leftFoot"]]["name"] == names["leftFoot"]


def test_names_come_first_and_structure_completes_them(tmp_path):
    names = NAMES["unity"] | {"leftHand": "paw", "rightFoot": "hoof", "rightLowerArm": "thing"}
    found = look_for_bones(read_glb(make_rig(tmp_path / "rig.glb", names=names)))
    assert found.missing == []
    assert {bone for bone, how in found.how.items() if how == "structure"} == {"leftHand", "rightFoot", "rightLowerArm"}
    assert found.how["head"] == "name"


def test_the_hips_carry_legs_and_trunk(tmp_path):
    """Character Creator's and Daz's pelvis carries the legs alone."""
    names = NAMES["unity"] | {"hips": "Hip"}
    between = {("hips", "leftUpperLeg"): ["Pelvis"]}
    character = load_character(make_rig(tmp_path / "rig.glb", names=names, between=between))
    assert character.glb.nodes[character.bones["hips"]]["name"] == "Hip"


def test_a_spine_that_carries_the_legs_is_no_part_of_the_trunk(tmp_path):
    """Biped's first spine bone is the parent of the thighs: bent with the trunk it would bend the legs."""

    def legs_on_the_spine(document):
        at = {node["name"]: i for i, node in enumerate(document["nodes"])}
        legs = [at["LeftUpperLeg"], at["RightUpperLeg"]]
        hips, spine = document["nodes"][at["Hips"]], document["nodes"][at["Spine"]]
        hips["children"] = [child for child in hips["children"] if child not in legs]
        spine["children"] += legs
        for leg in legs:
            document["nodes"][leg]["translation"][1] -= spine["translation"][1]

    character = load_character(make_rig(tmp_path / "rig.glb", names=NAMES["unity"], change=legs_on_the_spine))
    assert character.glb.nodes[character.bones["hips"]]["name"] == "Hips"
    assert [character.glb.nodes[node]["name"] for node in character.trunk.torso] == ["Chest"]


def test_what_is_found_by_structure_is_known(tmp_path):
    rig = make_rig(tmp_path / "rig.glb", names=NAMES["unity"] | {"leftHand": "paw"})
    assert load_character(rig).guessed == ("leftHand",)


def test_hundreds_of_chains_are_looked_at_and_are_no_body(tmp_path):
    many = [("hips", [(f"{i} {k}", (1e-4 * i, 0.02, 0)) for k in range(3)]) for i in range(400)]
    names = {joint: f"{i}" for i, joint in enumerate(HUMANOID.joints)}
    rig = make_rig(tmp_path / "rig.glb", names=names, without=("leftUpperArm",), change=with_chains(names, *many))
    with pytest.raises(CharacterError, match="no node with a known name or place"):
        load_character(rig)
