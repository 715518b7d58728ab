"""What the server and the page say to each other over the WebSocket: bytes out of results, commands out of text.

A frame is a u32 (little-endian) with the length of a JSON header, the header, then the picture as JPEG, which is empty
where there is none. Everything else that the server says is JSON text with a `type`.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_pose.communication.avatar import avatar_pose
from realtime_pose.datatypes import Frame, FrameResult, Person
from realtime_pose.drawing import SIDE_BGR
from realtime_pose.errors import PacketError
from realtime_pose.skeletons import COCO17, HUMANOID, LAYOUTS
from realtime_pose.utils.arrays import FloatArray

DO = ("recentre", "pause", "resume", "step")
"""What the viewer's keys may ask for."""
CAMERA_HEAD_BYTES = 8
"""Before a camera's picture: the client's clock."""

_LENGTH = struct.Struct("<I")
_CAMERA_HEAD = struct.Struct("<d")
_LONGER_SIDE_PX = 960
_QUALITY = 80
_PX, _SCORE, _METRES, _QUATERNION = 1, 2, 4, 4  # decimals
_FAR_PX = 99_999.0


def hello(character: str) -> str:
    """The first message: all that is needed to draw what comes; `character` is the default one's address."""
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
    """An event as JSON. Raises ValueError where it holds NaN or infinity, which no browser reads."""
    return json.dumps(event, separators=(",", ":"), allow_nan=False)


def without_camera(event: str) -> str:
    """The event for a window whose camera is not the one that is used."""
    return text_of(json.loads(event) | {"browser_camera": False})


def frame_message(result: FrameResult, *, seq: int, run: int, mirror: bool, sent_unix_s: float) -> bytes:
    """One frame with its people, as the page draws it; `mirror` shows the poses, not the pixels, in a mirror."""
    frame = result.frame
    header = {
        "seq": seq,
        "run": run,
        "time_s": frame.time_ns / 1e9,
        "sent_unix_s": sent_unix_s,
        "size": [frame.width, frame.height],
        "people": [_person(person, mirror) for person in result.people],
    }
    head = text_of(header).encode()
    return b"".join((_LENGTH.pack(len(head)), head, picture_of(frame)))


def picture_of(frame: Frame) -> bytes:
    """The frame's picture as JPEG, at most 960 px on its longer side; empty for a frame without one.

    Sessions keep no pictures: the frames that they give have a black one that takes no memory, whose strides are 0.
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


def _person(person: Person, mirror: bool) -> dict[str, Any]:
    seen = person.keypoints.sane()
    if LAYOUTS.get(seen.layout.name) is not seen.layout:  # of a foreign session; the page knows the program's own
        seen = seen.in_layout(COCO17)
    told: dict[str, Any] = {
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
        return told
    score = np.clip(np.nan_to_num(pose.score), 0, 1)
    joints, _ = body.global_joints()
    told["joints"] = _rounded(joints, _METRES)
    told["rotations"] = _rounded(body.local_xyzw, _QUATERNION)
    told["root"] = _rounded(body.offset_m[0], _METRES)
    told["known"] = _rounded(score[list(body.skeleton.mirror)] if mirror else score, _SCORE)
    return told


def _rounded(array: FloatArray, decimals: int) -> list[Any]:
    values: list[Any] = np.round(array.astype(np.float64), decimals).tolist()
    return values


@dataclass(frozen=True)
class Said:
    """What a client said in text: `ack`, the frame that it has drawn, or `do`, one of DO."""

    ack: int | None = None
    do: str = ""


def read_text(text: str) -> Said:
    """What the client said.

    Raises:
        PacketError: It is neither {"ack": number} nor {"do": one of DO}.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise PacketError("the message is no JSON") from exc
    if isinstance(said, dict) and len(said) == 1:
        if type(ack := said.get("ack")) is int:
            return Said(ack=ack)
        if (do := said.get("do")) in DO:
            return Said(do=do)
    raise PacketError(f'wanted {{"ack": number}} or {{"do": one of {", ".join(DO)}}}')


def read_picture(message: bytes) -> tuple[float, bytes]:
    """When the client grabbed the picture, in ms of its clock, and the picture.

    Raises:
        PacketError: The message is too short to hold either.
    """
    if len(message) <= CAMERA_HEAD_BYTES:
        raise PacketError("wanted the time of the grab, then a JPEG")
    return _CAMERA_HEAD.unpack_from(message)[0], message[CAMERA_HEAD_BYTES:]
