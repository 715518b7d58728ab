r"""A session: all that the pipeline found, frame by frame and bit by bit, in one file that only ever grows.

Layout of the file, little-endian throughout:

    file     = magic "RTPOSE\r\n" (8 bytes), version u16 (now 1), settings record, records ...
    record   = size u32 of the payload, CRC-32 u32 of the payload, payload
    payload  = kind (1 byte), body
    kind 'H' = the settings: JSON in UTF-8; the first record, and only the first
    kind 'L' = a keypoint layout: JSON {"name", "names", "links"}; frames call it by its number, counted from 0
    kind 'S' = a skeleton: JSON {"name", "joints", "parents", "rest_offset_m", "tip_offset_m"}, numbered likewise
    kind 'E' = the end: frames u64; written when a source was gone through to its end, and then the last record
    kind 'F' = a frame: index i64, time_ns i64, captured_ns i64, width u32, height u32, people u16, people ...
    person   = track_id i64, flags u8 (1: has joints, 2: has a pose), layout u8, box 4 x f32, box score f64,
               keypoints K x 2 f32, scores K x f32,
               [joints: layout u8, xyz J x 3 f32, root 3 x f32, scores J x f32],
               [pose: skeleton u8, rotations J x 4 f32, root 3 x f32, bone lengths J x f32, scores J x f32]

The settings hold what the caller gives, and "wall_offset_ns": Unix time = captured_ns + wall_offset_ns.
A layout or skeleton stands before the first frame that uses it. A file whose end is missing is read up to its last
whole record. docs/takes.md has the same as tables.
"""

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from realtime_pose.datatypes import (
    Frame,
    FrameResult,
    JointRotations,
    Joints3D,
    Person,
    PersonBox,
    PersonKeypoints,
    SkeletonPose,
)
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.skeletons import LAYOUTS, SKELETONS, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.record_writer import RecordWriter

MAGIC = b"RTPOSE\r\n"  # a transfer that changes line ends shows at once
VERSION = 1

_VERSION = struct.Struct("<H")
_RECORD = struct.Struct("<II")
_FRAME = struct.Struct("<qqqIIH")
_PERSON = struct.Struct("<qBB4fd")
_NUMBER = struct.Struct("<B")
_END = struct.Struct("<cQ")
_HAS_JOINTS, _HAS_POSE = 1, 2
_MAX_RECORD = 64 * 2**20
_UNKNOWN = "the session holds something that this program does not know"


# --- writing ----------------------------------------------------------------------------------------------------------


class SessionRecorder:
    """Writes a session; after a crash it can be read up to the last whole frame.

    Args:
        path: The file; one that is there already is replaced.
        settings: What made the session (estimator, source, ...); any JSON. "wall_offset_ns" is measured if left out.

    Raises:
        RecordingError: The file cannot be made.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]) -> None:
        self._writer: RecordWriter | None = RecordWriter(Path(path))
        self._layouts: dict[KeypointLayout, int] = {}
        self._skeletons: dict[Skeleton, int] = {}
        header = {"wall_offset_ns": time.time_ns() - time.monotonic_ns()} | dict(settings)
        self._writer.append(MAGIC + _VERSION.pack(VERSION) + _record(b"H" + json.dumps(header).encode()))

    def send(self, result: FrameResult) -> None:
        """Write one frame, also an empty one; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; the frames before stay readable.
        """
        if self._writer is None:
            return
        new: list[bytes] = []
        frame = result.frame
        head = (frame.index, frame.time_ns, frame.captured_ns, frame.width, frame.height, len(result.people))
        body = b"".join((b"F", _FRAME.pack(*head), *(self._person(person, new) for person in result.people)))
        self._writer.append(b"".join((*new, _record(body))))

    def close(self) -> None:
        """Give the file back. Safe to repeat."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _person(self, person: Person, new: list[bytes]) -> bytes:
        keypoints, joints, pose, box = person.keypoints, person.joints, person.pose, person.box
        flags = (_HAS_JOINTS if joints else 0) | (_HAS_POSE if pose else 0)
        number = self._layout(keypoints.layout, new)
        out = [
            _PERSON.pack(keypoints.track_id, flags, number, *box.bbox_xyxy_px.tolist(), box.score),
            _bytes(keypoints.xy_px, keypoints.score),
        ]
        if joints is not None:
            out.append(_NUMBER.pack(self._layout(joints.layout, new)))
            out.append(_bytes(joints.xyz_m, joints.root_m, joints.score))
        if pose is not None:
            out.append(_NUMBER.pack(self._skeleton(pose.rotations.skeleton, new)))
            out.append(_bytes(pose.rotations.local_xyzw, pose.root_m, pose.bone_m, pose.score))
        return b"".join(out)

    def _layout(self, layout: KeypointLayout, new: list[bytes]) -> int:
        if layout not in self._layouts:
            self._layouts[layout] = len(self._layouts)
            new.append(_json_record(b"L", {"name": layout.name, "names": layout.names, "links": layout.links}))
        return self._layouts[layout]

    def _skeleton(self, skeleton: Skeleton, new: list[bytes]) -> int:
        if skeleton not in self._skeletons:
            self._skeletons[skeleton] = len(self._skeletons)
            fields = {
                "name": skeleton.name,
                "joints": skeleton.joints,
                "parents": skeleton.parents,
                "rest_offset_m": skeleton.rest_offset_m.tolist(),
                "tip_offset_m": skeleton.tip_offset_m,
            }
            new.append(_json_record(b"S", fields))
        return self._skeletons[skeleton]


