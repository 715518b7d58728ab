"""Image source: single images and folders."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from support.footage import PATIENCE_S, number_of, numbered_image, read_all

from realtime_pose.capture import images
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.images import ImageFiles, read_image
from realtime_pose.errors import CaptureError, EndOfStream, UnknownChoiceError


def save(path, number):
    assert cv2.imwrite(str(path), numbered_image(number))


def open_images(path, rotate_deg=0):
    return ImageFiles(CaptureConfig(str(path), rotate_deg=rotate_deg))


def test_a_folder_is_read_in_natural_order(tmp_path):
    names = ["frame1.png", "frame2.PNG", "Frame10.png", "frame010b.png", "frame11.png"]
    for number, name in enumerate(names):
        save(tmp_path / name, number)
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "._frame1.png").write_bytes(b"what one system leaves on another")
    (tmp_path / "more.png").mkdir()
    source = open_images(tmp_path)
    frames = read_all(source)
    assert [number_of(frame.image_bgr) for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time_ns for frame in frames] == [round(index * 1e9 / 30) for index in range(5)]
    assert (source.frame_count, source.fps, source.live, source.dropped) == (5, 30.0, False, 0)
    assert source.notices == []


def test_images_have_the_rate_that_is_given(tmp_path):
    for number in range(3):
        save(tmp_path / f"{number}.png", number)
    source = ImageFiles(CaptureConfig(str(tmp_path), fps=12.5))
    assert source.fps == 12.5
    assert [frame.time_ns for frame in read_all(source)] == [0, 80_000_000, 160_000_000]


def test_names_that_mix_digits_and_letters_can_be_ordered(tmp_path):
    for number, name in enumerate(["1.png", "01.png", "a.png", "a1.png", "1a.png", "²x.png"]):
        save(tmp_path / name, number)
    assert len(read_all(open_images(tmp_path))) == 6


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "avif"])
def test_every_promised_format_is_read(tmp_path, suffix):
    Image.fromarray(numbered_image(9)).save(tmp_path / f"a ü.{suffix}")
    frames = read_all(open_images(tmp_path / f"a ü.{suffix}"))
    assert [number_of(frame.image_bgr) for frame in frames] == [9]


def test_one_image_is_one_frame_then_the_end(tmp_path):
    save(tmp_path / "one.png", 5)
    source = open_images(tmp_path / "one.png")
    assert source.read().index == 0
    for _ in range(3):
        with pytest.raises(EndOfStream):
            source.read()


def test_grey_deep_and_clear_images_become_plain_ones(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.full((48, 64), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((48, 64, 3), 90 * 257, np.uint16))
    cv2.imwrite(str(tmp_path / "3.png"), np.full((48, 64, 4), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "4.png"), np.full((48, 64), 90 * 257, np.uint16))
    frames = read_all(open_images(tmp_path))
    assert len(frames) == 4
    for frame in frames:
        assert frame.image_bgr.shape == (48, 64, 3)
        assert frame.image_bgr.dtype == np.uint8
        assert (frame.image_bgr == 90).all()


def test_the_setting_rotates_clockwise(tmp_path):
    save(tmp_path / "one.png", 1)
    image = open_images(tmp_path / "one.png", 90).read().image_bgr
    assert image.shape == (64, 48, 3)
    assert (image[0, -1] == 255).all()


@pytest.mark.parametrize("broken", ["1.png", "2.png", "3.png"])
@pytest.mark.parametrize("content", [b"", b"not an image", "cut"])
def test_a_broken_image_is_skipped_and_named(tmp_path, capfd, broken, content):
    for number in (1, 2, 3):
        save(tmp_path / f"{number}.png", number)
    path = tmp_path / broken
    path.write_bytes(path.read_bytes()[:20] if content == "cut" else content)
    source = open_images(tmp_path)
    numbers = [number_of(frame.image_bgr) for frame in read_all(source)]
    assert numbers == [number for number in (1, 2, 3) if broken != f"{number}.png"]
    assert source.notices == [f"{path} is not a readable image"]
    assert capfd.readouterr().err == ""


def test_a_folder_without_images_is_refused_by_name(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(CaptureError, match=f"{tmp_path.name} has no images .*; give another folder"):
        open_images(tmp_path)


def test_broken_and_missing_images_are_refused_by_name(tmp_path):
    for name in ("1.png", "2.png"):
        (tmp_path / name).write_bytes(b"no")
    with pytest.raises(CaptureError, match=f"none of the images in .*{tmp_path.name} can be read"):
        open_images(tmp_path)
    for name in ("1.png", "nope.png"):
        with pytest.raises(CaptureError, match=f"{name} is not a readable image"):
            open_images(tmp_path / name)


def test_after_closing_there_is_no_more(tmp_path):
    save(tmp_path / "one.png", 5)
    source = open_images(tmp_path / "one.png")
    source.close()
    source.close()
    with pytest.raises(EndOfStream):
        source.read()


def test_an_unknown_angle_is_refused(tmp_path):
    save(tmp_path / "one.png", 5)
    with pytest.raises(UnknownChoiceError, match=r"rotate_deg=-90"):
        open_images(tmp_path / "one.png", -90)


def test_the_rotation_of_a_photograph_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise by 90 degrees
    Image.fromarray(numbered_image(1)).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    image = read_image(tmp_path / "photo.jpg")
    assert image.shape == (64, 48, 3)
    assert image[4, -4].min() > 240


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


def test_a_heic_photo_without_its_package_is_named_in_a_folder_too(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "is_installed", lambda package: False)
    save(tmp_path / "1.png", 1)
    (tmp_path / "2.HEIC").write_bytes(HEIC)
    (tmp_path / "3.jpg").write_bytes(HEIC)  # as some programs rename them
    source = open_images(tmp_path)
    assert len(read_all(source)) == 1
    assert source.notices == [
        f"{tmp_path / name} is a HEIC photo, which needs pillow-heif; install it with: pip install "
        '"realtime-pose[heic]"'
        for name in ("2.HEIC", "3.jpg")
    ]


def test_a_heic_photo_is_read_whole():
    pytest.importorskip("pillow_heif")
    photo = Path("../shared/data/cases/media/pug.heic")
    if not photo.exists():
        pytest.skip("needs ../shared")
    assert read_image(photo).shape in {(4032, 3024, 3), (3024, 4032, 3)}


def png(width, height, claimed):
    """A PNG of a few bytes that claims this size, and this length of its pixel data."""

    def chunk(kind, content, length=None):
        return (
            struct.pack(">I", length or len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(100), claimed)


@pytest.mark.parametrize(
    ("size", "said"), [((32_000, 32_000), "pixels; give one of at most 100 million"), ((640, 480), "not a readable")]
)
def test_a_header_that_lies_costs_no_memory(tmp_path, size, said):
    (tmp_path / "small.png").write_bytes(png(*size, 0x7FFFFFFF))
    code = (
        "import sys, resource\nfrom pathlib import Path\nfrom realtime_pose.capture.images import read_image\n"
        "from realtime_pose.errors import CaptureError\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n read_image(Path(sys.argv[1]))\nexcept CaptureError as exc: print(exc)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "small.png"], capture_output=True, text=True, timeout=PATIENCE_S
    )
    message, grown_kb = done.stdout.splitlines()
    assert said in message
    assert int(grown_kb) < 100_000
