"""VMC protocol over UDP: one avatar's bones for Unity, Unreal, Blender, Godot, VSeeFace, Warudo ...

Source: sh-akira/VirtualMotionCaptureProtocol, specification v3.1 (the roles "performer" and "marionette").
"""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from pythonosc.osc_message import OscMessage

from realtime_pose.axes import UNITY
from realtime_pose.communication.avatar import Body, OnePerson, body_of
from realtime_pose.communication.datagrams import DatagramSink
from realtime_pose.communication.osc import bundles, message
from realtime_pose.datatypes import FrameResult

_LOADED, _CALIBRATED, _NORMAL_MODE = 1, 3, 0


class VmcSink(DatagramSink):
    """Sends one person a frame as bundles of OSC messages, parents before children.

    Every frame says whether somebody is tracked, so that an avatar can react; bones follow while somebody is. A bone's
    position is its offset from the parent at rest, of the person's own bone lengths: never zero, as some receivers
    apply it. The hips carry the person's place.

    Args:
        target: "host[:port][,person=ID]"; without a person, who is seen first is shown until they are gone.
        mirror: Swap left and right and reflect X, so that a character moves like a mirror image.

    Raises:
        ConfigError: The target is none, or its host is not known.
    """

    name: ClassVar[str] = "vmc"
    usual_port: ClassVar[int | None] = 39_539

    def __init__(self, target: str = "127.0.0.1", *, mirror: bool = False) -> None:
        super().__init__(target)
        self._mirror = mirror
        self._one = OnePerson()
        self._start_ns: int | None = None

    def datagrams_of(self, result: FrameResult) -> Iterable[tuple[bytes, bool]]:
        """The frame's bundles: state, time and root first, then the bones."""
        time_ns = result.frame.time_ns
        if self._start_ns is None or time_ns < self._start_ns:
            self._start_ns = time_ns
        person = self._one.of(result)
        body = body_of(person.pose if person is not None else None, mirror=self._mirror)
        written = list(bundles(_messages((time_ns - self._start_ns) / 1e9, body)))
        for i, datagram in enumerate(written):
            yield datagram, body is not None and i == len(written) - 1


def unity_bone(joint: str) -> str:
    """The joint's name in Unity's HumanBodyBones: "leftUpperArm" -> "LeftUpperArm"."""
    return joint[0].upper() + joint[1:]


def _messages(seconds: float, body: Body | None) -> Iterator[OscMessage]:
    yield message("/VMC/Ext/OK", _LOADED, _CALIBRATED, _NORMAL_MODE, int(body is not None))
    yield message("/VMC/Ext/T", seconds)
    if body is None:
        return
    yield message("/VMC/Ext/Root/Pos", "root", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    places, turns = UNITY.positions(body.offset_m).tolist(), UNITY.rotations(body.local_xyzw).tolist()
    for joint, place, turn in zip(body.skeleton.joints, places, turns, strict=True):
        yield message("/VMC/Ext/Bone/Pos", unity_bone(joint), *place, *turn)
