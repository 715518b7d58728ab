"""Bone mapping: by VRM extension, by name, and by a user's bones file."""

import pytest
from support.rigs import NAMES, make_rig

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import load_character
from realtime_pose.skeletons import HUMANOID


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES.keys())
def test_a_file_is_understood_by_its_names(tmp_path, names):
    character = load_character(make_rig(tmp_path / "rig.glb", names=names))
    nodes = character.glb.nodes
    got = {bone: nodes[node]["name"] for bone, node in character.bones.items()}
    assert got == {joint: name for joint, name in names.items() if joint not in ("spine", "chest")}
    assert [nodes[node]["name"] for node in character.trunk.torso] == [names["spine"], names["chest"]]
    assert [nodes[node]["name"] for node in character.trunk.neck] == [names["neck"]]


STRANGE = {joint: f"node {i}" for i, joint in enumerate(HUMANOID.joints)}


def vrm0(nodes):
    bones = [{"bone": joint, "node": nodes[name]} for joint, name in STRANGE.items()]
    return {"VRM": {"humanoid": {"humanBones": bones}}}


def vrm1(nodes):
    bones = {joint: {"node": nodes[name]} for joint, name in STRANGE.items()}
    return {"VRMC_vrm": {"specVersion": "1.0", "humanoid": {"humanBones": bones}}}


@pytest.mark.parametrize("extensions", [vrm0, vrm1])
def test_a_vrm_names_its_own_bones(tmp_path, extensions):
    character = load_character(make_rig(tmp_path / "rig.vrm", names=STRANGE, extensions=extensions))
    got = {bone: character.glb.nodes[node]["name"] for bone, node in character.bones.items()}
    assert got == {joint: name for joint, name in STRANGE.items() if joint not in ("spine", "chest")}


def test_a_vrm_has_the_pose_of_its_nodes(tmp_path):
    """Required by its specification; other files may have any pose in their nodes."""
    rig = {"names": STRANGE, "turn_seed": 1, "posed_seed": 2}
    character = load_character(make_rig(tmp_path / "rig.vrm", extensions=vrm1, **rig))
    assert character.document()["nodes"] == character.glb.nodes


@pytest.mark.parametrize(
    "broken",
    [{"humanoid": 3}, {"humanoid": {"humanBones": [{"bone": "hips"}, 7, None]}},
     {"humanoid": {"humanBones": {"hips": {"node": 99999}, "head": {"node": "1"}}}}, [], None],
)  # fmt: skip
def test_a_vrm_extension_that_makes_no_sense_leaves_the_names(tmp_path, broken):
    rig = make_rig(tmp_path / "rig.vrm", extensions=lambda _: {"VRMC_vrm": broken})
    assert len(load_character(rig).bones) == 15


def renamed(**names):
    return {**NAMES["unity"], **names}


def test_missing_bones_are_named_and_the_nodes_there_are(tmp_path):
    names = renamed(leftHand="paw", rightFoot="hoof")
    rig = make_rig(tmp_path / "rig.glb", names=names, without=("rightHand",))  # nor is it built like a body
    with pytest.raises(CharacterError) as error:
        load_character(rig)
    assert "no node with a known name or place for: leftHand, rightHand, rightFoot;" in str(error.value)
    assert "--bones" in str(error.value)
    assert "paw" in str(error.value)
    assert "hoof" in str(error.value)


def test_a_file_may_name_them(tmp_path):
    rig = make_rig(tmp_path / "rig.glb", names=renamed(leftHand="paw", rightFoot="hoof", chest="trunk"))
    bones = tmp_path / "bones.yaml"
    bones.write_text("leftHand: paw\nrightFoot: hoof\nchest: trunk\n")
    character = load_character(rig, bones)
    assert character.glb.nodes[character.bones["leftHand"]]["name"] == "paw"
    assert character.glb.nodes[character.bones["rightFoot"]]["name"] == "hoof"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("leftHand: nothing", "has no node 'nothing'"),
        ("leftPaw: Hips", "'leftPaw' is not a bone; give one of: hips, spine"),
        ("leftHand: Hips", "cannot be both hips and leftHand"),
        ("- leftHand", "has no bones; write lines such as: leftHand"),
        ("leftHand: [", "is not valid YAML"),
        ("", "has no bones"),
        ("leftUpperArm: LeftLowerArm\nleftLowerArm: LeftUpperArm", "map the bones with --bones"),
    ],
)
def test_a_wrong_file_of_bones_is_refused(tmp_path, text, says):
    rig = make_rig(tmp_path / "rig.glb", names=NAMES["unity"])
    bones = tmp_path / "bones.yaml"
    bones.write_text(text)
    with pytest.raises(CharacterError, match=says):
        load_character(rig, bones)


def test_a_missing_bones_file_is_reported(tmp_path):
    with pytest.raises(CharacterError, match="cannot read the bones file"):
        load_character(make_rig(tmp_path / "rig.glb"), tmp_path / "none.yaml")
