"""Session records: decoding of frames, people, keypoint layouts and skeletons."""

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime_pose.datatypes import (
    Frame,
    FrameResult,
    JointRotations,
    Joints3D,
    Person,
    PersonBox,
    PersonKeypoints,
    SceneCamera,
    SkeletonPose,
)
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.session.format import (
    CAMERA,
    END,
    FRAME,
    FRAME_HEAD,
    HAS_JOINTS,
    HAS_POSE,
    KNOWS_CONTACT,
    LAYOUT,
    LEFT_CONTACT,
    NUMBER,
    PERSON_HEAD,
    RIGHT_CONTACT,
    SKELETON,
)
from realtime_pose.skeletons import LAYOUTS, SKELETONS, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import Float32


class FrameSummary(NamedTuple):
    """A recorded frame's times and number of people, read without decoding the people."""

    time_ns: int
    captured_ns: int
    people: int


class RecordDecoder:
    """Turns a session's records into results; remembers the layouts, skeletons and camera of earlier records.

    Attributes:
        camera: The camera of the next frame; None until a record has one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.camera: SceneCamera | None = None
        self._layouts: list[KeypointLayout] = []
        self._skeletons: list[Skeleton] = []

    @staticmethod
    def summary(payload: bytes) -> FrameSummary | None:
        """The start of a frame's record; None for a record of another kind."""
        if payload[:1] != FRAME or len(payload) <= FRAME_HEAD.size:
            return None
        _, time_ns, captured_ns, _, _, people = FRAME_HEAD.unpack_from(payload, 1)
        return FrameSummary(time_ns, captured_ns, people)

    def decode(self, payload: bytes) -> FrameResult | None:
        """The result in a frame's record; None for a record of another kind.

        Raises:
            RecordingError: The record has content that this program does not know.
        """
        kind, body = payload[:1], payload[1:]
        try:
            if kind == FRAME:
                return self._frame(_BodyReader(body))
            if kind == LAYOUT:
                self._layouts.append(_layout_of(json.loads(body)))
            elif kind == SKELETON:
                self._skeletons.append(_skeleton_of(json.loads(body)))
            elif kind == CAMERA:
                fields = json.loads(body)
                self.camera = None if fields is None else SceneCamera.from_dict(fields)
            elif kind != END:
                raise ValueError(f"a record of kind {kind!r}")
        except (ValueError, TypeError, LookupError, RecursionError, struct.error, RealtimePoseError) as exc:
            raise RecordingError(
                f"{self._path} holds a record that this program does not know ({exc}); update it, or record again"
            ) from exc
        return None

    def _frame(self, data: "_BodyReader") -> FrameResult:
        index, time_ns, captured_ns, width, height, people = data.unpack(FRAME_HEAD)
        black = np.broadcast_to(np.zeros((), np.uint8), (height, width, 3))  # a view of one byte
        frame = Frame(black, index, time_ns, captured_ns)
        return FrameResult(frame, tuple(self._person(data, time_ns) for _ in range(people)), self.camera)

    def _person(self, data: "_BodyReader", time_ns: int) -> Person:
        track_id, flags, number, left, top, right, bottom, score = data.unpack(PERSON_HEAD)
        box = PersonBox(np.array((left, top, right, bottom), np.float32), score, track_id)
        layout = self._layouts[number]
        k = len(layout.names)
        keypoints = PersonKeypoints(layout, data.array(k, 2), data.array(k), track_id, time_ns)
        joints, pose = None, None
        if flags & HAS_JOINTS:
            layout = self._layouts[data.unpack(NUMBER)[0]]
            j = len(layout.names)
            joints = Joints3D(layout, data.array(j, 3), data.array(3), data.array(j), track_id, time_ns)
        if flags & HAS_POSE:
            skeleton = self._skeletons[data.unpack(NUMBER)[0]]
            j = len(skeleton.joints)
            rotations = JointRotations(skeleton, data.array(j, 4))
            contact = np.array([flags & LEFT_CONTACT, flags & RIGHT_CONTACT], bool) if flags & KNOWS_CONTACT else None
            pose = SkeletonPose(rotations, data.array(3), data.array(j), data.array(j), track_id, time_ns, contact)
        return Person(box, keypoints, joints, pose)


class _BodyReader:
    """Reads numbers from a record's body, in order."""

    def __init__(self, body: bytes) -> None:
        self._body, self._offset = body, 0

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        values = form.unpack_from(self._body, self._offset)
        self._offset += form.size
        return values

    def array(self, *shape: int) -> Float32:
        count = int(np.prod(shape))
        values = np.frombuffer(self._body, "<f4", count, self._offset).astype(np.float32)
        self._offset += 4 * count
        return values.reshape(shape)


def _layout_of(fields: dict[str, Any]) -> KeypointLayout:
    """The program's own layout of that name if it is the same, otherwise the one that the session describes."""
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
