"""keypoints.json: keypoints in the format of easy_ViTPose, for programs that read its output."""

import json
from pathlib import Path

import numpy as np

from realtime_pose.datatypes import FrameResult, PersonKeypoints
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.skeletons import COCO17, COCO25, KeypointLayout
from realtime_pose.utils.record_writer import RecordWriter

_EASY_VITPOSE_NAMES = {"pelvis": "hip"}  # in its own layout
_PX_DECIMALS, _SCORE_DECIMALS = 2, 3


class KeypointsJson:
    """Writes {"keypoints": [{id: [[y, x, score], ...]} for each frame], "skeleton": {row: name}}; note y before x.

    The file is a complete JSON document after every frame, even if the program crashes.

    Source: README of github.com/JunkyByte/easy_ViTPose, "OUTPUT json format".

    Args:
        path: The file; an existing one is replaced.

    Raises:
        RecordingError: The file cannot be created.
    """

    def __init__(self, path: str | Path) -> None:
        self._writer: RecordWriter | None = RecordWriter(Path(path))
        self._layout: KeypointLayout | None = None
        self._writer.append(b'{"keypoints": [', self._tail())
        self._separator = "\n"

    def send(self, result: FrameResult) -> None:
        """Write one frame, empty ones too; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; the frames before stay readable.
        """
        if self._writer is None:
            return
        people = {str(person.keypoints.track_id): self._rows(person.keypoints) for person in result.people}
        self._writer.append((self._separator + json.dumps(people)).encode(), self._tail())
        self._separator = ",\n"

    def close(self) -> None:
        """Close the file. Safe to repeat."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _rows(self, keypoints: PersonKeypoints) -> list[list[float]]:
        self._layout = self._layout or keypoints.layout
        if keypoints.layout.names != self._layout.names:
            raise RecordingError(
                f"keypoints.json holds one layout, {self._layout.name}, and got {keypoints.layout.name}; record again"
            )
        score = keypoints.score.astype(np.float64)
        known = np.all(np.isfinite(keypoints.xy_px), axis=1) & np.isfinite(score)
        yx = np.where(known[:, None], keypoints.xy_px[:, ::-1], 0.0).round(_PX_DECIMALS)
        return np.column_stack((yx, np.where(known, score, 0.0).round(_SCORE_DECIMALS))).round(3).tolist()

    def _tail(self) -> bytes:
        layout = self._layout or COCO17
        names = _EASY_VITPOSE_NAMES if layout == COCO25 else {}
        skeleton = {str(row): names.get(name, name) for row, name in enumerate(layout.names)}
        return f'\n],\n"skeleton": {json.dumps(skeleton)}}}\n'.encode()


def open_keypoints_json(path: Path, take: TakeInfo) -> KeypointsJson:
    """keypoints.json of a take."""
    return KeypointsJson(path)
