"""Test cases for all receivers: a file of inputs, and the format of the answers, independent of the language.

in:  {"datagrams": [hex], "rigs": [{"bones": [{"name", "parent", "position", "rotation"}], "names": {joint: bone},
      "poses": [hex]}], "followed": [{"person": id or null, "events": [{"now_s", "datagram": hex or ""}]}]}
     A bone's position and rotation are local, its parent is a row (-1: none), parents first.
out: {"decoded": [packet or null], "placed": [[[[x, y, z, qx, qy, qz, qw] per bone] per pose] per rig],
      "followed": [[[taken, lost] per event]]}
     `placed` has the bones' poses by the engine's own forward kinematics, in canonical axes.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from golden.make_packets import MALFORMED, VALID
from support.people import make_person, make_pose, make_result

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import PosePacket, encode
from realtime_pose.kinematics import global_rotations
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

NOT_SEEN_BY_A_PLAIN_PARSER = {
    "seq as 1.0",
    "a key twice",
    "a key twice deep inside",
    "half a surrogate pair",
    "NaN in meta",
    "a number beyond double precision in meta",
}
"""Malformed packets that a receiver may accept: most JSON parsers cannot detect them, and they have no effect."""

HIPS_OVER_LEG = 0.90 / 0.83
_J = len(HUMANOID.joints)


def valid_lines() -> list[bytes]:
    return VALID.read_bytes().splitlines()


def malformed_lines() -> list[dict[str, str]]:
    return [json.loads(line) for line in MALFORMED.read_text(encoding="ascii").splitlines()]


def malformed_datagram(case: dict[str, str]) -> bytes:
    return bytes.fromhex(case["hex"]) if "hex" in case else case["text"].encode()


# --- rigs -------------------------------------------------------------------------------------------------------------


@dataclass
class Rig:
    """A rig at rest: bones with world positions and rotations, and the joints of HUMANOID that they represent."""

    title: str
    bones: list[tuple[str, int, Float64, Float64]] = field(default_factory=list)  # name, parent's row, world rest
    bone_of: dict[str, int] = field(default_factory=dict)  # joint -> row
    facing: Float64 = field(default_factory=lambda: rot.IDENTITY_XYZW)
    scale: float = 1.0
    lay: dict[str, Float64] = field(default_factory=dict)  # joint -> rotation from this rest pose to the T-pose

    def as_json(self, poses: list[bytes]) -> dict[str, Any]:
        bones = []
        for name, parent, position, rotation in self.bones:
            if parent >= 0:
                _, _, above, under = self.bones[parent]
                position = rot.rotate(rot.inverse(under), position - above)
                rotation = rot.multiply(rot.inverse(under), rotation)
            bones.append({"name": name, "parent": parent, "position": position.tolist(), "rotation": rotation.tolist()})
        names = {joint: self.bones[row][0] for joint, row in self.bone_of.items()}
        return {"title": self.title, "bones": bones, "names": names, "poses": [pose.hex() for pose in poses]}


def make_rig(
    title: str,
    bone_m: Float64,
    *,
    seed: int | None = None,
    facing_rad: float = 0.0,
    scale: float = 1.0,
    arms_down_rad: float = 0.0,
    without: tuple[str, ...] = (),
) -> Rig:
    """A rig with the bone lengths `bone_m`; with a seed, it has random rest rotations and extra bones in between."""
    rng = np.random.default_rng(seed)

    def turn() -> Float64:
        return rot.IDENTITY_XYZW if seed is None else rot.unit(rng.normal(size=4))

    facing = rot.from_axis_angle([0.0, 1.0, 0.0], np.asarray(facing_rad))
    rig = Rig(title, facing=facing, scale=scale)
    root = np.array([0.0, scale * _standing_hips_m(bone_m), 0.0])
    row_of: dict[str, int] = {}
    if seed is not None:
        rig.bones.append(("Armature root", -1, np.array([0.03, 0.0, -0.02]) * scale, turn()))
    place: dict[str, Float64] = {}
    for j, joint in enumerate(HUMANOID.joints):
        above = HUMANOID.parents[j]
        offset = HUMANOID.rest_direction[j] * bone_m[j] * scale
        parent_joint = "" if above < 0 else HUMANOID.joints[above]
        down = _arms_down(joint, arms_down_rad)
        if down is not None:
            rig.lay[joint] = rot.multiply(rot.multiply(facing, rot.inverse(down)), rot.inverse(facing))
        bend = _arms_down(parent_joint, arms_down_rad)
        offset = rot.rotate(facing, offset if bend is None else rot.rotate(bend, offset))
        place[joint] = root if above < 0 else place[parent_joint] + offset
        if joint in without:
            continue
        while parent_joint in without:
            parent_joint = HUMANOID.joints[HUMANOID.parents[HUMANOID.index[parent_joint]]]
        parent = row_of[parent_joint] if parent_joint else len(rig.bones) - 1
        if seed is not None and joint.endswith(("UpperArm", "LowerLeg")):  # a shoulder; a twist bone
            start = rig.bones[parent][2]
            rig.bones.append((f"{joint} helper", parent, start + 0.4 * (place[joint] - start), turn()))
            parent = len(rig.bones) - 1
        row_of[joint] = rig.bone_of[joint] = len(rig.bones)
        rig.bones.append((joint if seed is None else f"bone {j}", parent, place[joint], turn()))
    return rig


def _standing_hips_m(bone_m: Float64) -> float:
    legs = [HUMANOID.index[f"{side}{end}"] for side in ("left", "right") for end in ("LowerLeg", "Foot")]
    return float(bone_m[legs].sum() / 2 * HIPS_OVER_LEG)


def _arms_down(joint: str, angle_rad: float) -> Float64 | None:
    """The rotation that lowers a T-pose's arm by the angle (and spreads a leg by a quarter of it)."""
    side = 1.0 if joint.startswith("left") else -1.0
    if not angle_rad or joint in ("hips", "spine", "chest", "neck", "head", "") or joint.endswith("Foot"):
        return None
    angle = -side * angle_rad if "Arm" in joint or "Hand" in joint else side * angle_rad / 4
    return rot.from_axis_angle([0.0, 0.0, 1.0], np.asarray(angle))


