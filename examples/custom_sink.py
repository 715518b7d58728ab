"""Your own sink beside the program's, live from a camera: one line of JSON per frame.

python examples/custom_sink.py --source 0 --udp 127.0.0.1:5005 --out angles.jsonl

Any object with `send(result)` and `close()` is a sink; nothing has to be registered.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from realtime_pose import (
    HUMANOID,
    CaptureConfig,
    FrameResult,
    PoseInference,
    PoseSink,
    Runtime,
    SkeletonPose,
    forward_kinematics,
    open_sinks,
    open_source,
)


class ElbowAngles:
    """Writes the elbow angles of each person: {"time_s": 0.1, "1": {"left": 12.3, "right": 90.1}}."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8")

    def send(self, result: FrameResult) -> None:
        """Write one frame; called for frames without people too."""
        line: dict[str, object] = {"time_s": result.frame.time_ns / 1e9}
        for person in result.people:
            if person.pose is not None:
                line[str(person.pose.track_id)] = elbow_angles_deg(person.pose)
        self._file.write(json.dumps(line) + "\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def elbow_angles_deg(pose: SkeletonPose) -> dict[str, float]:
    """Bend of each elbow, 0 for a straight arm."""
    at = forward_kinematics(pose)  # (17, 3) metres
    angles = {}
    for side in ("left", "right"):
        shoulder, elbow, hand = (at[HUMANOID.index[side + name]] for name in ("UpperArm", "LowerArm", "Hand"))
        upper, lower = elbow - shoulder, hand - elbow
        cosine = upper @ lower / np.linalg.norm(upper) / np.linalg.norm(lower)
        angles[side] = round(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))), 1)
    return angles


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until the source ends, or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="actor", help="camera number, path or URL (default: %(default)s)")
    parser.add_argument("--udp", default="", help="also send PosePackets to host:port")
    parser.add_argument("--out", type=Path, default=Path("angles.jsonl"), help="file to write")
    parser.add_argument("--frames", type=int, help="stop after this many frames")
    options = parser.parse_args(arguments)

    # Writing a file can be slow and delay frames, so it gets its own thread; UDP never blocks.
    slow: list[PoseSink] = [ElbowAngles(options.out)]
    runtime = Runtime(
        open_source(CaptureConfig(options.source)),
        PoseInference(is_video=True),
        open_sinks({"udp": options.udp}),
        slow,
        max_frames=options.frames,
    )
    runtime.start()
    try:
        while not runtime.wait(timeout_s=1.0):
            print(runtime.snapshot())
    except KeyboardInterrupt:
        pass
    finally:
        runtime.stop()  # closes the source, the models and the sinks
    runtime.raise_if_failed()
    print(f"{options.out}: {runtime.snapshot().frames} frames")


if __name__ == "__main__":
    main()
