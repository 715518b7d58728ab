"""Speed, error, jitter and limit violations of the IK, on the actor and motion capture, clean and with noise.

python benchmarks/ik.py [--mocap FOLDER] [--clips N]

Time is CPU time, so that other programs do not count. docs/ik.md explains the columns.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import Joints3D, SkeletonPose
from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.ik.simple_ik import SimpleIKSolver
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID, LIMB_NAMES
from realtime_pose.training.bodies import body_points
from realtime_pose.training.mocap import read_motions
from realtime_pose.training.motions import FRAME_RATE_HZ, Motion
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.paths import data_path

FPS = 30.0
_HEIGHT_M = 1.70
_WARM_FRAMES = 5
_JOINTS = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
_JOINT_ROWS = [HUMANOID.index[f"{side}{joint}"] for joint in _JOINTS for side in ("left", "right")]
_POINT_ROWS = COCO17_FEET_HANDS.rows(LIMB_NAMES)
_HEAD = (
    f"{'':20s} {'frames':>6s} {'ms p50':>6s} {'p95':>6s} {'max':>6s} {'mm p50':>7s} {'mean':>6s} {'p95':>6s} "
    f"{'ikpy%':>7s} {'turn':>5s} {'worst':>6s}  {'in':14s} {'beyond':>7s} {'error':>6s}"
)


@dataclass
class Figures:
    """Figures collected frame by frame."""

    took_ms: list[float] = field(default_factory=list)
    away_mm: list[Float64] = field(default_factory=list)
    turned_deg: list[Float64] = field(default_factory=list)
    error_deg: list[Float64] = field(default_factory=list)
    violation_deg: float = 0.0

    def print(self, name: str, ikpy_calls: int) -> None:
        """Print a line of the table."""
        took, away, turned = np.array(self.took_ms[_WARM_FRAMES:]), np.array(self.away_mm), np.array(self.turned_deg)
        frame, joint = np.unravel_index(turned.argmax(), turned.shape)
        error = f"{np.mean(self.error_deg):6.2f}" if self.error_deg else ""
        print(
            f"{name:20s} {len(took):6d} {np.median(took):6.2f} {np.percentile(took, 95):6.2f} {took.max():6.2f} "
            f"{np.median(away):7.1f} {away.mean():6.1f} {np.percentile(away, 95):6.1f} "
            f"{100 * ikpy_calls / len(took):7.2f} {turned.mean():5.2f} {turned[frame, joint]:6.1f}  "
            f"{HUMANOID.joints[joint]:14s} {self.violation_deg:7.4f} {error}"
        )


def actor() -> tuple[Float64, Float64, float]:
    """The actor's points (T, 27, 3) from its hips, as its camera saw them, its true turns (T, J, 4), and its height."""
    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    turn = truth.camera_from_world[:3, :3]
    points = canonical_from_opencv((truth.keypoints_m - truth.joints_m[:, :1]).astype(np.float64) @ turn.T)
    local = truth.local_xyzw.astype(np.float64)
    local[:, 0] = rot.multiply(rot.from_matrix(canonical_from_opencv(turn.T).T), local[:, 0])
    return points, local, truth.height_m


def mocap_points(motion: Motion) -> Float64:
    """The points (T, 27, 3), relative to the hips, of an average body in this motion."""
    body = BodyDimensions.of_height(1.0)
    parts = ("torso", "shoulder_width", "hip_width", "upper_arm", "forearm", "thigh", "shank", "head_height")
    lengths = {part: np.array([getattr(body, part)]) for part in parts} | {"head": np.ones(1), "shrug": np.zeros(1)}
    return _HEIGHT_M * (body_points(motion[None], lengths)[0] - motion.root[:, None])


def frames(points: Float64, noise_m: float, track_id: int) -> Iterator[Joints3D]:
    """The points with a lifter's errors, which last about three frames."""
    rng = np.random.default_rng(7)
    error = np.zeros(points.shape[1:])
    score = np.ones(points.shape[1])
    for i, xyz in enumerate(points):
        error = 0.7 * error + np.sqrt(1 - 0.7**2) * noise_m * rng.normal(size=error.shape)
        yield Joints3D(
            COCO17_FEET_HANDS,
            as_float32(xyz + error),
            as_float32([0.0, 0.0, -3.0]),
            as_float32(score),
            track_id,
            round(i * 1e9 / FPS),
        )


def violation_deg(pose: SkeletonPose) -> float:
    """The largest violation of a joint limit, in degrees; 0 or less inside all of them."""
    turns = dict(zip(HUMANOID.joints, pose.rotations.local_xyzw.astype(np.float64).tolist(), strict=True))
    return float(np.degrees(max(limits.violation_rad(tuple(turns[joint])) for joint, limits in JOINT_LIMITS.items())))


def measure(name: str, clips: list[Float64], height_m: float, noise_m: float, truth: Float64 | None = None) -> None:
    """Solve the clips and print the figures."""
    found = Figures()
    solver = SimpleIKSolver(BodyConfig(height_m=height_m))
    for clip, points in enumerate(clips):
        before: Float64 | None = None
        for i, joints in enumerate(frames(points, noise_m, clip)):
            start_s = time.thread_time()
            pose = solver.solve(joints)
            found.took_ms.append((time.thread_time() - start_s) * 1e3)
            places = forward_kinematics(pose) - pose.root_m
            found.away_mm.append(np.linalg.norm(places[_JOINT_ROWS] - joints.xyz_m[_POINT_ROWS], axis=-1) * 1e3)
            local = pose.rotations.local_xyzw.astype(np.float64)
            if before is not None:
                found.turned_deg.append(np.degrees(rot.angle_between_rad(local, before)))
                if (np.sum(local * before, axis=-1) < 0).any():
                    raise SystemExit(f"{name}: a quaternion changed its sign in frame {i} of clip {clip}")
            before = local
            found.violation_deg = max(found.violation_deg, violation_deg(pose))
            if truth is not None:
                found.error_deg.append(np.degrees(rot.angle_between_rad(local, truth[i])))
        solver.forget(clip)
    found.print(name, solver.ikpy_calls)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mocap", type=Path, help="folder with .asf and .amc files, or DeepMimic's")
    parser.add_argument("--clips", type=int, help="at most this many of them")
    given = parser.parse_args()
    print(_HEAD)
    points, local, height_m = actor()
    for noise_m in (0.0, 0.01, 0.03):
        measure(f"actor, {noise_m * 100:.0f} cm", [points], height_m, noise_m, local)
    if given.mocap is not None:
        motions = list(read_motions(given.mocap).values())[: given.clips]
        clips = [mocap_points(motion[:: round(FRAME_RATE_HZ / FPS)]) for motion in motions]
        for noise_m in (0.0, 0.03):
            measure(f"mocap, {noise_m * 100:.0f} cm", clips, _HEIGHT_M, noise_m)


if __name__ == "__main__":
    main()
