"""What the last frame has to say in numbers and as a packet."""

import json

import numpy as np

from realtime_pose.communication.packet import PosePacket, encode
from realtime_pose.communication.stream import PacketStream
from realtime_pose.datatypes import FrameResult


def mean_score(result: FrameResult | None) -> float | None:
    """The mean score of everybody's keypoints; None without a frame or people."""
    if result is None or not result.people:
        return None
    return float(np.mean(np.concatenate([person.keypoints.sane().score for person in result.people])))


def last_packet(result: FrameResult | None, *, mirror: bool) -> str:
    """The first person's PosePacket as it is sent, a line for each key; empty without one."""
    if result is None:
        return ""
    packets = PacketStream(mirror=mirror, stream=0).packets_of(result)
    pose = next((packet for packet in packets if isinstance(packet, PosePacket)), None)
    if pose is None:
        return ""
    values = json.loads(encode(pose))
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()) + "\n}"
