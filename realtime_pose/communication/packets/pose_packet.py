"""PosePacket, version 1: JSON over UDP, one datagram per person and frame. docs/conventions.md describes each field.

`encode` and `decode` are the wire format; `packet_stream.PacketStream` makes packets from results. `decode` validates
everything: it returns a packet that holds what its type promises, or raises PacketError.
"""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeAlias

import numpy as np

from realtime_pose.communication.packets.untrusted_json import MAX_INT, Fields, name_of, names_of, read_object
from realtime_pose.errors import PacketError
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils.arrays import Float64, FloatArray, check_array

VERSION = 1
MAX_DATAGRAM_BYTES = 1472
"""Ethernet's 1,500 bytes less the headers of IPv4 and UDP: a datagram of this size is never fragmented."""

BODY_NAMES = COCO17.names
JOINT_NAMES = HUMANOID.joints
_K, _J = len(BODY_NAMES), len(JOINT_NAMES)
_MAX_PART_POINTS = 68  # a face; larger parts are split by name
_UNIT_TOLERANCE = 0.01  # of a quaternion's length; two decimals pass, a forgotten component does not


@dataclass(frozen=True, slots=True, eq=False)
class PosePacket:
    """One person in one frame.

    Attributes:
        stream: Random number, new at each start of the sender.
        seq: The sender's frame number, from 0.
        person: The person's track id.
        timestamp: Unix time of capture, seconds.
        keypoints: (17, 2) float64, pixels of the full frame, in the order of COCO17.
        scores: (17,) float64 in 0..1; a keypoint with score 0 is not valid.
        joints_3d: (17, 3) float64 positions of HUMANOID's joints, canonical axes, metres; None without a pose.
        rotations: (17, 4) float64 local rotations xyzw, unit up to rounding; None without a pose.
        root: (3,) float64 the hips, canonical axes, metres; None without a pose.
        meta: Small extras; may be empty.
    """

    type: ClassVar[str] = "pose"
    stream: int
    seq: int
    person: int
    timestamp: float
    keypoints: Float64
    scores: Float64
    joints_3d: Float64 | None
    rotations: Float64 | None
    root: Float64 | None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_array("keypoints", self.keypoints, (_K, 2), np.float64)
        check_array("scores", self.scores, (_K,), np.float64)
        for name, array, shape in (
            ("joints_3d", self.joints_3d, (_J, 3)),
            ("rotations", self.rotations, (_J, 4)),
            ("root", self.root, (3,)),
        ):
            if array is not None:
                check_array(name, array, shape, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class PartPacket:
    """Points of one part of one person, e.g. the feet, beside the `pose` packet with the same stream, seq and person.

    Attributes:
        part: Name of the part; `hello` lists the names of its N points.
        keypoints: (N, 2) float64 pixels.
        scores: (N,) float64 in 0..1.
        joints_3d: (N, 3) float64, in the space of the pose's `joints_3d`; None if unknown.
    """

    type: ClassVar[str] = "part"
    part: str
    stream: int
    seq: int
    person: int
    timestamp: float
    keypoints: Float64
    scores: Float64
    joints_3d: Float64 | None
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_array("keypoints", self.keypoints, (None, 2), np.float64)
        check_array("scores", self.scores, (len(self.keypoints),), np.float64)
        if self.joints_3d is not None:
            check_array("joints_3d", self.joints_3d, (len(self.keypoints), 3), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class HelloPacket:
    """Names, skeleton, axes and units that a receiver needs to read the other packets; sent once a second.

    Attributes:
        sent: Pose and part packets sent in this stream so far; with the number received, it gives the loss.
        keypoints: Names of a pose's keypoints.
        parts: Names of each part's points.
        joints: Names of a pose's joints.
        parents: Row of each joint's parent, -1 for the root.
        rest_offsets: (17, 3) float64 rest offsets from the parent, canonical axes, metres, for a body 1.70 m tall.
        image: Width and height of the frame that the pixels belong to.
        mirrored: Whether left and right are swapped, as in a mirror.
        meta: `camera`, once it is known: the keys of `SceneCamera.to_dict`, mirrored too if the stream is.
    """

    type: ClassVar[str] = "hello"
    stream: int
    seq: int
    timestamp: float
    sent: int
    keypoints: tuple[str, ...]
    parts: dict[str, tuple[str, ...]]
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    rest_offsets: Float64
    axes: dict[str, str]
    units: dict[str, str]
    image: tuple[int, int]
    mirrored: bool
    meta: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_array("rest_offsets", self.rest_offsets, (_J, 3), np.float64)


Packet: TypeAlias = PosePacket | PartPacket | HelloPacket

# --- encoding ---------------------------------------------------------------------------------------------------------


class _Decimals(NamedTuple):
    px: int
    score: int
    metres: int


# The first that fits is used. The third and later are for values that hardly occur: every number negative, or people
# tens of metres away. Quaternions keep 4 decimals: with 3, a wrist moves by 2 mm.
_DECIMALS = (_Decimals(1, 2, 3), _Decimals(0, 2, 3), _Decimals(0, 1, 3), _Decimals(0, 1, 2), _Decimals(0, 1, 1))
_QUATERNION_DECIMALS = 4
_TIMESTAMP_DECIMALS = 4


def encode(packet: Packet) -> bytes:
    """The datagram of a packet: JSON without spaces; with fewer decimals, pixels first, if over MAX_DATAGRAM_BYTES.

    Raises:
        PacketError: It holds NaN or infinity, or does not fit even with the fewest decimals.
    """
    size = 0
    for decimals in _DECIMALS:
        try:
            datagram = json.dumps(_fields(packet, decimals), separators=(",", ":"), allow_nan=False).encode()
        except ValueError as exc:
            raise PacketError(f"a {packet.type} packet may not hold NaN or infinity") from exc
        size = len(datagram)
        if size <= MAX_DATAGRAM_BYTES:
            return datagram
    raise PacketError(f"a {packet.type} packet needs {size} bytes, at most {MAX_DATAGRAM_BYTES} fit; shorten `meta`")


def _fields(packet: Packet, decimals: _Decimals) -> dict[str, Any]:
    part = {"part": packet.part} if isinstance(packet, PartPacket) else {}
    stamp = {"stream": packet.stream, "seq": packet.seq}
    timestamp = {"timestamp": round(packet.timestamp, _TIMESTAMP_DECIMALS)}
    fields = {"version": VERSION, "type": packet.type, **part, **stamp}
    if isinstance(packet, HelloPacket):
        names = ("sent", "keypoints", "parts", "joints", "parents")
        fields |= timestamp | {name: getattr(packet, name) for name in names}
        # whole numbers without ".0": with the camera in `meta` every byte counts
        fields["rest_offsets"] = [
            [_whole(x) for x in row] for row in _rounded(packet.rest_offsets, decimals.metres) or []
        ]
        fields |= {name: getattr(packet, name) for name in ("axes", "units", "image", "mirrored")}
    else:
        fields |= {"person": packet.person, **timestamp}
        fields["keypoints"] = _rounded(packet.keypoints, decimals.px)
        fields["scores"] = _rounded(packet.scores, decimals.score)
        fields["joints_3d"] = _rounded(packet.joints_3d, decimals.metres)
    if isinstance(packet, PosePacket):
        fields["rotations"] = _rounded(packet.rotations, _QUATERNION_DECIMALS)
        fields["root"] = _rounded(packet.root, decimals.metres)
    return fields | {"meta": packet.meta}


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _rounded(array: FloatArray | None, decimals: int) -> list[Any] | None:
    """Nested lists; integers if `decimals` is 0, and never -0.0."""
    if array is None:
        return None
    rounded = np.round(np.asarray(array, dtype=np.float64), decimals) + 0.0
    if decimals == 0 and np.all(np.isfinite(rounded)):
        return rounded.astype(np.int64).tolist()
    return rounded.tolist()


# --- decoding ---------------------------------------------------------------------------------------------------------


def decode(datagram: bytes) -> Packet:
    """The packet in a datagram, with the exact numbers that were sent. Unknown extra keys are ignored.

    Raises:
        PacketError: It is not a complete packet of version 1. No other exception is raised.
    """
    fields = Fields(read_object(datagram, MAX_DATAGRAM_BYTES))
    if (version := fields.integer("version")) != VERSION:
        raise PacketError(f"packet version {version} is not understood; this program reads version {VERSION}")
    kind = fields.text("type")
    if kind == HelloPacket.type:
        return _hello(fields)
    stamp = {"stream": fields.integer("stream"), "seq": fields.integer("seq"), "person": fields.integer("person", -1)}
    timestamp, meta = fields.number("timestamp", 0.0), fields.mapping("meta")
    if kind == PosePacket.type:
        rotations = fields.table("rotations", (_J, 4), nullable=True)
        if rotations is not None:
            check_unit(rotations)
        return PosePacket(
            **stamp,
            timestamp=timestamp,
            keypoints=fields.table("keypoints", (_K, 2)),
            scores=fields.scores(_K),
            joints_3d=fields.table("joints_3d", (_J, 3), nullable=True),
            rotations=rotations,
            root=fields.table("root", (3,), nullable=True),
            meta=meta,
        )
    if kind == PartPacket.type:
        count = len(fields.array("keypoints"))
        if not 1 <= count <= _MAX_PART_POINTS:
            raise PacketError(f"a part has 1 to {_MAX_PART_POINTS} keypoints, got {count}")
        return PartPacket(
            fields.text("part"),
            **stamp,
            timestamp=timestamp,
            keypoints=fields.table("keypoints", (count, 2)),
            scores=fields.scores(count),
            joints_3d=fields.table("joints_3d", (count, 3), nullable=True),
            meta=meta,
        )
    raise PacketError(f"packet type {kind!r} is not one of: hello, part, pose")


def check_unit(rotations: Float64) -> None:
    """Check that quaternions (..., 4) have length 1 up to rounding.

    Raises:
        PacketError: One has not.
    """
    if np.any(np.abs(np.linalg.norm(rotations, axis=-1) - 1) > _UNIT_TOLERANCE):
        raise PacketError("rotations holds a quaternion that is not of length 1")


def _hello(fields: Fields) -> HelloPacket:
    parents = fields.array("parents")
    if len(parents) != _J or not all(type(p) is int and -1 <= p < i for i, p in enumerate(parents)):
        raise PacketError(f"parents must be {_J} rows, each of an earlier joint, -1 for the root")
    image, mirrored = fields.array("image"), fields.get("mirrored")
    if len(image) != 2 or not all(type(n) is int and 0 < n <= MAX_INT for n in image):
        raise PacketError("image must be a width and a height in px")
    if type(mirrored) is not bool:
        raise PacketError("mirrored must be true or false")
    return HelloPacket(
        stream=fields.integer("stream"),
        seq=fields.integer("seq"),
        timestamp=fields.number("timestamp", 0.0),
        sent=fields.integer("sent"),
        keypoints=names_of("keypoints", fields.get("keypoints"), _K),
        parts={name_of("parts", key): names_of(key, value) for key, value in fields.mapping("parts").items()},
        joints=names_of("joints", fields.get("joints"), _J),
        parents=tuple(parents),
        rest_offsets=fields.table("rest_offsets", (_J, 3)),
        axes={name_of("axes", key): name_of(key, value) for key, value in fields.mapping("axes").items()},
        units={name_of("units", key): name_of(key, value) for key, value in fields.mapping("units").items()},
        image=(image[0], image[1]),
        mirrored=mirrored,
        meta=fields.mapping("meta"),
    )
