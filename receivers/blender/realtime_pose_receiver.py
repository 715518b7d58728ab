"""A receiver for realtime_pose in Blender, an add-on in one file without dependencies.

It drives the armature that is active when you press Start, whatever the rest rotations of its bones. Packets have
glTF's axes (y up); Blender has z up, and a figure faces -y: positions (x, -z, y), quaternions (w, x, -z, y).
"""

import json
import math
import socket
import time

import bpy
from mathutils import Quaternion, Vector

bl_info = {
    "name": "realtime_pose receiver",
    "description": "Drives an armature with the poses that realtime_pose sends over UDP",
    "author": "realtime_pose",
    "version": (1, 0, 0),
    "blender": (2, 93, 0),
    "location": "3D View > Sidebar > Pose",
    "category": "Animation",
}

JOINTS = ("hips", "spine", "chest", "neck", "head", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm",
          "rightLowerArm", "rightHand", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg",
          "rightFoot")  # fmt: skip
PARENTS = (-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15)
LIMBS = ((5, 6, 7, (1, 0, 0)), (8, 9, 10, (-1, 0, 0)), (11, 12, 13, (0, 0, -1)), (14, 15, 16, (0, 0, -1)))
OPTIONAL = ("chest", "neck")  # a rig may lack these; the bone above then drives the bones below
HIPS_OVER_LEG = 0.90 / 0.83  # hip height of a standing person over thigh + shank
NAMES = {  # bone names of common rigs in the order of JOINTS; add yours
    "VRM": JOINTS,
    "Unity, Godot": tuple(joint[0].upper() + joint[1:] for joint in JOINTS),
    "Mixamo": tuple("mixamorig:" + bone for bone in (
        "Hips", "Spine", "Spine1", "Neck", "Head", "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm",
        "RightHand", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot")),
    "Rigify": ("spine", "spine.001", "spine.003", "spine.004", "spine.006", "upper_arm.L", "forearm.L", "hand.L",
               "upper_arm.R", "forearm.R", "hand.R", "thigh.L", "shin.L", "foot.L", "thigh.R", "shin.R", "foot.R"),
}  # fmt: skip

# ---- packets ---------------------------------------------------------------------------------------------------------

_MOST = 2**53 - 1


def decode(datagram):
    """The pose packet in a datagram as a dict; None if it is invalid, or of another version or type."""
    if len(datagram) > 1472:
        return None
    try:
        packet = json.loads(datagram.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(packet, dict) or packet.get("type") != "pose" or not _is_int(packet.get("version"), 1, 1):
        return None
    joints, rotations, root = (packet.get(key, False) for key in ("joints_3d", "rotations", "root"))
    whole = (
        all(_is_int(packet.get(key), least) for key, least in (("stream", 0), ("seq", 0), ("person", -1)))
        and _is_number(packet.get("timestamp"), 0)
        and isinstance(packet.get("meta"), dict)
        and _is_table(packet.get("keypoints"), 17, 2)
        and _is_row(packet.get("scores"), 17, 0, 1)
        and (joints is None or _is_table(joints, 17, 3))
        and (rotations is None or _is_table(rotations, 17, 4))
        and (root is None or _is_row(root, 3))
        and all(abs(math.hypot(*q) - 1) < 0.01 for q in rotations or ())
    )
    return packet if whole else None


def _is_int(value, least, most=_MOST):
    return type(value) is int and least <= value <= most


def _is_number(value, least=-_MOST, most=_MOST):
    return type(value) in (int, float) and least <= value <= most  # refuses bools, NaN and infinity


def _is_row(value, count, least=-_MOST, most=_MOST):
    return isinstance(value, list) and len(value) == count and all(_is_number(x, least, most) for x in value)


def _is_table(value, rows, columns):
    return isinstance(value, list) and len(value) == rows and all(_is_row(row, columns) for row in value)


class Follower:
    """Selects the poses that drive the character: those of `person`, or, if None, of the first person to appear."""

    TIMEOUT_S = 1.0

    def __init__(self, person=None):
        self.person = person
        self._last = {}  # (stream, person) -> seq
        self._followed = None
        self._heard_s = -math.inf

    def take(self, pose, now_s):
        """Whether to use this pose: not late, and of the person followed. A new stream is followed at once."""
        if any(pose[key] is None for key in ("joints_3d", "rotations", "root")):
            return False  # detected, but without a pose
        if self.person is not None and pose["person"] != self.person:
            return False
        key = (pose["stream"], pose["person"])
        new_stream = all(stream != pose["stream"] for stream, _ in self._last)
        if pose["seq"] <= self._last.get(key, -1):
            return False
        if len(self._last) > 64:
            self._last.clear()  # limits the memory
        self._last[key] = pose["seq"]
        if key != self._followed and not new_stream and not self.is_lost(now_s):
            return False
        self._followed, self._heard_s = key, now_s
        return True

    def is_lost(self, now_s):
        """Whether no pose has arrived for a second: then hold the last pose, or return to the rest pose."""
        return now_s - self._heard_s > self.TIMEOUT_S


# ---- the rig ---------------------------------------------------------------------------------------------------------


class Rig:
    """An armature to be driven by poses.

    A joint's rotation q is local and the identity in T-pose, so its world rotation is Q = Q(parent) q. A bone with
    rotation R in T-pose then has the rotation Q R. Blender's pose rotation is relative to the bone's rest in its own
    axes, and the joint above has rotated the bone already: inverse(R) inverse(Q(above)) Q R. If the rig does not rest
    in T-pose, A rotates its limbs there first: Q A instead of Q.

    Args:
        armature: The object.
        names: Its bones in the order of JOINTS; if None, from the table in NAMES that fits.
    """

    def __init__(self, armature, names=None):
        self.armature = armature
        bones = armature.data.bones
        for scheme in [names] if names else NAMES.values():
            self.bone_of = [bones.get(name) for name in scheme]
            missing = [j for j, bone in zip(JOINTS, self.bone_of) if bone is None and j not in OPTIONAL]
            if not missing:
                break
        else:
            raise ValueError("the armature has no bone for " + ", ".join(missing) + ": add your names to NAMES")
        self.rest = {bone.name: bone.matrix_local.to_quaternion() for bone in self.bone_of if bone}
        place = [bone and bone.matrix_local.translation for bone in self.bone_of]
        left = place[11] - place[14]
        self.facing = Quaternion((0, 0, 1), math.atan2(left.y, left.x))
        self.lay = [Quaternion()] * 17
        for upper, lower, end, along in LIMBS:
            along = self.facing @ Vector(along)
            self.lay[upper] = (place[lower] - place[upper]).rotation_difference(along)
            self.lay[lower] = (place[end] - place[lower]).rotation_difference(along)
            if not along.z:
                self.lay[end] = self.lay[lower]  # a hand turns with its arm; a foot stays level
        self.leg = _leg_length(place)
        for bone in self.rest:
            armature.pose.bones[bone].rotation_mode = "QUATERNION"

    def apply(self, pose):
        """Pose the armature; with Auto Keying on, insert keys at the current frame."""
        turned, carried = [], {}
        for bone, (x, y, z, w), parent, lay in zip(self.bone_of, pose["rotations"], PARENTS, self.lay):
            q = self.facing @ Quaternion((w, x, -z, y)).normalized() @ self.facing.inverted()
            turned.append(q if parent < 0 else turned[parent] @ q)
            if bone:
                carried[bone.name] = turned[-1] @ lay
        for bone in filter(None, self.bone_of):
            above = next((carried[b.name] for b in bone.parent_recursive if b.name in carried), Quaternion())
            rest, posed = self.rest[bone.name], self.armature.pose.bones[bone.name]
            turn = rest.inverted() @ above.inverted() @ carried[bone.name] @ rest
            turn.make_compatible(posed.rotation_quaternion)  # no sign flips between keys
            posed.rotation_quaternion = turn
        hips = self.armature.pose.bones[self.bone_of[0].name]
        hips.location = self.rest[hips.name].inverted() @ self._moved(pose)
        if bpy.context.scene.tool_settings.use_keyframe_insert_auto:
            hips.keyframe_insert("location")
            for bone in self.rest:
                self.armature.pose.bones[bone].keyframe_insert("rotation_quaternion")

    def _moved(self, pose):
        """A standing person puts the hips at their rest position; movement is scaled by the length of the legs."""
        ratio = self.leg / max(_leg_length([Vector(row) for row in pose["joints_3d"]]), 0.01)
        x, y, z = pose["root"]
        return self.facing @ (Vector((x, -z, y)) * ratio - Vector((0, 0, self.leg * HIPS_OVER_LEG)))

    def go_to_rest(self):
        """Return the bones to the rest pose."""
        for bone in self.rest:
            self.armature.pose.bones[bone].rotation_quaternion = Quaternion()
        self.armature.pose.bones[self.bone_of[0].name].location = Vector()


def _leg_length(place):
    return sum((place[a] - place[b]).length for a, b in ((11, 12), (12, 13), (14, 15), (15, 16))) / 2


# ---- the add-on ------------------------------------------------------------------------------------------------------


class Receiver:
    """Reads the socket on a timer and applies the newest pose to the rig."""

    def __init__(self, rig, port=5005, person=None, rest_when_lost=False):
        self.rig, self.rest_when_lost = rig, rest_when_lost
        self.follower = Follower(person)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind(("127.0.0.1", port))
        except OSError as exc:
            self.socket.close()
            raise ValueError(f"port {port} is in use: close the other receiver, or choose another port") from exc
        self.socket.setblocking(False)

    def step(self):
        """Apply the newest pose, and return it, or None without a new one. A timer calls it 60 times a second."""
        now_s, newest = time.monotonic(), None
        while True:
            try:
                pose = decode(self.socket.recv(65535))
            except BlockingIOError:
                break
            if pose is not None and self.follower.take(pose, now_s):
                newest = pose
        if newest is not None:
            self.rig.apply(newest)
        elif self.rest_when_lost and self.follower.is_lost(now_s):
            self.rig.go_to_rest()
        return newest


_receiver = None


def _tick():
    if _receiver is None:
        return None  # stops the timer
    try:
        _receiver.step()
    except ReferenceError:  # the armature was deleted
        _stop()
        return None
    return 1 / 60


def _stop():
    global _receiver
    if _receiver is not None:
        _receiver.socket.close()
    _receiver = None


class POSE_OT_receive(bpy.types.Operator):
    """Start or stop driving the active armature with poses from realtime_pose"""

    bl_idname = "pose.receive_realtime"
    bl_label = "Start or stop"

    def execute(self, context):
        global _receiver
        if _receiver is not None:
            _stop()
            return {"FINISHED"}
        scene, armature = context.scene, context.object
        if armature is None or armature.type != "ARMATURE":
            self.report({"ERROR"}, "make the armature active first: click on it")
            return {"CANCELLED"}
        try:
            person = None if scene.realtime_pose_person < 0 else scene.realtime_pose_person
            _receiver = Receiver(Rig(armature), scene.realtime_pose_port, person, scene.realtime_pose_rest)
        except ValueError as exc:
            self.report({"ERROR"}, str(exc))
            return {"CANCELLED"}
        bpy.app.timers.register(_tick)
        return {"FINISHED"}


class POSE_PT_receiver(bpy.types.Panel):
    bl_label = "realtime_pose"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Pose"

    def draw(self, context):
        for name in ("realtime_pose_port", "realtime_pose_person", "realtime_pose_rest"):
            self.layout.prop(context.scene, name)
        self.layout.operator("pose.receive_realtime", text="Start" if _receiver is None else "Stop")


def register():
    kinds = bpy.types.Scene
    kinds.realtime_pose_port = bpy.props.IntProperty(name="Port", default=5005, min=1, max=65535)
    kinds.realtime_pose_person = bpy.props.IntProperty(name="Person (-1: the first)", default=-1, min=-1)
    kinds.realtime_pose_rest = bpy.props.BoolProperty(name="Rest when nobody is seen")
    bpy.utils.register_class(POSE_OT_receive)
    bpy.utils.register_class(POSE_PT_receiver)


def unregister():
    _stop()
    bpy.utils.unregister_class(POSE_PT_receiver)
    bpy.utils.unregister_class(POSE_OT_receive)
    del bpy.types.Scene.realtime_pose_port, bpy.types.Scene.realtime_pose_person, bpy.types.Scene.realtime_pose_rest


if __name__ == "__main__":
    register()
