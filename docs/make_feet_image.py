"""Draws the ankles of the actor's walk without and with foot locking: .venv/bin/python docs/make_feet_image.py

Above: their paths on the floor from above. Below: their speed along the floor; grey marks true contact.
"""

import sys
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.evaluation.errors3d import foot_slide_cm_s
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.arrays import Float64, UInt8, as_float32
from realtime_pose.utils.paths import data_path
from realtime_pose.utils.stopwatch import Stopwatch

WALK = slice(88, 215)
NOISE_PX = 1.5
WIDTH, TOP, GRAPH, MARGIN = 560, 370, 150, 50
COLOURS = {"left": (190, 110, 20), "right": (30, 90, 220)}  # BGR
INK, PAPER, SHADE = (60, 60, 60), (255, 255, 255), (228, 228, 228)
FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]


def ankles(feet: str) -> Float64:
    """(T, 2, 3) the ankles of the walk in the world, from true keypoints with noise and the default lifter."""
    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    config = AppConfig().with_values({"body": {"feet": feet, "height_m": truth.height_m}}, "docs")
    body, rng, places = build_body(config), np.random.default_rng(1), []
    for frame, true_px in enumerate(truth.keypoints_px[: WALK.stop]):
        seen_px = as_float32(true_px + NOISE_PX * rng.normal(size=true_px.shape))
        score = np.full(len(true_px), 0.9, np.float32)
        keypoints = PersonKeypoints(COCO17_FEET_HANDS, seen_px, score, 1, round(frame * 1e9 / truth.fps))
        _, pose = body.pose_of(keypoints.sane(), truth.intrinsics, Stopwatch())
        places.append(forward_kinematics(pose)[FEET])
    return np.array(places)[WALK]


def drawn(title: str, places: Float64) -> UInt8:
    """One half of the image."""
    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    stands = truth.foot_contact[WALK]
    image = np.full((TOP + 2 * GRAPH, WIDTH, 3), PAPER, np.uint8)
    slide = foot_slide_cm_s(places, stands, truth.fps)
    text(image, f"{title}: {slide:.1f} cm/s while standing", (MARGIN, 30), 0.6)
    per_m = (WIDTH - 2 * MARGIN) / 1.7
    for side, colour in enumerate(COLOURS.values()):
        path = np.column_stack((places[:, side, 0] + 0.25, places[:, side, 2] + 0.15)) * per_m + (MARGIN, 60)
        for (a, b), still in zip(pairwise(path), stands[1:, side] & stands[:-1, side], strict=True):
            cv2.line(image, point(a), point(b), colour, 3 if still else 1, cv2.LINE_AA)
            if still:
                cv2.circle(image, point(b), 4, colour, -1, cv2.LINE_AA)
    text(image, "from above; 0.5 m:", (WIDTH - 330, TOP - 30), 0.45)
    cv2.line(image, (WIDTH - 180, TOP - 35), (round(WIDTH - 180 + per_m / 2), TOP - 35), INK, 2)
    for side, (name, colour) in enumerate(COLOURS.items()):
        graph(image, name, colour, places[:, side], stands[:, side], TOP + side * GRAPH)
    return image


def graph(image: UInt8, name: str, colour: tuple[int, int, int], path: Float64, stands: Float64, top: int) -> None:
    """One foot's speed over time, 0 to 3 m/s."""
    speed = np.linalg.norm(np.diff(path[:, [0, 2]], axis=0), axis=-1) * 30
    x = np.linspace(MARGIN, WIDTH - 15, len(speed))
    y = top + GRAPH - 25 - np.clip(speed / 3.0, 0, 1) * (GRAPH - 40)
    for i in np.flatnonzero(stands[1:] & stands[:-1]):
        cv2.rectangle(image, point((x[i] - 2, top + 10)), point((x[i] + 2, top + GRAPH - 25)), SHADE, -1)
    cv2.polylines(image, [np.column_stack((x, y)).astype(np.int32)], False, colour, 2, cv2.LINE_AA)
    cv2.line(image, (MARGIN, top + GRAPH - 25), (WIDTH - 15, top + GRAPH - 25), INK, 1)
    text(image, "3 m/s", (3, top + 22), 0.4)
    text(image, name, (5, top + GRAPH - 30), 0.45)


def text(image: UInt8, words: str, at: tuple[int, int], size: float) -> None:
    """Draw text on the image."""
    cv2.putText(image, words, at, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)


def point(xy: Float64 | tuple[float, float]) -> tuple[int, int]:
    """A point in whole pixels."""
    return round(float(xy[0])), round(float(xy[1]))


if __name__ == "__main__":
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "feet.png"
    halves = [drawn(f"--feet {feet}", ankles(feet)) for feet in ("never", "auto")]
    cv2.imwrite(str(to), np.hstack(halves), [cv2.IMWRITE_PNG_COMPRESSION, 9])
