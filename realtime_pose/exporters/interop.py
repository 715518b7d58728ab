"""Conversions to other libraries' types: supervision's KeyPoints and COCO's dictionaries."""

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.coco import coco_entry
from realtime_pose.skeletons import KeypointLayout

if TYPE_CHECKING:
    import supervision

_INSTALL = 'pip install "supervision>=0.29"'


def to_supervision(result: FrameResult, *, score_threshold: float = 0.3) -> "supervision.KeyPoints":
    """The people as supervision's `KeyPoints`: N people with the K keypoints of the estimator's layout.

    `data` has "tracker_id" (our `track_id`) and "class_name" of each person. supervision's annotators know COCO's 17
    points by their count; for other layouts pass `edges=coco_links(layout)`.

    Args:
        result: A result of `inference`.
        score_threshold: Keypoints below it are marked as not visible; missing ones always are.

    Raises:
        ConfigError: supervision is not installed, or older than 0.29.
    """
    try:
        import supervision
    except ModuleNotFoundError as exc:
        if exc.name != "supervision":
            raise
        raise ConfigError(
            f"to_supervision needs supervision, which is not installed; install it with: {_INSTALL}"
        ) from exc
    people = result.people
    if not people:
        return supervision.KeyPoints.empty()
    score = np.stack([person.keypoints.score for person in people])
    try:
        return supervision.KeyPoints(
            xy=np.stack([person.keypoints.xy_px for person in people]),
            class_id=np.zeros(len(people), dtype=int),
            keypoint_confidence=score,
            detection_confidence=np.array([person.box.score for person in people], dtype=np.float32),
            visible=(score >= score_threshold) & (score > 0),
            data={
                "tracker_id": np.array([person.keypoints.track_id for person in people]),
                "class_name": np.array(["person"] * len(people)),
            },
        )
    except TypeError as exc:
        raise ConfigError(
            f"supervision {supervision.__version__} has no keypoint_confidence; update it with: {_INSTALL}"
        ) from exc


def to_coco(result: FrameResult, image_id: int | None = None) -> list[dict[str, Any]]:
    """The people in COCO's keypoint results format: one dictionary each, as in a take's `coco.json`.

    Each has "image_id", "category_id" (1, a person), "keypoints" [x, y, score, ...] (COCO's 17 for human layouts,
    otherwise the layout's own), "score" and "track_id".

    Args:
        result: A result of `inference`.
        image_id: The image's number; None uses the frame's index.
    """
    number = result.frame.index if image_id is None else image_id
    return [coco_entry(number, person) for person in result.people]


def coco_links(layout: KeypointLayout) -> list[tuple[int, int]]:
    """The layout's links with indices from 1, as in "skeleton" of COCO's categories and in supervision's `edges`."""
    return [(a + 1, b + 1) for a, b in layout.links]
