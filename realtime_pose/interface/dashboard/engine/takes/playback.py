"""Playback of a take: its recorded frames through the same runtime, live view and sinks as a live run."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from realtime_pose.app.take import open_session
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.datatypes import Frame, FrameResult, PersonBox, PersonKeypoints
from realtime_pose.errors import CaptureError, ConfigError, EndOfStream
from realtime_pose.exporters.table import EXPORTERS
from realtime_pose.session.images import find_images, is_source
from realtime_pose.session.index import SessionIndex
from realtime_pose.session.reader import Session
from realtime_pose.session.seekable_images import SeekableImages, open_seekable_images
from realtime_pose.skeletons import COCO17, KeypointLayout
from realtime_pose.utils.arrays import Float64, UInt8
from realtime_pose.utils.stopwatch import Stopwatch

_WAIT_S = 0.1  # how long a read at the end waits for a seek


class SessionSource:
    """The frames of a take, as a FrameSource with `seek`, safe from any thread.

    `read` returns at once with a black frame whose index is its row; `PlaybackPipeline.step` adds people and image. At
    the end `read` returns None until there is a seek. Do not read it ahead.

    Args:
        path: The take's folder, or its session.

    Attributes:
        rows: Number of frames.
        times_s: (rows,) each frame's media time after the first.
        row: The frame that was shown last.
        drawn: Whether the people are already drawn on the images.
        settings: The settings of the recorded run.

    Raises:
        RecordingError: The session cannot be read, or has no complete frame.
    """

    live = False
    dropped = 0

    def __init__(self, path: Path) -> None:
        session = open_session(path)
        self._index = SessionIndex(session)
        self.settings = session.settings
        self.notices: list[str] = [self._index.damage] if self._index.damage else []
        self._times_ns = np.array(self._index.times_ns, np.int64)
        self.times_s: Float64 = (self._times_ns - self._times_ns[0]) / 1e9
        self.rows = len(self._times_ns)
        self.frame_count: int | None = self.rows
        self.fps = _rate_hz(self.times_s)
        self.row = 0
        try:
            self._blank = self._index.result(0).frame.image_bgr
            self._video, self.drawn = self._find_video(session)
        except BaseException:
            self._index.close()
            raise
        self._changed, self._files = threading.Condition(), threading.Lock()
        self._next = 0
        self._closed = False

    def read(self) -> Frame | None:
        """The next row's frame without its image; None at the end, if no seek comes within 0.1 s.

        Raises:
            EndOfStream: The source was closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next < self.rows, _WAIT_S)
            if self._closed:
                raise EndOfStream("the take was closed")
            if self._next >= self.rows:
                return None
            row, self._next = self._next, self._next + 1
        return Frame(self._blank, row, int(self._times_ns[row]), time.monotonic_ns())

    def seek(self, row: int) -> None:
        """Continue at this row, or the nearest one."""
        with self._changed:
            self._next = min(max(row, 0), self.rows - 1)
            self._changed.notify_all()

    def result(self, frame: Frame) -> FrameResult:
        """The recorded people of a frame from `read`, with its image.

        Raises:
            EndOfStream: The source was closed.
            RecordingError: The session cannot be read any more.
        """
        row = frame.index
        with self._files:
            if self._closed:
                raise EndOfStream("the take was closed")
            recorded = self._index.result(row)
            image = self._video.at(int(self._times_ns[row])) if self._video is not None else None
        self.row = row
        if image is None:  # a session's blank image takes no memory
            return replace(recorded, frame=frame)
        image = np.ascontiguousarray(image[: frame.height, : frame.width])
        return replace(recorded, frame=replace(frame, image_bgr=image))

    def close(self) -> None:
        """Close the files. Safe to repeat, and from any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with self._files:  # closing a video while it is read crashes the process
            self._index.close()
            if self._video is not None:
                self._video.close()

    def _find_video(self, session: Session) -> tuple["_Video | None", bool]:
        """The first images that belong to the session, and whether the people are drawn on them."""
        faults: list[str] = []
        for capture, drawn in _candidates(session):
            # the take's own video starts with the take; its source may have started long before
            shift_ns = 0 if is_source(session, capture) else int(self._times_ns[0])
            try:
                video = _Video(open_seekable_images(capture), shift_ns)
            except (CaptureError, ConfigError) as exc:
                faults.append(str(exc))
                continue
            if self._fits(video.at(int(self._times_ns[0]))):
                return video, drawn
            video.close()
            faults.append(f"{capture.source} is not the video of this take")
        self.notices.append(f"The take is played without its video{': ' if faults else ''}{'; '.join(faults)}.")
        return None, False

    def _fits(self, image: UInt8 | None) -> bool:
        """Whether it has the session's size; the program's videos have even sizes, so one pixel may differ."""
        height, width = self._blank.shape[:2]
        return image is not None and {image.shape[0] - height, image.shape[1] - width} <= {0, 1}


@dataclass(frozen=True)
class _Video:
    """Images, and the session's media time at which they start."""

    images: SeekableImages
    shift_ns: int

    def at(self, time_ns: int) -> UInt8 | None:
        """The image at this media time of the session."""
        return self.images.at(time_ns - self.shift_ns)

    def close(self) -> None:
        """Close the files."""
        self.images.close()


def _candidates(session: Session) -> Iterator[tuple[CaptureConfig, bool]]:
    """Candidates for the images, best first, and whether the people are drawn on them."""
    found = find_images(session)
    if found is not None:
        yield found, False
    overlay = session.path.with_name(EXPORTERS["overlay"].file)
    if overlay.is_file():
        yield CaptureConfig(str(overlay)), True


def _rate_hz(times_s: Float64) -> float:
    """The median rate of these times; 0 if it is unknown."""
    period_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0
    return 1 / period_s if period_s > 0 else 0.0


@dataclass
class RecordedEstimator:
    """The name and runtime of the model that made a take, in place of an estimator."""

    name: str
    runtime: str
    precision: str
    device: str
    model_hash: str = ""
    layout: KeypointLayout = COCO17
    finds_people: bool = True

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """No people: a take's people are in its session."""
        return []

    def close(self) -> None:
        """Does nothing."""

    @classmethod
    def of(cls, settings: dict[str, object]) -> "RecordedEstimator":
        """From a session's settings."""
        model = settings.get("model")
        name = model.get("name") if isinstance(model, dict) else None
        runtime, _, precision = str(settings.get("runtime") or "").partition(" ")
        return cls(str(name or "recorded"), runtime, precision, str(settings.get("device") or ""))


class PlaybackPipeline:
    """The pipeline of a playback: the people of each frame are the recorded ones."""

    def __init__(self, source: SessionSource) -> None:
        self.stopwatch = Stopwatch()
        self.estimator = RecordedEstimator.of(source.settings)
        self._source = source

    def step(self, frame: Frame) -> FrameResult:
        """A row of the take with its people and image; `frame.index` is the row.

        Raises:
            RecordingError: The take cannot be read any more.
        """
        with self.stopwatch.measure("capture"):
            return self._source.result(frame)

    def close(self) -> None:
        """Close the take's files."""
        self._source.close()
