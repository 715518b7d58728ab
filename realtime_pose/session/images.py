"""The pictures that belong to a session, which itself keeps none."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.looped import Looped
from realtime_pose.capture.sources import ACTORS, local_path, open_source, source_kind
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import CaptureError, EndOfStream, RecordingError
from realtime_pose.session.format import Session

FRAMES_FILE = "frames.mp4"
"""The video beside a session that holds its frames as they came."""
_SAME_TIME_NS = 1_000_000
_LIVE = ("camera", "network", "browser")


def find_pictures(session: Session, video: str = "") -> CaptureConfig | None:
    """Where the session's pictures are: the video that is named, the one beside it, or what it was made from.

    None if there are none any more.
    """
    capture = session.settings.get("config", {}).get("capture", {})
    turned = int(capture.get("rotate_deg", 0))
    if video:
        return CaptureConfig(video, rotate_deg=turned)
    beside = session.path.with_name(FRAMES_FILE)
    if beside.is_file():
        return CaptureConfig(str(beside))
    source = str(capture.get("source", ""))
    try:
        live = source_kind(source) in _LIVE
    except CaptureError:
        return None
    return None if live else CaptureConfig(source, rotate_deg=turned)


def is_source(session: Session, capture: CaptureConfig) -> bool:
    """Whether these pictures are what the session was made from, so that both have the same times."""
    return bool(capture.source == session.settings.get("config", {}).get("capture", {}).get("source"))


def sound_of(capture: CaptureConfig) -> Path | None:
    """The file whose sound belongs to these pictures, if it is a local video."""
    try:
        return local_path(capture.source) if source_kind(capture.source) == "video" else None
    except CaptureError:
        return None


def with_pictures(
    results: Iterable[FrameResult], capture: CaptureConfig, *, same_times: bool = False
) -> Iterator[FrameResult]:
    """The same results, each with its picture: the one of the same time after the first.

    Args:
        results: What a session gives.
        capture: The pictures.
        same_times: The session was made from them, and may have begun anywhere in them: times are compared as they are.

    Raises:
        CaptureError: The video cannot be read.
        RecordingError: It is not the session's.
    """
    # an actor begins anew where a session goes on
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
            spare = (frame.width - wanted.width, frame.height - wanted.height)
            # a film of ours has even edges, whatever the picture's were
            if frame.time_ns > due_ns + _SAME_TIME_NS or not set(spare) <= {0, 1}:
                raise _foreign(capture)
            image = np.ascontiguousarray(frame.image_bgr[: wanted.height, : wanted.width])
            yield replace(result, frame=replace(wanted, image_bgr=image))
    finally:
        source.close()


def _next(source: FrameSource, capture: CaptureConfig) -> Frame:
    try:
        while (frame := source.read()) is None:
            pass
    except EndOfStream as exc:
        raise _foreign(capture) from exc
    return frame


def _foreign(capture: CaptureConfig) -> RecordingError:
    return RecordingError(
        f"{capture.source} is not the video of this session: pictures and times differ; name the right one with --video"
    )
