"""coco.json: keypoints in COCO's results format, for pycocotools and other evaluators.

A list of {"image_id", "category_id": 1, "keypoints": [x, y, score, ...], "score", "track_id"}. `image_id` is the
frame's index (for an image folder: its position, from 0); `keypoints` are COCO's 17 for human layouts, otherwise the
layout's own; `score` is the mean of the points that were found. There is no "bbox": with it, pycocotools would read
the results as boxes.

Source: cocodataset.org, "Results Format", keypoint detection.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.datatypes import FrameResult, Person
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.record_writer import RecordWriter

_PERSON_CATEGORY = 1


class CocoResults:
    """Writes everyone's keypoints; the file is a complete JSON document after every frame.

    Args:
        path: The file; an existing one is replaced.

    Raises:
        RecordingError: The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._writer: RecordWriter | None = RecordWriter(path)
        self._writer.append(b"[", b"\n]\n")
        self._separator = "\n"

    def send(self, result: FrameResult) -> None:
        """Write one frame's people; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; the frames before stay readable.
        """
        if self._writer is None or not result.people:
            return
        lines = [json.dumps(coco_entry(result.frame.index, person)) for person in result.people]
        self._writer.append((self._separator + ",\n".join(lines)).encode(), b"\n]\n")
        self._separator = ",\n"

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def coco_entry(image_id: int, person: Person) -> dict[str, Any]:
    """One person in one image, in COCO's results format."""
    keypoints = person.keypoints
    points = keypoints.in_layout(COCO17) if keypoints.layout.has_body else keypoints
    known = np.all(np.isfinite(points.xy_px), axis=1) & (points.score > 0)
    score = np.where(known, points.score, 0.0).astype(np.float64)
    xy = np.where(known[:, None], points.xy_px, 0.0).astype(np.float64)
    return {
        "image_id": image_id,
        "category_id": _PERSON_CATEGORY,
        "keypoints": np.column_stack((xy.round(2), score.round(3))).ravel().tolist(),
        "score": round(float(score[known].mean()), 4) if known.any() else 0.0,
        "track_id": keypoints.track_id,
    }


def open_coco(path: Path, take: TakeInfo) -> CocoResults:
    """coco.json of a take."""
    return CocoResults(path)