def mark_finished(path: Path, frames: int) -> None:
    """Write the end record: the source of this closed session was gone through to its end.

    Raises:
        RecordingError: The disk is full or gone.
    """
    try:
        with path.open("ab") as file:
            file.write(_record(_END.pack(b"E", frames)))
    except OSError as exc:
        raise RecordingError(f"cannot write {path}: {exc.strerror}; free some space there") from exc


def _record(payload: bytes) -> bytes:
    return _RECORD.pack(len(payload), zlib.crc32(payload)) + payload


def _json_record(kind: bytes, value: object) -> bytes:
    return _record(kind + json.dumps(value).encode())


def _bytes(*arrays: Float32) -> bytes:
    return b"".join(array.astype("<f4").tobytes() for array in arrays)


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass
class Session:
    """A session that is being read.

    Attributes:
        path: The file.
        settings: What made the session.
        frames_in_all: How many frames there are, if its source was gone through to its end; None if it was not.
        size_bytes: Length of the file when it was opened.
        bytes_read: How far `frames` has come.
        cut: After the last frame: whether the file's end was missing, as after a crash.
    """

    path: Path
    settings: dict[str, Any]
    frames_in_all: int | None
    size_bytes: int
    bytes_read: int = field(default=0, init=False)
    cut: bool = field(default=False, init=False)

    @property
    def finished(self) -> bool:
        """Whether its source was gone through to its end."""
        return self.frames_in_all is not None

    def frames(self) -> Iterator[FrameResult]:
        """The results in order, exactly as they were sent; pictures are black, as a session keeps none.

        Raises:
            RecordingError: A record in the middle is damaged.
        """
        contents = Contents(self.path)
        for _, payload in self.records():
            result = contents.take(payload)
            if result is not None:
                yield result

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Each record after the settings: the byte at which its payload begins, and the payload.

        Raises:
            RecordingError: A record in the middle is damaged.
        """
        with _opened(self.path) as file:
            _read_head(self.path, file)
            at = file.tell()
            while head := file.read(_RECORD.size):
                payload = _payload(file, head)
                if payload is None:
                    if len(file.read(1)) == 0:
                        self.cut = True
                        return
                    raise RecordingError(f"{self.path} is damaged at byte {at}; the frames before it can be used")
                self.bytes_read = at + len(head) + len(payload)
                yield at + len(head), payload
                at = self.bytes_read


def read_session(path: str | Path) -> Session:
    """The session in a file: its settings now, its frames as they are asked for.

    Raises:
        RecordingError: There is no such file, it is no session, or it was written by a newer program.
    """
    path = Path(path)
    with _opened(path) as file:
        settings = _read_head(path, file)
        size_bytes = file.seek(0, os.SEEK_END)
        return Session(path, settings, _frames_in_all(file, size_bytes), size_bytes)


def _frames_in_all(file: BinaryIO, size_bytes: int) -> int | None:
    """What the end record says; None if none stands at the file's end."""
    length = _RECORD.size + _END.size
    file.seek(max(size_bytes - length, 0))
    payload = _payload(file, file.read(_RECORD.size))
    if payload is None or payload[:1] != b"E" or len(payload) != _END.size:
        return None
    return int(_END.unpack(payload)[1])


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise RecordingError(f"cannot read {path}: {exc.strerror}; check the path") from exc


def _read_head(path: Path, file: BinaryIO) -> dict[str, Any]:
    if file.read(len(MAGIC)) != MAGIC:
        raise RecordingError(f"{path} is no session of this program; give a .rtpose file that it recorded")
    version = file.read(_VERSION.size)
    if len(version) == _VERSION.size and (number := _VERSION.unpack(version)[0]) != VERSION:
        raise RecordingError(f"{path} is a session of version {number}, this program reads {VERSION}; update it")
    payload = _payload(file, file.read(_RECORD.size))
    if payload is None or payload[:1] != b"H":
        raise RecordingError(f"{path} is cut off or damaged before its first frame; record it anew")
    try:
        return dict(json.loads(payload[1:]))
    except (ValueError, TypeError, RecursionError) as exc:
        raise RecordingError(f"{path} has settings that are no JSON object; record it anew") from exc


