"""A take: one folder with everything that a run leaves behind."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.recording.bvh import BvhRecorder
from realtime_pose.recording.keypoints_json import KeypointsJson
from realtime_pose.recording.overlay import OverlayVideo
from realtime_pose.recording.session import SessionRecorder

OVERLAY, MOTION, KEYPOINTS, SESSION = "overlay.mp4", "motion.bvh", "keypoints.json", "session.rtpose"
_OURS = re.compile(r"overlay\.mp4|motion(_-?\d+)?\.bvh|keypoints\.json|session\.rtpose")


class TakeRecorder:
    """Writes overlay.mp4, motion.bvh (one for each person), keypoints.json and session.rtpose into a folder.

    It can be slow, as it encodes video: give it a thread of its own.

    Args:
        folder: Made if it is not there; the files of an earlier take in it are replaced, others stay.
        fps: The source's nominal rate.
        settings: What made the take, for the session.

    Raises:
        RecordingError: The folder cannot be made or written.
    """

    def __init__(self, folder: str | Path, fps: float, settings: Mapping[str, Any]) -> None:
        folder = Path(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                if _OURS.fullmatch(old.name):  # a take never mixes with the one before
                    old.unlink()
        except OSError as exc:
            raise RecordingError(f"cannot write into {folder}: {exc.strerror}; choose another folder") from exc
        # the session first: if the disk fills up, it is what everything else can be made from again
        self._sinks: tuple[PoseSink, ...] = (
            SessionRecorder(folder / SESSION, settings),
            KeypointsJson(folder / KEYPOINTS),
            BvhRecorder(folder / MOTION, fps),
            OverlayVideo(folder / OVERLAY, fps),
        )

    def send(self, result: FrameResult) -> None:
        """Write one frame into every file; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone; after `close`, what was written before stays readable.
        """
        for sink in self._sinks:
            sink.send(result)

    def close(self) -> None:
        """Finish every file, also if one of them fails. Safe to repeat.

        Raises:
            RecordingError: A file cannot be finished.
        """
        failure: RecordingError | None = None
        for sink in self._sinks:
            try:
                sink.close()
            except RecordingError as exc:
                failure = failure or exc
        if failure is not None:
            raise failure
