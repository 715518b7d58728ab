"""Characters of every naming are understood; files that cannot be used are refused in one sentence."""

import json
import struct

import numpy as np
import pytest
from support.rigs import NAMES, make_rig, write_glb

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.bone_names import REQUIRED, find_bones
from realtime_pose.model3d.character import default_character_path, load_character
from realtime_pose.model3d.glb import read_glb
from realtime_pose.skeletons import HUMANOID

SIDES = ("Left", "Right")
_UNITY = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
_BIPED = ("UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot")
_RIGIFY = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
_MIXAMO = ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "Shoulder", "HandThumb1", "HandMiddle1", "ToeBase")
_MANNY = (
    *("upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "clavicle", "ball", "index_01"),
    *("upperarm_twist_01", "lowerarm_twist_01", "ik_hand", "ik_foot"),
)


def sided(pattern, bones, sides=SIDES):
    return [pattern.format(side=side, bone=bone) for side in sides for bone in bones]


MIXAMO = ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End", *sided("{side}{bone}", _MIXAMO)]
MANNY = ["root", "pelvis", "spine_01", "spine_05", "neck_01", "neck_02", "head", "ik_foot_root", "ik_hand_gun"]
RIGIFY = ["DEF-spine", "DEF-spine.004", "DEF-spine.006", "DEF-upper_arm.L.001", "DEF-pelvis.L", "hips", "head"]
# the names of a whole rig, and what hips, left upper arm and right lower leg are among them
CONVENTIONS = {
    "VRM": (HUMANOID.joints, "hips leftUpperArm rightLowerLeg"),
    "VRoid": (
        ["J_Bip_C_Hips", "J_Bip_C_Head", "J_Sec_Hair1", *sided("J_Bip_{side}_{bone}", _UNITY, "LR")],
        "J_Bip_C_Hips J_Bip_L_UpperArm J_Bip_R_LowerLeg",
    ),
    "Unity": (["Hips", "Head", *sided("{side}{bone}", _UNITY)], "Hips LeftUpperArm RightLowerLeg"),
    "Unity, side last": (["Hips", "Head", *sided("{bone}{side}", _UNITY)], "Hips UpperArmLeft LowerLegRight"),
    "small letters": (
        ["hips", "head", *(name.lower() for name in sided("{side}{bone}", _UNITY))],
        "hips leftupperarm rightlowerleg",
    ),
    "Ready Player Me": (MIXAMO, "Hips LeftArm RightLeg"),
    "Mixamo": ([f"mixamorig:{n}" for n in MIXAMO], "mixamorig:Hips mixamorig:LeftArm mixamorig:RightLeg"),
    "Mixamo, in browsers": ([f"mixamorig{n}" for n in MIXAMO], "mixamorigHips mixamorigLeftArm mixamorigRightLeg"),
    "Mixamo, numbered": ([f"mixamorig7:{n}" for n in MIXAMO], "mixamorig7:Hips mixamorig7:LeftArm mixamorig7:RightLeg"),
    "a name before every bone": ([f"Bob_{n}" for n in MIXAMO], "Bob_Hips Bob_LeftArm Bob_RightLeg"),
    "Unreal's Manny": ([*MANNY, *sided("{bone}_{side}", _MANNY, "lr")], "pelvis upperarm_l calf_r"),
    "Rigify": (
        [*RIGIFY, *(name for kind in ("ORG-{bone}.{side}", "{bone}_fk.{side}", "DEF-{bone}.{side}")
                    for name in sided(kind, _RIGIFY, "LR"))],
        "DEF-spine DEF-upper_arm.L DEF-shin.R",
    ),
    "Rigify's ORG bones": (
        ["ORG-spine", "ORG-spine.006", *sided("ORG-{bone}.{side}", _RIGIFY, "LR")],
        "ORG-spine ORG-upper_arm.L ORG-shin.R",
    ),
    "Rigify's metarig": (
        ["spine", "spine.001", "spine.006", *sided("{bone}.{side}", _RIGIFY, "LR")],
        "spine upper_arm.L shin.R",
    ),
    "Biped": (["Bip01 Pelvis", "Bip01 Head", *sided("Bip01 {side} {bone}", _BIPED, "LR")], None),
}  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS.keys())
def test_bones_are_found_by_the_names_of_many_programs(convention):
    names, expected = convention
    found = {bone: names[node] for bone, node in find_bones(names, range(len(names))).items()}
    assert [bone for bone in REQUIRED if bone not in found] == []
    got = [found[bone] for bone in ("hips", "leftUpperArm", "rightLowerLeg")]
    assert got == (expected.split() if expected else ["Bip01 Pelvis", "Bip01 L UpperArm", "Bip01 R Calf"])
    assert len(set(found.values())) == len(found)


