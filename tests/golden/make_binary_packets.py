"""Generator of the golden binary packets: `PYTHONPATH=tests python -m golden.make_binary_packets` writes both files.

Run it in the repository's root. The tests call `valid_lines` and `malformed_lines` as well.
"""

import json
import struct
from pathlib import Path

import numpy as np
from golden.make_packets import valid_datagrams

from realtime_pose.communication.packets.binary import decode_binary, encode_binary
from realtime_pose.communication.packets.pose_packet import HelloPacket, PartPacket, PosePacket, decode

HERE = Path(__file__).parent
VALID, MALFORMED = HERE / "binary_packets_valid.jsonl", HERE / "binary_packets_malformed.jsonl"
HEADER = 32


def valid_datagrams_in_binary() -> list[bytes]:
    """The golden JSON packets that have a binary form: all but `hello`."""
    packets = [decode(datagram) for datagram in valid_datagrams()]
    return [encode_binary(packet) for packet in packets if not isinstance(packet, HelloPacket)]


def says(packet: PosePacket | PartPacket) -> dict:
    """The packet's fields with the names of JSON; numbers are what a decoder returns, bit for bit."""
    names = ("type", "part", "stream", "seq", "person", "timestamp", "keypoints", "scores", "joints_3d", "rotations")
    values = {name: getattr(packet, name) for name in (*names, "root", "meta") if hasattr(packet, name)}
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def valid_lines() -> list[str]:
    """One packet per line: its bytes in hexadecimal, and its fields."""
    return [
        json.dumps({"hex": datagram.hex(), "says": says(decode_binary(datagram))})
        for datagram in valid_datagrams_in_binary()
    ]


def malformed_cases() -> dict[str, bytes]:
    """Datagrams by name; each breaks one rule in an otherwise valid packet."""
    datagrams = valid_datagrams_in_binary()
    pose, part = datagrams[0], datagrams[1]
    noted = next(datagram for datagram in datagrams if datagram[22:24] != b"\0\0")
    flat = next(datagram for datagram in datagrams if datagram[5] == 1 and not datagram[6])
    rotations, scores = HEADER + 17 * 8 + 17 * 12 + 12, HEADER + 17 * 8 + 17 * 12 + 12 + 17 * 8

    def changed(datagram: bytes, at: int, new: bytes) -> bytes:
        return datagram[:at] + new + datagram[at + len(new) :]

    def f64(value: float) -> bytes:
        return struct.pack("<d", value)

    return {
        "the magic alone": pose[:4],
        "half a header": pose[:16],
        "a header alone": pose[:HEADER],
        "one byte too short": pose[:-1],
        "one byte too long": pose + b"\0",
        "a part that is one byte too short": part[:-1],
        "a part that is one byte too long": part + b"\0",
        "another magic": b"RTPC" + pose[4:],
        "magic in lower case": b"rtpb" + pose[4:],
        "version 0": changed(pose, 4, b"\0"),
        "version 2": changed(pose, 4, b"\2"),
        "type 0": changed(pose, 5, b"\0"),
        "type 3": changed(pose, 5, b"\3"),
        "a pose that says it is a part": changed(pose, 5, b"\2"),
        "a part that says it is a pose": changed(part, 5, b"\1"),
        "in space: 2": changed(pose, 6, b"\2"),
        "in space that says it is not": changed(pose, 6, b"\0"),
        "not in space that says it is": changed(flat, 6, b"\1"),
        "16 points": changed(pose, 7, b"\x10"),
        "18 points": changed(pose, 7, b"\x12"),
        "no points": changed(part, 7, b"\0"),
        "a part of 69 points": changed(part, 7, b"\x45") + bytes(65 * 21),
        "person -2": changed(pose, 16, struct.pack("<i", -2)),
        "a pose with a name": changed(pose, 20, b"\4"),
        "a part without a name": changed(part, 20, b"\0"),
        "a name that is longer than the rest": changed(part, 20, b"\xff"),
        "something where zero belongs": changed(pose, 21, b"\1"),
        "meta that is not there": changed(pose, 22, b"\2\0"),
        "meta that is longer than the rest": changed(noted, 22, b"\xff\xff"),
        "a timestamp that is NaN": changed(pose, 24, f64(float("nan"))),
        "an infinite timestamp": changed(pose, 24, f64(float("inf"))),
        "a timestamp below 0": changed(pose, 24, f64(-1.0)),
        "a timestamp of 2**53": changed(pose, 24, f64(2.0**53)),
        "a quaternion of length 0": changed(pose, rotations, bytes(8)),
        "a quaternion of length 2": changed(pose, rotations, struct.pack("<4h", *[10_000] * 4)),
        "a score above 1": changed(pose, scores, b"\x65"),
        "a name that is no UTF-8": changed(part, len(part) - 1, b"\xff"),
        "a name with a line break": changed(part, len(part) - 1, b"\n"),
        "meta that is no JSON": changed(noted, len(noted) - 1, b"]"),
        "meta that is a list": noted.replace(noted[scores + 17 :], b"[" + b" " * (len(noted) - scores - 19) + b"]"),
        "longer than 1472 bytes": pose + bytes(1500),
        "JSON behind the magic": b"RTPB" + valid_datagrams()[1],
    }


def malformed_lines() -> list[str]:
    """One datagram per line: its name, and its bytes in hexadecimal."""
    return [json.dumps({"name": name, "hex": datagram.hex()}) for name, datagram in malformed_cases().items()]


if __name__ == "__main__":
    VALID.write_text("\n".join(valid_lines()) + "\n", encoding="ascii")
    MALFORMED.write_text("\n".join(malformed_lines()) + "\n", encoding="ascii")
