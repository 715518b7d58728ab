"""Where people are and how alike two of them are: boxes around keypoints, their overlap, and one body found twice."""

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.utils.arrays import Bool, Float32, Float64, FloatArray, as_float32

_MARGIN = 0.15  # keypoints end at eyes and ankles; a person's box has room for skull and soles
_MIN_KEYPOINTS = 4
_FALLOFF = 0.15  # of a body's size: keypoints so far apart count 0.6 of the same point, twice as far 0.14
_SAME_BODY = 0.6

Rows: TypeAlias = npt.NDArray[np.intp]


def box_of_keypoints(keypoints: PersonKeypoints, score_threshold: float, width: int, height: int) -> PersonBox | None:
    """The box around the keypoints that were seen, enlarged and kept inside the image; None if too few were inside."""
    boxes, scores, found = boxes_of_keypoints([keypoints], score_threshold, width, height)
    return PersonBox(as_float32(boxes[0]), float(scores[0]), keypoints.track_id) if found[0] else None


def boxes_of_keypoints(
    people: Sequence[PersonKeypoints], score_threshold: float, width: int, height: int
) -> tuple[Float64, Float64, Bool]:
    """Boxes (N, 4) as of `box_of_keypoints`, mean scores (N,) of the keypoints seen, and who has a box at all (N,)."""
    if not people:
        return np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)
    xy, score, seen = _stacked(people, score_threshold)
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    count = seen.sum(axis=1)
    found = count >= _MIN_KEYPOINTS
    low[~found] = high[~found] = 0
    margin = _MARGIN * np.maximum((high - low).max(axis=1), 1.0)[:, None]
    boxes = np.clip(np.concatenate((low - margin, high + margin), axis=1), 0, [width, height, width, height])
    found &= (boxes[:, 2:] > boxes[:, :2]).all(axis=1)  # else all of it lies outside
    return boxes, (score * seen).sum(axis=1) / np.maximum(count, 1), found


def person_boxes(boxes_xyxy: FloatArray, scores: FloatArray, width: int, height: int) -> list[PersonBox]:
    """What a detector found, (N, 4) and (N,), as boxes inside the picture, best first."""
    inside = np.clip(boxes_xyxy, 0, [width, height, width, height])
    order = np.argsort(-scores, kind="stable")
    order = order[(inside[order, 2:] > inside[order, :2]).all(axis=1)]
    return [PersonBox(as_float32(inside[row]), float(scores[row])) for row in order.tolist()]


def intersection_over_union(a_xyxy: FloatArray, b_xyxy: FloatArray) -> Float64:
    """The share 0..1 that each of the boxes (N, 4) has in common with each of the boxes (M, 4), as (N, M)."""
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2, dtype=np.float64)
    a_area, b_area = (np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (a_xyxy, b_xyxy))
    return common / np.maximum(a_area[:, None] + b_area[None, :] - common, 1e-9)


def one_per_body(
    boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints], known: Collection[int], score_threshold: float
) -> list[PersonKeypoints]:
    """The people without those whose keypoints lie on a body that somebody else has, in the same order.

    Where one person hides another, an estimator finds the one in front in both boxes. The body stays with who was
    known before, then with whom the box that was looked into fits best.

    Args:
        boxes: Where each of the people was looked for.
        people: What was found there.
        known: Names of those who were followed before this frame.
        score_threshold: Below it a keypoint counts as not seen.
    """
    if len(people) < 2:
        return list(people)
    answered, _, found = boxes_of_keypoints(people, score_threshold, 1 << 20, 1 << 20)
    a, b = np.nonzero(np.triu(intersection_over_union(answered, answered), k=1))
    same = keypoint_similarity(people, a, b, score_threshold) >= _SAME_BODY
    if not same.any():
        return list(people)
    alike = np.zeros((len(people), len(people)), bool)
    alike[a[same], b[same]] = alike[b[same], a[same]] = True
    asked = np.stack([box.bbox_xyxy_px for box in boxes])
    fits = np.diagonal(intersection_over_union(asked, answered)) * found
    fits = fits + [person.track_id in known for person in people]
    kept: list[int] = []
    for row in np.argsort(-fits, kind="stable").tolist():
        if not alike[row, kept].any():
            kept.append(row)
    return [people[row] for row in sorted(kept)]


def keypoint_similarity(people: Sequence[PersonKeypoints], a: Rows, b: Rows, score_threshold: float) -> Float64:
    """How far the people in rows `a` (P,) and those in rows `b` (P,) are one body, (P,) in 0..1.

    COCO's object keypoint similarity with one falloff for all points, as layouts beyond COCO have no measured ones, in
    units of the smaller body; 0 where too few keypoints were seen of both.
    """
    xy, _, seen = _stacked(people, score_threshold)
    low = np.where(seen[..., None], xy, np.inf).min(axis=1)
    high = np.where(seen[..., None], xy, -np.inf).max(axis=1)
    area = np.prod(np.where(high > low, high - low, 1.0), axis=1)
    both = seen[a] & seen[b]
    shared = both.sum(axis=1)
    falloff = 2 * _FALLOFF**2 * np.minimum(area[a], area[b])
    alike = np.exp(-np.sum((xy[a] - xy[b]) ** 2, axis=2) / falloff[:, None])
    return (alike * both).sum(axis=1) / np.maximum(shared, 1) * (shared >= _MIN_KEYPOINTS)


def _stacked(people: Sequence[PersonKeypoints], threshold: float) -> tuple[Float64, Float32, Bool]:
    """Pixels (N, K, 2) with 0 for what is no number, scores (N, K), and which were seen (N, K)."""
    xy = np.stack([person.xy_px for person in people]).astype(np.float64)
    score = np.stack([person.score for person in people])
    finite = np.isfinite(xy).all(axis=2)
    xy[~finite] = 0
    return xy, score, (score >= threshold) & finite
