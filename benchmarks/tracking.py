"""Trackers on synthetic scenes with known truth: people who cross, occlude each other, meet and wander.

    python benchmarks/tracking.py [--seeds N] [--first-seed S]

Prints IDF1 and identity switches per kind of scene, for ours and, if `trackers` (2.6.1, Roboflow) is installed, for
its SORT, ByteTrack and OC-SORT: with the same detections and keypoint boxes, each body once, each new box named at
once, lost people remembered for two seconds. Then the time per frame of ours with 1, 4 and 16 people.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the scenes are those of the tests

from support.crowd import Scene, Walker, crossing, crowd, meeting, overtaking, pillar, play

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig, Tracker
from realtime_pose.inference.tracking.boxes import boxes_of_keypoints, intersection_over_union, one_per_body
from realtime_pose.inference.tracking.lifetimes import Lifetimes
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

_PERSONS = 8
_SCENES: dict[str, Callable[[int], Scene]] = {
    "cross, 80 px/s": lambda seed: crossing(80, seed),
    "cross, 160 px/s": lambda seed: crossing(160, seed),
    "cross, 320 px/s": lambda seed: crossing(320, seed),
    "cross, 480 px/s": lambda seed: crossing(480, seed),
    "cross, 160 px/s, 15 Hz": lambda seed: crossing(160, seed, fps=15),
    "cross, near and far": lambda seed: crossing(160, seed, ratio=1.25),
    "pass by, 100 px/s": lambda seed: crossing(100, seed, stands=True),
    "pass by, 240 px/s": lambda seed: crossing(240, seed, stands=True),
    "pillar, 0.4 s": lambda seed: pillar(0.4, seed),
    "pillar, 0.7 s": lambda seed: pillar(0.7, seed),
    "pillar, 1.0 s": lambda seed: pillar(1.0, seed),
    "handshake": meeting,
    "overtake": overtaking,
    "crowd of 3": lambda seed: crowd(3, seed),
    "crowd of 5": lambda seed: crowd(5, seed),
}


class _LibraryTracker:
    """A tracker of the library behind our Protocol: keypoint boxes and unexplained detections are its detections."""

    def __init__(self, library: Any) -> None:  # noqa: ANN401 - the library is optional
        self._library, self._followed, self._lifetimes = library, set[int](), Lifetimes(single=False)

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        import supervision

        boxes, scores, found = boxes_of_keypoints(last_keypoints, 0.3, frame.width, frame.height)
        boxes, scores = boxes[found], scores[found]
        if detections:
            seen = np.stack([d.bbox_xyxy_px for d in detections]).astype(np.float64)
            new = (intersection_over_union(boxes, seen) < 0.3).all(axis=0)
            boxes = np.concatenate((boxes, seen[new]))
            scores = np.concatenate((scores, np.array([d.score for d in detections])[new]))
        rows = np.arange(len(boxes))
        given = supervision.Detections(boxes, confidence=np.full(len(boxes), 0.9), data={"row": rows})
        given = given if len(boxes) else supervision.Detections.empty()
        answer = self._library.update(given, timestamp=frame.time_ns / 1e9)
        if not len(answer):
            return []
        names = self._named_at_once(np.asarray(answer.tracker_id))
        order = sorted(zip(names, answer.data["row"].tolist(), strict=True), key=lambda n: n[0] not in self._followed)
        chosen = [PersonBox(as_float32(boxes[row]), float(scores[row]), name) for name, row in order][:_PERSONS]
        self._followed = {box.track_id for box in chosen}
        return chosen

    def choose(self, boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
        return one_per_body(boxes, people, self._followed, 0.3)

    @property
    def known(self) -> frozenset[int]:
        return self._lifetimes.known

    def update_lifetimes(self, visible: Collection[int], time_ns: int) -> frozenset[int]:
        gone = self._lifetimes.update(visible, time_ns)
        for track_id in gone:
            self.forget(track_id)
        return gone

    def forget(self, track_id: int) -> None:
        self._library.tracks = [track for track in self._library.tracks if track.tracker_id != track_id]

    def _named_at_once(self, names: np.ndarray) -> list[int]:
        """The library names people only at their second detection, which here may be half a second later."""
        unnamed = [track for track in self._library.tracks if track.tracker_id == -1]
        for track in unnamed:
            track.tracker_id = self._library._allocate_tracker_id()
        given = iter([track.tracker_id for track in unnamed])
        return [int(name) if name != -1 else next(given) for name in names]


def _trackers() -> dict[str, Callable[[], Tracker]]:
    ours: dict[str, Callable[[], Tracker]] = {"ours": lambda: PeopleTracker(InferenceConfig(persons=_PERSONS))}
    if find_spec("trackers") is None:
        print("`trackers` is not installed, so ours is alone.")
        return ours
    import trackers

    settings = {"lost_track_buffer": 60, "minimum_consecutive_frames": 1, "minimum_iou_threshold": 0.1}
    kinds = {"SORT": trackers.SORTTracker, "ByteTrack": trackers.ByteTrackTracker, "OC-SORT": trackers.OCSORTTracker}
    return ours | {name: lambda kind=kind: _LibraryTracker(kind(**settings)) for name, kind in kinds.items()}  # type: ignore[misc]


def _judge(seeds: range) -> None:
    makers = _trackers()
    print(f"{'IDF1 / changes of name':26}" + "".join(f"{name:>14}" for name in makers))
    all_idf1: dict[str, list[float]] = {name: [] for name in makers}
    all_switches = dict.fromkeys(makers, 0)
    for kind, make in _SCENES.items():
        line = f"{kind:26}"
        for name, maker in makers.items():
            names = [play(make(seed), maker()) for seed in seeds]
            idf1, switches = [n.idf1 for n in names], sum(n.switches for n in names)
            all_idf1[name] += idf1
            all_switches[name] += switches
            line += f"{f'{np.mean(idf1):.3f} / {switches}':>14}"
        print(line)
    print(f"{'all':26}" + "".join(f"{f'{np.mean(all_idf1[n]):.3f} / {all_switches[n]}':>14}" for n in makers))


def _cost(people: int) -> None:
    """Milliseconds per frame of update and choose together, with people close to each other."""
    walkers = [Walker(lambda t, i=i: 40 + 58 * i + 10 * np.sin(t), 150.0, i, phase=i) for i in range(people)]  # type: ignore[misc]
    scene, tracker = Scene(walkers, 6.0), PeopleTracker(InferenceConfig(persons=people))
    last: list[PersonKeypoints] = []
    spent = []
    for index, frame in enumerate(scene.frames()):
        detections = scene.detect(frame) if index % 30 == 0 else []
        start = time.perf_counter()
        boxes = tracker.update(frame, detections, last)
        between = time.perf_counter()
        answers, _ = scene.estimate(frame, boxes)
        answers = [PersonKeypoints(COCO17, a.xy_px, a.score, a.track_id, frame.time_ns) for a in answers]
        again = time.perf_counter()
        last = tracker.choose(boxes, answers)
        spent.append(between - start + time.perf_counter() - again)
    print(f"{people:3} people: {1e3 * statistics.median(spent):.2f} ms a frame")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=200)
    options = parser.parse_args()
    _judge(range(options.first_seed, options.first_seed + options.seeds))
    for number in (1, 4, 16):
        _cost(number)
