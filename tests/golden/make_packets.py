"""Generator of the golden packets: `PYTHONPATH=tests python -m golden.make_packets` in the root writes both files.

The tests call `valid_datagrams` and `malformed_cases` as well, so a change of the wire format fails a test.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from support.people import make_camera, make_person, make_result

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import PosePacket, encode
from realtime_pose.skeletons import COCO17

HERE = Path(__file__).parent
VALID, MALFORMED = HERE / "packets_valid.jsonl", HERE / "packets_malformed.jsonl"
_NOON = 1_700_000_000 * 1_000_000_000  # fixed, so that golden files do not depend on the clock


def longest_pose() -> PosePacket:
    """Every number as long as possible in an image of up to 9,999 px: four digits, a sign, no trailing zero."""
    quaternion = np.array([-0.4123, -0.5678, -0.3456, -0.6238])
    return PosePacket(
        stream=2**31 - 1,
        seq=9_999_999,
        person=99,
        timestamp=1_795_202_588.5468,
        keypoints=np.full((17, 2), -1234.5),
        scores=np.full(17, 0.87),
        joints_3d=np.full((17, 3), -1.234),
        rotations=np.tile(quaternion / np.linalg.norm(quaternion), (17, 1)),
        root=np.full(3, -1.234),
    )


def valid_datagrams() -> list[bytes]:
    """Hellos with a camera, one and two people with feet and hands, one without a pose, mirrored, the longest."""
    plain = PacketStream(stream=7, wall_offset_ns=_NOON)
    mirror = PacketStream(stream=8, wall_offset_ns=_NOON, mirror=True)
    frame = 33_333_333
    packets = [
        *plain.packets_of(make_result([make_person(1)], camera=make_camera())),
        *plain.packets_of(make_result([make_person(2), make_person(3, track_id=5)], index=1, time_ns=frame)),
        *plain.packets_of(make_result([make_person(4, layout=COCO17, with_pose=False)], index=2, time_ns=2 * frame)),
        *mirror.packets_of(make_result([make_person(1)], camera=make_camera())),
        longest_pose(),
    ]
    extra = json.loads(encode(packets[1])) | {"new_in_some_later_program": [1, {"a": None}], "meta": {"note": "Grüße"}}
    return [encode(packet) for packet in packets] + [
        json.dumps(extra, ensure_ascii=False, separators=(",", ":")).encode()
    ]


@dataclass(frozen=True)
class Malformed:
    """One datagram that is not a packet; `refused_by` is the first of json, schema and decoder to detect it."""

    name: str
    datagram: bytes
    refused_by: str = "schema"


def malformed_cases() -> list[Malformed]:
    """Datagrams that each break one rule in an otherwise valid packet."""
    by_type = {}
    for datagram in valid_datagrams():
        packet = json.loads(datagram)
        by_type.setdefault(packet["type"], packet)
    pose, part, hello = by_type["pose"], by_type["part"], by_type["hello"]
    text = json.dumps(pose, separators=(",", ":"))
    quarter = [0.5, 0.5, 0.5, 0.5]

    def changed(base: dict, name: str, refused_by: str = "schema", **changes: object) -> Malformed:
        return Malformed(name, json.dumps(base | changes, separators=(",", ":")).encode(), refused_by)

    def raw(name: str, datagram: str, refused_by: str = "json") -> Malformed:
        return Malformed(name, datagram.encode(), refused_by)

    def literal(name: str, number: str, refused_by: str) -> Malformed:
        return raw(name, text.replace('"seq":0', f'"seq":{number}'), refused_by)

    cases = [
        raw("empty", ""),
        raw("not JSON", "hello"),
        raw("cut in the middle", text[: len(text) // 2]),
        raw("something after the end", text + "}"),
        Malformed("not UTF-8", text.encode()[:-1] + b',"x":"\xff"}', "json"),
        Malformed("UTF-16", text[:600].encode("utf-16"), "json"),
        raw("byte order mark", "\ufeff" + text),
        raw("nested lists without end", "[" * 1400),
        raw("nested lists with an end", "[" * 700 + "]" * 700, "schema"),
        raw("nested objects", '{"a":' * 280 + "1" + "}" * 280, "schema"),
        raw("a list", "[1,2,3]", "schema"),
        raw("a number", "1", "schema"),
        raw("null", "null", "schema"),
        raw("an empty object", "{}", "schema"),
        literal("NaN", "NaN", "schema"),
        literal("Infinity", "Infinity", "schema"),
        literal("minus Infinity", "-Infinity", "schema"),
        literal("a number beyond double precision", "1e999", "schema"),
        literal("an integer of 60 digits", "9" * 60, "schema"),
        literal("an integer of 2**53", str(2**53), "schema"),
        raw("NaN in meta", text.replace('"meta":{}', '"meta":{"x":NaN}'), "decoder"),
        raw("a number beyond double precision in meta", text.replace('"meta":{}', '"meta":{"x":1e999}'), "decoder"),
        raw("a key twice", text[:-1] + ',"seq":0}', "decoder"),
        raw("a key twice deep inside", text.replace('"meta":{}', '"meta":{"a":1,"a":2}'), "decoder"),
        raw("half a surrogate pair", text.replace('"meta":{}', '"meta":{"a":"\\ud800"}'), "decoder"),
        changed(pose, "longer than 1472 bytes", "decoder", meta={"padding": "x" * 300}),
        changed(pose, "version 2", version=2),
        changed(pose, "version as text", version="1"),
        changed(pose, "version as true", version=True),
        changed(pose, "unknown type", type="posse"),
        changed(pose, "type as number", type=1),
        changed(pose, "type as list", type=["pose"]),
        changed(pose, "stream below 0", stream=-1),
        changed(pose, "stream null", stream=None),
        changed(pose, "seq with a fraction", seq=1.5),
        changed(pose, "seq as 1.0", "decoder", seq=1.0),
        changed(pose, "seq as text", seq="1"),
        changed(pose, "seq as true", seq=True),
        changed(pose, "person below -1", person=-2),
        changed(pose, "person as list", person=[0]),
        changed(pose, "timestamp as text", timestamp="now"),
        changed(pose, "timestamp below 0", timestamp=-1.0),
        changed(pose, "timestamp true", timestamp=True),
        changed(pose, "16 keypoints", keypoints=pose["keypoints"][:-1]),
        changed(pose, "18 keypoints", keypoints=[*pose["keypoints"], [0, 0]]),
        changed(pose, "keypoints with 3 columns", keypoints=[[*row, 0] for row in pose["keypoints"]]),
        changed(pose, "keypoints of one list", keypoints=[x for row in pose["keypoints"] for x in row][:17]),
        changed(pose, "keypoints null", keypoints=None),
        changed(pose, "a keypoint as text", keypoints=[["1", "2"], *pose["keypoints"][1:]]),
        changed(pose, "a keypoint true", keypoints=[[True, 2], *pose["keypoints"][1:]]),
        changed(pose, "a keypoint null", keypoints=[[None, 2], *pose["keypoints"][1:]]),
        changed(pose, "keypoints as object", keypoints={str(i): row for i, row in enumerate(pose["keypoints"])}),
        changed(pose, "16 scores", scores=pose["scores"][:-1]),
        changed(pose, "a score above 1", scores=[1.01, *pose["scores"][1:]]),
        changed(pose, "a score below 0", scores=[-0.01, *pose["scores"][1:]]),
        changed(pose, "scores null", scores=None),
        changed(pose, "16 joints", joints_3d=pose["joints_3d"][:-1]),
        changed(pose, "joints with 2 columns", joints_3d=[row[:2] for row in pose["joints_3d"]]),
        changed(pose, "joints false", joints_3d=False),
        changed(pose, "18 rotations", rotations=[*pose["rotations"], quarter]),
        changed(pose, "rotations with 3 columns", rotations=[row[:3] for row in pose["rotations"]]),
        changed(pose, "a quaternion of length 0", "decoder", rotations=[[0, 0, 0, 0], *pose["rotations"][1:]]),
        changed(pose, "a quaternion of length 2", "decoder", rotations=[[1, 1, 1, 1], *pose["rotations"][1:]]),
        changed(pose, "a quaternion of huge numbers", "decoder", rotations=[[2**53 - 1] * 4, *pose["rotations"][1:]]),
        changed(pose, "root of 2", root=[0, 0]),
        changed(pose, "root as number", root=1),
        changed(pose, "meta null", meta=None),
        changed(pose, "meta as list", meta=[]),
        changed(part, "part without a name", part=""),
        changed(part, "part with a line break", part="fe\net"),
        changed(part, "part as number", part=1),
        changed(part, "part with a long name", part="x" * 65),
        changed(part, "part without points", keypoints=[], scores=[], joints_3d=None),
        changed(part, "part with 69 points", keypoints=[[0, 0]] * 69, scores=[0] * 69, joints_3d=None),
        changed(part, "part with more scores than points", "decoder", scores=[*part["scores"], 0.5]),
        changed(part, "part with fewer joints than points", "decoder", joints_3d=part["joints_3d"][1:]),
        changed(part, "part keypoints as text", keypoints="1234"),
        changed(hello, "hello of 16 keypoint names", keypoints=hello["keypoints"][1:]),
        changed(hello, "hello with a number for a name", joints=[1, *hello["joints"][1:]]),
        changed(hello, "hello with a child before its parent", "decoder", parents=[-1, 2, 1, *hello["parents"][3:]]),
        changed(hello, "hello with 16 parents", parents=hello["parents"][1:]),
        changed(hello, "hello with a parent true", parents=[-1, True, *hello["parents"][2:]]),
        changed(hello, "hello with parts as list", parts=[]),
        changed(hello, "hello with a part as text", parts={"feet": "left_heel"}),
        changed(hello, "hello with axes as text", axes="right"),
        changed(hello, "hello with a unit as number", units={"keypoints": 1}),
        changed(hello, "hello with an image of 0 px", image=[0, 480]),
        changed(hello, "hello with an image of three", image=[640, 480, 3]),
        changed(hello, "hello with mirrored as 1", mirrored=1),
        changed(hello, "hello with sent below 0", sent=-1),
        changed(hello, "hello with 3 rest offsets", rest_offsets=hello["rest_offsets"][:3]),
    ]
    for base in (pose, part, hello):
        for key in base:
            without = {k: v for k, v in base.items() if k != key}
            cases.append(changed(without, f"{base['type']} without {key}"))
    return cases


def malformed_line(case: Malformed) -> str:
    """The case as a line of the golden file."""
    try:
        datagram = {"text": case.datagram.decode()}
    except UnicodeDecodeError:
        datagram = {"hex": case.datagram.hex()}
    return json.dumps({"name": case.name, "refused_by": case.refused_by, **datagram})


if __name__ == "__main__":
    VALID.write_bytes(b"\n".join(valid_datagrams()) + b"\n")
    MALFORMED.write_text("\n".join(map(malformed_line, malformed_cases())) + "\n", encoding="ascii")
