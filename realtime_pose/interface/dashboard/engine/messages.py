"""Messages of the WebSocket /live: frames and events to the page, commands and camera frames back.

A frame is a u32 (little-endian) with the length of a JSON header, the header, then the image as JPEG, which may be
empty. All other messages of the server are JSON text with a `type`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_pose.communication.avatar import avatar_pose
from realtime_pose.datatypes import Frame, FrameResult, Person, SceneCamera
from realtime_pose.drawing import SIDE_BGR
from realtime_pose.errors import PacketError
from realtime_pose.skeletons import COCO17, HUMANOID, LAYOUTS
from realtime_pose.utils.arrays import FloatArray

DO = ("recentre", "pause", "resume", "step")
"""Commands of the live view's keys."""
CAMERA_HEAD_BYTES = 8
"""Before a camera frame: the client's clock."""

_LENGTH = struct.Struct("<I")
_CAMERA_HEAD = struct.Struct("<d")
_LONGER_SIDE_PX = 960
_QUALITY = 80
_PX, _SCORE, _METRES, _QUATERNION = 1, 2, 4, 4  # decimals
_FAR_PX = 99_999.0


def hello(character: str) -> str:
    """The first message: layouts, skeleton and colours; `character` is the default character's URL path."""
    layouts = {
        name: {"names": layout.names, "links": layout.links, "sides": layout.sides, "parts": layout.parts}
        for name, layout in LAYOUTS.items()
    }
    skeleton = {
        "joints": HUMANOID.joints,
        "parents": HUMANOID.parents,
        "rest_offset_m": HUMANOID.rest_offset_m.tolist(),
    }
    colours = {side: f"#{red:02x}{green:02x}{blue:02x}" for side, (blue, green, red) in SIDE_BGR.items()}
    return text_of(
        {"type": "hello", "layouts": layouts, "skeleton": skeleton, "colours": colours, "character": character}
    )


def text_of(event: Mapping[str, Any]) -> str:
    """An event as JSON. Raises ValueError for NaN or infinity, which no browser parses."""
    return json.dumps(event, separators=(",", ":"), allow_nan=False)


def without_camera(event: str) -> str:
    """The event for a window whose camera is not in use."""
    return text_of(json.loads(event) | {"browser_camera": False})


def frame_message(result: FrameResult, *, seq: int, run: int, mirror: bool, sent_unix_s: float) -> bytes:
    """One frame with its people, for the live view; `mirror` mirrors the poses, not the pixels."""
    frame = result.frame
    header = {
        "seq": seq,
        "run": run,
        "time_s": frame.time_ns / 1e9,
        "sent_unix_s": sent_unix_s,
        "size": [frame.width, frame.height],
        "camera": _camera(result.camera, mirror),
        "people": [_person(person, mirror) for person in result.people],
    }
    head = text_of(header).encode()
    return b"".join((_LENGTH.pack(len(head)), head, jpeg_of(frame)))


def jpeg_of(frame: Frame) -> bytes:
    """The frame's image as JPEG, at most 960 px on its longer side; empty for a frame without one.

    Sessions have no images: their frames have a black one that takes no memory, whose strides are 0.
    """
    import cv2

    image = frame.image_bgr
    if not image.size or not any(image.strides):
        return b""
    scale = _LONGER_SIDE_PX / max(image.shape[:2])
    if scale < 1:
        size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    encoded, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(jpeg) if encoded else b""


def _camera(camera: SceneCamera | None, mirror: bool) -> dict[str, Any] | None:
    """The camera as three.js places it; a mirrored one for mirrored poses."""
    if camera is None:
        return None
    seen_by = camera.mirrored() if mirror else camera
    rotation = _rounded(seen_by.rotation_xyzw, _QUATERNION + 1)
    return {
        "position": _rounded(seen_by.position_m, _METRES),
        "rotation": rotation,
        "yfov_deg": round(camera.yfov_deg, 3),
    }


def _person(person: Person, mirror: bool) -> dict[str, Any]:
    seen = person.keypoints.sane()
    if (
        LAYOUTS.get(seen.layout.name) is not seen.layout
    ):  # of a foreign session; the page knows the program's layouts only
        seen = seen.in_layout(COCO17)
    message: dict[str, Any] = {
        "id": seen.track_id,
        "box": _rounded(np.clip(np.nan_to_num(person.box.bbox_xyxy_px), -_FAR_PX, _FAR_PX), _PX),
        "layout": seen.layout.name,
        "keypoints": _rounded(seen.xy_px, _PX),
        "scores": _rounded(seen.score, _SCORE),
        "joints": None,
        "rotations": None,
        "root": None,
        "known": None,
    }
    pose = person.pose
    body = avatar_pose(pose, mirror=mirror)
    if pose is None or body is None or body.skeleton.joints != HUMANOID.joints:
        return message
    score = np.clip(np.nan_to_num(pose.score), 0, 1)
    joints, _ = body.global_joints()
    message["joints"] = _rounded(joints, _METRES)
    message["rotations"] = _rounded(body.local_xyzw, _QUATERNION)
    message["root"] = _rounded(body.offset_m[0], _METRES)
    message["known"] = _rounded(score[list(body.skeleton.mirror)] if mirror else score, _SCORE)
    return message


def _rounded(array: FloatArray, decimals: int) -> list[Any]:
    values: list[Any] = np.round(array.astype(np.float64), decimals).tolist()
    return values


@dataclass(frozen=True)
class Command:
    """A client's text message: `ack`, the frame that it has drawn, or `do`, one of DO."""

    ack: int | None = None
    do: str = ""


def read_text(text: str) -> Command:
    """A client's text message, parsed.

    Raises:
        PacketError: It is neither {"ack": number} nor {"do": one of DO}.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PacketError("the message is not JSON") from exc
    if isinstance(message, dict) and len(message) == 1:
        if type(ack := message.get("ack")) is int:
            return Command(ack=ack)
        if (do := message.get("do")) in DO:
            return Command(do=do)
    raise PacketError(f'wanted {{"ack": number}} or {{"do": one of {", ".join(DO)}}}')


def read_camera_frame(message: bytes) -> tuple[float, bytes]:
    """The time of the grab in ms of the client's clock, and the JPEG.

    Raises:
        PacketError: The message is too short.
    """
    if len(message) <= CAMERA_HEAD_BYTES:
        raise PacketError("the message is too short; wanted the time of the grab, then a JPEG")
    return _CAMERA_HEAD.unpack_from(message)[0], message[CAMERA_HEAD_BYTES:]
