"""Packet stream: frame results in, the packets of one sender out."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from realtime_pose.axes import mirrored_positions, mirrored_rotations
from realtime_pose.communication.packets.pose_packet import (
    BODY_NAMES,
    JOINT_NAMES,
    HelloPacket,
    Packet,
    PartPacket,
    PosePacket,
)
from realtime_pose.datatypes import Frame, FrameResult, Joints3D, Person, PersonKeypoints, SkeletonPose
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import COCO_WHOLEBODY133, HUMANOID, KeypointLayout
from realtime_pose.utils.arrays import Float64, FloatArray


def _of_part(part: str) -> list[str]:
    """Names of one part's points in COCO_WHOLEBODY133, in its order."""
    layout = COCO_WHOLEBODY133
    return [name for name, of in zip(layout.names, layout.parts, strict=True) if of == part]


PARTS: dict[str, tuple[str, ...]] = {
    "feet": ("left_heel", "right_heel", "left_toe", "right_toe"),
    "hands": ("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
}
"""Names of each part's points; a part is sent when the person's layout has any of them."""

FINE_PARTS: dict[str, tuple[str, ...]] = {
    "toes": ("left_big_toe", "left_small_toe", "right_big_toe", "right_small_toe"),
    "face": tuple(_of_part("face")),
    "left_hand": tuple(name for name in _of_part("hand") if name.startswith("left")),
    "right_hand": tuple(name for name in _of_part("hand") if name.startswith("right")),
}
"""Parts in pixels only; each is sent when the person's layout has all of its points.

Their names do not fit into a `hello`, which has empty lists for them; docs/conventions.md lists the names.
"""

_AXES = {"handedness": "right", "up": "+y", "front": "+z", "left": "+x"}
_UNITS = {"keypoints": "px, y down", "joints_3d": "m", "rotations": "xyzw, local", "timestamp": "s, Unix time"}
_HELLO_EVERY_NS = 1_000_000_000
_MAX_PX, _MAX_M = 99_999.0, 99.0  # far outside of any image or room; keeps datagrams within their size
_REFLECT_X = np.array([-1.0, 1.0, 1.0])


class PacketStream:
    """Makes the packets of one sender: numbers frames, adds timestamps, and a `hello` once a second.

    Args:
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.
        stream: Number of the stream; drawn at random if None.
        wall_offset_ns: Unix time minus the monotonic clock that stamps `captured_ns`; measured now if None.
    """

    def __init__(self, *, mirror: bool = False, stream: int | None = None, wall_offset_ns: int | None = None) -> None:
        self._mirror = mirror
        self._stream = secrets.randbelow(2**31) if stream is None else stream
        self._wall_offset_ns = time.time_ns() - time.monotonic_ns() if wall_offset_ns is None else wall_offset_ns
        self._seq = -1
        self._sent = 0
        self._last: FrameResult | None = None
        self._hello_ns: int | None = None

    def packets_of(self, result: FrameResult) -> list[Packet]:
        """A `hello` if one is due, then each person's `pose` and `part` packets."""
        self._last, frame = result, result.frame
        self._seq += 1
        packets: list[Packet] = []
        if self._hello_ns is None or not 0 <= frame.captured_ns - self._hello_ns < _HELLO_EVERY_NS:
            self._hello_ns = frame.captured_ns
            packets.append(self._hello(result))
        for person in result.people:
            as_lifted = person.keypoints.in_layout(person.keypoints.layout.lifts_as)
            bodies: list[Packet] = [self._pose(frame, person, as_lifted), *self._parts(frame, person, as_lifted)]
            self._sent += len(bodies)
            packets += bodies
        return packets

    def closing_packets(self) -> list[Packet]:
        """A final `hello` with the total number of packets, for the receiver's loss count; none without frames."""
        self._seq += 1
        return [] if self._last is None else [self._hello(self._last)]

    def _timestamp(self, frame: Frame) -> float:
        return (frame.captured_ns + self._wall_offset_ns) / 1e9

    def _hello(self, result: FrameResult) -> HelloPacket:
        frame, camera = result.frame, result.camera
        if camera is not None:
            camera = replace(camera, position_m=np.clip(camera.position_m, -_MAX_M, _MAX_M))
            camera = camera.mirrored() if self._mirror else camera
        return HelloPacket(
            stream=self._stream,
            seq=self._seq,
            timestamp=self._timestamp(frame),
            sent=self._sent,
            keypoints=BODY_NAMES,
            parts=PARTS | dict.fromkeys(FINE_PARTS, ()),
            joints=JOINT_NAMES,
            parents=HUMANOID.parents,
            rest_offsets=HUMANOID.rest_offset_m.copy(),
            axes=_AXES,
            units=_UNITS,
            image=(frame.width, frame.height),
            mirrored=self._mirror,
            meta={} if camera is None else {"camera": camera.rounded(fewer_decimals=1).to_dict()},
        )

    def _pose(self, frame: Frame, person: Person, as_lifted: PersonKeypoints) -> PosePacket:
        keypoints, scores = self._points(frame, as_lifted, BODY_NAMES)
        joints_3d, rotations, root = self._body(person.pose)
        return PosePacket(
            stream=self._stream,
            seq=self._seq,
            person=person.keypoints.track_id,
            timestamp=self._timestamp(frame),
            keypoints=keypoints,
            scores=scores,
            joints_3d=joints_3d,
            rotations=rotations,
            root=root,
        )

    def _parts(self, frame: Frame, person: Person, as_lifted: PersonKeypoints) -> list[PartPacket]:
        parts = [
            self._part(frame, person, as_lifted, part, names)
            for part, names in PARTS.items()
            if any(name in as_lifted.layout.index for name in names)
        ]
        as_seen = person.keypoints
        parts += [
            self._part(frame, person, as_seen, part, names)
            for part, names in FINE_PARTS.items()
            if all(name in as_seen.layout.index for name in names)
        ]
        return parts

    def _part(self, frame: Frame, person: Person, seen: PersonKeypoints, part: str, names: Sequence[str]) -> PartPacket:
        keypoints, scores = self._points(frame, seen, names)
        return PartPacket(
            part=part,
            stream=self._stream,
            seq=self._seq,
            person=seen.track_id,
            timestamp=self._timestamp(frame),
            keypoints=keypoints,
            scores=scores,
            joints_3d=self._part_3d(person, names),
        )

    def _points(self, frame: Frame, seen: PersonKeypoints, names: Sequence[str]) -> tuple[Float64, Float64]:
        """Pixels (N, 2) and scores (N,) of the named points; a missing point has score 0."""
        xy, score = np.zeros((len(names), 2)), np.zeros(len(names))
        rows, present = _find(seen.layout, names, mirror=self._mirror)
        xy[present], score[present] = seen.xy_px[rows], seen.score[rows]
        if self._mirror:
            xy[present, 0] = frame.width - xy[present, 0]
        known = np.all(np.isfinite(xy), axis=1) & np.isfinite(score)
        xy[~known], score[~known] = 0.0, 0.0
        return np.clip(xy, -_MAX_PX, _MAX_PX), np.clip(score, 0.0, 1.0)

    def _body(self, pose: SkeletonPose | None) -> tuple[Float64, Float64, Float64] | tuple[None, None, None]:
        if pose is None:
            return None, None, None
        joints_3d = forward_kinematics(pose)
        rotations: FloatArray = pose.rotations.local_xyzw
        if not (np.all(np.isfinite(joints_3d)) and np.all(np.isfinite(rotations))):
            return None, None, None
        if self._mirror:
            joints_3d = mirrored_positions(HUMANOID, joints_3d)
            rotations = mirrored_rotations(HUMANOID, rotations)
        joints_3d = np.clip(joints_3d, -_MAX_M, _MAX_M)
        return joints_3d, rotations.astype(np.float64), joints_3d[0].copy()

    def _part_3d(self, person: Person, names: Sequence[str]) -> Float64 | None:
        """The part's points (N, 3), placed at the pose's root; None if one of them or the pose is missing."""
        joints: Joints3D | None = person.joints
        if joints is None or person.pose is None:
            return None
        rows, present = _find(joints.layout, names, mirror=self._mirror)
        xyz = joints.xyz_m[rows].astype(np.float64) + person.pose.root_m
        if len(present) < len(names) or not np.all(np.isfinite(xyz)):
            return None
        return np.clip(xyz * _REFLECT_X if self._mirror else xyz, -_MAX_M, _MAX_M)


def _find(layout: KeypointLayout, names: Sequence[str], *, mirror: bool) -> tuple[list[int], list[int]]:
    """Rows in the layout (if mirrored, the other side's) and rows in `names` of the names that the layout has."""
    present = [i for i, name in enumerate(names) if name in layout.index]
    rows = layout.rows([names[i] for i in present])
    return [layout.mirror[row] for row in rows] if mirror else rows, present
