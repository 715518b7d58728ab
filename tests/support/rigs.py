"""Skinned characters for tests, as other programs export them: other names, rest rotations, units, poses, bones."""

import json
import struct

import numpy as np
from scipy.spatial.transform import Rotation

from realtime_pose.kinematics import joint_positions
from realtime_pose.model3d.retarget import ANKLE_PER_LEG
from realtime_pose.skeletons import HUMANOID

_LIMBS = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")


def _names(trunk, limbs, side_of):
    names = dict(zip(("hips", "spine", "chest", "neck", "head"), trunk, strict=True))
    for side in ("left", "right"):
        names |= {f"{side}{ours}": side_of(side, theirs) for ours, theirs in zip(_LIMBS, limbs, strict=True)}
    return names


NAMES = {
    "vrm": {joint: joint for joint in HUMANOID.joints},
    "mixamo": _names(
        [f"mixamorig:{n}" for n in ("Hips", "Spine", "Spine1", "Neck", "Head")],
        ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot"),
        lambda side, bone: f"mixamorig:{side.title()}{bone}",
    ),
    "ready player me": _names(
        ["Hips", "Spine", "Spine1", "Neck", "Head"],
        ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot"),
        lambda side, bone: side.title() + bone,
    ),
    "unity": _names(["Hips", "Spine", "Chest", "Neck", "Head"], _LIMBS, lambda side, bone: side.title() + bone),
    "unreal": _names(
        ["pelvis", "spine_01", "spine_02", "neck_01", "head"],
        ("upperarm", "lowerarm", "hand", "thigh", "calf", "foot"),
        lambda side, bone: f"{bone}_{side[0]}",
    ),
    "rigify": _names(
        ["DEF-spine", "DEF-spine.001", "DEF-spine.002", "DEF-spine.004", "DEF-spine.006"],
        ("upper_arm", "forearm", "hand", "thigh", "shin", "foot"),
        lambda side, bone: f"DEF-{bone}.{side[0].upper()}",
    ),
}
"""HUMANOID joint -> the bone's name in a program."""


def make_rig(
    path,
    *,
    names=NAMES["vrm"],
    bone_m=HUMANOID.rest_bone_m,
    arms_down_deg=0.0,
    legs_out_deg=0.0,
    turn_seed=None,
    scene=(1.0, (0.0, 0.0, 0.0, 1.0)),
    facing=(0.0, 0.0, 0.0, 1.0),
    between=None,
    without=(),
    loose=(),
    posed_seed=None,
    extensions=None,
    change=None,
):
    """Write a character's .glb.

    Args:
        path: The file.
        names: HUMANOID's joint -> its node's name.
        bone_m: Its bone lengths.
        arms_down_deg, legs_out_deg: The pose that it was made in: 45 is a usual A-pose.
        turn_seed: Draws a rest rotation for every node; None leaves them all as the scene is.
        scene: Scale and rotation of the node that everything hangs on.
        facing: Turn of the whole character in the scene.
        between: (joint, child) -> names of further nodes, evenly between the two.
        without: Joints that it does not have.
        loose: Joints that hang on the scene's node and not on their parent.
        posed_seed: Draws a pose for the nodes that is not the one that the mesh is bound in.
        extensions: Of the document; given name -> node.
        change: Called with the JSON before it is written.
    """
    nodes, parents, places = _layout(bone_m, arms_down_deg, legs_out_deg, between or {}, without, loose)
    turn = Rotation.from_quat(facing)
    rng = np.random.default_rng(turn_seed)
    turns = [turn * (Rotation.random(rng=rng) if turn_seed is not None else Rotation.identity()) for _ in nodes]
    top = np.eye(4)
    top[:3, :3] = Rotation.from_quat(scene[1]).as_matrix() * scene[0]
    worlds = [top]
    for node, place in zip(turns, places, strict=True):
        world = np.eye(4)
        world[:3, :3], world[:3, 3] = node.as_matrix() * scene[0], turn.apply(place)
        worlds.append(world)
    pose = np.random.default_rng(posed_seed)
    document = {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0, len(nodes) + 1]}]}
    entries = [{"name": "Armature", **_trs(top)}]
    for name, world, parent in zip(nodes, worlds[1:], parents, strict=True):
        local = np.linalg.inv(worlds[parent + 1]) @ world
        if posed_seed is not None and name != "hips":
            bend = Rotation.from_rotvec(pose.normal(size=3) * 0.5).as_matrix()
            local[:3, :3] = local[:3, :3] @ bend
        entries.append({"name": names.get(name, name), **_trs(local)})
    for child, parent in enumerate(parents):
        entries[parent + 1].setdefault("children", []).append(child + 1)
    entries.append({"name": "body", "mesh": 0, "skin": 0})
    document["nodes"] = entries
    inverse = [np.linalg.inv(np.linalg.inv(top) @ world) for world in worlds[1:]]
    binary = _skinned_mesh(document, np.array(inverse), places, np.linalg.inv(top), turn)
    if extensions is not None:
        document["extensions"] = extensions({entry["name"]: i for i, entry in enumerate(entries)})
        document["extensionsUsed"] = list(document["extensions"])
    if change is not None:
        change(document)
    write_glb(path, document, binary)
    return path


