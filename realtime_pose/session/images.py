"""Images of a session's frames, from the video beside it or from its source; the session itself keeps none."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.looped import Looped
from realtime_pose.capture.sources import ACTORS, local_path, open_source, source_kind
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import CaptureError, EndOfStream, RecordingError
from realtime_pose.session.reader import Session
from realtime_pose.utils.paths import is_on_network

FRAMES_FILE = "frames.mp4"
"""The video beside a session that holds its frames unchanged."""
_SAME_TIME_NS = 1_000_000


def find_images(session: Session, video: str = "") -> CaptureConfig | None:
    """The source of the session's images: the given video, the one beside the session, or the original source.

    None if no images are left, as after a live run without a recorded video. The session may be a stranger's: of its
    source only a file or folder of this computer is looked at.
    """
    capture = _capture_of(session)
    rotate_deg = capture.get("rotate_deg") or 0
    if video:
        return CaptureConfig(video, rotate_deg=rotate_deg)
    beside = session.path.with_name(FRAMES_FILE)
    if beside.is_file():
        return CaptureConfig(str(beside))
    source = capture.get("source") or ""
    return CaptureConfig(source, rotate_deg=rotate_deg, fps=_rate_hz(capture)) if _is_kept(source) else None


def _rate_hz(capture: Mapping[str, Any]) -> float:
    """The rate that images were given; a folder's times follow from it."""
    fps = capture.get("fps")
    return float(fps) if isinstance(fps, int | float) and 0 < fps <= 1000 else 0.0


def is_source(session: Session, capture: CaptureConfig) -> bool:
    """Whether these images are the session's original source, so that both have the same times."""
    return bool(capture.source == _capture_of(session).get("source"))


def sound_of(capture: CaptureConfig) -> Path | None:
    """The file with the sound of these images, if it is a local video."""
    try:
        return local_path(capture.source) if source_kind(capture.source) == "video" else None
    except CaptureError:
        return None


def with_images(
    results: Iterable[FrameResult], capture: CaptureConfig, *, same_times: bool = False
) -> Iterator[FrameResult]:
    """The same results, each with its image: the one at the same time after the first frame.

    Args:
        results: The results of a session.
        capture: The source of the images.
        same_times: The session was made from this source and may start anywhere in it: times are compared unshifted.

    Raises:
        CaptureError: The video cannot be read.
        RecordingError: It is not the video of this session.
    """
    # an actor starts again where a session goes on
    source = Looped(partial(open_source, capture)) if capture.source in ACTORS else open_source(capture)
    try:
        first_ns: tuple[int, int] | None = None
        for result in results:
            wanted = result.frame
            if first_ns is None:
                frame = _next(source, capture)
                first_ns = (0, 0) if same_times else (wanted.time_ns, frame.time_ns)
            due_ns = wanted.time_ns - first_ns[0] + first_ns[1]
            while frame.time_ns < due_ns - _SAME_TIME_NS:
                frame = _next(source, capture)
            excess = (frame.width - wanted.width, frame.height - wanted.height)
            # recorded videos have even widths and heights, sources need not
            if frame.time_ns > due_ns + _SAME_TIME_NS or not set(excess) <= {0, 1}:
                raise _mismatch(capture)
            image = np.ascontiguousarray(frame.image_bgr[: wanted.height, : wanted.width])
            yield replace(result, frame=replace(wanted, image_bgr=image))
    finally:
        source.close()


def _capture_of(session: Session) -> dict[str, Any]:
    return ((session.settings.get("config") or {}).get("capture")) or {}


def _is_kept(source: str) -> bool:
    """Whether it is an actor, or a file or folder here; a pipe or a device is neither, and reading one may not end."""
    if source in ACTORS:
        return True
    if not source or is_on_network(source) or not os.path.exists(local_path(source)):
        return False
    try:
        kind = source_kind(source)
    except CaptureError:
        return False
    return kind == "images" or (kind == "video" and os.path.isfile(local_path(source)))


def _next(source: FrameSource, capture: CaptureConfig) -> Frame:
    try:
        while (frame := source.read()) is None:
            pass
    except EndOfStream as exc:
        raise _mismatch(capture) from exc
    return frame


def _mismatch(capture: CaptureConfig) -> RecordingError:
    return RecordingError(
        f"{capture.source} is not the video of this session: sizes or times differ; give the right one with --video"
    )
