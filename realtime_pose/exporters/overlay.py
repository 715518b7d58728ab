"""Overlay video: the frames with the people drawn on them, as H.264 in an MP4."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from realtime_pose.datatypes import FrameResult
from realtime_pose.drawing import draw_skeleton_on_frame, fitted
from realtime_pose.exporters.sound import SoundTrack
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.utils.record_writer import write_error

_TICKS_HZ = 90_000  # a frame's time is off by at most 6 microseconds
_FALLBACK_FPS = 30.0
_FRAMES_PER_FRAGMENT = 60


class OverlayVideo:
    """Writes an MP4 whose frames have their own media times, the first at 0.

    Args:
        path: The file; an existing one is replaced at the first frame.
        fps: The source's nominal rate, for the file's header; 0 if unknown.
        score_threshold: Keypoints below it are not drawn.
        draw: Draw the people; otherwise the frames stay as they are.
        sound: The media file that the frames come from, for its sound; None for silence.
    """

    def __init__(
        self,
        path: str | Path,
        fps: float = _FALLBACK_FPS,
        *,
        score_threshold: float = 0.3,
        draw: bool = True,
        sound: Path | None = None,
    ) -> None:
        self._path = Path(path)
        self._draw, self._sound_of = draw, sound
        self._sound: SoundTrack | None = None
        self._rate = Fraction(fps or _FALLBACK_FPS).limit_denominator(1001)
        self._score_threshold = score_threshold
        self._container: Any = None
        self._stream: Any = None
        self._first_ns = 0
        self._last_tick = -1
        self._closed = False

    def send(self, result: FrameResult) -> None:
        """Draw and encode one frame; after `close`, do nothing.

        Raises:
            RecordingError: The file cannot be written.
        """
        if self._closed:
            return
        frame = result.frame
        image = frame.image_bgr
        if self._draw:
            image = draw_skeleton_on_frame(image, result.people, score_threshold=self._score_threshold)
        try:
            if self._container is None:
                self._first_ns = frame.time_ns
                self._open(image.shape[1], image.shape[0])
            tick = round((frame.time_ns - self._first_ns) * _TICKS_HZ / 1e9)
            self._last_tick = max(tick, self._last_tick + 1)  # players need increasing times
            encoded = av.VideoFrame.from_ndarray(fitted(image, self._stream.width, self._stream.height), "bgr24")
            encoded.pts, encoded.time_base = self._last_tick, Fraction(1, _TICKS_HZ)
            self._container.mux(self._stream.encode(encoded))
            if self._sound is not None:
                self._sound.write_until(self._last_tick / _TICKS_HZ)
        except (av.FFmpegError, OSError) as exc:
            raise write_error(self._path, exc) from exc

    def close(self) -> None:
        """Flush the encoder, write the index and close the file. Safe to repeat.

        Raises:
            RecordingError: The file cannot be finished.
        """
        container, self._container, self._closed = self._container, None, True
        if container is None:
            return
        try:
            try:
                container.mux(self._stream.encode(None))
                if self._sound is not None:
                    self._sound.write_until(self._last_tick / _TICKS_HZ + 1 / float(self._rate))
            finally:
                if self._sound is not None:
                    self._sound.close()
                container.close()
        except (av.FFmpegError, OSError) as exc:
            raise write_error(self._path, exc) from exc

    def _open(self, width: int, height: int) -> None:
        # Fragmented while it is written, a plain MP4 once it is closed: a crash or a full disk costs the last fragment
        # only, and closing needs no second pass, as moving the index to the front would.
        # Sound that starts or ends at another time must not delay the frames in the muxer for long.
        flags = {"movflags": "hybrid_fragmented", "flush_packets": "1", "max_interleave_delta": "1000000"}
        self._container = av.open(str(self._path), "w", format="mp4", options=flags)
        # without B-frames a fragmented file starts at 0 in every player
        options = {"preset": "veryfast", "g": str(_FRAMES_PER_FRAGMENT), "bf": "0"}
        self._stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        self._stream.width, self._stream.height = width + width % 2, height + height % 2  # yuv420p halves both
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS_HZ)
        if self._sound_of is not None:
            self._sound = SoundTrack(self._sound_of, self._container, self._first_ns)
        self._container.start_encoding()  # reports a path that cannot be written now


def open_overlay(path: Path, take: TakeInfo) -> OverlayVideo:
    """overlay.mp4 of a take."""
    return OverlayVideo(path, take.fps, score_threshold=take.score_threshold, sound=take.sound)


def open_frames(path: Path, take: TakeInfo) -> OverlayVideo:
    """frames.mp4 of a take: the frames without drawing."""
    return OverlayVideo(path, take.fps, draw=False, sound=take.sound)
