"""The closed loop on the actor: its clip through the whole chain to a UDP receiver, against exact truth.

Everything is measured on the packets that arrive, as an engine would see them.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.communication.udp import UdpReceiver, UdpSink
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.evaluation.selftest_figures import Figures, judge_packets
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Runtime

TRUTH = "resources/videos/default_truth.npz"
_SILENCE_S = 0.3  # loopback is done when nothing came for so long


class _ContactLog:
    """A sink that keeps each frame's foot contacts, which packets do not carry."""

    def __init__(self) -> None:
        self.contacts: dict[int, tuple[bool, bool]] = {}

    def send(self, result: FrameResult) -> None:
        """Keep the contacts of the first person with a pose."""
        poses = [person.pose for person in result.people if person.pose is not None]
        if poses and poses[0].foot_contact is not None:
            left, right = poses[0].foot_contact.tolist()
            self.contacts[result.frame.index] = (left, right)

    def close(self) -> None:
        """Nothing to release."""


def run_selftest(
    config: AppConfig,
    max_frames: int | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    clip: str = "actor",
) -> Figures:
    """Play an actor's clip live and judge what arrives.

    Args:
        config: Settings; source, outputs, body height and field of view are replaced by the actor's own.
        max_frames: End after so many.
        progress: Told how many frames arrived, of how many.
        clip: A packaged clip: "actor", or "actor-2", which nothing is tuned to.

    Raises:
        UnknownChoiceError: There is no such clip.
        RealtimePoseError: Nothing arrived, or a part cannot be had.
    """
    truth = load_truth(clip)
    camera = truth.intrinsics
    fov_deg = float(np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.fx)))
    config = config.with_values({"body": {"height_m": truth.height_m, "fov_deg": fov_deg}}, "selftest")
    receiver = UdpReceiver("127.0.0.1:0")
    udp = UdpSink(receiver.address)
    pipeline = build_pipeline(config)
    log = _ContactLog()
    runtime = Runtime(open_source(CaptureConfig(source=clip)), pipeline, [udp, log], paced=True, max_frames=max_frames)
    arrived: list[tuple[PosePacket, float]] = []
    try:
        runtime.start()
        while True:
            packet = receiver.receive(_SILENCE_S)
            if isinstance(packet, PosePacket):
                arrived.append((packet, time.time()))
                progress(packet.seq + 1, min(max_frames or len(truth.joints_m), len(truth.joints_m)))
            elif packet is None and runtime.wait(0.0):
                break
    finally:
        runtime.stop()
        receiver.close()
    runtime.raise_if_failed()
    if len(arrived) < 3:
        raise RealtimePoseError(
            f"the self-test got {len(arrived)} packets of {runtime.statistics.frames} frames, too few to judge; "
            "is the estimator working? try: realtime-pose doctor"
        )
    latency_ms = [(arrived_s - packet.timestamp) * 1e3 for packet, arrived_s in arrived]
    values: dict[str, Any] = {name: str(getattr(pipeline.estimator, attribute)) for name, attribute in _TESTED.items()}
    values |= judge_packets([packet for packet, _ in arrived], truth, log.contacts)
    return Figures(
        clip=clip,
        lifter=config.body.lifter,
        smoothing=config.body.smoothing,
        frames=runtime.statistics.frames,
        packets=len(arrived),
        packets_lost=udp.packets_sent - len(arrived),
        latency_ms_p50=float(np.percentile(latency_ms, 50)),
        latency_ms_p95=float(np.percentile(latency_ms, 95)),
        **values,
    )


_TESTED = {"estimator": "name", "runtime": "runtime", "device": "device"}
