"""Who is who over time, and where each person is in the next frame."""

from collections.abc import Sequence

import numpy as np

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.utils.arrays import Float32, as_float32

_MARGIN = 0.15  # keypoints end at eyes and ankles; a person's box has room for skull and soles
_KEEP_BOX = 0.5  # share of the last box that stays: takes the tremor of keypoints out of the crop
_SAME_PERSON_IOU = 0.3
_MIN_KEYPOINTS = 4


def box_of_keypoints(keypoints: PersonKeypoints, score_threshold: float, width: int, height: int) -> PersonBox | None:
    """The box around the keypoints that were seen, enlarged and kept inside the image; None if too few were inside."""
    seen = (keypoints.score >= score_threshold) & np.isfinite(keypoints.xy_px).all(axis=1)
    if np.count_nonzero(seen) < _MIN_KEYPOINTS:
        return None
    xy = keypoints.xy_px[seen]
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = _MARGIN * max(float(np.max(high - low)), 1.0)
    box = np.clip(np.concatenate((low - margin, high + margin)), 0, [width, height, width, height])
    if np.any(box[2:] <= box[:2]):
        return None  # all of it lies outside
    return PersonBox(as_float32(box), float(np.mean(keypoints.score[seen])), keypoints.track_id)


def intersection_over_union(a_xyxy: Float32, b_xyxy: Float32) -> float:
    """The share that two boxes (4,) have in common, 0..1."""
    low, high = np.maximum(a_xyxy[:2], b_xyxy[:2]), np.minimum(a_xyxy[2:], b_xyxy[2:])
    common = float(np.prod(np.maximum(high - low, 0)))
    both = float(np.prod(a_xyxy[2:] - a_xyxy[:2]) + np.prod(b_xyxy[2:] - b_xyxy[:2]))
    return common / max(both - common, 1e-9)


class KeypointBoxTracker:
    """Follows people by the box around their last keypoints, and gives new detections new names.

    Detections match a followed person by overlap, best pair first. A person whose keypoints are lost keeps the name
    until `forget`: a detection where they were last gives it back. No name is ever given to somebody else.
    """

    def __init__(self, config: InferenceConfig) -> None:
        self._persons = config.persons
        self._threshold = config.score_threshold
        self._boxes: dict[int, PersonBox] = {}  # followed now
        self._lost: dict[int, PersonBox] = {}  # followed lately, latest last
        self._next_id = 1

    def update(
        self, frame: Frame, detections: Sequence[PersonBox], last_keypoints: Sequence[PersonKeypoints]
    ) -> list[PersonBox]:
        """Boxes of the people in this frame, longest followed first, at most `persons` of them."""
        followed: dict[int, PersonBox] = {}
        for keypoints in last_keypoints:
            box = box_of_keypoints(keypoints, self._threshold, frame.width, frame.height)
            if box is not None:
                followed[keypoints.track_id] = self._smoothed(box)
        self._lost = {i: box for i, box in (self._lost | self._boxes).items() if i not in followed}
        for detection in _unmatched(detections, list(followed.values())):
            if len(followed) < self._persons:
                track_id = self._name_of(detection)
                followed[track_id] = PersonBox(detection.bbox_xyxy_px, detection.score, track_id)
        self._boxes = followed
        return list(followed.values())

    def forget(self, track_id: int) -> None:
        """Drop what is known of one person: should they return, they get a new name."""
        self._boxes.pop(track_id, None)
        self._lost.pop(track_id, None)

    def _name_of(self, detection: PersonBox) -> int:
        """The name of the lost person who was last seen there (for a single performer: anywhere), else a new one."""
        overlaps = {
            i: intersection_over_union(detection.bbox_xyxy_px, box.bbox_xyxy_px) for i, box in self._lost.items()
        }
        nearest = max(overlaps, key=lambda i: overlaps[i], default=None)
        if nearest is not None and (overlaps[nearest] >= _SAME_PERSON_IOU or self._persons == 1):
            del self._lost[nearest]
            return nearest
        self._next_id += 1
        return self._next_id - 1

    def _smoothed(self, box: PersonBox) -> PersonBox:
        before = self._boxes.get(box.track_id)
        if before is None:
            return box
        mixed = _KEEP_BOX * before.bbox_xyxy_px + (1 - _KEEP_BOX) * box.bbox_xyxy_px
        # The smoothed box may lag behind a fast person, never cut them off.
        low, high = np.minimum(mixed[:2], box.bbox_xyxy_px[:2]), np.maximum(mixed[2:], box.bbox_xyxy_px[2:])
        return PersonBox(as_float32(np.concatenate((low, high))), box.score, box.track_id)


def _unmatched(detections: Sequence[PersonBox], followed: Sequence[PersonBox]) -> list[PersonBox]:
    """The detections that show none of the people followed; each followed person takes one detection at most."""
    pairs = sorted(
        (
            (intersection_over_union(d.bbox_xyxy_px, f.bbox_xyxy_px), i, j)
            for i, d in enumerate(detections)
            for j, f in enumerate(followed)
        ),
        reverse=True,
    )
    taken_detections: set[int] = set()
    taken_people: set[int] = set()
    for overlap, i, j in pairs:
        if overlap >= _SAME_PERSON_IOU and i not in taken_detections and j not in taken_people:
            taken_detections.add(i)
            taken_people.add(j)
    return [d for i, d in enumerate(detections) if i not in taken_detections]
