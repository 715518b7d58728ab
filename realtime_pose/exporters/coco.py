"""coco.json: keypoints as COCO's results format, which pycocotools and other evaluators load.

A list of {"image_id", "category_id": 1, "keypoints": [x, y, score, ...], "score", "track_id"}. `image_id` is the
frame's index (for a folder of images: its place in it, from 0); `keypoints` are COCO's 17 where the layout is a human
body's, else the layout's own; `score` is the mean of those that were found. There is no "bbox": pycocotools would take
the results for boxes.

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
    """Writes everybody's keypoints; the file is a whole JSON document after every frame.

    Args:
        path: The file; one that is there already is replaced.

    Raises:
        RecordingError: The file cannot be made.
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
        """Give the file back. Safe to repeat."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def coco_entry(image_id: int, person: Person) -> dict[str, Any]:
    """One person of one picture, as the module's first lines say."""
    seen = person.keypoints
    points = seen.in_layout(COCO17) if seen.layout.has_body else seen
    known = np.all(np.isfinite(points.xy_px), axis=1) & (points.score > 0)
    score = np.where(known, points.score, 0.0).astype(np.float64)
    xy = np.where(known[:, None], points.xy_px, 0.0).astype(np.float64)
    return {
        "image_id": image_id,
        "category_id": _PERSON_CATEGORY,
        "keypoints": np.column_stack((xy.round(2), score.round(3))).ravel().tolist(),
        "score": round(float(score[known].mean()), 4) if known.any() else 0.0,
        "track_id": seen.track_id,
    }


def open_coco(path: Path, take: TakeInfo) -> CocoResults:
    """coco.json of a take."""
    return CocoResults(path)
