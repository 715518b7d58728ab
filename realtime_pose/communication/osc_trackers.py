"""OSC trackers: places and turns of a few body parts, for receivers that do the inverse kinematics themselves.

The simplest feed there is, and no rig is needed. Source: VRChat's documentation, "OSC Trackers": Unity's world space,
metres, Euler angles in degrees that are applied in the order Z, X, Y.
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

import numpy as np
from pythonosc.osc_message import OscMessage

from realtime_pose.axes import UNITY
from realtime_pose.communication.avatar import Body, OnePerson, body_of
from realtime_pose.communication.datagrams import DatagramSink
from realtime_pose.communication.osc import bundles, message
from realtime_pose.datatypes import FrameResult
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
"""The joint that each tracker sits on: knees and elbows are where lower legs and lower arms begin."""


class OscTrackerSink(DatagramSink):
    """Sends one person's trackers a frame, in one bundle; nothing while nobody has a pose.

    Args:
        target: "host[:port][,person=ID]"; without a person, who is seen first is shown until they are gone.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The target is none, or its host is not known.
    """

    name: ClassVar[str] = "osc_trackers"
    usual_port: ClassVar[int | None] = 9000

    def __init__(self, target: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(target)
        self._mirror = mirror
        self._one = OnePerson()

    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """The frame's bundle."""
        person = self._one.of(result)
        body = body_of(person.pose if person is not None else None, mirror=self._mirror)
        if body is not None:
            (datagram,) = bundles(_messages(body))
            yield datagram, True


def _messages(body: Body) -> Iterator[OscMessage]:
    xyz, turned = body.joints_in_space()
    places, angles = UNITY.positions(xyz), euler_zxy_deg(UNITY.rotations(turned))
    for tracker, joint in TRACKERS.items():
        row = body.skeleton.index[joint]
        yield message(f"/tracking/trackers/{tracker}/position", *places[row].tolist())
        yield message(f"/tracking/trackers/{tracker}/rotation", *angles[row].tolist())


def euler_zxy_deg(q_xyzw: Float64) -> Float64:
    """Angles (..., 3) about x, y and z, degrees, of turns (..., 4) that are made about z, then x, then y.

    R = Ry Rx Rz about fixed axes, so R12 = -sin x, R02 / R22 = tan y and R10 / R11 = tan z; looking straight up or
    down, z is taken as 0.
    """
    m = rot.to_matrix(q_xyzw)
    x = np.arcsin(np.clip(-m[..., 1, 2], -1.0, 1.0))
    locked = np.abs(m[..., 1, 2]) > 1 - 1e-9
    y = np.where(locked, np.arctan2(-m[..., 2, 0], m[..., 0, 0]), np.arctan2(m[..., 0, 2], m[..., 2, 2]))
    z = np.where(locked, 0.0, np.arctan2(m[..., 1, 0], m[..., 1, 1]))
    return np.degrees(np.stack((x, y, z), axis=-1))
