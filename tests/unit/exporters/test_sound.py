"""Sound of the overlay: a beep stays in sync with its flash."""

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import EndOfStream
from realtime_pose.exporters.overlay import OverlayVideo

RATE = 48_000
FLASH_S = 1.2
LENGTH_S = 2.4


def make_film(path, codec, *, video_from_s=0.0, sound_until_s=LENGTH_S):
    """A video with uneven frame times, black except one white frame, and silent except a beep that starts with it."""
    with av.open(str(path), "w") as film:
        picture = film.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        picture.codec_context.time_base = Fraction(1, 1000)
        sound = film.add_stream(codec, rate=RATE, layout="mono")
        times_ms = sorted({int(1000 * t) for t in np.cumsum([0.04, 0.05, 0.03] * 20)} | {1200})
        times_ms = [t for t in times_ms if video_from_s * 1000 <= t < LENGTH_S * 1000]
        packets = []
        for t in times_ms:
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 255 * (t == 1200), np.uint8), "bgr24")
            frame.pts, frame.time_base = t, Fraction(1, 1000)
            packets += picture.encode(frame)
        packets += picture.encode(None)
        t = np.arange(int(RATE * sound_until_s)) / RATE
        beep = np.sin(2 * np.pi * 880 * t) * ((t >= FLASH_S) & (t < FLASH_S + 0.3))
        resampler = av.AudioResampler(sound.codec_context.format, "mono", RATE, frame_size=sound.frame_size or 1024)
        samples = av.AudioFrame.from_ndarray((beep * 30_000).astype(np.int16)[None], "s16", "mono")
        samples.sample_rate, samples.pts, samples.time_base = RATE, 0, Fraction(1, RATE)
        for part in (*resampler.resample(samples), *resampler.resample(None)):
            packets += sound.encode(part)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            film.mux(packet)


def overlay_of(film, path, limit=None, skip=0):
    source = open_source(CaptureConfig(str(film)))
    for _ in range(skip):
        source.read()
    overlay, times_s = OverlayVideo(path, source.fps, sound=film), []
    try:
        while len(times_s) != limit:
            frame = source.read()
            times_s.append(frame.time_ns / 1e9)
            overlay.send(FrameResult(frame, ()))
    except EndOfStream:
        pass
    overlay.close()
    source.close()
    return np.array(times_s)


def seen_and_heard(path):
    """Times of the flash and of the start of the beep, the frames' times, and the length of the sound."""
    with av.open(str(path)) as film:
        frames = [(float(f.pts * f.time_base), f.to_ndarray(format="gray").mean()) for f in film.decode(video=0)]
    with av.open(str(path)) as film:
        loud, end_s = [], 0.0
        for frame in film.decode(audio=0):
            wave = frame.to_ndarray().astype(float)[0]
            begin_s = float(frame.pts * frame.time_base)
            peak = 30_000 if frame.format.name.startswith("s16") else 1.0
            loud += [begin_s + i / frame.sample_rate for i in np.flatnonzero(np.abs(wave) > 0.3 * peak)[:1]]
            end_s = begin_s + frame.samples / frame.sample_rate
        codec = film.streams.audio[0].codec_context.name
    times = np.array([t for t, _ in frames])
    return max(frames, key=lambda f: f[1])[0], loud[0], times, end_s, codec


@pytest.mark.parametrize(
    ("name", "codec", "becomes"),
    [
        ("a.mp4", "aac", "aac"),
        ("a.mov", "pcm_s16le", "aac"),
        ("a.mkv", "mp3", "mp3float"),
        ("a.mkv", "pcm_s16le", "aac"),
    ],
)
def test_the_beep_comes_with_the_flash_at_the_films_own_times(tmp_path, name, codec, becomes):
    make_film(tmp_path / name, codec)
    times_s = overlay_of(tmp_path / name, tmp_path / "overlay.mp4")
    flash_s, beep_s, frames_s, end_s, heard = seen_and_heard(tmp_path / "overlay.mp4")
    assert np.allclose(frames_s, times_s - times_s[0], atol=1e-4)
    assert flash_s == pytest.approx(FLASH_S - 0.04, abs=2e-3)  # the first frame is at 0.04 s, and becomes 0
    assert beep_s == pytest.approx(flash_s, abs=0.03)  # a codec's block of samples is 21 to 24 ms
    assert end_s == pytest.approx(frames_s[-1], abs=0.1)
    assert heard == becomes


def test_frames_that_start_after_the_sound_keep_their_sound(tmp_path):
    make_film(tmp_path / "a.mp4", "aac", video_from_s=0.6)
    overlay_of(tmp_path / "a.mp4", tmp_path / "overlay.mp4")
    flash_s, beep_s, frames_s, _, _ = seen_and_heard(tmp_path / "overlay.mp4")
    assert frames_s[0] == 0
    assert flash_s < 0.62
    assert beep_s == pytest.approx(flash_s, abs=0.03)


