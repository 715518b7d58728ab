"""Self-test: an actor's clip through a whole run to a UDP receiver, compared with the actor's ground truth.

Everything is measured on the packets that arrive, as an engine would receive them.
"""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import numpy as np

from realtime_pose.app.run import open_run
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import AppConfig, OutputConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.evaluation.selftest_figures import Figures, evaluate_packets
from realtime_pose.model3d.actor_truth import load_truth

TRUTH = "resources/videos/default_truth.npz"
_SILENCE_S = 0.3  # after this long without a packet, none is left on the loopback interface
_FEWEST_PACKETS = 3  # for an acceleration


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
    """Play an actor's clip live, and measure the packets that arrive.

    Args:
        config: Settings; source, outputs, body height and field of view are replaced by the actor's own.
        max_frames: Number of frames after which it ends.
        progress: Called with the number of frames that arrived, and the total.
        clip: A packaged clip: "actor", or the held-out "actor-2".

    Raises:
        UnknownChoiceError: There is no such clip.
        RealtimePoseError: Too few packets arrived, or a part is not available.
    """
    truth = load_truth(clip)
    camera = truth.intrinsics
    fov_deg = float(np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.fx)))
    config = config.with_values({"body": {"height_m": truth.height_m, "fov_deg": fov_deg}}, "selftest")
    log = _ContactLog()
    arrived: list[tuple[PosePacket, float]] = []
    with closing(UdpReceiver("127.0.0.1:0")) as receiver:
        config = replace(config, capture=CaptureConfig(source=clip), output=OutputConfig(udp=receiver.address))
        with open_run(config, lambda note: None, max_frames=max_frames, more_sinks=[log]) as run:
            while True:
                packet = receiver.receive(_SILENCE_S)
                if isinstance(packet, PosePacket):
                    arrived.append((packet, time.time()))
                    progress(packet.seq + 1, min(max_frames or len(truth.joints_m), len(truth.joints_m)))
                elif packet is None and run.runtime.wait(0.0):
                    break
    run.runtime.raise_if_failed()
    frames = run.runtime.statistics.frames
    if len(arrived) < _FEWEST_PACKETS:
        raise RealtimePoseError(
            f"the self-test received {len(arrived)} packets for {frames} frames, too few to measure; "
            "is the pose model working? try: realtime-pose doctor"
        )
    latency_ms = [(arrived_s - packet.timestamp) * 1e3 for packet, arrived_s in arrived]
    return Figures(
        clip=clip,
        estimator=run.pipeline.estimator.name,
        runtime=run.pipeline.estimator.runtime,
        device=run.pipeline.estimator.device,
        lifter=config.body.lifter,
        smoothing=config.body.smoothing,
        frames=frames,
        packets=len(arrived),
        packets_lost=run.sinks[0].packets_sent - len(arrived),
        latency_ms_p50=float(np.percentile(latency_ms, 50)),
        latency_ms_p95=float(np.percentile(latency_ms, 95)),
        **evaluate_packets([packet for packet, _ in arrived], truth, log.contacts),
    )
