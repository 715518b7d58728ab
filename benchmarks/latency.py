"""Latency from the camera's frame to a decoded packet in another process, beside the in-process figure.

    .venv/bin/python benchmarks/latency.py [--frames 300] [--estimator blazepose] [--format json] [--out FILE.json]

The actor's clip is played at its own speed. Both ends read the system's monotonic clock, which all processes of a
machine share: the sender at capture and after handing the packet to the socket (the latency of `run --report`), the
other process after decoding the packet.
"""

import argparse
import json
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from realtime_pose.capture.actor import open_actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Runtime

_SILENCE_S = 0.2
_WARM_UP = 20  # frames that do not count: the first ones fill caches on both sides


def listen(pipe: Connection) -> None:
    """The other process: when each frame's pose was decoded here, by `seq`."""
    receiver, decoded_ns = UdpReceiver("127.0.0.1:0"), {}
    pipe.send(receiver.address)
    while not pipe.poll():
        packet = receiver.receive(_SILENCE_S)
        if isinstance(packet, PosePacket):
            decoded_ns[packet.seq] = time.monotonic_ns()
    receiver.close()
    pipe.send(decoded_ns)


class Tap:
    """A sink after the others: when each frame was captured, and when its packets were handed to the socket."""

    def __init__(self) -> None:
        self.captured_ns: list[int] = []
        self.handed_ns: list[int] = []

    def send(self, result: FrameResult) -> None:
        """Record the times of one frame."""
        self.handed_ns.append(time.monotonic_ns())
        self.captured_ns.append(result.frame.captured_ns)

    def close(self) -> None:
        """Nothing to release."""


def measure(frames: int, estimator: str, udp_format: str) -> dict[str, object]:
    """Percentiles over the frames whose pose arrived, ms."""
    config = AppConfig().with_values({"inference": {"estimator": estimator, "download": False}}, "benchmark")
    here, there = get_context("spawn").Pipe()
    other = get_context("spawn").Process(target=listen, args=(there,), daemon=True)
    other.start()
    tap, udp = Tap(), UdpSink(here.recv(), udp_format=udp_format)
    pipeline = build_pipeline(config)
    runtime = Runtime(open_actor(CaptureConfig()), pipeline, [udp, tap], paced=True, max_frames=frames)
    runtime.start()
    runtime.wait()
    runtime.raise_if_failed()
    here.send("over")
    decoded_ns = here.recv()
    other.join()
    seen = [seq for seq in sorted(decoded_ns) if seq >= _WARM_UP]
    captured, handed = (np.array(values)[seen] for values in (tap.captured_ns, tap.handed_ns))
    decoded = np.array([decoded_ns[seq] for seq in seen])
    in_process, other_process = _percentiles(handed - captured), _percentiles(decoded - captured)
    return {
        "estimator": pipeline.estimator.name,
        "format": udp_format,
        "frames": len(captured),
        "packets_lost": udp.packets_sent - len(decoded_ns),
        "fps": round(runtime.statistics.fps, 1),
        "in_process_ms": in_process,
        "other_process_ms": other_process,
        "more_at_p95_ms": round(other_process["p95"] - in_process["p95"], 3),
        "on_the_way_ms": _percentiles(decoded - handed),
    }


def _percentiles(values_ns: np.ndarray) -> dict[str, float]:
    p50, p95, p99 = np.percentile(values_ns / 1e6, (50, 95, 99))
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--estimator", default="blazepose")
    parser.add_argument("--format", choices=("json", "binary", "both"), default="both")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    formats = ("json", "binary") if given.format == "both" else (given.format,)
    figures = [measure(given.frames, given.estimator, udp_format) for udp_format in formats]
    text = json.dumps(figures, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