def _payload(file: BinaryIO, head: bytes) -> bytes | None:
    """The payload after a record's head; None if the record is cut off or its checksum is wrong."""
    if len(head) < _RECORD.size:
        return None
    size, checksum = _RECORD.unpack(head)
    payload = file.read(size) if 0 < size <= _MAX_RECORD else b""
    return payload if 0 < size == len(payload) and zlib.crc32(payload) == checksum else None


class Glance(NamedTuple):
    """What can be told of a recorded frame without unpacking it: its times, and how many people are in it."""

    time_ns: int
    captured_ns: int
    people: int


class Contents:
    """Turns a session's records into results; remembers the layouts and skeletons that came before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._layouts: list[KeypointLayout] = []
        self._skeletons: list[Skeleton] = []

    @staticmethod
    def glance(payload: bytes) -> "Glance | None":
        """What a frame's record begins with; None for a record of another kind."""
        if payload[:1] != b"F" or len(payload) <= _FRAME.size:
            return None
        _, time_ns, captured_ns, _, _, people = _FRAME.unpack_from(payload, 1)
        return Glance(time_ns, captured_ns, people)

    def take(self, payload: bytes) -> FrameResult | None:
        """The result in a frame's record; None for a record of another kind.

        Raises:
            RecordingError: It holds something that this program does not know.
        """
        kind, body = payload[:1], payload[1:]
        try:
            if kind == b"F":
                return self._frame(_Bytes(body))
            if kind == b"L":
                self._layouts.append(_layout_of(json.loads(body)))
            elif kind == b"S":
                self._skeletons.append(_skeleton_of(json.loads(body)))
            elif kind != b"E":
                raise ValueError(f"a record of kind {kind!r}")
        except (ValueError, TypeError, LookupError, RecursionError, struct.error, RealtimePoseError) as exc:
            raise RecordingError(f"{self._path}: {_UNKNOWN} ({exc}); update the program, or record it anew") from exc
        return None

    def _frame(self, data: "_Bytes") -> FrameResult:
        index, time_ns, captured_ns, width, height, people = data.unpack(_FRAME)
        black = np.broadcast_to(np.zeros((), np.uint8), (height, width, 3))  # takes no memory
        frame = Frame(black, index, time_ns, captured_ns)
        return FrameResult(frame, tuple(self._person(data, time_ns) for _ in range(people)))

    def _person(self, data: "_Bytes", time_ns: int) -> Person:
        track_id, flags, number, left, top, right, bottom, score = data.unpack(_PERSON)
        box = PersonBox(np.array((left, top, right, bottom), np.float32), score, track_id)
        layout = self._layouts[number]
        k = len(layout.names)
        keypoints = PersonKeypoints(layout, data.array(k, 2), data.array(k), track_id, time_ns)
        joints, pose = None, None
        if flags & _HAS_JOINTS:
            layout = self._layouts[data.unpack(_NUMBER)[0]]
            j = len(layout.names)
            joints = Joints3D(layout, data.array(j, 3), data.array(3), data.array(j), track_id, time_ns)
        if flags & _HAS_POSE:
            skeleton = self._skeletons[data.unpack(_NUMBER)[0]]
            j = len(skeleton.joints)
            rotations = JointRotations(skeleton, data.array(j, 4))
            pose = SkeletonPose(rotations, data.array(3), data.array(j), data.array(j), track_id, time_ns)
        return Person(box, keypoints, joints, pose)


class _Bytes:
    """Reads numbers off a record's body, in order."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        values = form.unpack_from(self._body, self._at)
        self._at += form.size
        return values

    def array(self, *shape: int) -> Float32:
        count = int(np.prod(shape))
        values = np.frombuffer(self._body, "<f4", count, self._at).astype(np.float32)
        self._at += 4 * count
        return values.reshape(shape)


def _layout_of(fields: dict[str, Any]) -> KeypointLayout:
    """The program's own layout of that name if it is the same, else the one that the session describes."""
    names = tuple(map(str, fields["names"]))
    known = LAYOUTS.get(fields["name"])
    if known is not None and known.names == names:
        return known
    return KeypointLayout(str(fields["name"]), names, tuple((int(a), int(b)) for a, b in fields["links"]))


def _skeleton_of(fields: dict[str, Any]) -> Skeleton:
    known = SKELETONS.get(fields["name"])
    offsets = np.array(fields["rest_offset_m"], dtype=np.float64)
    joints, parents = tuple(map(str, fields["joints"])), tuple(map(int, fields["parents"]))
    tree = (joints, parents)
    if known is not None and (known.joints, known.parents) == tree and np.array_equal(known.rest_offset_m, offsets):
        return known
    offsets.flags.writeable = False
    tips = {str(joint): (float(x), float(y), float(z)) for joint, (x, y, z) in fields["tip_offset_m"].items()}
    return Skeleton(str(fields["name"]), joints, parents, offsets, tips)
