"""JSON Live Link over UDP, for Unreal's JSONLiveLink plugin: each datagram holds the bones of one named subject.

Source: the plugin's reader (ue4plugins/JSONLiveLink, JSONLiveLinkSource.cpp): every bone needs all five fields, and
names and parents are read when a subject first appears, so every datagram carries them.
"""

import json
from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from realtime_pose.axes import UNREAL
from realtime_pose.communication.avatar import AvatarPose, avatar_pose
from realtime_pose.communication.datagrams import Datagram, DatagramSink
from realtime_pose.datatypes import FrameResult

_DECIMALS_CM, _DECIMALS_QUATERNION = 2, 4


class LiveLinkSink(DatagramSink):
    """Sends each person of each frame as a subject `person_<id>`: HUMANOID's bones, parent-relative.

    A datagram has about 2,000 bytes, more than an Ethernet frame holds, so between machines the network fragments it.

    Args:
        destination: "host[:port][,person=ID]".
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The destination is not valid, or its host is unknown.
    """

    name: ClassVar[str] = "livelink"
    default_port: ClassVar[int | None] = 54_321

    def __init__(self, destination: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(destination)
        self._mirror = mirror

    def datagrams_of(self, result: FrameResult) -> Iterable[Datagram]:
        """One datagram per person with a pose."""
        for person in result.people:
            body = avatar_pose(person.pose, mirror=self._mirror)
            if body is not None:
                subject = {f"person_{person.keypoints.track_id}": _bones(body)}
                yield Datagram(json.dumps(subject, separators=(",", ":")).encode(), completes_pose=True)


def _bones(body: AvatarPose) -> list[dict[str, object]]:
    locations = np.round(UNREAL.positions(body.offset_m), _DECIMALS_CM) + 0.0  # + 0.0 turns -0.0 into 0.0
    rotations = np.round(UNREAL.rotations(body.local_xyzw), _DECIMALS_QUATERNION) + 0.0
    return [
        {"Name": joint, "Parent": parent, "Location": location, "Rotation": rotation, "Scale": [1, 1, 1]}
        for joint, parent, location, rotation in zip(
            body.skeleton.joints, body.skeleton.parents, locations.tolist(), rotations.tolist(), strict=True
        )
    ]
