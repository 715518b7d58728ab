"""Decoder of video files: frames as a player shows them."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from support.footage import make_clip, read_all

from realtime_pose.capture import file_decoder
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.file_decoder import FileCapture, open_container
from realtime_pose.capture.video import open_video
from realtime_pose.errors import CaptureError, EndOfStream

ONE, W = 1 << 16, 1 << 30
TURNS = {  # of the display matrix: what it makes of an image
    "upright": ((1, 0, 0, 1), lambda image: image),
    "90": ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
    "180": ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
    "270": ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
    "mirrored": ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
    "upside down": ((1, 0, 0, -1), lambda image: image[::-1]),
    "90, then mirrored": ((0, 1, 1, 0), lambda image: np.rot90(image, -1)[:, ::-1]),
    "270, then mirrored": ((0, -1, -1, 0), lambda image: np.rot90(image, 1)[:, ::-1]),
}


def corners(width=64, height=48):
    """An image with corners of four different greys."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[: height // 3, : width // 3], image[: height // 3, -width // 3 :] = 255, 192
    image[-height // 3 :, : width // 3], image[-height // 3 :, -width // 3 :] = 64, 0
    return image


def write(path, images, cover=None, **settings):
    """An H.264 clip, in MKV with a cover as its first stream if wanted."""
    with av.open(str(path), "w") as film:
        parts = [("mjpeg", "yuvj420p", [cover])] if cover is not None else []
        parts.append(("libx264", "yuv420p", images))
        streams = []
        for codec, pixels, shown in parts:
            stream = film.add_stream(codec, rate=30)
            stream.height, stream.width = shown[0].shape[:2]
            stream.pix_fmt = pixels
            streams.append(stream)
        for name, value in settings.items():
            setattr(streams[-1].codec_context, name, value)
        for (_, _, shown), stream in zip(parts, streams, strict=True):
            for number, image in enumerate(shown):
                frame = av.VideoFrame.from_ndarray(image, "bgr24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                film.mux(stream.encode(frame))
            film.mux(stream.encode(None))
    return path


def read(path, **settings):
    source = open_video(CaptureConfig(str(path), **settings))
    return [frame.image_bgr for frame in read_all(source)], source


@pytest.mark.parametrize("turn", TURNS)
def test_the_display_matrix_is_applied(tmp_path, turn):
    (a, b, c, d), shown = TURNS[turn]
    path = make_clip(tmp_path / "clip.mp4", 3, "mp4v")
    plain = read(path)[0][0]
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 44  # ISO 14496-12, 8.3.2: the track header, version 0
    matrix = [a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, W]
    content[at : at + 36] = np.array(matrix, ">i4").tobytes()
    path.write_bytes(content)
    assert np.array_equal(read(path)[0][0], shown(plain))
    assert np.array_equal(read(path, rotate_deg=90)[0][0], np.rot90(shown(plain), -1))


@pytest.mark.parametrize(("shape", "width"), [((64, 45), 91), ((8, 9), 57), ((1, 1), 64), ((1, 100), 64)])
def test_pixels_become_square(tmp_path, shape, width):
    path = write(tmp_path / "clip.mkv", [corners()] * 3, sample_aspect_ratio=Fraction(*shape))
    image = read(path)[0][0]
    assert image.shape == (48, width, 3)
    assert image[4, -4].mean() == pytest.approx(192, abs=8)


def test_a_size_that_changes_keeps_the_shape_of_people_and_is_said(tmp_path):
    wide, tall = corners(), corners(48, 64)
    write(tmp_path / "a.h264", [wide] * 3)
    write(tmp_path / "b.h264", [tall] * 3)
    path = tmp_path / "switch.h264"
    path.write_bytes((tmp_path / "a.h264").read_bytes() + (tmp_path / "b.h264").read_bytes())
    images, source = read(path)
    assert {image.shape for image in images} == {(48, 64, 3)}
    assert images[0][4, 4].mean() == pytest.approx(255, abs=8)
    last = images[-1]
    assert last[:, :13].max() < 20  # 36 of 64 columns in the middle
    assert last[4, 16].mean() == pytest.approx(255, abs=12)
    assert source.notices == [
        "switch.h264 changes its size from 64x48 to 48x64 px after frame 3; "
        "its frames are scaled into the first size, not stretched"
    ]


def test_a_cover_is_not_the_film(tmp_path):
    path = write(tmp_path / "clip.mkv", [corners()] * 20, cover=corners(320, 320))
    images, source = read(path)
    assert (len(images), images[0].shape, source.fps) == (20, (48, 64, 3), 30)


def test_sound_with_a_cover_is_no_video(tmp_path):
    _, jpeg = cv2.imencode(".jpg", corners())
    picture = b"\0image/jpeg\0\3\0" + jpeg.tobytes()  # ID3v2.3, 4.15: APIC
    frame = b"APIC" + len(picture).to_bytes(4) + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    with av.open(str(tmp_path / "sound.mp3"), "w") as out:
        stream = out.add_stream("libmp3lame", rate=44100, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.int16), "s16", "mono")
        sound.sample_rate = 44100
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    path = tmp_path / "song.mp3"
    path.write_bytes(b"ID3\3\0\0" + size + frame + (tmp_path / "sound.mp3").read_bytes())
    with pytest.raises(CaptureError, match=r"song.mp3 has a cover picture, but no video; give a video such as"):
        open_video(CaptureConfig(str(path)))


def test_a_file_that_names_an_address_opens_none(tmp_path):
    path = tmp_path / "list.mp4"
    path.write_bytes(b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(CaptureError, match="is not a video"):
        open_container(str(path))


def test_seeking_goes_to_the_keyframe_before(tmp_path):
    path = write(tmp_path / "clip.mp4", [np.full((48, 64, 3), 3 * n, np.uint8) for n in range(60)], gop_size=10)
    capture = FileCapture(open_container(str(path)))
    assert capture.set(cv2.CAP_PROP_POS_MSEC, 1500.0)
    assert capture.retrieve() == (False, None)
    assert capture.grab()
    assert capture.get(cv2.CAP_PROP_POS_MSEC) == pytest.approx(1333.3, abs=0.1)
    assert capture.retrieve()[1].mean() == pytest.approx(120, abs=3)
    assert not capture.set(cv2.CAP_PROP_FPS, 30)
    capture.release()
    capture.release()
    assert not capture.isOpened()
    with pytest.raises(EndOfStream):
        capture.grab()


def test_a_frame_count_that_lies_costs_no_time(tmp_path):
    path = make_clip(tmp_path / "clip.avi", 5)
    content = bytearray(path.read_bytes())
    for at in (content.index(b"avih") + 8 + 16, content.index(b"strh") + 8 + 32):  # dwTotalFrames, dwLength
        content[at : at + 4] = (999_999_999).to_bytes(4, "little")
    path.write_bytes(content)
    images, source = read(path)
    assert len(images) == 5
    assert source.notices[0].startswith("clip.avi ends after 5 of 9")


def test_frames_of_too_many_pixels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(file_decoder, "MAX_MEGAPIXELS", 0.002)
    with pytest.raises(CaptureError, match=r"clip.avi has frames of 64 x 48 px; make them smaller, at most"):
        open_video(CaptureConfig(str(make_clip(tmp_path / "clip.avi", 3))))
