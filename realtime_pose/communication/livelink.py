"""JSON Live Link over UDP: Unreal's JSONLiveLink plugin takes each datagram as poses of named subjects.

Source: the plugin's own reader (ue4plugins/JSONLiveLink, JSONLiveLinkSource.cpp): every bone needs all five fields, and
names and parents are read when a subject is first seen, so every datagram carries them.
"""

import json
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from realtime_pose.axes import UNREAL
from realtime_pose.communication.avatar import Body, body_of
from realtime_pose.communication.datagrams import DatagramSink
from realtime_pose.datatypes import FrameResult

_DECIMALS_CM, _DECIMALS_QUATERNION = 2, 4


class LiveLinkSink(DatagramSink):
    """Sends each person of each frame as a subject `person_<id>`: bones by HUMANOID's names, parent-relative.

    A datagram is about 2,000 bytes, more than Ethernet takes in one piece: made for this machine; between machines the
    network splits it.

    Args:
        target: "host[:port][,person=ID]".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The target is none, or its host is not known.
    """

    name: ClassVar[str] = "livelink"
    usual_port: ClassVar[int | None] = 54_321

    def __init__(self, target: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(target)
        self._mirror = mirror

    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """A datagram for each person with a pose."""
        for person in result.people:
            body = body_of(person.pose, mirror=self._mirror)
            if body is not None:
                subject = {f"person_{person.keypoints.track_id}": _bones(body)}
                yield json.dumps(subject, separators=(",", ":")).encode(), True


def _bones(body: Body) -> list[dict[str, object]]:
    places = np.round(UNREAL.positions(body.offset_m), _DECIMALS_CM) + 0.0
    turns = np.round(UNREAL.rotations(body.local_xyzw), _DECIMALS_QUATERNION) + 0.0
    return [
        {"Name": joint, "Parent": parent, "Location": place, "Rotation": turn, "Scale": [1, 1, 1]}
        for joint, parent, place, turn in zip(
            body.skeleton.joints, body.skeleton.parents, places.tolist(), turns.tolist(), strict=True
        )
    ]
