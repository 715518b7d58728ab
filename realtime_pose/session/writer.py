"""Session writer: appends the results of a run to an .rtpose file."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime_pose.datatypes import FrameResult, Person, SceneCamera
from realtime_pose.errors import RecordingError
from realtime_pose.session.checks import check_settings, read_json
from realtime_pose.session.format import (
    CAMERA,
    END,
    FRAME,
    FRAME_COUNT,
    FRAME_HEAD,
    HAS_JOINTS,
    HAS_POSE,
    KNOWS_CONTACT,
    LAYOUT,
    LEFT_CONTACT,
    MAGIC,
    NUMBER,
    PERSON_HEAD,
    RIGHT_CONTACT,
    SETTINGS,
    SKELETON,
    VERSION,
    VERSION_NUMBER,
    json_record,
    record,
)
from realtime_pose.skeletons import KeypointLayout, Skeleton
from realtime_pose.utils.arrays import Float32
from realtime_pose.utils.record_writer import RecordWriter


class SessionRecorder:
    """Writes a session; after a crash it can be read up to the last whole frame.

    Args:
        path: The file; an existing one is replaced.
        settings: The settings of the run (model, source, ...); any JSON. "wall_offset_ns" is measured if missing.

    Raises:
        RecordingError: The file cannot be created, or the settings would not be read again.
    """

    def __init__(self, path: str | Path, settings: Mapping[str, Any]) -> None:
        header = {"wall_offset_ns": time.time_ns() - time.monotonic_ns()} | dict(settings)
        try:
            check_settings(read_json(json.dumps(header).encode()))
        except ValueError as exc:
            raise RecordingError(f"cannot record {path}: its settings hold {exc}; give what JSON can hold") from exc
        self._writer: RecordWriter | None = RecordWriter(Path(path))
        self._layouts: dict[KeypointLayout, int] = {}
        self._skeletons: dict[Skeleton, int] = {}
        self._camera: dict[str, Any] | None = None
        self._writer.append(MAGIC + VERSION_NUMBER.pack(VERSION) + json_record(SETTINGS, header))

    def send(self, result: FrameResult) -> None:
        """Write one frame, empty ones too; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; the frames before stay readable.
        """
        if self._writer is None:
            return
        new = self._camera_record(result.camera)
        frame = result.frame
        head = (frame.index, frame.time_ns, frame.captured_ns, frame.width, frame.height, len(result.people))
        body = b"".join((FRAME, FRAME_HEAD.pack(*head), *(self._encode(person, new) for person in result.people)))
        self._writer.append(b"".join((*new, record(body))))

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _encode(self, person: Person, new: list[bytes]) -> bytes:
        keypoints, joints, pose, box = person.keypoints, person.joints, person.pose, person.box
        flags = (HAS_JOINTS if joints else 0) | (HAS_POSE if pose else 0)
        if pose is not None and pose.foot_contact is not None:
            left, right = pose.foot_contact.tolist()
            flags |= KNOWS_CONTACT | (LEFT_CONTACT if left else 0) | (RIGHT_CONTACT if right else 0)
        number = self._layout_number(keypoints.layout, new)
        out = [
            PERSON_HEAD.pack(keypoints.track_id, flags, number, *box.bbox_xyxy_px.tolist(), box.score),
            _bytes(keypoints.xy_px, keypoints.score),
        ]
        if joints is not None:
            out.append(NUMBER.pack(self._layout_number(joints.layout, new)))
            out.append(_bytes(joints.xyz_m, joints.root_m, joints.score))
        if pose is not None:
            out.append(NUMBER.pack(self._skeleton_number(pose.rotations.skeleton, new)))
            out.append(_bytes(pose.rotations.local_xyzw, pose.root_m, pose.bone_m, pose.score))
        return b"".join(out)

    def _camera_record(self, camera: SceneCamera | None) -> list[bytes]:
        fields = None if camera is None else camera.to_dict()
        if fields == self._camera:
            return []
        self._camera = fields
        return [json_record(CAMERA, fields)]

    def _layout_number(self, layout: KeypointLayout, new: list[bytes]) -> int:
        if layout not in self._layouts:
            self._layouts[layout] = len(self._layouts)
            new.append(json_record(LAYOUT, {"name": layout.name, "names": layout.names, "links": layout.links}))
        return self._layouts[layout]

    def _skeleton_number(self, skeleton: Skeleton, new: list[bytes]) -> int:
        if skeleton not in self._skeletons:
            self._skeletons[skeleton] = len(self._skeletons)
            fields = {
                "name": skeleton.name,
                "joints": skeleton.joints,
                "parents": skeleton.parents,
                "rest_offset_m": skeleton.rest_offset_m.tolist(),
                "tip_offset_m": skeleton.tip_offset_m,
            }
            new.append(json_record(SKELETON, fields))
        return self._skeletons[skeleton]


def mark_finished(path: Path, frames: int) -> None:
    """Append the end record to a closed session whose source was read to its end.

    Raises:
        RecordingError: The disk is full or gone.
    """
    try:
        with path.open("ab") as file:
            file.write(record(END + FRAME_COUNT.pack(frames)))
    except OSError as exc:
        raise RecordingError(f"cannot write {path}: {exc.strerror}; free some space there") from exc


def _bytes(*arrays: Float32) -> bytes:
    return b"".join(array.astype("<f4").tobytes() for array in arrays)
