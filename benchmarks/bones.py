"""Accuracy of bone lengths, estimated in a run and calibrated, on the actors' clips against their truth.

Run: python benchmarks/bones.py [CLIP ...]   (actor, actor-2; about a minute each)
"""

import sys
from collections.abc import Iterator

import numpy as np

from realtime_pose.app.calibrate import Calibration
from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.profile import body_of
from realtime_pose.body.proportions import LENGTHS
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult, Person, PersonBox, PersonKeypoints
from realtime_pose.errors import EndOfStream
from realtime_pose.kinematics import joint_positions
from realtime_pose.model3d.actor_truth import ActorTruth, load_truth
from realtime_pose.pipeline import build_pipeline
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.two_passes import poses_of_clip
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.paths import data_path

TRUTHS = {"actor": "resources/videos/default_truth.npz", "actor-2": "resources/videos/second_actor_truth.npz"}
BONES = ("leftUpperLeg", "leftLowerArm", "leftHand", "leftLowerLeg", "leftFoot")


def lengths_of(bone_m: Float64) -> Float64:
    """The lengths (7,) of a skeleton with these bones (17,)."""
    rest = joint_positions(HUMANOID, np.tile(rot.IDENTITY_XYZW, (17, 1)), np.zeros(3), bone_m)
    shoulders = rest[[HUMANOID.index[f"{side}UpperArm"] for side in ("left", "right")]]
    own = bone_m[[HUMANOID.index[joint] for joint in BONES]] * (2, 1, 1, 1, 1)
    return np.array([shoulders.mean(axis=0)[1], np.linalg.norm(shoulders[0] - shoulders[1]), *own])


def estimated(clip: str, config: AppConfig) -> Iterator[FrameResult]:
    """The clip's keypoints by BlazePose."""
    source = open_source(CaptureConfig(source=clip))
    pipeline = build_pipeline(config.with_values({"inference": {"estimator": "blazepose"}}, clip), print)
    try:
        while (frame := source.read()) is not None:
            yield pipeline.step(frame)
    except EndOfStream:
        return
    finally:
        pipeline.close()
        source.close()


def exact(clip: str, truth: ActorTruth, config: AppConfig) -> Iterator[FrameResult]:
    """The clip's true keypoints."""

    def seen() -> Iterator[FrameResult]:
        source = open_source(CaptureConfig(source=clip))
        try:
            for xy_px in truth.keypoints_px:
                frame = source.read()
                if frame is None:
                    return
                sure = as_float32(np.ones(len(xy_px)))
                keypoints = PersonKeypoints(COCO17_FEET_HANDS, as_float32(xy_px), sure, 0, frame.time_ns)
                box = PersonBox(as_float32([*xy_px.min(axis=0), *xy_px.max(axis=0)]), 1.0, 0)
                yield FrameResult(frame, (Person(box, keypoints, None, None),))
        finally:
            source.close()

    return poses_of_clip(seen, config)


def judge(results: Iterator[FrameResult], config: AppConfig) -> dict[str, Float64]:
    """Lengths (7,) in metres, estimated and calibrated."""
    calibration, bones = Calibration(config), BoneLengths(config.body)
    bone_m = np.zeros(17)
    for result in results:
        calibration.add(result)
        for person in result.people:
            if person.joints is not None:
                bone_m = bones.update(person.joints)
    found = {"learnt": lengths_of(bone_m)}
    if calibration.done:
        own = calibration.result().profile.lengths_m
        found["calibrated"] = np.array([own[name] for name in LENGTHS])
    return found


def main() -> None:
    for clip in sys.argv[1:] or ["actor"]:
        truth = load_truth(data_path(TRUTHS[clip]))
        camera = truth.intrinsics
        fov_deg = float(np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.fx)))
        config = AppConfig().with_values({"body": {"height_m": truth.height_m, "fov_deg": fov_deg}}, clip)
        true_m = lengths_of(truth.bone_m.astype(np.float64))
        rows = {"average": body_of(config.body).lengths}
        for name, results in (("BlazePose", estimated(clip, config)), ("true 2D", exact(clip, truth, config))):
            rows |= {f"{way}, {name}": lengths for way, lengths in judge(results, config).items()}
        print(f"{clip}, {truth.height_m:.2f} m", *LENGTHS, "mean", sep=" | ")
        print("true, mm", *(round(1e3 * v) for v in true_m), "", sep=" | ")
        for name, lengths in rows.items():
            away = 1e3 * (lengths - true_m)
            print(name, *(f"{v:+.0f}" for v in away), f"{np.abs(away).mean():.1f}", sep=" | ")


if __name__ == "__main__":
    main()
