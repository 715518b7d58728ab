"""Frame rate of a video file by the times of its frames, for files with a wrong header."""

from itertools import islice
from pathlib import Path

import av
import numpy as np

from realtime_pose.capture.file_decoder import film, nominal_hz, open_container
from realtime_pose.errors import CaptureError

_TIMED_FRAMES, _LEAST_STEPS = 300, 4  # frames whose times are looked at; a rate needs this many steps
_DENSE = 2.0  # a step is part of a dense stretch if it is at most so many times the lower quartile
_WRONG = 1.5  # a header's rate is wrong if the frames come so many times as fast, or as slowly


def measured_hz(path: Path) -> float | None:
    """The frame rate by the presentation times of the first frames, where the header has none, or a wrong one.

    It is the mean rate of the densest stretches: browsers' recorders write no rate, and an animated GIF's is its
    average with all pauses. None where the header's rate fits, or the times are not known.
    """
    try:
        with open_container(str(path)) as container:
            stream = film(container)
            packets = (packet for packet in container.demux(stream) if packet.pts is not None)
            times_s = np.sort([float(packet.pts * stream.time_base) for packet in islice(packets, _TIMED_FRAMES)])
            header_hz = nominal_hz(stream)
    except (CaptureError, av.FFmpegError, OSError, ValueError, TypeError):
        return None  # the header has to do
    steps_s = np.diff(times_s)
    steps_s = steps_s[steps_s > 0]
    if len(steps_s) < _LEAST_STEPS:
        return None
    dense_hz = float(1 / steps_s[steps_s <= _DENSE * np.percentile(steps_s, 25)].mean())
    return None if header_hz / _WRONG < dense_hz < header_hz * _WRONG else dense_hz
