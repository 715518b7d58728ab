"""Handling of an estimator's errors: side swaps found and invented, limbs that vanish and come back.

    python benchmarks/estimator_errors.py [--mocap FOLDER]

For docs/filtering.md. Swaps are added to the motions of benchmarks/filters.py; a clip of an estimator's own
keypoints (--keypoints, CSV with frame, person_id, keypoint_name, x, y) shows the effect of real noise.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from filters import FPS, Clip, actor, captured, keypoints

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.lifting.side_swaps import SideSwapCorrector
from realtime_pose.skeletons import COCO17
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.stopwatch import Stopwatch

SIDES = {
    "the whole body": ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"),
    "both arms": ("elbow", "wrist"),
    "both legs": ("knee", "ankle"),
}
MATTERS = 0.06  # of the body's height in the image: for twins nearer to each other the names make no difference


def guarded(people: Sequence[PersonKeypoints]) -> Float64:
    """The pixels (T, 17, 2) of a clip after the swap correction."""
    guard = SideSwapCorrector()
    return np.array([guard.apply(person).xy_px for person in people], dtype=np.float64)


def exchanged(people: list[PersonKeypoints], start: int, count: int, parts: Sequence[str]) -> list[PersonKeypoints]:
    """The clip with left and right swapped for so many frames."""
    rows = np.arange(17)
    left, right = (COCO17.rows([f"{side}_{part}" for part in parts]) for side in ("left", "right"))
    rows[left], rows[right] = right, left
    return [replace(p, xy_px=p.xy_px[rows]) if start <= i < start + count else p for i, p in enumerate(people)]


def found_and_spoilt(clips: Sequence[Clip], parts: Sequence[str], count: int) -> tuple[float, float]:
    """The share of swapped points that is corrected, and the share of all others that is made wrong."""
    rng, right, wrong, changed, others = np.random.default_rng(5), 0, 0, 0, 0
    for clip in clips:
        for seed in range(3):
            people = keypoints(clip, noise=1.2, seed=seed)
            start = int(rng.integers(8, len(people) - count - 3))
            truth = np.array([person.xy_px for person in people], dtype=np.float64)
            given = exchanged(people, start, count, parts)
            limit = MATTERS * np.median(np.ptp(truth[..., 1], axis=1))
            off = np.linalg.norm(guarded(given) - truth, axis=-1)
            matters = np.linalg.norm(np.array([p.xy_px for p in given]) - truth, axis=-1) > limit
            right, changed = right + int((off[matters] < 1e-3).sum()), changed + int(matters.sum())
            wrong, others = wrong + int((off[~matters] > limit).sum()), others + int((~matters).sum())
    return right / changed, wrong / others


def invented(people: Sequence[PersonKeypoints]) -> int:
    """Frames in which a clip without swaps is changed."""
    given = np.array([person.xy_px for person in people], dtype=np.float64)
    return int((np.abs(guarded(people) - given).max(axis=(1, 2)) > 1e-3).sum())


def spinning(clip: Clip, deg_s: float) -> Clip:
    """The clip's first pose, turned twice about the vertical."""
    body = clip.points_m[0]
    middle = body[COCO17.rows(["left_hip", "right_hip"])].mean(axis=0)
    angles = np.radians(deg_s) * np.maximum(np.arange(round(720 / deg_s * FPS) + 20) - 10, 0) / FPS
    turned = rot.rotate(rot.from_axis_angle([0.0, 1.0, 0.0], angles)[:, None], body - middle) + middle
    return Clip(f"spin {deg_s}", turned, clip.height_m, clip.camera)


def largest_turn_deg(away_s: float, lifter: str) -> tuple[float, float]:
    """The arms' largest turn from frame to frame, in deg: while visible, and from when they are lost."""
    clip = actor()
    rows = COCO17.rows(["left_elbow", "left_wrist", "right_elbow", "right_wrist"])
    start, seen, lost, before = 60, [0.0], [0.0], None
    jump = round(away_s * FPS)
    body = build_body(AppConfig().with_values({"body": {"lifter": lifter, "feet": "never"}}, "benchmark"))
    for i, person in enumerate(keypoints(clip, noise=1.0)[: start + jump + 40]):
        score = person.score.copy()
        score[rows] = 0 if start <= i < start + jump else score[rows]
        _, pose = body.pose_of(replace(person, score=score).sane(), clip.camera, Stopwatch())
        local = pose.rotations.local_xyzw.astype(np.float64)
        if before is not None:
            (seen if i < start else lost).append(float(np.degrees(rot.angle_between_rad(local, before)).max()))
        before = local
    return max(seen), max(lost)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mocap", type=Path, help="a folder with ASF/AMC files")
    parser.add_argument("--keypoints", type=Path, help="an estimator's own keypoints")
    args = parser.parse_args()
    clips = [actor(), *(captured(args.mocap) if args.mocap else ())]
    print("| exchanged | frames | put right | others made wrong |\n|---|---|---|---|")
    for name, parts in SIDES.items():
        for count in (1, 3, 10, 20):
            right, wrong = found_and_spoilt(clips, parts, count)
            print(f"| {name} | {count} | {right:.1%} | {wrong:.2%} |")
    honest = [keypoints(clip, noise=noise, seed=seed) for clip in clips for noise in (1.0, 3.0) for seed in range(2)]
    print(f"\ninvented in {sum(map(invented, honest))} of {sum(map(len, honest))} frames of honest motion")
    for deg_s in (180, 360, 720, 900):
        people = keypoints(spinning(clips[0], deg_s), noise=1.0)
        print(f"spinning at {deg_s} degrees a second: invented in {invented(people)} of {len(people)} frames")
    if args.keypoints:
        table = np.genfromtxt(args.keypoints, delimiter=",", skip_header=1, usecols=(0, 1, 3, 4))
        places = as_float32(table[table[:, 1] == 0][:, 2:].reshape(-1, 17, 2))
        score = np.full(17, 0.9, np.float32)
        real = [PersonKeypoints(COCO17, xy, score, 1, round(i / FPS * 1e9)) for i, xy in enumerate(places)]
        print(f"an estimator's own keypoints: invented in {invented(real)} of {len(real)} frames")
    for away_s in (0.2, 1.0, 5.0):
        seen, lost = largest_turn_deg(away_s, AppConfig().body.lifter)
        print(f"arms lost for {away_s} s: {lost:.1f} degrees from frame to frame at most, {seen:.1f} before")


if __name__ == "__main__":
    main()