def test_an_overlay_that_starts_later_has_the_sound_from_there_on(tmp_path):
    make_film(tmp_path / "a.mp4", "aac")
    overlay_of(tmp_path / "a.mp4", tmp_path / "overlay.mp4", skip=12)
    flash_s, beep_s, _, _, _ = seen_and_heard(tmp_path / "overlay.mp4")
    assert flash_s < 0.8
    assert beep_s == pytest.approx(flash_s, abs=0.03)


def test_sound_ends_with_the_frames(tmp_path):
    make_film(tmp_path / "a.mp4", "aac")
    times_s = overlay_of(tmp_path / "a.mp4", tmp_path / "overlay.mp4", limit=40)
    end_s = seen_and_heard(tmp_path / "overlay.mp4")[3]
    assert end_s == pytest.approx(times_s[-1] - times_s[0], abs=0.12)


def test_sound_shorter_than_the_video_does_not_delay_it(tmp_path):
    make_film(tmp_path / "a.mp4", "aac", sound_until_s=1.4)
    times_s = overlay_of(tmp_path / "a.mp4", tmp_path / "overlay.mp4")
    _, _, frames_s, end_s, _ = seen_and_heard(tmp_path / "overlay.mp4")
    assert len(frames_s) == len(times_s)
    assert end_s < 1.5


@pytest.mark.parametrize("what", ["none", "silent", "damaged"])
def test_unreadable_sound_does_not_prevent_the_video(tmp_path, what):
    make_film(tmp_path / "a.mp4", "aac")
    other = tmp_path / "other.mp4"
    if what == "silent":
        overlay_of(tmp_path / "a.mp4", tmp_path / "with.mp4")
        with av.open(str(tmp_path / "with.mp4")) as film, av.open(str(other), "w") as out:
            stream = out.add_stream_from_template(film.streams.video[0])
            for packet in film.demux(film.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    elif what == "damaged":
        other.write_bytes(b"\0" * 3000)
    source = open_source(CaptureConfig(str(tmp_path / "a.mp4")))
    overlay = OverlayVideo(tmp_path / "overlay.mp4", sound=other)
    for _ in range(10):
        overlay.send(FrameResult(source.read(), ()))
    overlay.close()
    source.close()
    with av.open(str(tmp_path / "overlay.mp4")) as film:
        assert not film.streams.audio
        assert sum(1 for _ in film.decode(video=0)) == 10


def test_its_format_is_playable_in_browsers(tmp_path):
    make_film(tmp_path / "a.mov", "pcm_s16le")
    overlay_of(tmp_path / "a.mov", tmp_path / "overlay.mp4")
    with av.open(str(tmp_path / "overlay.mp4")) as film:
        picture, sound = film.streams.video[0].codec_context, film.streams.audio[0].codec_context
        assert (picture.name, picture.pix_fmt, sound.name) == ("h264", "yuv420p", "aac")
    begin = (tmp_path / "overlay.mp4").read_bytes()[:40]
    assert b"ftyp" in begin


def sound_file(path, rate_hz, channels):
    """A tone of a second in a WAV file."""
    tone = np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz) * 20_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(tone.astype("<i2"), channels).tobytes())
    return path


def streams_of(path):
    with av.open(str(path)) as film:
        seconds = {stream.type: float(stream.duration * stream.time_base) for stream in film.streams}
        rates = [stream.rate for stream in film.streams.audio]
    return seconds, rates


@pytest.mark.parametrize(
    ("rate_hz", "wanted_hz"), [(6_000, 8_000), (37_800, 44_100), (48_000, 48_000), (192_000, 96_000)]
)
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_sound_of_any_rate_is_resampled_to_one_that_aac_has(tmp_path, rate_hz, wanted_hz, channels):
    sound = sound_file(tmp_path / "tone.wav", rate_hz, channels)
    overlay = OverlayVideo(tmp_path / "overlay.mp4", 30.0, sound=sound)
    for result in make_clip(30):
        overlay.send(result)
    overlay.close()
    seconds, rates = streams_of(tmp_path / "overlay.mp4")
    assert rates == [wanted_hz]
    assert seconds["audio"] == pytest.approx(1.0, abs=0.15)
    assert seconds["video"] == pytest.approx(1.0, abs=0.1)


def test_a_track_that_cannot_be_decoded_leaves_the_overlay_silent(tmp_path):
    film = Path(__file__).parents[3] / "../shared/data/cases/media/apac.mp4"
    if not film.is_file():
        pytest.skip("needs a film with an APAC track, which is not part of the project")
    overlay = OverlayVideo(tmp_path / "overlay.mp4", 30.0, sound=film)
    for result in make_clip(6):
        overlay.send(result)
    overlay.close()
    assert list(streams_of(tmp_path / "overlay.mp4")[0]) == ["video"]
