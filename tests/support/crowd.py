"""Synthetic scenes of walking people, with a detector and a top-down estimator that have the errors of real ones.

The estimator returns the person who fills the given box best, so when one person occludes another, the occluded one's
box gets the keypoints of the one in front, which makes identities swap. Which body each result shows is known.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from support.people import make_pose

from realtime_pose.body_pipeline import BodyPipeline
from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints, SkeletonPose
from realtime_pose.inference.base import Tracker
from realtime_pose.pipeline import PosePipeline
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

WIDTH, HEIGHT = 960, 540
_IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
_NOISE, _MISSED, _HIDDEN, _DETECTED = 0.01, 0.08, 0.6, 0.35

# x, y of COCO's 17 points in a body one unit high, standing at (0, 0); y down, feet at 0
_BODY = np.array([
    (0, -0.93), (0.015, -0.95), (-0.015, -0.95), (0.035, -0.94), (-0.035, -0.94), (0.11, -0.82), (-0.11, -0.82),
    (0.14, -0.66), (-0.14, -0.66), (0.15, -0.5), (-0.15, -0.5), (0.07, -0.52), (-0.07, -0.52), (0.08, -0.28),
    (-0.08, -0.28), (0.08, -0.04), (-0.08, -0.04),
])  # fmt: skip
_SWING = np.array([0, 0, 0, 0, 0, 0, 0, 0.03, -0.03, 0.1, -0.1, 0, 0, -0.05, 0.05, -0.11, 0.11])


@dataclass(frozen=True)
class Walker:
    """One person: position of the feet over time, height, and nearness (a nearer person occludes a farther one)."""

    x_px: Callable[[float], float]
    height_px: float
    nearness: float
    floor_px: float = 500.0
    phase: float = 0.0

    def points(self, t_s: float) -> np.ndarray:
        """(17, 2) true keypoints."""
        stride = np.sin(2 * np.pi * 1.0 * t_s + self.phase)
        xy = _BODY + np.stack((_SWING * stride, np.zeros(17)), axis=1)
        return xy * self.height_px + [self.x_px(t_s), self.floor_px]


@dataclass
class Scene:
    """Walkers, and pillars that occlude them: (left, right) px."""

    walkers: Sequence[Walker]
    seconds: float
    fps: float = 30.0
    pillars: Sequence[tuple[float, float]] = ()
    seed: int = 0
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def frames(self) -> list[Frame]:
        return [Frame(_IMAGE, i, round(i * 1e9 / self.fps), 0) for i in range(round(self.seconds * self.fps))]

    def bodies(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """True keypoints (P, 17, 2) and which of them are visible (P, 17)."""
        t_s = frame.time_ns / 1e9
        points = np.stack([walker.points(t_s) for walker in self.walkers])
        seen = ((points >= 0) & (points < [WIDTH, HEIGHT])).all(axis=2)
        for left, right in self.pillars:
            seen &= ~((points[..., 0] > left) & (points[..., 0] < right))
        for i, walker in enumerate(self.walkers):
            for other in self.walkers:
                if other.nearness > walker.nearness:
                    trunk = other.x_px(t_s) + np.array([-0.13, 0.13]) * other.height_px
                    top = other.floor_px - 0.98 * other.height_px
                    inside = (points[i, :, 0] > trunk[0]) & (points[i, :, 0] < trunk[1]) & (points[i, :, 1] > top)
                    seen[i] &= ~inside
        return points, seen

    def detect(self, frame: Frame, overlooked: Sequence[int] = ()) -> list[PersonBox]:
        """Detections: noisy boxes of visible people, some missed, duplicates removed."""
        found = []
        for who, (points, seen) in enumerate(zip(*self.bodies(frame), strict=True)):
            if who not in overlooked and seen.mean() >= _DETECTED and self.rng.uniform() > _MISSED:
                low, high = points[seen].min(axis=0), points[seen].max(axis=0)
                pad = 0.04 * (high - low).max()
                box = np.concatenate((low - pad, high + pad)) + self.rng.normal(0, 0.02, 4) * (high - low).max()
                box = np.clip(box, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
                found.append(PersonBox(as_float32(box), 0.5 + 0.4 * float(seen.mean())))
        found.sort(key=lambda box: -box.score)
        kept: list[PersonBox] = []
        for box in found:
            if all(_iou(box.bbox_xyxy_px, other.bbox_xyxy_px) < 0.65 for other in kept):
                kept.append(box)
        return kept

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> tuple[list[PersonKeypoints], list[int]]:
        """Keypoints for each box, and whose body they show (-1: none)."""
        points, seen = self.bodies(frame)
        answers, whose = [], []
        for box in boxes:
            fits = [
                _iou(box.bbox_xyxy_px, np.concatenate((p.min(axis=0), p.max(axis=0)))) * (0.2 + 0.8 * s.mean())
                for p, s in zip(points, seen, strict=True)
            ]
            who = int(np.argmax(fits))
            if fits[who] < 0.08 or seen[who].mean() < 0.15:
                score, xy, who = np.full(17, 0.1), points[who], -1
            else:
                size = self.walkers[who].height_px
                guessed = np.where(seen[who], _NOISE, 6 * _NOISE)[:, None] * size
                xy = points[who] + self.rng.normal(0, 1, (17, 2)) * guessed
                score = np.where(seen[who], 0.9, self.rng.uniform(0.1, 0.5, 17))
            answers.append(PersonKeypoints(COCO17, as_float32(xy), as_float32(score), box.track_id, frame.time_ns))
            whose.append(who)
        return answers, whose

    def visible(self, frame: Frame) -> np.ndarray:
        """(P,) who is visible enough to be followed."""
        return self.bodies(frame)[1].mean(axis=1) >= _HIDDEN


@dataclass
class Names:
    """The id of each body in each frame, and the scores of that."""

    rows: list[tuple[np.ndarray, list[tuple[int, int]]]] = field(default_factory=list)
    looks: int = 0  # of the detector
    batches: list[int] = field(default_factory=list)  # boxes of each estimate

    def add(self, visible: np.ndarray, named: list[tuple[int, int]]) -> None:
        """One frame: who is visible, and (id, body) of everyone returned."""
        self.rows.append((visible, named))

    @property
    def switches(self) -> int:
        """Number of id changes of all bodies."""
        last: dict[int, int] = {}
        count = 0
        for _, named in self.rows:
            for name, body in named:
                if body >= 0:
                    count += body in last and last[body] != name
                    last[body] = name
        return count

    def share_on(self, body: int) -> float:
        """Share of the frames with `body` visible in which it alone was followed."""
        return float(np.mean([[who for _, who in named] == [body] for visible, named in self.rows if visible[body]]))

    @property
    def doubles(self) -> int:
        """Frames in which a body had two ids."""
        return sum(
            len([b for _, b in named if b >= 0]) > len({b for _, b in named if b >= 0}) for _, named in self.rows
        )

    @property
    def idf1(self) -> float:
        """IDF1 (Ristani et al., "Performance Measures and a Data Set for Multi-Target Tracking", 2016)."""
        names = sorted({name for _, named in self.rows for name, _ in named})
        bodies = len(self.rows[0][0])
        together = np.zeros((max(len(names), 1), bodies))
        truth = answers = 0
        for visible, named in self.rows:
            truth += int(visible.sum())
            for name, body in named:
                if body >= 0 and not visible[body]:
                    continue  # neither expected nor wrong
                answers += 1
                if body >= 0:
                    together[names.index(name), body] += 1
        rows, columns = linear_sum_assignment(together, maximize=True)
        return float(2 * together[rows, columns].sum() / max(truth + answers, 1))


def play(
    scene: Scene, tracker: Tracker, *, detect_every: int = 30, blind_to: Callable[[int], Sequence[int]] = lambda _: ()
) -> Names:
    """The scene through the real pipeline, without lifting; returns the id of each body.

    Args:
        scene: A new scene.
        tracker: Who is to name people.
        detect_every: As in the settings.
        blind_to: Frame -> walkers whom the detector overlooks.
    """
    names, eyes = Names(), _Eyes(scene, blind_to)
    nothing: Any = _Nothing()
    pipeline = PosePipeline(eyes, eyes, tracker, BodyPipeline(nothing, nothing, None), detect_every)
    for frame in scene.frames():
        people = pipeline.step(frame).people
        named = [(person.keypoints.track_id, eyes.whose[id(person.keypoints)]) for person in people]
        names.add(scene.visible(frame), named)
    names.looks, names.batches = eyes.looks, eyes.batches
    return names


class _Eyes:
    """The scene as detector and estimator; remembers whose body each answer shows."""

    name, runtime, precision, device, layout, finds_people = "crowd", "none", "fp32", "cpu", COCO17, False

    def __init__(self, scene: Scene, blind_to: Callable[[int], Sequence[int]]) -> None:
        self.whose: dict[int, int] = {}
        self.looks, self.batches = 0, []
        self._scene, self._blind_to = scene, blind_to
        self._kept: list[PersonKeypoints] = []  # so that no answer's address is used twice

    def detect(self, frame: Frame) -> list[PersonBox]:
        self.looks += 1
        return self._scene.detect(frame, self._blind_to(frame.index))

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        answers, whose = self._scene.estimate(frame, boxes)
        self.batches.append(len(boxes))
        self.whose |= dict(zip(map(id, answers), whose, strict=True))
        self._kept += answers
        return answers

    def close(self) -> None:
        pass


_ANY_POSE = make_pose()


class _Nothing:
    """Stands where lifter and solver are: poses are not looked at here."""

    def lift(self, *_: object) -> None:
        pass

    def solve(self, _: object) -> SkeletonPose:
        return _ANY_POSE

    def forget(self, track_id: int) -> None:
        pass


def crossing(speed: float, seed: int, *, ratio: float = 1.0, fps: float = 30.0, stands: bool = False) -> Scene:
    """Two people pass each other; `speed` in px/s each (`stands`: the farther one does not walk)."""
    start = WIDTH / 2
    seconds = min(8.0, 2 * 330 / speed)
    half, jitter = seconds / 2, np.random.default_rng(seed).uniform(-0.15, 0.15)
    walkers = [
        Walker(lambda t: start + (0 if stands else speed * (t - half)), 300.0, 1.0, phase=seed),
        Walker(
            lambda t: start - speed * (t - half - jitter), 300.0 * ratio, 2.0, 500 + 20 * (ratio - 1), phase=2 * seed
        ),
    ]
    return Scene(walkers, seconds, fps, seed=seed)


def pillar(hidden_s: float, seed: int, *, fps: float = 30.0) -> Scene:
    """Two people walk the same way; a pillar hides each of them for `hidden_s`."""
    speed = 160.0
    wide = speed * hidden_s + 75
    walkers = [
        Walker(lambda t: 60 + speed * t, 300.0, 1.0, phase=seed),
        Walker(lambda t: 900 - 0.9 * speed * t, 260.0, 2.0, 440.0, phase=1 + seed),
    ]
    return Scene(walkers, 5.0, fps, [(480 - wide / 2, 480 + wide / 2)], seed)


def meeting(seed: int, *, fps: float = 30.0) -> Scene:
    """Two people come together, shake hands for a second and go back where they came from."""

    def way(t: float) -> float:
        return 250.0 - 200 * np.clip(min(t, 4.5 - t), 0, 1.6) / 1.6

    walkers = [
        Walker(lambda t: 480 - way(t), 300.0, 1.0, phase=seed),
        Walker(lambda t: 480 + way(t), 300.0, 2.0, phase=3 * seed),
    ]
    return Scene(walkers, 4.5, fps, seed=seed)


def overtaking(seed: int, *, fps: float = 30.0) -> Scene:
    """One person overtakes another, nearer to the camera."""
    walkers = [
        Walker(lambda t: 150 + 100 * t, 280.0, 1.0, 480.0, phase=seed),
        Walker(lambda t: 50 + 190 * t, 320.0, 2.0, phase=3 * seed),
    ]
    return Scene(walkers, 4.5, fps, seed=seed)


def crowd(people: int, seed: int, *, fps: float = 30.0) -> Scene:
    """So many people wander to and fro across each other's ways."""
    rng = np.random.default_rng(seed)

    def walker(i: int) -> Walker:
        middle, reach, speed, phase = (
            rng.uniform(200, 760),
            rng.uniform(80, 250),
            rng.uniform(60, 220),
            rng.uniform(0, 6),
        )
        height = rng.uniform(180, 320)
        return Walker(
            lambda t: middle + reach * np.sin(speed / reach * t + phase), height, height, 300 + 0.65 * height, i
        )

    return Scene([walker(i) for i in range(people)], 8.0, fps, seed=seed)


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    common = np.prod(np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0))
    return float(common / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common + 1e-9))
