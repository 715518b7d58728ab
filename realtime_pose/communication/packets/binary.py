"""Binary format of `pose` and `part` packets: little-endian integers; docs/feeds.md describes every byte.

Every number is an integer multiple of the last decimal in the JSON format, so both formats decode to the same doubles,
bit for bit: dividing two integers gives the double nearest to their quotient, and so does parsing its decimals.
`hello` holds names, comes once a second and is JSON in both formats; a datagram's first byte says which format it is.
"""

import json
import struct
from typing import Any

import numpy as np

from realtime_pose.communication.packets.pose_packet import (
    MAX_DATAGRAM_BYTES,
    VERSION,
    HelloPacket,
    Packet,
    PartPacket,
    PosePacket,
    check_unit,
    encode,
)
from realtime_pose.communication.packets.untrusted_json import MAX_INT, name_of, read_object
from realtime_pose.errors import PacketError
from realtime_pose.utils.arrays import Float64

MAGIC = b"RTPB"
_HEADER = struct.Struct("<4sBBBBIIiBBHd")
"""Magic, version, type, 1 if it has 3D data, points N, stream, seq, person, bytes of the part's name, zero, bytes of
meta, timestamp [s]."""
_POSE, _PART = 1, 2
_JOINTS = 17
_PX, _METRES, _QUATERNION, _SCORE = 10, 1000, 10_000, 100  # integer units per 1
_TIMESTAMP_DECIMALS = 4


def encode_binary(packet: Packet) -> bytes:
    """The datagram of a packet, 537 bytes for a whole pose without `meta`. `hello` is JSON here too.

    Raises:
        PacketError: It holds NaN, infinity or a number outside its field's range, or is too long.
    """
    if isinstance(packet, HelloPacket):
        return encode(packet)
    name = packet.part.encode() if isinstance(packet, PartPacket) else b""
    meta = _meta_bytes(packet)
    body = [_integers("keypoints", packet.keypoints, _PX, "<i4")]
    if packet.joints_3d is not None:
        body.append(_integers("joints_3d", packet.joints_3d, _METRES, "<i4"))
    if isinstance(packet, PosePacket):
        present = [array is not None for array in (packet.joints_3d, packet.root, packet.rotations)]
        if any(present) != all(present):
            raise PacketError("a pose has joints_3d, rotations and root, or none of them")
        if packet.root is not None and packet.rotations is not None:
            body.append(_integers("root", packet.root, _METRES, "<i4"))
            body.append(_integers("rotations", packet.rotations, _QUATERNION, "<i2"))
    body.append(_integers("scores", packet.scores, _SCORE, "u1"))
    kind, points, has_3d = (_PART if name else _POSE), len(packet.keypoints), packet.joints_3d is not None
    stamp = (packet.stream, packet.seq, packet.person)
    timestamp = round(packet.timestamp, _TIMESTAMP_DECIMALS)
    try:
        header = _HEADER.pack(MAGIC, VERSION, kind, has_3d, points, *stamp, len(name), 0, len(meta), timestamp)
    except struct.error as exc:
        raise PacketError(f"a {packet.type} packet has a number outside its field's range: {exc}") from exc
    datagram = b"".join((header, *body, name, meta))
    if len(datagram) > MAX_DATAGRAM_BYTES:
        raise PacketError(f"a {packet.type} packet needs {len(datagram)} bytes, at most {MAX_DATAGRAM_BYTES} fit")
    return datagram


def _meta_bytes(packet: PosePacket | PartPacket) -> bytes:
    if not packet.meta:
        return b""
    try:
        return json.dumps(packet.meta, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as exc:
        raise PacketError(f"a {packet.type} packet may not hold NaN or infinity") from exc


def _integers(name: str, values: Float64, per_one: int, dtype: str) -> bytes:
    """The values as integer units. They are rounded to decimals first, exactly as in JSON, so both formats agree."""
    scaled = np.round(np.round(values, len(str(per_one)) - 1) * per_one)
    limits = np.iinfo(dtype)
    if not np.all((limits.min <= scaled) & (scaled <= limits.max)):  # NaN is not within either
        raise PacketError(f"{name} holds NaN, infinity or a number beyond {limits.max / per_one:g}")
    return scaled.astype(dtype).tobytes()


def decode_binary(datagram: bytes) -> PosePacket | PartPacket:
    """The packet in a datagram of the binary format.

    Raises:
        PacketError: It is not a complete packet of version 1. No other exception is raised.
    """
    if not _HEADER.size <= len(datagram) <= MAX_DATAGRAM_BYTES or not datagram.startswith(MAGIC):
        raise PacketError(
            f"a binary packet begins with {MAGIC.decode()} and has {_HEADER.size} to {MAX_DATAGRAM_BYTES} bytes"
        )
    (_, version, kind, has_3d, points, stream, seq, person, name_size, zero, meta_size, timestamp) = (
        _HEADER.unpack_from(datagram)
    )
    if version != VERSION:
        raise PacketError(f"packet version {version} is not understood; this program reads version {VERSION}")
    if kind not in (_POSE, _PART):
        raise PacketError(f"packet type {kind} is not one of: {_POSE}, {_PART}")
    if has_3d > 1 or zero or person < -1 or not 0 <= timestamp <= MAX_INT:  # NaN is not within either
        raise PacketError("a binary packet's header holds an invalid number")
    if (kind == _POSE) != (name_size == 0) or (kind == _POSE and points != _JOINTS) or not 1 <= points <= 68:
        raise PacketError(f"a pose has {_JOINTS} points and no name, a part 1 to 68 and a name; got {points} points")
    body = _Body(datagram[_HEADER.size :])
    keypoints = body.table(points, 2, "<i4", _PX)
    joints_3d = body.table(points, 3, "<i4", _METRES) if has_3d else None
    root = body.table(1, 3, "<i4", _METRES)[0].copy() if has_3d and kind == _POSE else None
    rotations = body.table(_JOINTS, 4, "<i2", _QUATERNION) if has_3d and kind == _POSE else None
    scores = body.table(1, points, "u1", _SCORE)[0].copy()
    if np.any(scores > 1):
        raise PacketError("scores must lie in 0..1")
    name = _name_of(body.take(name_size)) if kind == _PART else ""
    meta: dict[str, Any] = read_object(body.take(meta_size), MAX_DATAGRAM_BYTES) if meta_size else {}
    body.end()
    stamp = {"stream": stream, "seq": seq, "person": person}
    if kind == _PART:
        return PartPacket(
            name, **stamp, timestamp=timestamp, keypoints=keypoints, scores=scores, joints_3d=joints_3d, meta=meta
        )
    if rotations is not None:
        check_unit(rotations)
    return PosePacket(
        **stamp, timestamp=timestamp, keypoints=keypoints, scores=scores, joints_3d=joints_3d, rotations=rotations,
        root=root, meta=meta,
    )  # fmt: skip


def _name_of(data: bytes) -> str:
    try:
        return name_of("part", data.decode())
    except UnicodeDecodeError as exc:
        raise PacketError("part must be a name in UTF-8") from exc


class _Body:
    """The bytes after the header, read from the front; all must be used."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        if len(taken) < size:
            raise PacketError("a binary packet is shorter than its header says")
        return taken

    def table(self, rows: int, columns: int, dtype: str, per_one: int) -> Float64:
        data = self.take(rows * columns * np.dtype(dtype).itemsize)
        return np.frombuffer(data, dtype).reshape(rows, columns) / per_one

    def end(self) -> None:
        if self._data:
            raise PacketError(f"a binary packet is {len(self._data)} bytes longer than its header says")
