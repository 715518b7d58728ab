"""Who is who over time, and where each person is in the next frame.

Fed by detections every so many frames and by the keypoints of the frame before. Each person has a motion that says
where to look next, and where somebody hidden will come out again.

A name goes astray when an estimator, given the box of somebody who is being hidden, answers with the one in front. So
passers-by who come close are looked at too, though never shown: then their own keypoints tell them apart. And when two
meet of whom one cannot be seen, the motions of both are kept as they were; if the one seen soon fits the other's motion
better than its own, their names are exchanged.

Why not a library: docs/adr/0002-who-is-who.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.boxes import boxes_of_keypoints, intersection_over_union, one_per_body
from realtime_pose.inference.tracking.lifetimes import Lifetimes
from realtime_pose.inference.tracking.motion import (
    COAST_S,
    Motion,
    body_sizes,
    fits_of_lost,
    gap,
    gaps,
    median_shifts,
    shifted,
)
from realtime_pose.utils.arrays import Float64, as_float32

_KEEP_BOX = 0.5  # share of the last box that stays: takes the tremor of keypoints out of the crop
_CARRY_S = 0.3  # a box is carried on by its velocity for so long at most
_RESERVED_S = 1.0  # nobody else takes the place of somebody lost for less
_MEMORY_S = 3.0
_SAME_PERSON_IOU = 0.3
_MEETING_IOU = 0.2
_EXCHANGE = 0.25  # body sizes by which the other's motion must fit better
_NEAR = 2.0  # body sizes within which a passer-by is looked at
_PASSERS_BY = 2  # looked at, at most


@dataclass(slots=True)
class _Track:
    """What is known of one person.

    Attributes:
        motion: Where they were last seen.
        performs: Whether they have one of the places; passers-by do not.
        keypoints: Of the frame before; None when they were not seen in it.
        shown: The smoothed box that was last given out, likewise.
        proven: Whether their keypoints were ever seen; until then a detection may be of a coat on a hook.
        tried: Whether they were looked at before they were proven.
        met: Whom they met while the other could not be seen: name -> own and the other's motion at that time.
    """

    motion: Motion
    performs: bool = False
    keypoints: PersonKeypoints | None = None
    shown: Float64 | None = None
    proven: bool = False
    tried: bool = False
    met: dict[int, tuple[Motion, Motion]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Sight:
    """Somebody as seen in the frame before."""

    name: int
    keypoints: PersonKeypoints
    box: Float64
    score: float


class PeopleTracker:
    """Follows at most `persons` people; no name is ever given to somebody else.

    Who is followed stays so; who is lost keeps the place for a second, and the name until `forget` (or 3 s). A single
    performer (`persons` 1) keeps the name wherever and whenever they come back; somebody known to be another takes
    their place only after 3 s, or once they are forgotten.
    """

    def __init__(self, config: InferenceConfig) -> None:
        self._persons = config.persons
        self._threshold = config.score_threshold
        self._tracks: dict[int, _Track] = {}
        self._passers_by: list[PersonKeypoints] = []
        self._next_name = 1
        self._lifetimes = Lifetimes(single=config.persons == 1)

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        """Where to look in this frame: those followed, longest first, then passers-by who could be taken for them."""
        sights = [self._settled(sight) for sight in self._sights(frame, [*last_keypoints, *self._passers_by])]
        self._passers_by = []
        self._learn(sights)
        unseen = self._unseen(frame, {sight.name for sight in sights})
        self._note_meetings(frame, sights, unseen)
        found = self._found(frame, detections, sights, unseen) if detections else {}
        shown = self._shown(frame, sights)
        shown |= {name: PersonBox(box.bbox_xyxy_px, box.score, name) for name, box in found.items()}
        performers = [box for name, box in shown.items() if self._tracks[name].performs]
        others = [box for name, box in shown.items() if not self._tracks[name].performs]
        boxes = performers + self._close(frame, performers, others)
        for box in boxes:
            self._tracks[box.track_id].tried = not self._tracks[box.track_id].proven
        return boxes

    def choose(self, boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
        """Those followed, out of what was found in the boxes of `update`: no passers-by, and nobody twice."""
        known = {name for name, track in self._tracks.items() if track.keypoints is not None}
        kept = one_per_body(boxes, people, known, self._threshold)
        followed = {name for name, track in self._tracks.items() if track.performs}
        self._passers_by = [person for person in kept if person.track_id not in followed]
        return [person for person in kept if person.track_id in followed]

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        return self._lifetimes.known

    def gone(self, visible: Collection[int], time_ns: int) -> frozenset[int]:
        """Note who is visible at this media time; returns who is gone for good: after 2 s, and forgotten here too."""
        gone = self._lifetimes.update(visible, time_ns)
        for track_id in gone:
            self.forget(track_id)
        return gone

    def forget(self, track_id: int) -> None:
        """Drop what is known of one person: should they return, they get a new name."""
        self._tracks.pop(track_id, None)

    # --- what the keypoints of the frame before say -------------------------------------------------------------------

    def _sights(self, frame: Frame, people: Sequence[PersonKeypoints]) -> list[_Sight]:
        boxes, scores, found = boxes_of_keypoints(people, self._threshold, frame.width, frame.height)
        sights = []
        for person, box, score, has_box in zip(people, boxes, scores, found, strict=True):
            if has_box:
                if person.track_id not in self._tracks:  # forgotten, or named by somebody else
                    self._tracks[person.track_id] = _Track(Motion(box, np.zeros(2), person.time_ns), performs=True)
                    self._next_name = max(self._next_name, person.track_id + 1)
                sights.append(_Sight(person.track_id, person, box, float(score)))
        return sights

    def _settled(self, sight: _Sight) -> _Sight:
        """The same sight, under the name of whose motion it fits."""
        track, now_ns = self._tracks[sight.name], sight.keypoints.time_ns
        for name, (own, others) in list(track.met.items()):
            other = self._tracks.get(name)
            if other is None or other.keypoints is not None or own.seconds_to(now_ns) > COAST_S:
                del track.met[name]
            elif gap(own.at(now_ns), sight.box) - gap(others.at(now_ns), sight.box) > _EXCHANGE:
                other.motion, other.shown = others, track.shown
                track.motion, track.shown, track.keypoints = own, None, None
                track.met.clear()
                other.met.clear()
                return _Sight(name, sight.keypoints, sight.box, sight.score)
        return sight

    def _learn(self, sights: Sequence[_Sight]) -> None:
        """Move everybody who was seen to where they were seen."""
        tracks = [self._tracks[sight.name] for sight in sights]
        before = [track.keypoints or sight.keypoints for track, sight in zip(tracks, sights, strict=True)]
        shifts, known = median_shifts(before, [sight.keypoints for sight in sights], self._threshold)
        for track, sight, shift, is_known in zip(tracks, sights, shifts, known, strict=True):
            seen_twice = bool(is_known) and track.keypoints is not None
            track.motion = track.motion.moved(shift if seen_twice else None, sight.box, sight.keypoints.time_ns)
            track.keypoints, track.proven = sight.keypoints, True

    def _unseen(self, frame: Frame, seen: set[int]) -> dict[int, _Track]:
        """Everybody else who is known; who was tried in vain or has been away for long is known no more."""
        unseen = {name: track for name, track in self._tracks.items() if name not in seen}
        for name, track in list(unseen.items()):
            track.keypoints = track.shown = None
            track.met.clear()
            away_s = abs(frame.time_ns - track.motion.time_ns) / 1e9
            if (track.tried and not track.proven) or (
                away_s > _MEMORY_S and not (self._persons == 1 and track.performs)
            ):
                del self._tracks[name], unseen[name]
        return unseen

    def _note_meetings(self, frame: Frame, sights: Sequence[_Sight], unseen: dict[int, _Track]) -> None:
        if not sights or not unseen:
            return
        tracks, names = [self._tracks[sight.name] for sight in sights], list(unseen)
        here = np.stack([track.motion.box for track in tracks])
        there = np.stack([track.motion.at(frame.time_ns) for track in unseen.values()])
        for row, column in np.argwhere(intersection_over_union(here, there) > _MEETING_IOU).tolist():
            motions = tracks[row].motion, unseen[names[column]].motion
            tracks[row].met.setdefault(names[column], motions)

    def _shown(self, frame: Frame, sights: Sequence[_Sight]) -> dict[int, PersonBox]:
        """Where to look for those seen, by name: smoothed, and carried on from the frame before by their velocity."""
        if not sights:
            return {}
        tracks, fresh = [self._tracks[sight.name] for sight in sights], np.stack([sight.box for sight in sights])
        last = np.stack([sight.box if t.shown is None else t.shown for t, sight in zip(tracks, sights, strict=True)])
        mixed = _KEEP_BOX * last + (1 - _KEEP_BOX) * fresh
        # The smoothed box may lag behind a fast person, never cut them off.
        calm = np.concatenate((np.minimum(mixed[:, :2], fresh[:, :2]), np.maximum(mixed[:, 2:], fresh[:, 2:])), axis=1)
        seconds = np.array([min(track.motion.seconds_to(frame.time_ns), _CARRY_S) for track in tracks])
        ahead = shifted(calm, np.stack([track.motion.velocity for track in tracks]) * seconds[:, None])
        ahead = np.clip(ahead, 0, [frame.width, frame.height] * 2)
        leaving = (ahead[:, 2:] <= ahead[:, :2]).any(axis=1)
        ahead[leaving] = calm[leaving]  # who is about to leave the picture is looked for at its edge
        for track, box in zip(tracks, calm, strict=True):
            track.shown = box
        boxes = zip(sights, as_float32(ahead), strict=True)
        return {sight.name: PersonBox(box.copy(), sight.score, sight.name) for sight, box in boxes}

    def _close(self, frame: Frame, performers: Sequence[PersonBox], others: Sequence[PersonBox]) -> list[PersonBox]:
        """Of the others, the nearest to anybody who performs, seen or hidden."""
        expected = [box.bbox_xyxy_px for box in performers] + [
            track.motion.at(frame.time_ns)
            for track in self._tracks.values()
            if track.performs and track.keypoints is None
        ]
        if not expected or not others:
            return []
        away = gaps(np.stack(expected).astype(np.float64), np.stack([box.bbox_xyxy_px for box in others])).min(axis=0)
        return [others[row] for row in np.argsort(away, kind="stable").tolist() if away[row] < _NEAR][:_PASSERS_BY]

    # --- what detections say ------------------------------------------------------------------------------------------

    def _found(
        self, frame: Frame, detections: Sequence[PersonBox], sights: Sequence[_Sight], unseen: dict[int, _Track]
    ) -> dict[int, PersonBox]:
        """Name -> detection of those who were not seen in the frame before, with places given to whom they belong."""
        now_ns = frame.time_ns
        boxes = np.stack([detection.bbox_xyxy_px for detection in detections]).astype(np.float64)
        overlaps = intersection_over_union(np.stack([s.box for s in sights]) if sights else np.zeros((0, 4)), boxes)
        lost = fits_of_lost([track.motion for track in unseen.values()], boxes, now_ns)
        fits = np.concatenate((np.where(overlaps >= _SAME_PERSON_IOU, overlaps, 0), lost))
        rows, columns = linear_sum_assignment(fits, maximize=True)
        owners = {int(c): int(r) - len(sights) for r, c in zip(rows, columns, strict=True) if fits[r, c] > 0}
        names = list(unseen)
        found = {names[row]: column for column, row in sorted(owners.items()) if row >= 0}
        strangers = [column for column in range(len(boxes)) if column not in owners]
        self._take_back_single(frame, boxes, unseen, found, strangers)
        for column in strangers:
            found[self._next_name] = column
            self._tracks[self._next_name] = _Track(Motion(boxes[column], np.zeros(2), now_ns))
            self._next_name += 1
        for name, column in found.items():
            track = self._tracks[name]
            if not track.performs:  # who performs stays where they are expected until their keypoints are seen again
                track.motion = track.motion.glimpsed(boxes[column], now_ns)
        here = {sight.name: sight.box for sight in sights} | {name: boxes[column] for name, column in found.items()}
        self._give_places(frame, here)
        return {name: detections[column] for name, column in found.items()}

    def _take_back_single(
        self,
        frame: Frame,
        boxes: Float64,
        unseen: dict[int, _Track],
        found: dict[int, int],
        strangers: list[int],
    ) -> None:
        """Let the single performer be found wherever they come back, unless they could be confused with another."""
        lost = [name for name, track in unseen.items() if track.performs and name not in found]
        if self._persons > 1 or not lost or not strangers:
            return
        motion, alone = unseen[lost[0]].motion, not any(not track.performs for track in self._tracks.values())
        if alone or motion.seconds_to(frame.time_ns) >= _RESERVED_S:
            expected = motion.at(frame.time_ns)
            nearest = min(strangers, key=lambda column: gap(expected, boxes[column]))
            found[lost[0]] = nearest
            strangers.remove(nearest)

    def _give_places(self, frame: Frame, here: dict[int, Float64]) -> None:
        """Let the largest of those who are here perform, as far as there are places."""
        waiting = [name for name in here if not self._tracks[name].performs]
        lost = {
            name: track.motion.seconds_to(frame.time_ns)
            for name, track in self._tracks.items()
            if track.performs and name not in here
        }
        reserved_s = _MEMORY_S if self._persons == 1 else _RESERVED_S
        holders = [name for name, track in self._tracks.items() if track.performs and lost.get(name, 0) < reserved_s]
        for name in sorted(waiting, key=lambda n: -body_sizes(here[n]))[: max(self._persons - len(holders), 0)]:
            self._tracks[name].performs = True
            if sum(track.performs for track in self._tracks.values()) > self._persons:
                longest = max(lost, key=lambda n: lost[n])
                self._tracks[longest].performs = False
                del lost[longest]
