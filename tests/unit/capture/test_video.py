"""Video file source: frames and times, and the notices about damage."""

import os
import re
import subprocess
import sys
import threading
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from support.footage import PATIENCE_S, damage, make_clip, number_of, numbered_image, read_all, within

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.video import VideoFile, open_video
from realtime_pose.errors import CaptureError, EndOfStream, UnknownChoiceError
from realtime_pose.utils.paths import data_path

SOUND = b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\x08\0\0" + b"\x80" * 2048


def open_clip(path, rotate_deg=0):
    return open_video(CaptureConfig(str(path), rotate_deg=rotate_deg))


class Script:
    """A scripted capture: each item is a time in ms, None for a failed grab, "bad" for a frame that does not decode."""

    def __init__(self, items, fps=30.0, count=0):
        self._items, self._fps, self._count = list(items), fps, count
        self._at = -1
        self.released = 0

    def isOpened(self):
        return True

    def grab(self):
        self._at += 1
        if self._at >= len(self._items):
            raise EndOfStream
        return self._items[self._at] is not None

    def retrieve(self):
        return (False, None) if self._items[self._at] == "bad" else (True, numbered_image(self._at))

    def get(self, prop):
        here = self._items[self._at] if 0 <= self._at < len(self._items) else None
        milliseconds = here if isinstance(here, float) else 0.0
        return {
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_FRAME_COUNT: self._count,
            cv2.CAP_PROP_POS_MSEC: milliseconds,
        }[prop]

    def set(self, prop, value):
        return False

    def release(self):
        self.released += 1


def steady(count):
    return [index * 100 / 3 for index in range(count)]


@pytest.mark.parametrize(("name", "fourcc"), [("clip.mp4", "mp4v"), ("clip.avi", "MJPG"), ("Klipp ü 1.mkv", "MJPG")])
def test_every_frame_comes_at_its_time(tmp_path, name, fourcc):
    source = open_clip(make_clip(tmp_path / name, 50, fourcc))
    frames = read_all(source)
    assert [number_of(frame.image_bgr) for frame in frames] == list(range(50))
    assert [frame.index for frame in frames] == list(range(50))
    assert np.allclose([frame.time_ns for frame in frames], np.arange(50) / 30 * 1e9, atol=1.1e6)  # mkv counts ms
    stamps = [frame.captured_ns for frame in frames]
    assert stamps == sorted(stamps)
    assert stamps[0] > 0
    assert source.fps == pytest.approx(30)
    assert source.frame_count == 50
    assert source.notices == []
    assert source.dropped == 0
    assert not source.live
    for _ in range(3):
        with pytest.raises(EndOfStream):
            source.read()


