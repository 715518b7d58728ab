"""Sound track: the audio of one media file, copied or encoded into another."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av

_PLAYABLE_CODECS = frozenset({"aac", "mp3", "opus", "flac"})  # browsers play these in an MP4; anything else becomes AAC
_AAC_SAMPLES = 1024
_AAC_RATES_HZ = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
"""Source: ISO/IEC 14496-3, table 1.18 (sampling frequency index)."""


class SoundTrack:
    """Copies a file's first sound track that FFmpeg can decode into a container, up to the latest video frame.

    Times are those of `Frame.time_ns`: from the file's first frame. Sound that cannot be read ends there; the video
    goes on.

    Args:
        source: The file.
        target: The container, before its header is written.
        start_ns: The time that becomes 0; earlier sound is left out.
    """

    def __init__(self, source: Path, target: Any, start_ns: int) -> None:  # noqa: ANN401 - PyAV's container has no types
        self._target = target
        self._packets: Iterator[Any] = iter(())
        self._waiting: Any = None
        self._source: Any = None
        try:
            self._source = av.open(str(source))
        except (av.FFmpegError, OSError):
            return
        sound = next((stream for stream in self._source.streams.audio if stream.codec_context is not None), None)
        if sound is None:
            self.close()
            return
        video = next(iter(self._source.streams.video), None)
        video_start_s = Fraction(0)
        if video is not None and video.start_time is not None:
            video_start_s = video.start_time * video.time_base
        self._start_s = video_start_s + Fraction(start_ns, 10**9)
        if sound.codec_context.codec.canonical_name in _PLAYABLE_CODECS:
            self._stream = target.add_stream_from_template(sound)
            self._packets = self._copy(sound)
        else:
            self._stream = target.add_stream("aac", rate=_aac_rate_hz(sound.rate), layout=_layout(sound))
            self._packets = self._encode(sound)

    def write_until(self, seconds: float) -> None:
        """Write the sound up to this time after the start.

        Raises:
            av.FFmpegError, OSError: The container cannot be written.
        """
        while True:
            packet = self._waiting or self._next()
            self._waiting = None
            if packet is None:
                return
            if packet.pts < 0:  # encoder priming samples: they would shift the video
                continue
            if packet.pts * packet.time_base > seconds:
                self._waiting = packet
                return
            self._target.mux(packet)

    def close(self) -> None:
        """Close the source. Safe to repeat."""
        source, self._source, self._packets = self._source, None, iter(())
        if source is not None:
            source.close()

    def _next(self) -> Any:  # noqa: ANN401 - a packet
        try:
            return next(self._packets, None)
        except (av.FFmpegError, OSError):
            self._packets = iter(())
            return None

    def _copy(self, sound: Any) -> Iterator[Any]:  # noqa: ANN401 - a stream
        shift = round(self._start_s / sound.time_base)
        for packet in self._source.demux(sound):
            if packet.pts is None or packet.dts is None:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._stream
            yield packet

    def _encode(self, sound: Any) -> Iterator[Any]:  # noqa: ANN401 - a stream
        resampler = av.AudioResampler("fltp", _layout(sound), self._stream.rate, frame_size=_AAC_SAMPLES)
        for frame in chain(self._source.decode(sound), (None,)):  # None flushes the resampler
            for part in resampler.resample(frame):
                shift = round(self._start_s / part.time_base)
                if part.pts < shift:
                    continue
                part.pts -= shift
                yield from self._stream.encode(part)
        yield from self._stream.encode(None)


def _aac_rate_hz(rate_hz: int) -> int:
    """The lowest rate of AAC that loses nothing of the sound; the highest for a rate above all of them."""
    return min((rate for rate in _AAC_RATES_HZ if rate >= rate_hz), default=_AAC_RATES_HZ[0])


def _layout(sound: Any) -> str:  # noqa: ANN401 - a stream
    """The output's channel layout; some files do not name their channels."""
    return "mono" if sound.channels == 1 else "stereo"