def write_glb(path, document, binary=b""):
    """Write JSON and bytes as a .glb."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    if binary:
        chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)


def _layout(bone_m, arms_down_deg, legs_out_deg, between, without, loose):
    """Names, parents (-1: the scene's node) and places (N, 3) of the nodes, each after its parent."""
    local = np.tile([0.0, 0.0, 0.0, 1.0], (len(HUMANOID.joints), 1))
    for side, sign in (("left", -1), ("right", 1)):
        for joint, degrees in (("UpperArm", arms_down_deg), ("UpperLeg", -legs_out_deg)):
            local[HUMANOID.index[f"{side}{joint}"]] = Rotation.from_euler("z", sign * degrees, degrees=True).as_quat()
    leg = bone_m[HUMANOID.index["leftLowerLeg"]] + bone_m[HUMANOID.index["leftFoot"]]
    place = joint_positions(HUMANOID, local, (0.0, leg, 0.0), bone_m)
    place[:, 1] += leg * ANKLE_PER_LEG - place[HUMANOID.index["leftFoot"], 1]  # the soles on the floor
    nodes, parents, places = [], [], []
    for row, joint in enumerate(HUMANOID.joints):
        if joint in without:
            continue
        above = HUMANOID.parents[row]
        while above >= 0 and HUMANOID.joints[above] in without:
            above = HUMANOID.parents[above]
        parent = nodes.index(HUMANOID.joints[above]) if above >= 0 and joint not in loose else -1
        more = between.get((HUMANOID.joints[above] if above >= 0 else None, joint), ())
        for i, name in enumerate(more):
            nodes.append(name)
            parents.append(parent)
            places.append(place[above] + (place[row] - place[above]) * (i + 1) / (len(more) + 1))
            parent = len(nodes) - 1
        nodes.append(joint)
        parents.append(parent)
        places.append(place[row])
    return nodes, parents, np.array(places)


def _trs(matrix):
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    turn = Rotation.from_matrix(matrix[:3, :3] / scale)
    return {"translation": matrix[:3, 3].tolist(), "rotation": turn.as_quat().tolist(), "scale": scale.tolist()}


def _skinned_mesh(document, inverse_binds, places, mesh_from_scene, turn):
    """Adds a skin and a mesh of one triangle a joint; the binary part."""
    count = len(places)
    corners = turn.apply(np.repeat(places, 3, axis=0)) + np.tile([[0, 0, 0.02], [0.02, 0, 0], [0, 0.02, 0]], (count, 1))
    points = (corners @ mesh_from_scene[:3, :3].T + mesh_from_scene[:3, 3]).astype("<f4")
    joints = np.zeros((3 * count, 4), "<u2")
    joints[:, 0] = np.repeat(np.arange(count), 3)
    weights = np.zeros((3 * count, 4), "<f4")
    weights[:, 0] = 1.0
    arrays = [
        (points, "VEC3", 5126, {"min": points.min(0).tolist(), "max": points.max(0).tolist()}),
        (joints, "VEC4", 5123, {}),
        (weights, "VEC4", 5126, {}),
        (inverse_binds.swapaxes(1, 2).reshape(-1, 16).astype("<f4"), "MAT4", 5126, {}),
    ]
    binary, views, accessors = b"", [], []
    for i, (values, kind, component, more) in enumerate(arrays):
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": values.nbytes})
        if i < 3:
            views[-1]["target"] = 34962
        accessors.append({"bufferView": i, "componentType": component, "count": len(values), "type": kind, **more})
        binary += values.tobytes()
    attributes = {"POSITION": 0, "JOINTS_0": 1, "WEIGHTS_0": 2}
    document |= {
        "meshes": [{"name": "body", "primitives": [{"attributes": attributes}]}],
        "skins": [{"inverseBindMatrices": 3, "joints": list(range(1, count + 1))}],
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(binary)}],
    }
    return binary