def expected(rig: Rig, packet: dict[str, Any]) -> Float64:
    """Expected poses of the bones (B, 7) in canonical axes: each bone follows the nearest joint above it rigidly."""
    turned = global_rotations(HUMANOID, rot.unit(packet["rotations"]))
    turned = rot.multiply(rot.multiply(rig.facing, turned), rot.inverse(rig.facing))
    joint_of = {row: joint for joint, row in rig.bone_of.items()}
    hips_rest = rig.bones[rig.bone_of["hips"]][2]
    joints = np.asarray(packet["joints_3d"])
    leg_m = sum(np.linalg.norm(joints[b] - joints[a]) for a, b in ((11, 12), (12, 13), (14, 15), (15, 16))) / 2
    rig_leg_m = rig.scale * _leg_of(rig)
    ratio = rig_leg_m / leg_m
    out = np.empty((len(rig.bones), 7))
    carrier: dict[int, Float64] = {}
    for row, (_, parent, position, rotation) in enumerate(rig.bones):
        if row in joint_of:
            joint = joint_of[row]
            turn = rot.multiply(turned[HUMANOID.index[joint]], rig.lay.get(joint, rot.IDENTITY_XYZW))
        else:
            turn = carrier[parent] if parent >= 0 else rot.IDENTITY_XYZW
        carrier[row] = turn
        if row == rig.bone_of["hips"]:
            root = np.asarray(packet["root"]) * ratio - [0.0, rig_leg_m * HIPS_OVER_LEG, 0.0]
            out[row, :3] = hips_rest + rot.rotate(rig.facing, root)
        elif parent < 0:
            out[row, :3] = position
        else:
            out[row, :3] = out[parent, :3] + rot.rotate(carrier[parent], position - rig.bones[parent][2])
        out[row, 3:] = rot.multiply(turn, rotation)
    return out


def _leg_of(rig: Rig) -> float:
    place = {joint: rig.bones[row][2] / rig.scale for joint, row in rig.bone_of.items()}
    pairs = [
        (f"{s}{a}", f"{s}{b}") for s in ("left", "right") for a, b in (("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"))
    ]
    return float(sum(np.linalg.norm(place[b] - place[a]) for a, b in pairs) / 2)


# --- poses and streams ------------------------------------------------------------------------------------------------


