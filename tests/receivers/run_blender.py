"""Runs the cases through receivers/blender: blender -b -P run_blender.py -- RECEIVER_FOLDER CASES ANSWERS."""

import json
import math
import socket
import sys

import bpy
from mathutils import Matrix, Quaternion, Vector

folder, cases_file, answers_file = sys.argv[-3:]
sys.path.insert(0, folder)
import realtime_pose_receiver as receiver  # noqa: E402

FROM_CANONICAL = Quaternion((1, 0, 0), math.pi / 2)  # (x, y, z) -> (x, -z, y)


def armature_of(rig):
    """An armature with the rig's rest poses and bone axes."""
    bpy.ops.object.add(type="ARMATURE", enter_editmode=True)
    armature = bpy.context.object
    rest = []
    for bone in rig["bones"]:
        x, y, z, w = bone["rotation"]
        matrix = Matrix.LocRotScale(Vector(bone["position"]), Quaternion((w, x, y, z)), None)
        above = rest[bone["parent"]] if bone["parent"] >= 0 else FROM_CANONICAL.to_matrix().to_4x4()
        rest.append(above @ matrix)
        made = armature.data.edit_bones.new(bone["name"])
        made.tail = (0, 0, 0.1)
        made.matrix = rest[-1]
        if bone["parent"] >= 0:
            made.parent = armature.data.edit_bones[rig["bones"][bone["parent"]]["name"]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature


def place(rig):
    armature = armature_of(rig)
    target = receiver.Rig(armature, [rig["names"].get(joint, "") for joint in receiver.JOINTS])
    answers = []
    for datagram in rig["poses"]:
        target.apply(receiver.decode(bytes.fromhex(datagram)))
        bpy.context.view_layer.update()
        placed = []
        for bone in rig["bones"]:
            matrix = armature.pose.bones[bone["name"]].matrix
            x, y, z = FROM_CANONICAL.inverted() @ matrix.translation
            q = FROM_CANONICAL.inverted() @ matrix.to_quaternion()
            placed.append([x, y, z, q.x, q.y, q.z, q.w])
        answers.append(placed)
    target.go_to_rest()
    bpy.context.view_layer.update()
    for bone in armature.pose.bones:
        assert (bone.matrix - bone.bone.matrix_local).to_translation().length < 1e-5
    return answers


def follow(stream):
    follower, answers = receiver.Follower(stream["person"]), []
    for event in stream["events"]:
        pose = receiver.decode(bytes.fromhex(event["datagram"]))
        taken = pose is not None and follower.take(pose, event["now_s"])
        answers.append([taken, follower.is_lost(event["now_s"])])
    return answers


def check_the_add_on(rig):
    """Register the add-on, check its errors, start, stop and unregister it, as its buttons do."""
    receiver.register()
    bpy.ops.object.add(type="EMPTY")
    assert "make the armature active" in refusal()
    armature_of(rig)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = bpy.context.scene.realtime_pose_port = other.getsockname()[1]
        assert f"port {port} is in use" in refusal()
    assert bpy.ops.pose.receive_realtime() == {"FINISHED"}
    assert receiver._tick() is not None
    assert bpy.ops.pose.receive_realtime() == {"FINISHED"}
    assert receiver._tick() is None
    receiver.unregister()


def check_rigify(datagrams):
    """Rigify's metarig is recognised by its names, and its limbs, in A-pose at rest, point in the right directions."""
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_human_metarig_add()
    metarig = bpy.context.object
    rig = receiver.Rig(metarig)
    for datagram in datagrams:
        pose = receiver.decode(bytes.fromhex(datagram))
        rig.apply(pose)
        bpy.context.view_layer.update()
        place = [metarig.pose.bones[bone.name].head for bone in rig.bone_of]
        for a, b in ((5, 6), (6, 7), (8, 9), (9, 10), (11, 12), (12, 13), (14, 15), (15, 16)):
            x, y, z = Vector(pose["joints_3d"][b]) - Vector(pose["joints_3d"][a])
            assert (place[b] - place[a]).angle(Vector((x, -z, y))) < 0.01


def refusal():
    try:
        bpy.ops.pose.receive_realtime()
    except RuntimeError as exc:
        return str(exc)
    return "nothing was refused"


with open(cases_file, encoding="utf-8") as file:
    cases = json.load(file)
check_the_add_on(cases["rigs"][0])
check_rigify(cases["rigs"][0]["poses"])
answers = {
    "decoded": [receiver.decode(bytes.fromhex(datagram)) for datagram in cases["datagrams"]],
    "placed": [place(rig) for rig in cases["rigs"]],
    "followed": [follow(stream) for stream in cases["followed"]],
}
with open(answers_file, "w", encoding="utf-8") as file:
    json.dump(answers, file)
