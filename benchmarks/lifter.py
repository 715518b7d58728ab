"""CPU time of the lifter and of each stage after it, with 8-bit weights in ONNX Runtime and in numpy, on the actor.

python benchmarks/lifter.py [--frames N]

The two alternate frame by frame, so that a disturbance affects both.
"""

import argparse
import time

import numpy as np

from realtime_pose.body_pipeline import BodyPipeline, build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.filters.base import Observation
from realtime_pose.filters.chain import FilterChain
from realtime_pose.ik.table import build_solver
from realtime_pose.lifting.network import load_lifter_weights
from realtime_pose.lifting.stabilized import StabilizedLifter
from realtime_pose.lifting.trained import TrainedLifter
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17_FEET_HANDS
from realtime_pose.utils.arrays import as_float32

_WARM_FRAMES = 30
_NOISE_PX = 1.0


def pipelines() -> dict[str, BodyPipeline]:
    """The default pipeline with each kind of weights."""
    config = AppConfig()
    out = {"ONNX Runtime, 8 bits": build_body(config)}
    filters = FilterChain(config.body)
    lifter = TrainedLifter(config.body, filters.floor.attitude, load_lifter_weights(quantize=False))
    out["numpy, float32"] = BodyPipeline(
        StabilizedLifter(lifter, config.body), build_solver(config.body), filters, fov_deg=config.body.fov_deg
    )
    return out


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300)
    frames = parser.parse_args().frames
    truth, rng = load_truth("actor"), np.random.default_rng(0)
    score, people = np.full(len(COCO17_FEET_HANDS.names), 0.9, np.float32), pipelines()
    took_ms: dict[str, list[list[float]]] = {name: [] for name in people}
    for i, true_px in enumerate(truth.keypoints_px[:frames]):
        xy_px = as_float32(true_px + rng.normal(0, _NOISE_PX, true_px.shape))
        keypoints = PersonKeypoints(COCO17_FEET_HANDS, xy_px, score, 1, round(i / 30 * 1e9))
        for name, body in people.items():
            times_s = [time.thread_time()]
            joints = body.lifter.lift(keypoints, truth.intrinsics)
            times_s.append(time.thread_time())
            pose = body.solver.solve(joints)
            times_s.append(time.thread_time())
            if body.filters is not None:
                body.filters.apply(pose, Observation.of(keypoints, truth.intrinsics, joints))
            times_s.append(time.thread_time())
            took_ms[name].append((np.diff(times_s) * 1e3).tolist())
    print(f"{'CPU ms, 20th percentile and median':36s} {'lift':>11s} {'solve':>11s} {'filter':>11s}")
    for name, rows in took_ms.items():
        low, median = np.percentile(rows[_WARM_FRAMES:], (20, 50), axis=0)
        print(f"{name:36s} " + " ".join(f"{a:5.2f} {b:5.2f}" for a, b in zip(low, median, strict=True)))


if __name__ == "__main__":
    main()
