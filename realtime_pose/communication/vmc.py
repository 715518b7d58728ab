"""VMC protocol over UDP: one avatar's bones, for Unity, Unreal, Blender, Godot, VSeeFace, Warudo and others.

Source: sh-akira/VirtualMotionCaptureProtocol, specification v3.1 (the roles "performer" and "marionette").
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pythonosc.osc_message import OscMessage

from realtime_pose.axes import UNITY
from realtime_pose.communication.avatar import AvatarPose, PersonSelector, avatar_pose
from realtime_pose.communication.datagrams import Datagram, DatagramSink
from realtime_pose.communication.osc import bundles, message
from realtime_pose.datatypes import FrameResult

_LOADED, _CALIBRATED, _NORMAL_MODE = 1, 3, 0


class VmcSink(DatagramSink):
    """Sends one person per frame as bundles of OSC messages, parents before children.

    Every frame carries the tracking state, so that an avatar can react; bones follow while the person is tracked. A
    bone's position is its rest offset from the parent with the person's bone lengths, never zero, because some
    receivers apply it. The hips carry the person's position.

    Args:
        destination: "host[:port][,person=ID]"; without an id, the person that `PersonSelector` selects.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The destination is not valid, or its host is unknown.
    """

    name: ClassVar[str] = "vmc"
    default_port: ClassVar[int | None] = 39_539

    def __init__(self, destination: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(destination)
        self._mirror = mirror
        self._selector = PersonSelector()
        self._start_ns: int | None = None

    def datagrams_of(self, result: FrameResult) -> Iterable[Datagram]:
        """The frame's bundles: state, time and root first, then the bones."""
        time_ns = result.frame.time_ns
        if self._start_ns is None or time_ns < self._start_ns:
            self._start_ns = time_ns
        person = self._selector.select(result)
        body = avatar_pose(person.pose if person is not None else None, mirror=self._mirror)
        datagrams = list(bundles(_messages((time_ns - self._start_ns) / 1e9, body)))
        for i, data in enumerate(datagrams):
            yield Datagram(data, completes_pose=body is not None and i == len(datagrams) - 1)


def unity_bone(joint: str) -> str:
    """The joint's name in Unity's HumanBodyBones, such as "LeftUpperArm" for "leftUpperArm"."""
    return joint[0].upper() + joint[1:]


def _messages(seconds: float, body: AvatarPose | None) -> Iterator[OscMessage]:
    yield message("/VMC/Ext/OK", _LOADED, _CALIBRATED, _NORMAL_MODE, int(body is not None))
    yield message("/VMC/Ext/T", seconds)
    if body is None:
        return
    yield message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    positions, rotations = UNITY.positions(body.offset_m).tolist(), UNITY.rotations(body.local_xyzw).tolist()
    for joint, position, rotation in zip(body.skeleton.joints, positions, rotations, strict=True):
        yield message("/VMC/Ext/Bone/Pos", unity_bone(joint), *position, *rotation)