def test_variable_rates_keep_their_times(tmp_path):
    ticks = [0, 10, 40, 45, 100, 200]
    with av.open(str(tmp_path / "clip.mp4"), "w") as out:
        stream = out.add_stream("libx264", rate=30, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 100)
        for tick in ticks:
            frame = av.VideoFrame.from_ndarray(numbered_image(tick), format="bgr24")
            frame.pts, frame.time_base = tick, stream.codec_context.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    source = open_clip(tmp_path / "clip.mp4")
    assert [frame.time_ns // 1_000_000 for frame in read_all(source)] == [10 * tick for tick in ticks]
    assert source.notices == []


@pytest.mark.parametrize(
    ("times_ms", "wanted_ms"),
    [
        ([0.0, 0.0, 0.0, 0.0], [0, 20, 40, 60]),  # a file without times
        ([0.0, 20.0, 10.0, 60.0], [0, 20, 40, 60]),  # back in time
        ([-40.0, -20.0, 0.0, 20.0], [0, 20, 40, 60]),  # before its own start
        ([float("nan")] * 3, [0, 20, 40]),
        ([500.0, 520.0], [500, 520]),
    ],
)
def test_time_always_advances(times_ms, wanted_ms):
    frames = read_all(VideoFile(Script(times_ms, fps=50.0), "clip"))
    assert [frame.time_ns / 1e6 for frame in frames] == wanted_ms


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan"), float("inf"), 90_000.0])
def test_an_impossible_rate_counts_as_unknown(fps):
    source = VideoFile(Script([0.0, 0.0], fps=fps, count=-9.2e18), "clip")
    assert source.fps == 0
    assert source.frame_count is None
    assert [frame.time_ns for frame in read_all(source)] == [0, round(1e9 / 30)]


@pytest.mark.parametrize(("rotate_deg", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_the_setting_rotates_clockwise(tmp_path, rotate_deg, corner):
    image = open_clip(make_clip(tmp_path / "clip.avi", 3), rotate_deg).read().image_bgr
    assert image.shape[:2] == ((48, 64) if rotate_deg in (0, 180) else (64, 48))
    assert image[corner].min() > 240


def test_the_rotation_stored_in_the_file_is_applied(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", 3, "mp4v")
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2: the track header, version 0
    one = 1 << 16
    content[matrix : matrix + 36] = np.array([0, one, 0, -one, 0, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(content)
    upright = open_clip(path).read().image_bgr
    assert upright.shape[:2] == (64, 48)
    assert upright[4, -4].min() > 200  # the top left has gone to the top right
    both = open_clip(path, rotate_deg=90).read().image_bgr
    assert both.shape[:2] == (48, 64)
    assert both[-4, -4].min() > 200


def test_a_truncated_clip_gives_its_frames_and_a_notice(tmp_path):
    whole = make_clip(tmp_path / "whole.avi", 50).read_bytes()
    (tmp_path / "clip.avi").write_bytes(whole[: len(whole) // 2])
    source = open_clip(tmp_path / "clip.avi")
    frames = read_all(source)
    assert 15 < len(frames) < 35
    assert [number_of(frame.image_bgr) for frame in frames[:-1]] == list(range(len(frames) - 1))
    assert source.notices == [f"clip.avi ends after {len(frames)} of 50 frames; the rest is damaged or was cut off"]


def test_a_clip_damaged_in_the_middle_continues_with_a_notice(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", 100, "mp4v")
    damage(path, 0.2, 0.8)  # longer than _TRIES frames
    source = open_clip(path)
    frames = read_all(source)
    assert frames[-1].time_ns == pytest.approx(99 / 30 * 1e9, abs=1e6)  # the end is reached
    missing = 100 - len(frames)
    assert missing > 40
    gaps = np.diff([frame.time_ns for frame in frames]) > 1.5e9 / 30
    good = int(np.argmax(gaps)) + 1
    assert source.notices == [
        f"clip.mp4 is damaged: {missing} of 100 frames could not be read, "
        f"the first of them after frame {good} ({(good - 1) / 30:.1f} s)"
    ]


def test_a_long_damaged_stretch_does_not_end_a_file():
    times = steady(1000)
    source = VideoFile(Script([*times[:5], *[None] * 900, *times[905:]], count=0), "clip.webm")
    assert len(read_all(source)) == 100


def test_a_decoder_that_fails_and_recovers_is_followed():
    times = steady(20)
    items = [*times[:5], None, None, None, *times[8:12], "bad", *times[13:]]
    source = VideoFile(Script(items, count=20), "clip.mp4")
    assert [round(frame.time_ns * 30 / 1e9) for frame in read_all(source)] == [*range(5), *range(8, 12), *range(13, 20)]
    assert source.notices == [
        "clip.mp4 is damaged: 4 of 20 frames could not be read, the first of them after frame 5 (0.1 s)"
    ]


@pytest.mark.parametrize(
    ("name", "delivered", "has_notice"),
    [("a.mp4", 98, False), ("a.mp4", 97, True), ("a.MOV", 97, True), ("a.webm", 86, False), ("a.webm", 80, True)],
)
def test_headers_may_be_wrong_by_a_little(name, delivered, has_notice):
    source = VideoFile(Script(steady(delivered), count=100), name)
    assert len(read_all(source)) == delivered
    assert bool(source.notices) == has_notice


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.mp4", b"", "empty.mp4 is empty"),
        ("noise.mp4", np.random.default_rng(1).bytes(5000), "noise.mp4 is not a video"),
        ("text.mp4", b"hello\n" * 500, "text.mp4 is text, not a video"),
        ("notes.txt", b"hello world\n" * 1000, "notes.txt is text, not a video"),
        ("more.txt", "grüße\n".encode() * 2000, "more.txt is text, not a video"),
        (
            "sound.wav",
            b"RIFF\x24\x08\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\0\x08\0\0"
            + b"\x80" * 2048,
            "sound.wav has no video; give a video such as",
        ),
    ],
)
def test_a_file_that_is_not_a_video_is_refused_by_name(tmp_path, capfd, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CaptureError, match=said):
        open_clip(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_a_clip_without_its_index_is_refused_by_name(tmp_path):
    path = make_clip(tmp_path / "clip.mp4", 50, "mp4v")
    path.write_bytes(path.read_bytes()[:-600])  # cuts the index off, which is at the end
    with pytest.raises(CaptureError, match=r"clip.mp4 is not a video, or too damaged to read"):
        open_clip(path)


def test_a_clip_without_a_readable_frame_is_refused_and_released():
    script = Script(["bad", "bad"], count=2)
    with pytest.raises(CaptureError, match=r"clip.mp4 has no readable frame"):
        VideoFile(script, "clip.mp4")
    assert script.released


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(CaptureError, match=r"nope.mp4 cannot be read \(No such file"):
        open_clip(tmp_path / "nope.mp4")
    with pytest.raises(CaptureError, match=r"cannot be read \(.*irectory"):
        open_clip(tmp_path)


def test_an_unknown_angle_is_refused(tmp_path):
    with pytest.raises(UnknownChoiceError, match=r"rotate_deg=45 is not one of"):
        open_clip(make_clip(tmp_path / "clip.avi", 3), 45)


def test_damage_prints_nothing(tmp_path):
    # In a process of its own, because FFmpeg reads its log level only once.
    path = make_clip(tmp_path / "clip.mp4", 60, "mp4v")
    damage(path, 0.3, 0.6)
    program = (
        "import sys; from realtime_pose.capture.sources import open_source\n"
        "from realtime_pose.capture.base import CaptureConfig\nfrom realtime_pose.errors import EndOfStream\n"
        "source = open_source(CaptureConfig(sys.argv[1]))\n"
        "try:\n while True: source.read()\nexcept EndOfStream: print(len(source.notices))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_closing_while_another_thread_reads_is_safe(tmp_path):
    source = open_clip(make_clip(tmp_path / "clip.avi", 300))
    first = source.read()
    reader = threading.Thread(target=read_all, args=(source,), daemon=True)
    reader.start()
    source.close()
    reader.join(PATIENCE_S)
    assert not reader.is_alive()
    assert first.index == 0
    with pytest.raises(EndOfStream):
        source.read()


def test_closing_does_not_wait_for_a_read_that_hangs(monkeypatch):
    monkeypatch.setattr("realtime_pose.capture.video._CLOSE_WAIT_S", 0.05)
    script = Script(steady(10))
    source = VideoFile(script, "clip")
    answers, hanging = threading.Event(), threading.Event()

    def hang():
        hanging.set()
        answers.wait(PATIENCE_S)
        return False

    script.grab = hang
    reader = threading.Thread(target=source.read, daemon=True)
    reader.start()
    assert hanging.wait(PATIENCE_S)
    within(PATIENCE_S / 2, source.close)
    assert not script.released  # releasing it during a read would crash
    answers.set()
    reader.join(PATIENCE_S)
    assert script.released


def test_a_single_damaged_frame_is_reported(tmp_path):
    """The decoder hides small damage by smearing, and the count is within its tolerance."""
    content = bytearray(data_path("resources/videos/default.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4000] = bytes(4000)
    (tmp_path / "clip.mp4").write_bytes(content)
    source = open_clip(tmp_path / "clip.mp4")
    assert len(read_all(source)) >= 508
    (notice,) = source.notices
    assert re.match(r"clip\.mp4 is damaged: \d of its frames could not be read, the first after frame 2\d\d", notice)


def test_an_undamaged_clip_has_no_notices(tmp_path):
    source = open_clip(make_clip(tmp_path / "clip.mp4", 60, "mp4v"))
    read_all(source)
    assert source.notices == []


ODD_NAMES = ["2024-01-01T12:30:45.mp4", "-v.mp4", "a%03d.mp4", "part#2.mp4", "ü.mp4", b"caf\xe9.mp4"]


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("relative", [True, False])
def test_a_file_is_a_file_whatever_its_name(tmp_path, monkeypatch, name, relative):
    """In a process of its own: FFmpeg under OpenCV crashed on a name in Latin-1."""
    if isinstance(name, bytes) and sys.platform != "linux":
        pytest.skip("file names are text on this system")
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mp4", frames=4, fourcc="mp4v")
    named = Path(os.fsdecode(name))
    (tmp_path / "clip.mp4").rename(named)
    code = (
        "import sys\n"
        "from realtime_pose.capture.base import CaptureConfig\n"
        "from realtime_pose.capture.sources import open_source\n"
        "source = open_source(CaptureConfig(sys.argv[1]))\n"
        "source.read()\n"
        "source.close()\n"
    )
    given = named if relative else named.absolute()
    done = subprocess.run(
        [sys.executable, "-c", code, given], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr


def timed_clip(path, times_ms):
    """A clip with these presentation times and no frame rate in its header, as browsers' recorders write it."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libvpx", rate=1000)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for number, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number, np.uint8), "bgr24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))


@pytest.mark.parametrize("pause_ms", [0, 2_000])
def test_a_recorders_file_has_the_rate_of_its_frames(tmp_path, pause_ms):
    jitter_ms = np.random.default_rng(0).integers(-12, 13, 80)
    times_ms = [40 * i + int(jitter_ms[i]) + 12 + (pause_ms if i > 40 else 0) for i in range(80)]
    timed_clip(tmp_path / "clip.webm", times_ms)
    source = open_clip(tmp_path / "clip.webm")
    frames = read_all(source)
    assert source.fps == pytest.approx(25, rel=0.05)
    assert len(frames) == 80
    assert source.notices == []


def test_a_header_with_the_right_rate_is_used(tmp_path):
    make_clip(tmp_path / "clip.avi", frames=30, fps=12.5)
    source = open_clip(tmp_path / "clip.avi")
    assert (source.fps, source.frame_count) == (12.5, 30)
    source.close()


def test_a_rate_that_is_given_changes_no_times(tmp_path):
    source = open_video(CaptureConfig(str(make_clip(tmp_path / "clip.avi", frames=10, fps=12.5)), fps=60))
    assert source.fps == 60
    assert [frame.time_ns for frame in read_all(source)] == [80_000_000 * i for i in range(10)]
    assert source.notices == []
