"""Lag, jitter and tremor at rest of each smoothing preset, for docs/filtering.md.

    python benchmarks/filters.py [--mocap FOLDER] [--lifter NAME]

Known motion is projected, an estimator's noise is added, and the pose after lifter, IK and filters is
compared with the truth. The motion is the actor's; with --mocap (ASF/AMC files) some of CMU's as well.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_pose.axes import opencv_from_canonical
from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import (
    CameraIntrinsics,
    Frame,
    FrameResult,
    Person,
    PersonBox,
    PersonKeypoints,
    SkeletonPose,
)
from realtime_pose.filters.look_ahead import build_look_ahead
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, LIMB_JOINTS, LIMB_NAMES, LIMB_ROWS
from realtime_pose.training.bodies import LAYOUT, body_points
from realtime_pose.training.mocap import read_motions
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.stopwatch import Stopwatch

PRESETS = ("none", "crisp", "balanced", "smooth")
CLIPS = ("02_01", "02_05", "02_10", "03_01", "01_09")  # walking, punching, washing, uneven ground, climbing
CAMERA = CameraIntrinsics.from_field_of_view(60.0, 640, 480)
FPS = 30.0
# Jitter of a ViTPose's keypoints of a tennis player (standard deviation of the residual of a cubic fit), as a share
# of the body's height in the image; added to it is a slow error three times as large.
TREMOR = {
    "nose": 0.2, "eye": 0.2, "ear": 0.15, "shoulder": 0.15, "elbow": 0.3, "wrist": 0.45,
    "hip": 0.25, "knee": 0.2, "ankle": 0.25,
}  # fmt: skip
TREMOR_SHARE = 0.01 * np.array([TREMOR[name.rpartition("_")[2]] for name in COCO17.names])
WANDER, WANDER_S = 3.0, 0.25
SCORE = 0.85
_LIMB_POINTS = COCO17.rows(LIMB_NAMES)
_PICTURE = np.zeros((480, 640, 3), np.uint8)


@dataclass(frozen=True)
class Clip:
    """A motion: COCO17's points (T, 17, 3) from the camera, canonical axes, at FPS."""

    name: str
    points_m: Float64
    height_m: float
    camera: CameraIntrinsics

    @property
    def limbs_m(self) -> Float64:
        """(T, 12, 3) from the middle of the hips."""
        hips = self.points_m[:, COCO17.rows(["left_hip", "right_hip"])].mean(axis=1, keepdims=True)
        return self.points_m[:, _LIMB_POINTS] - hips


def actor() -> Clip:
    """The packaged clip."""
    truth = load_truth("actor")
    world = truth.keypoints_m[:, COCO17_FEET_HANDS.rows(COCO17.names)].astype(np.float64)
    seen = world @ truth.camera_from_world[:3, :3].T + truth.camera_from_world[:3, 3]
    return Clip("actor", seen * (1.0, -1.0, -1.0), truth.height_m, truth.intrinsics)


def captured(folder: Path) -> Iterator[Clip]:
    """Some of CMU's motions, at most ten seconds each, 3.5 m away, each with its own heading."""
    motions = read_motions(folder)
    one = {name: np.ones(1) * value for name, value in _average().items()}
    for row, name in enumerate(CLIPS):
        motion = motions[name][::2][: round(10 * FPS)]  # 60 frames per second
        points = body_points(motion[None], one)[0][:, LAYOUT.rows(COCO17.names)] * 1.70
        angle = 2.4 * row
        turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
        points = (points - points.mean(axis=(0, 1))) @ turn.T
        points[..., 2] -= max(3.5, points[..., 2].max() + 1.5)
        yield Clip(name, points, 1.70, CAMERA)


def _average() -> dict[str, float]:
    from realtime_pose.body.proportions import BodyDimensions

    body = BodyDimensions.of_height(1.0)
    parts = ("torso", "shoulder_width", "hip_width", "upper_arm", "forearm", "thigh", "shank", "head_height")
    return {part: getattr(body, part) for part in parts} | {"head": 1.0, "shrug": 0.0}


def keypoints(clip: Clip, *, noise: float, seed: int = 0) -> list[PersonKeypoints]:
    """Its keypoints as an estimator would find them."""
    seen, c = opencv_from_canonical(clip.points_m), clip.camera
    xy = seen[..., :2] / seen[..., 2:] * [c.fx, c.fy] + [c.cx, c.cy]
    rng, size = np.random.default_rng(seed), noise * TREMOR_SHARE[:, None] * np.median(np.ptp(xy[..., 1], axis=1))
    keep, wander = np.exp(-1 / FPS / WANDER_S), rng.normal(size=xy.shape[1:])
    found = []
    for row, place in enumerate(xy):
        wander = keep * wander + np.sqrt(1 - keep**2) * rng.normal(size=wander.shape)
        place = place + size * (rng.normal(size=wander.shape) + WANDER * wander)
        score = np.full(len(place), SCORE, np.float32)
        found.append(PersonKeypoints(COCO17, as_float32(place), score, 1, round(row / FPS * 1e9)))
    return found


