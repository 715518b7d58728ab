"""Session records: decoding of frames, people, keypoint layouts and skeletons."""

import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from realtime_pose.datatypes import (
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
from realtime_pose.session.checks import (
    are_lengths,
    are_rotations,
    are_scores,
    check_box,
    check_frame,
    check_layout,
    check_skeleton,
    read_json,
)
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
from realtime_pose.skeletons import KeypointLayout, Skeleton
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

    def summary(self, payload: bytes) -> FrameSummary | None:
        """The start of a frame's record, for one pass over all of them; None for a record of another kind.

        Raises:
            RecordingError: Its numbers make no sense.
        """
        if payload[:1] != FRAME:
            return None
        try:
            *head, people = FRAME_HEAD.unpack_from(payload, 1)
            frame = check_frame(*head)
        except (ValueError, struct.error) as exc:
            raise self._unknown(exc) from exc
        return FrameSummary(frame.time_ns, frame.captured_ns, people)

    def decode(self, payload: bytes) -> FrameResult | None:
        """The result in a frame's record; None for a record of another kind.

        Joints or a pose whose numbers are none, such as NaN, are left out: the person's keypoints stay.

        Raises:
            RecordingError: The record has content that this program does not know.
        """
        kind, body = payload[:1], payload[1:]
        try:
            if kind == FRAME:
                return self._frame(_BodyReader(body))
            if kind == LAYOUT:
                self._layouts.append(check_layout(read_json(body), self._layouts))
            elif kind == SKELETON:
                self._skeletons.append(check_skeleton(read_json(body), self._skeletons))
            elif kind == CAMERA:
                fields = read_json(body)
                self.camera = None if fields is None else SceneCamera.from_dict(fields)
            elif kind != END:
                raise ValueError(f"a record of kind {kind!r}")
        except (ValueError, LookupError, struct.error, RealtimePoseError) as exc:
            raise self._unknown(exc) from exc
        return None

    def _unknown(self, exc: Exception) -> RecordingError:
        return RecordingError(
            f"{self._path} holds a record that this program does not know ({exc}); update it, or record again"
        )

    def _frame(self, data: "_BodyReader") -> FrameResult:
        *head, people = data.unpack(FRAME_HEAD)
        frame = check_frame(*head)
        return FrameResult(frame, tuple(self._person(data, frame.time_ns) for _ in range(people)), self.camera)

    def _person(self, data: "_BodyReader", time_ns: int) -> Person:
        track_id, flags, number, left, top, right, bottom, score = data.unpack(PERSON_HEAD)
        box = PersonBox(*check_box(left, top, right, bottom, score), track_id)
        layout = self._layouts[number]
        k = len(layout.names)
        keypoints = PersonKeypoints(layout, data.array(k, 2), data.array(k), track_id, time_ns)
        joints, pose = None, None
        if flags & HAS_JOINTS:
            layout = self._layouts[data.unpack(NUMBER)[0]]
            j = len(layout.names)
            xyz_m, root_m, scores = data.array(j, 3), data.array(3), data.array(j)
            if are_lengths(xyz_m, root_m) and are_scores(scores):
                joints = Joints3D(layout, xyz_m, root_m, scores, track_id, time_ns)
        if flags & HAS_POSE:
            skeleton = self._skeletons[data.unpack(NUMBER)[0]]
            j = len(skeleton.joints)
            xyzw, root_m, bone_m, scores = data.array(j, 4), data.array(3), data.array(j), data.array(j)
            contact = np.array([flags & LEFT_CONTACT, flags & RIGHT_CONTACT], bool) if flags & KNOWS_CONTACT else None
            if are_rotations(xyzw) and are_lengths(root_m, bone_m) and are_scores(scores):
                rotations = JointRotations(skeleton, xyzw)
                pose = SkeletonPose(rotations, root_m, bone_m, scores, track_id, time_ns, contact)
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
