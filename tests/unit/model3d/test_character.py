"""Characters: the built-in one, and files that cannot be used."""

import json
import struct

import numpy as np
import pytest
from support.rigs import make_rig, write_glb

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import default_character_path, load_character
from realtime_pose.skeletons import HUMANOID


def test_our_own_character_is_one():
    character = load_character(default_character_path())
    assert len(character.driven) == len(HUMANOID.joints)
    assert character.document()["nodes"] == character.glb.nodes  # nothing has to change


def put(path, value):
    """A change of the document at a path such as "nodes.3.scale"."""

    def change(document):
        *keys, last = (int(key) if key.isdecimal() else key for key in path.split("."))
        for key in keys:
            document = document[key]
        document[last] = value

    return change


CHANGES = {
    "no skin": (put("skins", []), "has no skin, so its mesh cannot follow bones"),
    "a skin without joints": (put("skins.0.joints", []), "a skin 0 whose joints are not nodes"),
    "joints that are not there": (put("skins.0.joints", [1, 99]), "a skin 0 whose joints are not nodes"),
    "an older glTF": (put("asset.version", "1.0"), "is of version 1.0, wanted 2.0"),
    "no version": (put("asset", []), "has no asset version"),
    "nodes that are no list": (put("nodes", {}), "has nodes that are not a list of objects"),
    "children that are not there": (put("nodes.1.children", [500]), "children do not exist"),
    "a node that is its own child": (put("nodes.1.children", [1]), "with two parents"),
    "nodes in a circle": (lambda d: (put("nodes.0.children", [])(d), put("nodes.5.children", [1])(d)), "own ancestors"),
    "two parents": (put("nodes.0.children", [1, 2]), "with two parents"),
    "a name that is a number": (put("nodes.1.name", 7), "whose name is not a string"),
    "a rotation of three numbers": (put("nodes.1.rotation", [0, 0, 1]), "whose rotation is not 4 numbers"),
    "a rotation by nothing": (put("nodes.1.rotation", [0, 0, 0, 0]), "with a rotation of 0"),
    "a place beyond all bounds": (put("nodes.1.translation", [10**400, 0, 0]), "whose translation is not 3 numbers"),
    "a scene of other nodes": (put("scenes.0.nodes", [-1]), "whose nodes do not exist"),
    "a scale of zero": (put("nodes.1.scale", [0, 0, 0]), "same position"),
    "a stretched bone": (put("nodes.2.scale", [1, 2, 1]), "uneven scale .1, 2, 1."),
    "a mirrored bone": (put("nodes.2.scale", [-1, -1, -1]), "uneven scale"),
    "bones in one place": (put("nodes.7.translation", [0, 0, 0]), "leftUpperArm and its leftLowerArm at the same"),
    "data in another file": (put("buffers.0.uri", "model.bin"), "refers to another file, 'model.bin'"),
    "pictures in another file": (put("images", [{"uri": "http://127.0.0.1/x.png"}]), "refers to another file"),
    "data in its text": (put("buffers.0.uri", "data:,x"), "outside its binary chunk"),
    "more data than there is": (put("buffers.0.byteLength", 10**7), "binary chunk is shorter than its buffer"),
    "weights outside of the file": (put("accessors.2.count", 10**9), "accessor 2 is out of bounds"),
    "attributes that are a list": (put("meshes.0.primitives.0.attributes", []), "whose attributes are not an object"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), CHANGES.values(), ids=CHANGES.keys())
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(tmp_path, change, says):
    rig = make_rig(tmp_path / "rig.glb", change=change)
    with pytest.raises(CharacterError, match=says) as error:
        load_character(rig)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(rig))


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(CharacterError, match=r"cannot read .*none\.glb: No such file"):
        load_character(tmp_path / "none.glb")


def test_a_file_cut_anywhere_is_refused_and_never_a_foreign_error(tmp_path):
    whole = make_rig(tmp_path / "rig.glb").read_bytes()
    for length in np.linspace(0, len(whole) - 1, 40).astype(int):
        (tmp_path / "cut.glb").write_bytes(whole[:length])
        with pytest.raises(CharacterError):
            load_character(tmp_path / "cut.glb")


def test_random_damage_of_the_description_gives_no_foreign_error(tmp_path):
    """Values of other types anywhere: the file is refused or read."""
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


def test_a_character_in_rigid_parts_needs_no_skin(tmp_path):
    def in_parts(document):
        (skin,) = document.pop("skins")
        del document["nodes"][-1]["skin"], document["nodes"][-1]["mesh"]
        for joint in skin["joints"]:
            document["nodes"][joint]["mesh"] = 0

    character = load_character(make_rig(tmp_path / "robot.glb", change=in_parts))
    assert len(character.bones) == 15
    assert len(character.driven) == 17


def test_a_mesh_in_draco_is_driven_unread(tmp_path):
    """Its accessors have no bytes of their own; the copy keeps the compressed ones."""

    def in_draco(document):
        document["extensionsUsed"] = document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
        primitive = document["meshes"][0]["primitives"][0]
        primitive["extensions"] = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
        for accessor in primitive["attributes"].values():
            del document["accessors"][accessor]["bufferView"]

    assert len(load_character(make_rig(tmp_path / "small.glb", change=in_draco)).driven) == 17
