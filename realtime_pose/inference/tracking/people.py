"""Multi-person tracking: track ids over time, and each person's box in the next frame.

The input is detections every few frames, and the keypoints of the frame before. Each person's motion predicts the next
box, and where an occluded person will be visible again.

Identities swap when an estimator, given the box of a person who is being occluded, returns the one in front. So
bystanders who come close are estimated too, but not reported: their own keypoints then separate the two. And where a
visible person meets one who is missing, the motions of both are kept as they were; if the visible person soon fits the
other's motion better than their own, the ids are swapped back.

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
    EXTRAPOLATION_S,
    Motion,
    body_sizes,
    distance,
    distances,
    fits_of_lost,
    median_shifts,
    shifted,
)
from realtime_pose.utils.arrays import Float64, as_float32

_BOX_SMOOTHING = 0.5  # share of the last box in the next: keeps jitter of keypoints out of the crop
_MAX_PREDICTION_S = 0.3  # longest time by which a visible person's box is moved ahead by its velocity
_RESERVED_S = 1.0  # the slot of a person who is missing for less is not given to anyone else
# A person who is missing for longer is dropped, or loses the only slot. `Lifetimes` ends followed people after 2 s, so
# this is for bystanders, whom it does not count, and for a single person, whom it does not end.
_MEMORY_S = 3.0
_SAME_PERSON_IOU = 0.3  # a detection that overlaps a visible person by this much is that person
_ENCOUNTER_IOU = 0.2  # boxes that overlap by this much are an encounter, in which ids may swap
_SWAP_MARGIN = 0.25  # body sizes by which the other's motion must fit better for a swap to be undone
_NEAR = 2.0  # body sizes within which a bystander is estimated too
_MAX_BYSTANDERS = 2  # estimated at most, in one frame


@dataclass(slots=True)
class _Track:
    """State of one person.

    Attributes:
        motion: Box and velocity when they were last visible.
        followed: Whether they have one of the slots; bystanders do not.
        keypoints: Of the frame before; None if they were missing in it.
        smoothed_box: The last smoothed box; None if they were missing in the frame before.
        confirmed: Whether they ever had keypoints; until then a detection may be of an object.
        estimated: Whether their box was estimated while they were unconfirmed.
        encounters: Missing people they met: track id -> their own and the other's motion at that time.
    """

    motion: Motion
    followed: bool = False
    keypoints: PersonKeypoints | None = None
    smoothed_box: Float64 | None = None
    confirmed: bool = False
    estimated: bool = False
    encounters: dict[int, tuple[Motion, Motion]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _VisiblePerson:
    """A person who was visible in the frame before."""

    track_id: int
    keypoints: PersonKeypoints
    box: Float64
    score: float


class PeopleTracker:
    """Follows at most `persons` people; no track id is used for two of them.

    Followed people stay followed. A person who is lost keeps their slot for a second, and their id until `forget` (or
    3 s). A single person (`persons` 1) keeps the id wherever and whenever they return; another person gets the slot
    only after 3 s, or once the first is forgotten.
    """

    def __init__(self, config: InferenceConfig) -> None:
        self._persons = config.persons
        self._threshold = config.score_threshold
        self._tracks: dict[int, _Track] = {}
        self._bystanders: list[PersonKeypoints] = []
        self._next_id = 1
        self._lifetimes = Lifetimes(single=config.persons == 1)

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        """The boxes to estimate in this frame: followed people, then bystanders who could be confused with them."""
        people = self._visible_people(frame, [*last_keypoints, *self._bystanders])
        visible = [self._with_swap_undone(person) for person in people]
        self._bystanders = []
        self._update_motions(visible)
        missing = self._missing(frame, {person.track_id for person in visible})
        self._note_encounters(frame, visible, missing)
        found = self._assign_detections(frame, detections, visible, missing) if detections else {}
        by_id = self._visible_boxes(frame, visible)
        by_id |= {track_id: PersonBox(box.bbox_xyxy_px, box.score, track_id) for track_id, box in found.items()}
        followed = [box for track_id, box in by_id.items() if self._tracks[track_id].followed]
        others = [box for track_id, box in by_id.items() if not self._tracks[track_id].followed]
        boxes = followed + self._nearby_bystanders(frame, followed, others)
        for box in boxes:
            self._tracks[box.track_id].estimated = not self._tracks[box.track_id].confirmed
        return boxes

    def choose(self, boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints]) -> list[PersonKeypoints]:
        """The followed people, out of those found in the boxes of `update`: no bystanders, no duplicates."""
        known = {track_id for track_id, track in self._tracks.items() if track.keypoints is not None}
        kept = one_per_body(boxes, people, known, self._threshold)
        followed = {track_id for track_id, track in self._tracks.items() if track.followed}
        self._bystanders = [person for person in kept if person.track_id not in followed]
        return [person for person in kept if person.track_id in followed]

    @property
    def known(self) -> frozenset[int]:
        """The ids of everyone who is visible or may return."""
        return self._lifetimes.known

    def update_lifetimes(self, visible: Collection[int], time_ns: int) -> frozenset[int]:
        """Update with the ids visible at this media time; returns those gone for good (2 s), already forgotten here."""
        gone = self._lifetimes.update(visible, time_ns)
        for track_id in gone:
            self.forget(track_id)
        return gone

    def forget(self, track_id: int) -> None:
        """Drop one person's state; if they return, they get a new id."""
        self._tracks.pop(track_id, None)

    # --- keypoints of the frame before --------------------------------------------------------------------------------

    def _visible_people(self, frame: Frame, people: Sequence[PersonKeypoints]) -> list[_VisiblePerson]:
        boxes, scores, found = boxes_of_keypoints(people, self._threshold, frame.width, frame.height)
        visible = []
        for person, box, score, has_box in zip(people, boxes, scores, found, strict=True):
            if has_box:
                if person.track_id not in self._tracks:  # forgotten, or an id of another source
                    self._tracks[person.track_id] = _Track(Motion(box, np.zeros(2), person.time_ns), followed=True)
                    self._next_id = max(self._next_id, person.track_id + 1)
                visible.append(_VisiblePerson(person.track_id, person, box, float(score)))
        return visible

    def _with_swap_undone(self, person: _VisiblePerson) -> _VisiblePerson:
        """The same person, with the id whose motion they fit: undoes a swap after an encounter."""
        track, now_ns = self._tracks[person.track_id], person.keypoints.time_ns
        for track_id, (own, others) in list(track.encounters.items()):
            other = self._tracks.get(track_id)
            if other is None or other.keypoints is not None or own.seconds_to(now_ns) > EXTRAPOLATION_S:
                del track.encounters[track_id]
            elif distance(own.at(now_ns), person.box) - distance(others.at(now_ns), person.box) > _SWAP_MARGIN:
                other.motion, other.smoothed_box = others, track.smoothed_box
                track.motion, track.smoothed_box, track.keypoints = own, None, None
                track.encounters.clear()
                other.encounters.clear()
                return _VisiblePerson(track_id, person.keypoints, person.box, person.score)
        return person

    def _update_motions(self, visible: Sequence[_VisiblePerson]) -> None:
        """Update the motion of everyone visible."""
        tracks = [self._tracks[person.track_id] for person in visible]
        before = [track.keypoints or person.keypoints for track, person in zip(tracks, visible, strict=True)]
        shifts, known = median_shifts(before, [person.keypoints for person in visible], self._threshold)
        for track, person, shift, is_known in zip(tracks, visible, shifts, known, strict=True):
            known_shift = shift if is_known and track.keypoints is not None else None
            track.motion = track.motion.with_keypoints(known_shift, person.box, person.keypoints.time_ns)
            track.keypoints, track.confirmed = person.keypoints, True

    def _missing(self, frame: Frame, visible_ids: set[int]) -> dict[int, _Track]:
        """Everyone else; unconfirmed people without keypoints, and those missing for too long, are dropped."""
        missing = {track_id: track for track_id, track in self._tracks.items() if track_id not in visible_ids}
        for track_id, track in list(missing.items()):
            track.keypoints = track.smoothed_box = None
            track.encounters.clear()
            missing_s = abs(frame.time_ns - track.motion.time_ns) / 1e9
            if (track.estimated and not track.confirmed) or (
                missing_s > _MEMORY_S and not (self._persons == 1 and track.followed)
            ):
                del self._tracks[track_id], missing[track_id]
        return missing

    def _note_encounters(self, frame: Frame, visible: Sequence[_VisiblePerson], missing: dict[int, _Track]) -> None:
        if not visible or not missing:
            return
        tracks, track_ids = [self._tracks[person.track_id] for person in visible], list(missing)
        present = np.stack([track.motion.box for track in tracks])
        missing_boxes = np.stack([track.motion.at(frame.time_ns) for track in missing.values()])
        for row, column in np.argwhere(intersection_over_union(present, missing_boxes) > _ENCOUNTER_IOU).tolist():
            motions = tracks[row].motion, missing[track_ids[column]].motion
            tracks[row].encounters.setdefault(track_ids[column], motions)

    def _visible_boxes(self, frame: Frame, visible: Sequence[_VisiblePerson]) -> dict[int, PersonBox]:
        """Boxes of the visible people by id: smoothed, then moved ahead by their velocity."""
        if not visible:
            return {}
        tracks = [self._tracks[person.track_id] for person in visible]
        measured = np.stack([person.box for person in visible])
        last = np.stack([
            person.box if track.smoothed_box is None else track.smoothed_box
            for track, person in zip(tracks, visible, strict=True)
        ])  # fmt: skip
        mixed = _BOX_SMOOTHING * last + (1 - _BOX_SMOOTHING) * measured
        # The smoothed box may lag behind a fast person, but never cuts them off.
        low, high = np.minimum(mixed[:, :2], measured[:, :2]), np.maximum(mixed[:, 2:], measured[:, 2:])
        smoothed = np.concatenate((low, high), axis=1)
        seconds = np.array([min(track.motion.seconds_to(frame.time_ns), _MAX_PREDICTION_S) for track in tracks])
        ahead = shifted(smoothed, np.stack([track.motion.velocity for track in tracks]) * seconds[:, None])
        ahead = np.clip(ahead, 0, [frame.width, frame.height] * 2)
        leaving = (ahead[:, 2:] <= ahead[:, :2]).any(axis=1)
        ahead[leaving] = smoothed[leaving]  # a person about to leave the image is estimated at its edge
        for track, box in zip(tracks, smoothed, strict=True):
            track.smoothed_box = box
        boxes = zip(visible, as_float32(ahead), strict=True)
        return {person.track_id: PersonBox(box.copy(), person.score, person.track_id) for person, box in boxes}

    def _nearby_bystanders(
        self, frame: Frame, followed: Sequence[PersonBox], others: Sequence[PersonBox]
    ) -> list[PersonBox]:
        """The bystanders nearest to anyone followed, visible or missing."""
        expected = [box.bbox_xyxy_px for box in followed] + [
            track.motion.at(frame.time_ns)
            for track in self._tracks.values()
            if track.followed and track.keypoints is None
        ]
        if not expected or not others:
            return []
        each = distances(np.stack(expected).astype(np.float64), np.stack([box.bbox_xyxy_px for box in others]))
        nearest = each.min(axis=0)
        rows = [row for row in np.argsort(nearest, kind="stable").tolist() if nearest[row] < _NEAR]
        return [others[row] for row in rows[:_MAX_BYSTANDERS]]

    # --- detections ---------------------------------------------------------------------------------------------------

    def _assign_detections(
        self,
        frame: Frame,
        detections: Sequence[PersonBox],
        visible: Sequence[_VisiblePerson],
        missing: dict[int, _Track],
    ) -> dict[int, PersonBox]:
        """Assign detections; returns id -> detection of everyone who was missing in the frame before, or is new."""
        now_ns = frame.time_ns
        boxes = np.stack([detection.bbox_xyxy_px for detection in detections]).astype(np.float64)
        overlaps = intersection_over_union(np.stack([s.box for s in visible]) if visible else np.zeros((0, 4)), boxes)
        lost = fits_of_lost([track.motion for track in missing.values()], boxes, now_ns)
        fits = np.concatenate((np.where(overlaps >= _SAME_PERSON_IOU, overlaps, 0), lost))
        rows, columns = linear_sum_assignment(fits, maximize=True)
        owners = {int(c): int(r) - len(visible) for r, c in zip(rows, columns, strict=True) if fits[r, c] > 0}
        track_ids = list(missing)
        found = {track_ids[row]: column for column, row in sorted(owners.items()) if row >= 0}
        unassigned = [column for column in range(len(boxes)) if column not in owners]
        self._reassign_single(frame, boxes, missing, found, unassigned)
        for column in unassigned:
            found[self._next_id] = column
            self._tracks[self._next_id] = _Track(Motion(boxes[column], np.zeros(2), now_ns))
            self._next_id += 1
        for track_id, column in found.items():
            track = self._tracks[track_id]
            if not track.followed:  # a followed person keeps their prediction until they have keypoints again
                track.motion = track.motion.with_detection(boxes[column], now_ns)
        present = {person.track_id: person.box for person in visible}
        present |= {track_id: boxes[column] for track_id, column in found.items()}
        self._fill_slots(frame, present)
        return {track_id: detections[column] for track_id, column in found.items()}

    def _reassign_single(
        self,
        frame: Frame,
        boxes: Float64,
        missing: dict[int, _Track],
        found: dict[int, int],
        unassigned: list[int],
    ) -> None:
        """Give the single followed person the nearest unassigned detection, unless it could be someone else."""
        lost = [track_id for track_id, track in missing.items() if track.followed and track_id not in found]
        if self._persons > 1 or not lost or not unassigned:
            return
        motion, alone = missing[lost[0]].motion, not any(not track.followed for track in self._tracks.values())
        if alone or motion.seconds_to(frame.time_ns) >= _RESERVED_S:
            expected = motion.at(frame.time_ns)
            nearest = min(unassigned, key=lambda column: distance(expected, boxes[column]))
            found[lost[0]] = nearest
            unassigned.remove(nearest)

    def _fill_slots(self, frame: Frame, present: dict[int, Float64]) -> None:
        """Follow the largest of the visible bystanders, as far as slots are free."""
        bystanders = [track_id for track_id in present if not self._tracks[track_id].followed]
        lost = {
            track_id: track.motion.seconds_to(frame.time_ns)
            for track_id, track in self._tracks.items()
            if track.followed and track_id not in present
        }
        reserved_s = _MEMORY_S if self._persons == 1 else _RESERVED_S
        taken = sum(track.followed and lost.get(i, 0) < reserved_s for i, track in self._tracks.items())
        for track_id in sorted(bystanders, key=lambda i: -body_sizes(present[i]))[: max(self._persons - taken, 0)]:
            self._tracks[track_id].followed = True
            if sum(track.followed for track in self._tracks.values()) > self._persons:
                longest = max(lost, key=lambda i: lost[i])
                self._tracks[longest].followed = False
                del lost[longest]