def poses(config: AppConfig, clip: Clip, people: Iterable[PersonKeypoints]) -> list[SkeletonPose]:
    """The poses that the program computes from them."""
    values = {"body": {"height_m": clip.height_m, "feet": "never", "camera_height_m": 1.0}}
    config = config.with_values(values, "benchmark")
    body, watch = build_body(config), Stopwatch()
    ahead = build_look_ahead(config.body, body.finish)
    box, out = PersonBox(as_float32([0, 0, 640, 480]), 1.0, 1), []
    for row, person in enumerate(people):
        joints, pose = body.pose_of(person.sane(), clip.camera, watch)
        result = FrameResult(Frame(_PICTURE, row, person.time_ns, 0), (Person(box, person, joints, pose),))
        out += [result] if ahead is None else list(ahead.feed(result))
    out += [] if ahead is None else list(ahead.flush())
    return [pose for result in out for p in result.people if (pose := p.pose) is not None]


def limbs_of(answer: Sequence[SkeletonPose]) -> Float64:
    """(T, 12, 3) from the middle of the hips."""
    joints = np.array([forward_kinematics(pose)[LIMB_ROWS] for pose in answer])
    hips = [LIMB_JOINTS.index(joint) for joint in ("leftUpperLeg", "rightUpperLeg")]
    return joints - joints[:, hips].mean(axis=1, keepdims=True)


def lag_ms(answer_m: Float64, reference_m: Float64) -> float:
    """The delay of the reference (T, J, 3) at which the result fits it best."""
    frames = np.arange(10, len(answer_m) - 10)
    delays = np.arange(-2.0, 6.01, 0.05)
    misfit = []
    for delay in delays:
        at = frames - delay
        before = np.floor(at).astype(int)
        share = (at - before)[:, None, None]
        shifted = reference_m[before] * (1 - share) + reference_m[before + 1] * share
        misfit.append(float(((answer_m[10:-10] - shifted) ** 2).sum()))
    return float(delays[int(np.argmin(misfit))] / FPS * 1e3)


def acceleration(limbs_m: Float64) -> Float64:
    """Mean acceleration (T - 2,) in metres per frame squared."""
    return np.linalg.norm(np.diff(limbs_m, n=2, axis=0), axis=-1).mean(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mocap", type=Path, help="a folder with ASF/AMC files")
    parser.add_argument("--lifter", default="", help="the default lifter if left out")
    args = parser.parse_args()
    base = AppConfig().with_values({"body": {"lifter": args.lifter}} if args.lifter else {}, "benchmark")
    clips = [actor(), *(captured(args.mocap) if args.mocap else ())]
    first = clips[0]
    still = Clip("still", np.repeat(first.points_m[:1], round(8 * FPS), axis=0), first.height_m, first.camera)
    unsmoothed = base.with_values({"body": {"smoothing": "none"}}, "benchmark")
    references = [limbs_of(poses(unsmoothed, clip, keypoints(clip, noise=0.0))) for clip in clips]
    print(f"{base.body.lifter} lifter, {sum(len(c.points_m) for c in clips)} frames of {len(clips)} clips")
    print(
        "| preset | lag ms | jitter ratio | error mm | tremor at rest mm | of the root mm |\n|---|---|---|---|---|---|"
    )
    for name, ahead in [(n, False) for n in PRESETS] + [(n, True) for n in PRESETS[1:]]:
        config = base.with_values({"body": {"smoothing": name, "look_ahead": ahead}}, "benchmark")
        lags, shaken, true, error = [], [], [], []
        for clip, reference in zip(clips, references, strict=True):
            answer = limbs_of(poses(config, clip, keypoints(clip, noise=1.0)))
            lags.append(lag_ms(answer, reference))
            shaken.append(acceleration(answer))
            true.append(acceleration(clip.limbs_m))
            error.append(np.linalg.norm(answer - clip.limbs_m, axis=-1).mean(axis=1))
        weights = [len(clip.points_m) for clip in clips]
        rest = poses(config, still, keypoints(still, noise=1.0))[round(2 * FPS) :]
        tremor = [_tremor_mm(limbs_of(rest)), _tremor_mm(np.array([pose.root_m for pose in rest])[:, None])]
        ratio = np.concatenate(shaken).mean() / np.concatenate(true).mean()
        figures = (np.average(lags, weights=weights), ratio, np.concatenate(error).mean() * 1e3, *tremor)
        print(
            f"| {name}{', looking ahead' * ahead} | {figures[0]:.0f} | "
            + " | ".join(f"{f:.2f}" for f in figures[1:])
            + " |"
        )


def _tremor_mm(places_m: Float64) -> float:
    """Standard deviation within a third of a second of positions (T, J, 3) that should be still."""
    window = round(FPS / 3)
    parts = places_m[: len(places_m) // window * window].reshape(-1, window, *places_m.shape[1:])
    return float(np.linalg.norm(parts - parts.mean(axis=1, keepdims=True), axis=-1).mean() * 1e3)


if __name__ == "__main__":
    main()