def test_names_that_only_sound_alike_are_no_bones():
    names = ["ik_hand_l", "upperarm_twist_01_l", "HandThumb1", "Head_end", "heads_up_display", "football_r", "pelvis.L"]
    assert find_bones(names, range(len(names))) == {}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES.keys())
def test_a_file_is_understood_by_its_names(tmp_path, names):
    character = load_character(make_rig(tmp_path / "rig.glb", names=names))
    nodes = character.glb.nodes
    got = {bone: nodes[node]["name"] for bone, node in character.bones.items()}
    assert got == {joint: name for joint, name in names.items() if joint not in ("spine", "chest")}
    assert [nodes[node]["name"] for node in character.trunk.torso] == [names["spine"], names["chest"]]
    assert [nodes[node]["name"] for node in character.trunk.neck] == [names["neck"]]


def test_our_own_character_is_one():
    character = load_character(default_character_path())
    assert len(character.moved) == len(HUMANOID.joints)
    assert character.document()["nodes"] == character.glb.nodes  # nothing about it needs to change


STRANGE = {joint: f"node {i}" for i, joint in enumerate(HUMANOID.joints)}


def vrm0(nodes):
    bones = [{"bone": joint, "node": nodes[name]} for joint, name in STRANGE.items()]
    return {"VRM": {"humanoid": {"humanBones": bones}}}


def vrm1(nodes):
    bones = {joint: {"node": nodes[name]} for joint, name in STRANGE.items()}
    return {"VRMC_vrm": {"specVersion": "1.0", "humanoid": {"humanBones": bones}}}


@pytest.mark.parametrize("extensions", [vrm0, vrm1])
def test_a_vrm_says_itself_which_nodes_are_bones(tmp_path, extensions):
    character = load_character(make_rig(tmp_path / "rig.vrm", names=STRANGE, extensions=extensions))
    got = {bone: character.glb.nodes[node]["name"] for bone, node in character.bones.items()}
    assert got == {joint: name for joint, name in STRANGE.items() if joint not in ("spine", "chest")}


def test_a_vrm_stands_as_its_nodes_do(tmp_path):
    """Its specification says so; other files may have a pose in their nodes."""
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


# --- bones that are not found -----------------------------------------------------------------------------------------


def renamed(**names):
    return {**NAMES["unity"], **names}


def test_missing_bones_are_named_and_the_nodes_there_are(tmp_path):
    rig = make_rig(tmp_path / "rig.glb", names=renamed(leftHand="paw", rightFoot="hoof"))
    with pytest.raises(CharacterError) as error:
        load_character(rig)
    assert "no bone that is known as leftHand, rightFoot;" in str(error.value)
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
        ("leftPaw: Hips", "'leftPaw' is no bone; those there are: hips, spine"),
        ("leftHand: Hips", "cannot be both hips and leftHand"),
        ("- leftHand", "holds no bones; write lines such as: leftHand"),
        ("leftHand: [", "is not valid YAML"),
        ("", "holds no bones"),
        ("leftUpperArm: LeftLowerArm\nleftLowerArm: LeftUpperArm", "say with --bones which node is which"),
    ],
)
def test_a_wrong_file_of_bones_is_refused(tmp_path, text, says):
    rig = make_rig(tmp_path / "rig.glb", names=NAMES["unity"])
    bones = tmp_path / "bones.yaml"
    bones.write_text(text)
    with pytest.raises(CharacterError, match=says):
        load_character(rig, bones)