@cache
def poses() -> list[bytes]:
    """Datagrams of one person of fixed proportions in eight poses, from rest to extreme."""
    base = make_pose(3)
    stream = PacketStream(stream=9, wall_offset_ns=0)
    datagrams = []
    for index, turn in enumerate((0.0, 0.2, 0.5, 0.5, 1.0, 1.0, 2.0, 3.0)):
        pose = make_pose(20 + index, turn_rad=turn)
        pose = type(pose)(pose.rotations, pose.root_m, base.bone_m, pose.score, 0, 0)
        packets = stream.packets_of(make_result([make_person(0, pose=pose)], index=index))
        datagrams += [encode(packet) for packet in packets if isinstance(packet, PosePacket)]
    return datagrams


@cache
def rigs() -> list[Rig]:
    """Rigs with the proportions of `poses`, and a giant without chest and neck."""
    bone_m = np.asarray(make_pose(3).bone_m, dtype=np.float64)
    return [
        make_rig("rests at the identity", bone_m),
        make_rig("rests at any angle", bone_m, seed=1),
        make_rig("faces away", bone_m, seed=2, facing_rad=np.pi),
        make_rig("faces aside, arms down", bone_m, seed=3, facing_rad=1.0, arms_down_rad=0.8),
        make_rig("a giant without chest and neck", bone_m, seed=4, scale=1.8, without=("chest", "neck")),
    ]


def followed() -> list[dict[str, Any]]:
    """Streams of packets with arrival times, and what a receiver must return for each: [taken, lost]."""
    plain = json.loads(poses()[2])

    def event(now_s: float, taken: bool, lost: bool, **changes: Any) -> tuple[float, str, bool, bool]:
        datagram = json.dumps(plain | {"seq": 0, "person": 1, "stream": 5} | changes, separators=(",", ":"))
        return now_s, datagram.encode().hex() if changes else "", taken, lost

    without_pose = {"joints_3d": None, "rotations": None, "root": None}
    anybody = [
        event(0.0, False, True),  # nothing has arrived yet
        event(0.1, True, False, seq=4),
        event(0.2, False, False, seq=4),  # a duplicate
        event(0.2, False, False, seq=3),  # late
        event(0.3, False, False, seq=4, person=2),  # another person
        event(0.4, True, False, seq=9),  # a gap is accepted
        event(0.5, False, False, seq=10, **without_pose),
        event(1.3, False, False),
        event(1.5, False, True),  # a second without packets
        event(1.6, False, True, seq=4, person=2),  # late, so the other person is not followed
        event(1.7, True, False, seq=5, person=2),  # now the other person is
        event(1.8, False, False, seq=10),  # the first one is back
        event(1.9, True, False, stream=6, seq=0),  # the sender restarted
        event(2.0, False, False, stream=5, seq=6, person=2),  # a remaining packet of the old stream
        event(2.1, True, False, stream=6, seq=1),
        event(2.2, True, False, stream=7, seq=0, person=3),
        event(2.3, False, False, version=2, seq=1, stream=7, person=3),
    ]
    named = [
        event(0.0, False, True, seq=0, person=2),
        event(0.1, True, False, seq=0, person=1),
        event(0.2, False, False, seq=1, person=2),
        event(5.0, False, True, seq=2, person=2),
        event(5.1, True, False, seq=1, person=1),
    ]
    flood = [event(0.0, True, False, stream=1000, seq=5)]
    flood += [event(0.1, True, False, stream=stream, seq=5) for stream in range(200)]
    flood += [event(0.2, True, False, stream=199, seq=6), event(0.2, False, False, stream=199, seq=6)]
    return [{"person": None, "events": anybody}, {"person": 1, "events": named}, {"person": None, "events": flood}]


def cases() -> dict[str, Any]:
    """All cases in the format that the receivers' runners read."""
    datagrams = valid_lines() + [malformed_datagram(case) for case in malformed_lines()]
    return {
        "datagrams": [datagram.hex() for datagram in datagrams],
        "rigs": [rig.as_json(poses()) for rig in rigs()],
        "followed": [
            {
                "person": stream["person"],
                "events": [{"now_s": now_s, "datagram": datagram} for now_s, datagram, _, _ in stream["events"]],
            }
            for stream in followed()
        ],
    }
