"""Network sources: RTSP, RTMP, MJPEG and HLS streams through OpenCV's FFmpeg, and files over HTTP through PyAV."""

from collections.abc import Callable

import av
import cv2

from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.capture.file_decoder import FileCapture
from realtime_pose.capture.live import DEFAULT_TIMINGS, LiveStream, LiveTimings
from realtime_pose.capture.opencv import Capture, nominal_frames, quiet, rotator
from realtime_pose.capture.sources import without_credentials
from realtime_pose.capture.video import VideoFile
from realtime_pose.errors import CaptureError

_OPEN_MS = 5_000
_READ_MS = 10_000  # HLS may be silent for the length of a segment, which is 6 s and more


def open_stream(url: str, open_ms: int = _OPEN_MS) -> Capture:
    """An open capture of the URL.

    Raises:
        CaptureError: The server does not answer within `open_ms`, refuses, or sends no video.
    """
    # One decoding thread: FFmpeg delays by one frame for each further thread (measured: 8 threads, 8 frames late).
    parameters = (
        (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_ms),
        (cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_MS),
        (cv2.CAP_PROP_N_THREADS, 1),
    )
    with quiet():
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [number for pair in parameters for number in pair])
    if not capture.isOpened():
        raise _no_video(url)
    return capture


class NetworkStream(LiveStream):
    """A network stream's newest frames.

    Raises:
        CaptureError: The server does not answer, or sends no frames.
        UnknownChoiceError: `rotate_deg` is not a right angle.
    """

    def __init__(
        self, config: CaptureConfig, open_capture: Callable[[], Capture], timings: LiveTimings = DEFAULT_TIMINGS
    ) -> None:
        super().__init__(
            without_credentials(config.source),
            open_capture,
            rotate_deg=config.rotate_deg,
            when_silent="check that the camera behind it is on",
            when_lost="check that the server is running and can be reached",
            timings=timings,
        )


def open_network(
    config: CaptureConfig,
    open_url: Callable[[str], Capture] = open_stream,
    timings: LiveTimings = DEFAULT_TIMINGS,
) -> FrameSource:
    """The frames of a URL: the newest of a stream, or all of a file (a URL with a known number of frames).

    Raises:
        CaptureError: The server does not answer, or sends no video.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """
    rotator(config.rotate_deg)  # raises before anything is opened
    first = open_url(config.source)
    if nominal_frames(first) is not None:
        first.release()
        return _open_file(config)
    opened = [first]

    def open_capture() -> Capture:
        return opened.pop() if opened else open_url(config.source)

    return NetworkStream(config, open_capture, timings)


def _open_file(config: CaptureConfig) -> VideoFile:
    try:
        container = av.open(config.source, timeout=(_OPEN_MS / 1000, _READ_MS / 1000), metadata_errors="replace")
        decoder = FileCapture(container)
    except (av.FFmpegError, OSError, ValueError, CaptureError) as exc:
        raise _no_video(config.source) from exc
    return VideoFile(decoder, without_credentials(config.source), config.rotate_deg)


def _no_video(url: str) -> CaptureError:
    return CaptureError(
        f"no video from {without_credentials(url)}: the server did not answer in time, refused, or sent no video; "
        "check the address, the password if it needs one, and that the server is running"
    )