def test_a_file_of_bones_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CharacterError, match="cannot read the bones file"):
        load_character(make_rig(tmp_path / "rig.glb"), tmp_path / "none.yaml")


# --- files that cannot be used ----------------------------------------------------------------------------------------


def put(path, value):
    """A change of the document at a path such as "nodes.3.scale"."""

    def change(document):
        *keys, last = (int(key) if key.isdecimal() else key for key in path.split("."))
        for key in keys:
            document = document[key]
        document[last] = value

    return change


CHANGES = {
    "no skin": (put("skins", []), "has no skin, so nothing of it can follow bones"),
    "a skin without joints": (put("skins.0.joints", []), "a skin 0 whose joints are no nodes"),
    "joints that are not there": (put("skins.0.joints", [1, 99]), "a skin 0 whose joints are no nodes"),
    "an older glTF": (put("asset.version", "1.0"), "is of version 1.0, wanted 2.0"),
    "no version": (put("asset", []), "says nothing of itself"),
    "nodes that are no list": (put("nodes", {}), "has nodes that are no list of objects"),
    "children that are not there": (put("nodes.1.children", [500]), "children are not there"),
    "a node that is its own child": (put("nodes.1.children", [1]), "with two parents"),
    "nodes in a circle": (lambda d: (put("nodes.0.children", [])(d), put("nodes.5.children", [1])(d)), "own ancestors"),
    "two parents": (put("nodes.0.children", [1, 2]), "with two parents"),
    "a name that is a number": (put("nodes.1.name", 7), "whose name is no text"),
    "a rotation of three numbers": (put("nodes.1.rotation", [0, 0, 1]), "whose rotation is not 4 numbers"),
    "a rotation by nothing": (put("nodes.1.rotation", [0, 0, 0, 0]), "turned by nothing"),
    "a place beyond all bounds": (put("nodes.1.translation", [10**400, 0, 0]), "whose translation is not 3 numbers"),
    "a scene of other nodes": (put("scenes.0.nodes", [-1]), "whose nodes are not there"),
    "a scale of zero": (put("nodes.1.scale", [0, 0, 0]), "one place"),
    "a stretched bone": (put("nodes.2.scale", [1, 2, 1]), "uneven scale .1, 2, 1."),
    "a mirrored bone": (put("nodes.2.scale", [-1, -1, -1]), "uneven scale"),
    "bones in one place": (put("nodes.7.translation", [0, 0, 0]), "leftUpperArm and its leftLowerArm in one"),
    "data in another file": (put("buffers.0.uri", "model.bin"), "refers to another file, 'model.bin'"),
    "pictures in another file": (put("images", [{"uri": "http://127.0.0.1/x.png"}]), "refers to another file"),
    "data in its text": (put("buffers.0.uri", "data:,x"), "elsewhere than in its binary part"),
    "more data than there is": (put("buffers.0.byteLength", 10**7), "binary part is shorter than it says"),
    "weights outside of the file": (put("accessors.2.count", 10**9), "accessor 2 points to nothing"),
    "attributes that are a list": (put("meshes.0.primitives.0.attributes", []), "whose attributes are no table"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, change, says):
    rig = make_rig(tmp_path / "rig.glb", change=change)
    with pytest.raises(CharacterError, match=says) as error:
        load_character(rig)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(rig))


def glb_of(total=None, version=2, magic=b"glTF", chunk=b"JSON", text=b'{"asset":{"version":"2.0"}}', size=None):
    text += b" " * (-len(text) % 4)
    whole = 20 + len(text)
    header = struct.pack("<4sII", magic, version, whole if total is None else total)
    return header + struct.pack("<I4s", len(text) if size is None else size, chunk) + text


