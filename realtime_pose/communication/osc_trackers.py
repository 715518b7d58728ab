"""OSC trackers: positions and rotations of nine body parts, for receivers that solve inverse kinematics themselves.

Source: VRChat's documentation, "OSC Trackers": Unity's world space, metres, Euler angles in degrees, applied in the
order Z, X, Y.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
from pythonosc.osc_message import OscMessage

from realtime_pose.axes import UNITY
from realtime_pose.communication.avatar import AvatarPose, PersonSelector, avatar_pose
from realtime_pose.communication.datagrams import Datagram, DatagramSink
from realtime_pose.communication.osc import bundles, message
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

TRACKERS = {
    "head": "head",
    "1": "hips",
    "2": "chest",
    "3": "leftFoot",
    "4": "rightFoot",
    "5": "leftLowerLeg",
    "6": "rightLowerLeg",
    "7": "leftLowerArm",
    "8": "rightLowerArm",
}
"""The joint of each tracker; knees and elbows are the origins of the lower legs and lower arms."""


PARTS = {
    "head": ("head",),
    "hips": ("1",),
    "chest": ("2",),
    "feet": ("3", "4"),
    "knees": ("5", "6"),
    "elbows": ("7", "8"),
}
"""The trackers of each part that `only` takes."""


class OscTrackerSink(DatagramSink):
    """Sends one person's trackers, one bundle per frame; nothing while nobody has a pose.

    Args:
        destination: "host[:port][,person=ID][,only=PART]"; without an id, the person that `PersonSelector` selects.
            Each `only` names a part of PARTS whose trackers are sent; without one, all nine are.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The destination is not valid, or its host is unknown.
    """

    name: ClassVar[str] = "osc_trackers"
    default_port: ClassVar[int | None] = 9000

    def __init__(self, destination: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(destination, options=("person", "only"))
        if unknown := [part for part in self.only if part not in PARTS]:
            self.close()
            raise UnknownChoiceError("only", unknown[0], PARTS)
        self._trackers = [tracker for part in self.only or PARTS for tracker in PARTS[part]]
        self._mirror = mirror
        self._selector = PersonSelector()

    def datagrams_of(self, result: FrameResult) -> Iterable[Datagram]:
        """The frame's bundle, if the selected person has a pose."""
        person = self._selector.select(result)
        body = avatar_pose(person.pose if person is not None else None, mirror=self._mirror)
        if body is not None:
            (data,) = bundles(_messages(body, self._trackers))
            yield Datagram(data, completes_pose=True)


def _messages(body: AvatarPose, trackers: Iterable[str]) -> Iterator[OscMessage]:
    xyz_m, global_xyzw = body.global_joints()
    positions, angles = UNITY.positions(xyz_m), unity_euler_deg(UNITY.rotations(global_xyzw))
    for tracker in trackers:
        row = body.skeleton.index[TRACKERS[tracker]]
        yield message(f"/tracking/trackers/{tracker}/position", *positions[row].tolist())
        yield message(f"/tracking/trackers/{tracker}/rotation", *angles[row].tolist())


def unity_euler_deg(q_xyzw: Float64) -> Float64:
    """Euler angles (..., 3) about x, y and z in degrees, applied in the order z, x, y, of quaternions (..., 4).

    R = Ry Rx Rz about fixed axes, so R12 = -sin x, R02 / R22 = tan y and R10 / R11 = tan z; in gimbal lock (x of
    90 degrees) z is set to 0.
    """
    m = rot.to_matrix(q_xyzw)
    x = np.arcsin(np.clip(-m[..., 1, 2], -1.0, 1.0))
    locked = np.abs(m[..., 1, 2]) > 1 - 1e-9
    y = np.where(locked, np.arctan2(-m[..., 2, 0], m[..., 0, 0]), np.arctan2(m[..., 0, 2], m[..., 2, 2]))
    z = np.where(locked, 0.0, np.arctan2(m[..., 1, 0], m[..., 1, 1]))
    return np.degrees(np.stack((x, y, z), axis=-1))
