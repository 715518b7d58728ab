r"""Layout of a session file (.rtpose): everything that the pipeline found, frame by frame, in one append-only file.

Little-endian throughout:

    file     = magic "RTPOSE\r\n" (8 bytes), version u16 (now 1), settings record, records ...
    record   = size u32 of the payload, CRC-32 u32 of the payload, payload
    payload  = kind (1 byte), body
    kind 'H' = the settings: JSON in UTF-8; the first record, and only the first
    kind 'L' = a keypoint layout: JSON {"name", "names", "links"}; frames refer to it by its number, counted from 0
    kind 'S' = a skeleton: JSON {"name", "joints", "parents", "rest_offset_m", "tip_offset_m"}, numbered likewise
    kind 'C' = the camera of the frames that follow, written when it has changed: JSON of SceneCamera.to_dict, or null
    kind 'E' = the end: frames u64; written when the source was read to its end, and then the last record
    kind 'F' = a frame: index i64, time_ns i64, captured_ns i64, width u32, height u32, people u16, people ...
    person   = track_id i64, flags u8 (1: has joints, 2: has a pose, 4: has foot contacts,
               8: left foot in contact, 16: right foot in contact), layout u8, box 4 x f32, box score f64,
               keypoints K x 2 f32, scores K x f32,
               [joints: layout u8, xyz J x 3 f32, root 3 x f32, scores J x f32],
               [pose: skeleton u8, rotations J x 4 f32, root 3 x f32, bone lengths J x f32, scores J x f32]

The settings hold what the caller gives, and "wall_offset_ns": Unix time = captured_ns + wall_offset_ns.
A layout or skeleton comes before the first frame that uses it. A file without an end record is read up to its last
whole record. docs/takes.md has the same as tables.
"""

import json
import struct
import zlib
from typing import BinaryIO

MAGIC = b"RTPOSE\r\n"  # a transfer that changes line ends shows at once
VERSION_NUMBER = struct.Struct("<H")
VERSION = 1

SETTINGS, LAYOUT, SKELETON, CAMERA, FRAME, END = b"H", b"L", b"S", b"C", b"F", b"E"
FRAME_HEAD = struct.Struct("<qqqIIH")
PERSON_HEAD = struct.Struct("<qBB4fd")
NUMBER = struct.Struct("<B")
FRAME_COUNT = struct.Struct("<Q")
HAS_JOINTS, HAS_POSE, KNOWS_CONTACT, LEFT_CONTACT, RIGHT_CONTACT = 1, 2, 4, 8, 16

RECORD_HEAD = struct.Struct("<II")
_MAX_PAYLOAD = 64 * 2**20


def record(payload: bytes) -> bytes:
    """A whole record: size, checksum, payload."""
    return RECORD_HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def json_record(kind: bytes, value: object) -> bytes:
    """A record whose body is JSON."""
    return record(kind + json.dumps(value).encode())


def read_payload(file: BinaryIO, head: bytes) -> bytes | None:
    """The payload after a record's size and checksum; None if the record is cut off or its checksum is wrong."""
    if len(head) < RECORD_HEAD.size:
        return None
    size, checksum = RECORD_HEAD.unpack(head)
    payload = file.read(size) if 0 < size <= _MAX_PAYLOAD else b""
    return payload if 0 < size == len(payload) and zlib.crc32(payload) == checksum else None