BYTES = {
    "nothing": (b"", "is no glTF binary"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "is no glTF binary"),
    "a text": (b'{"asset": {"version": "2.0"}}', "is a .gltf with its data in other files"),
    "a head alone": (b"glTF", "is cut off"),
    "another version": (glb_of(version=1), "is glTF 1, wanted 2"),
    "less than it says": (glb_of(total=10**6), "is cut off: it has"),
    "a part beyond its end": (glb_of(size=10**6), "is cut off or damaged"),
    "no description": (glb_of(chunk=b"BIN\0"), "no description of its contents"),
    "no JSON": (glb_of(text=b"{{{{"), "has a damaged description"),
    "text that is no text": (glb_of(text=b"\xff\xfe\xff\xfe"), "has a damaged description"),
    "numbers that are none": (glb_of(text=b'{"asset": {"version": NaN}}'), "NaN is no number"),
    "brackets without end": (glb_of(text=b"[" * 200_000), "has a damaged description"),
    "JSON that is no object": (glb_of(text=b"[1]"), "says nothing of itself"),
}


@pytest.mark.parametrize(("data", "says"), BYTES.values(), ids=BYTES.keys())
def test_what_is_no_glb_is_refused(tmp_path, data, says):
    path = tmp_path / "rig.glb"
    path.write_bytes(data)
    with pytest.raises(CharacterError, match=says):
        read_glb(path)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CharacterError, match=r"cannot read .*none\.glb: No such file"):
        load_character(tmp_path / "none.glb")


def test_a_file_cut_anywhere_is_refused_and_never_a_foreign_error(tmp_path):
    whole = make_rig(tmp_path / "rig.glb").read_bytes()
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        (tmp_path / "cut.glb").write_bytes(whole[:length])
        with pytest.raises(CharacterError):
            load_character(tmp_path / "cut.glb")


def test_random_damage_of_the_description_gives_no_foreign_error(tmp_path):
    """Values of other types at any place: it is either refused or understood."""
    rig = make_rig(tmp_path / "rig.glb")
    data = rig.read_bytes()
    length = struct.unpack("<I", data[12:16])[0]
    text, binary = data[20 : 20 + length], data[28 + length :]
    rng = np.random.default_rng(0)
    wrong = [None, -1, 10**9, 1.5, "x", [], {}, [1, 2], {"a": 1}, True]
    refused = 0
    for _ in range(300):
        document = json.loads(text)
        place = document
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = keys[rng.integers(len(keys))]
            if rng.random() < 0.25 or not isinstance(place[key], dict | list):
                place[key] = wrong[rng.integers(len(wrong))]
                break
            place = place[key]
        write_glb(tmp_path / "damaged.glb", document, binary)
        try:
            load_character(tmp_path / "damaged.glb").document()
        except CharacterError:
            refused += 1
    assert refused > 100


def test_a_matrix_is_the_same_as_its_parts(tmp_path):
    def as_matrix(document):
        for node in document["nodes"]:
            if "rotation" in node:
                local = np.eye(4)
                x, y, z, w = node.pop("rotation")
                local[:3, :3] = np.array(
                    [[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]]
                ) * np.array(node.pop("scale"))  # fmt: skip
                local[:3, 3] = node.pop("translation")
                node["matrix"] = local.T.ravel().tolist()

    rig = {"turn_seed": 1, "scene": (0.01, (0.5, 0.5, 0.5, 0.5))}
    one = load_character(make_rig(tmp_path / "one.glb", **rig))
    other = load_character(make_rig(tmp_path / "other.glb", change=as_matrix, **rig))
    np.testing.assert_allclose(other.tree.world.place, one.tree.world.place, atol=1e-9)
    moved = [other.document()["nodes"][node] for node in other.moved]
    assert all("matrix" not in node and "rotation" in node for node in moved)  # an animated node has no matrix
