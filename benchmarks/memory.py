"""Memory of a live run and its growth: the actor's clip in a loop, at its own 30 Hz.

    python benchmarks/memory.py [--minutes 10] [--size s|b|l|h] [--checkpoint FILE] [--runtime R] [--precision P]

Without --checkpoint the weights are random, which use as much memory as trained ones; the actor's true keypoints then
replace theirs, so that a person is followed. Growth is measured from the second minute on, after the start-up.
"""

import argparse
import os
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from realtime_pose.capture.actor import open_actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.udp import UdpSink
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import load_config
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream
from realtime_pose.evaluation.random_models import GroundTruthEstimator, write_random_vitpose
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Runtime

_SAMPLE_S = 2.0


class _ActorForEver:
    """The clip in a loop, with increasing time; frame indices are those of the clip."""

    live = False
    dropped = 0
    frame_count = None

    def __init__(self) -> None:
        self._clip = open_actor(CaptureConfig())
        self.fps, self.notices = self._clip.fps, self._clip.notices
        self._began_ns = self._last_ns = 0

    def read(self) -> Frame:
        """The next frame."""
        try:
            frame = self._clip.read()
        except EndOfStream:
            self._clip.close()
            self._clip = open_actor(CaptureConfig())
            self._began_ns = self._last_ns + round(1e9 / self.fps)
            frame = self._clip.read()
        self._last_ns = self._began_ns + frame.time_ns
        return replace(frame, time_ns=self._last_ns)

    def close(self) -> None:
        """Close the clip."""
        self._clip.close()


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--size", choices=("s", "b", "l", "h"), default="s")
    parser.add_argument("--checkpoint", default="")
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--precision", default="bf16")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder, closing(UdpReceiver("127.0.0.1:0")) as receiver:
        checkpoint = options.checkpoint
        if not checkpoint:
            os.environ["XDG_CACHE_HOME"] = folder  # models made from random weights are temporary
            checkpoint = str(write_random_vitpose(options.size, Path(folder) / "random.safetensors"))
        inference = {"checkpoint": checkpoint, "runtime": options.runtime, "precision": options.precision}
        pipeline = build_pipeline(load_config([], {"inference": inference}), print)
        if not options.checkpoint:
            pipeline.estimator = GroundTruthEstimator(pipeline.estimator)
        runtime = Runtime(_ActorForEver(), pipeline, [UdpSink(receiver.address)], paced=True)
        samples: list[tuple[float, float]] = []
        start = time.monotonic()
        runtime.start()
        try:
            reported = 0
            while not runtime.wait(_SAMPLE_S) and (passed := time.monotonic() - start) < 60 * options.minutes + 1:
                samples.append((passed, _resident_mb()))
                if passed >= 60 * (reported + 1):
                    reported += 1
                    now = runtime.snapshot()
                    print(
                        f"minute {reported:3}: {samples[-1][1]:7.1f} MB, {now.fps:4.1f} fps, {now.persons} seen",
                        flush=True,
                    )
        finally:
            runtime.stop()
        runtime.raise_if_failed()

    def at_minute(first: float) -> float:
        return statistics.median(mb for passed, mb in samples if 60 * first <= passed < 60 * (first + 1))

    print(f"at most {max(mb for _, mb in samples):.0f} MB resident")
    if options.minutes >= 3:
        early, late = at_minute(1), at_minute(options.minutes - 1)
        print(f"second minute {early:.1f} MB, last minute {late:.1f} MB: {100 * (late / early - 1):+.2f} %")


if __name__ == "__main__":
    main()
