"""Boxes around keypoints, their overlap, and the removal of duplicates of one body."""

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import PersonBox, PersonKeypoints
from realtime_pose.utils.arrays import Bool, Float32, Float64, FloatArray, as_float32

_MARGIN_RATIO = 0.15  # added around the keypoints, of the longer side: they end at eyes and ankles
_MIN_KEYPOINTS = 4  # visible keypoints that a person must have
_FALLOFF_RATIO = 0.15  # keypoints this share of a body's size apart have similarity 0.6, twice as far apart 0.14
_SAME_BODY_SIMILARITY = 0.6  # people whose keypoints are more similar are one body

Rows: TypeAlias = npt.NDArray[np.intp]


def box_of_keypoints(keypoints: PersonKeypoints, score_threshold: float, width: int, height: int) -> PersonBox | None:
    """The box around the visible keypoints, enlarged and clipped to the image; None if there are too few."""
    boxes, scores, found = boxes_of_keypoints([keypoints], score_threshold, width, height)
    return PersonBox(as_float32(boxes[0]), float(scores[0]), keypoints.track_id) if found[0] else None


def boxes_of_keypoints(
    people: Sequence[PersonKeypoints], score_threshold: float, width: int, height: int
) -> tuple[Float64, Float64, Bool]:
    """Boxes (N, 4) as `box_of_keypoints` makes them, mean scores (N,) of the visible keypoints, who has a box (N,)."""
    if not people:
        return np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)
    xy, score, visible = _stacked(people, score_threshold)
    low = np.where(visible[..., None], xy, np.inf).min(axis=1)
    high = np.where(visible[..., None], xy, -np.inf).max(axis=1)
    count = visible.sum(axis=1)
    found = count >= _MIN_KEYPOINTS
    low[~found] = high[~found] = 0
    margin = _MARGIN_RATIO * np.maximum((high - low).max(axis=1), 1.0)[:, None]
    boxes = np.clip(np.concatenate((low - margin, high + margin), axis=1), 0, [width, height, width, height])
    found &= (boxes[:, 2:] > boxes[:, :2]).all(axis=1)  # otherwise all of it is outside
    return boxes, (score * visible).sum(axis=1) / np.maximum(count, 1), found


def person_boxes(boxes_xyxy: FloatArray, scores: FloatArray, width: int, height: int) -> list[PersonBox]:
    """A detector's boxes (N, 4) and scores (N,) as `PersonBox`es, clipped to the image, best first."""
    inside = np.clip(boxes_xyxy, 0, [width, height, width, height])
    order = np.argsort(-scores, kind="stable")
    order = order[(inside[order, 2:] > inside[order, :2]).all(axis=1)]
    return [PersonBox(as_float32(inside[row]), float(scores[row])) for row in order.tolist()]


def intersection_over_union(a_xyxy: FloatArray, b_xyxy: FloatArray) -> Float64:
    """Intersection over union, 0..1, of each of the boxes (N, 4) with each of the boxes (M, 4), as (N, M)."""
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2, dtype=np.float64)
    a_area, b_area = (np.prod(box[:, 2:] - box[:, :2], axis=1) for box in (a_xyxy, b_xyxy))
    return common / np.maximum(a_area[:, None] + b_area[None, :] - common, 1e-9)


def one_per_body(
    boxes: Sequence[PersonBox], people: Sequence[PersonKeypoints], known: Collection[int], score_threshold: float
) -> list[PersonKeypoints]:
    """The people without duplicates: of several on one body, one is kept; the order stays.

    Where one person occludes another, an estimator finds the one in front in both boxes. Kept is the person who was
    known before, then the one whose box fits the keypoints best.

    Args:
        boxes: The box that each person was estimated in.
        people: The keypoints found there.
        known: Track ids of those who were visible in the frame before.
        score_threshold: A keypoint with a lower score counts as occluded.
    """
    if len(people) < 2:
        return list(people)
    keypoint_boxes, _, found = boxes_of_keypoints(people, score_threshold, 1 << 20, 1 << 20)
    a, b = np.nonzero(np.triu(intersection_over_union(keypoint_boxes, keypoint_boxes), k=1))
    same = keypoint_similarity(people, a, b, score_threshold) >= _SAME_BODY_SIMILARITY
    if not same.any():
        return list(people)
    alike = np.zeros((len(people), len(people)), bool)
    alike[a[same], b[same]] = alike[b[same], a[same]] = True
    estimated_in = np.stack([box.bbox_xyxy_px for box in boxes])
    fits = np.diagonal(intersection_over_union(estimated_in, keypoint_boxes)) * found
    fits = fits + [person.track_id in known for person in people]
    kept: list[int] = []
    for row in np.argsort(-fits, kind="stable").tolist():
        if not alike[row, kept].any():
            kept.append(row)
    return [people[row] for row in sorted(kept)]


def keypoint_similarity(people: Sequence[PersonKeypoints], a: Rows, b: Rows, score_threshold: float) -> Float64:
    """Keypoint similarity, (P,) in 0..1, of the people in rows `a` (P,) and those in rows `b` (P,).

    COCO's object keypoint similarity, relative to the smaller body, with one falloff for all points, as layouts other
    than COCO have no measured ones; 0 where too few keypoints are visible in both.
    """
    xy, _, visible = _stacked(people, score_threshold)
    low = np.where(visible[..., None], xy, np.inf).min(axis=1)
    high = np.where(visible[..., None], xy, -np.inf).max(axis=1)
    area = np.prod(np.where(high > low, high - low, 1.0), axis=1)
    both = visible[a] & visible[b]
    shared = both.sum(axis=1)
    falloff = 2 * _FALLOFF_RATIO**2 * np.minimum(area[a], area[b])
    alike = np.exp(-np.sum((xy[a] - xy[b]) ** 2, axis=2) / falloff[:, None])
    return (alike * both).sum(axis=1) / np.maximum(shared, 1) * (shared >= _MIN_KEYPOINTS)


def _stacked(people: Sequence[PersonKeypoints], threshold: float) -> tuple[Float64, Float32, Bool]:
    """Pixels (N, K, 2) with 0 for points that are no numbers, scores (N, K), and which are visible (N, K)."""
    xy = np.stack([person.xy_px for person in people]).astype(np.float64)
    score = np.stack([person.score for person in people])
    finite = np.isfinite(xy).all(axis=2)
    xy[~finite] = 0
    return xy, score, (score >= threshold) & finite
