"""A receiver for realtime_pose in one file, to be copied. It needs Python 3.9 or later and no packages.

    decode    a datagram -> a pose, or None if it is not a valid pose packet
    Follower  selects poses: drops late ones, follows one person, detects silence
    Retarget  a pose -> local rotations for your rig, whatever the rest rotations of its bones

Quaternions are x, y, z, w; axes are glTF's: right-handed, y up, metres. `show.py` is an example.
"""

import json
import math

JOINTS = ("hips", "spine", "chest", "neck", "head", "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm",
          "rightLowerArm", "rightHand", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg",
          "rightFoot")  # fmt: skip
PARENTS = (-1, 0, 1, 2, 3, 2, 5, 6, 2, 8, 9, 0, 11, 12, 0, 14, 15)
LIMBS = ((5, 6, 7, (1, 0, 0)), (8, 9, 10, (-1, 0, 0)), (11, 12, 13, (0, -1, 0)), (14, 15, 16, (0, -1, 0)))
OPTIONAL = ("chest", "neck")  # a rig may lack these; the bone above then drives the bones below
HIPS_OVER_LEG = 0.90 / 0.83  # hip height of a standing person over thigh + shank

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


# ---- retargeting -----------------------------------------------------------------------------------------------------


class Retarget:
    """Converts poses to local rotations of a rig.

    A joint's rotation q is local and the identity in T-pose, so its world rotation is Q = Q(parent) q. A bone with
    world rotation R in T-pose then has the world rotation Q R. Its parent bone, with P in T-pose, follows the joint
    above it, so the local rotation is inverse(Q(above) P) Q R. If the rig does not rest in T-pose, A rotates its limbs
    there first: Q A instead of Q.

    Args:
        bones: {bone: (parent bone or None, rest position, rest rotation)} in the model's space, with any heading.
        names: {joint: bone} for bones with names other than in JOINTS.
    """

    def __init__(self, bones, names=None):
        self.bones = bones
        self.bone_of = [(names or {}).get(joint, joint) for joint in JOINTS]
        self.bone_of = [bone if bone in bones else None for bone in self.bone_of]
        missing = [j for j, bone in zip(JOINTS, self.bone_of) if bone is None and j not in OPTIONAL]
        if missing:
            raise ValueError("the rig has no bone for " + ", ".join(missing))
        place = [None if bone is None else bones[bone][1] for bone in self.bone_of]
        left = _minus(place[11], place[14])
        yaw = math.atan2(-left[2], left[0])  # heading of the rig: VRM 0 faces -z
        self.facing = (0.0, math.sin(yaw / 2), 0.0, math.cos(yaw / 2))
        self.lay = [(0.0, 0.0, 0.0, 1.0)] * 17
        for upper, lower, end, along in LIMBS:
            for joint, child in ((upper, lower), (lower, end)):
                self.lay[joint] = arc(_minus(place[child], place[joint]), rotate(self.facing, along))
            if along[0]:
                self.lay[end] = self.lay[lower]  # a hand turns with its arm; a foot stays level
        self.leg = _leg_length(place)

    def apply(self, pose):
        """Returns ({bone: local rotation}, position of the hips in the space of their parent bone)."""
        turned = []
        for q, above in zip(pose["rotations"], PARENTS):
            q = multiply(multiply(self.facing, unit(q)), inverse(self.facing))
            turned.append(q if above < 0 else multiply(turned[above], q))
        carried = {bone: multiply(q, lay) for bone, q, lay in zip(self.bone_of, turned, self.lay) if bone is not None}
        rotations = {}
        for bone, turn in carried.items():
            parent, _, rest = self.bones[bone]
            above, under = parent, (0.0, 0.0, 0.0, 1.0)
            while above is not None and above not in carried:
                above = self.bones[above][0]
            if parent is not None:
                under = multiply(carried.get(above, under), self.bones[parent][2])
            rotations[bone] = multiply(inverse(under), multiply(turn, rest))
        return rotations, self._hips(pose)

    def _hips(self, pose):
        """A standing person puts the hips at their rest position; movement is scaled by the length of the legs."""
        leg = max(_leg_length(pose["joints_3d"]), 0.01)
        x, y, z = (d * self.leg / leg for d in pose["root"])
        moved = rotate(self.facing, (x, y - self.leg * HIPS_OVER_LEG, z))
        parent, rest, _ = self.bones[self.bone_of[0]]
        hips = [a + b for a, b in zip(rest, moved)]
        if parent is None:
            return hips
        return rotate(inverse(self.bones[parent][2]), _minus(hips, self.bones[parent][1]))


def _leg_length(place):
    return sum(math.dist(place[a], place[b]) for a, b in ((11, 12), (12, 13), (14, 15), (15, 16))) / 2


# ---- quaternions -----------------------------------------------------------------------------------------------------


def multiply(a, b):
    """The rotation by b, then by a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz)  # fmt: skip


def inverse(q):
    """The inverse rotation."""
    return (-q[0], -q[1], -q[2], q[3])


def rotate(q, v):
    """The vector v, rotated by q."""
    return list(multiply(multiply(q, (*v, 0.0)), inverse(q))[:3])


def unit(v):
    """v, scaled to length 1 (received numbers are rounded)."""
    return tuple(x / math.hypot(*v) for x in v)


def arc(a, b):
    """The shortest rotation from direction a to direction b, which must not be opposite."""
    (ax, ay, az), (bx, by, bz) = unit(a), unit(b)
    return unit((ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx, 1.0 + ax * bx + ay * by + az * bz))


def _minus(a, b):
    return [x - y for x, y in zip(a, b)]
