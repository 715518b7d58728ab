"""Image source: one image, or the images of a folder in natural order (2 before 10)."""

import re
import time
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from realtime_pose.capture.base import MAX_MEGAPIXELS, CaptureConfig
from realtime_pose.capture.opencv import rotator
from realtime_pose.capture.sources import IMAGE_SUFFIXES, local_path
from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.utils.arrays import UInt8
from realtime_pose.utils.extras import install_command, is_installed

_FPS = 30.0
_KINDS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF", "AVIF")  # Pillow's names; other formats are not even tried
_UNREADABLE = (OSError, SyntaxError, ValueError, MemoryError, ArithmeticError, LookupError, TypeError)


class ImageFiles:
    """One image, or the images of a folder in natural order, as a clip of `config.fps` or 30 Hz; sizes may differ.

    An unreadable image is skipped with a notice, and leaves a gap in the index.

    Raises:
        CaptureError: There is no image, or none is readable.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """

    live = False
    dropped = 0

    def __init__(self, config: CaptureConfig) -> None:
        self._rotate = rotator(config.rotate_deg)
        self.fps = config.fps or _FPS
        path = local_path(config.source)
        self._paths = _images_in(path) if path.is_dir() else [path]
        self._name = str(path)
        self.frame_count: int | None = len(self._paths)
        self.notices: list[str] = []
        self._position = 0
        self._closed = False
        self._next = self._decode()
        if self._next is None:
            raise CaptureError(
                self.notices[0] if len(self._paths) == 1 else f"none of the images in {path} can be read"
            )

    def read(self) -> Frame:
        """The next image.

        Raises:
            EndOfStream: There are no more, or the source was closed.
        """
        if self._closed or self._next is None:
            raise EndOfStream(f"{self._name} has no more images")
        image, index = self._next
        frame = Frame(self._rotate(image), index, round(index * 1e9 / self.fps), time.monotonic_ns())
        self._next = self._decode()
        return frame

    def seek(self, index: int) -> None:
        """Continue with the image at this position in the folder, or the next readable one."""
        if self._next is None or self._next[1] != index:
            self._position = max(index, 0)
            self._next = self._decode()

    def close(self) -> None:
        """End the source. Safe to repeat, and from any thread."""
        self._closed = True

    def _decode(self) -> tuple[UInt8, int] | None:
        """The next readable image and its position in the folder; None at the end."""
        while self._position < len(self._paths):
            path, index = self._paths[self._position], self._position
            self._position += 1
            try:
                return read_image(path), index
            except CaptureError as exc:
                self.notices.append(str(exc))
        return None


def read_image(path: Path, max_megapixels: int = MAX_MEGAPIXELS) -> UInt8:
    """The image (H, W, 3) BGR in a file, upright by its EXIF data; the first one of several.

    Raises:
        CaptureError: It is not an image, damaged or too large; the size is checked before the pixels are decoded.
    """
    kinds = (*_KINDS, "HEIF") if _reads_heic() else _KINDS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that are refused below, and about repaired faults
            with Image.open(path, formats=kinds) as image:
                width, height = image.size
                if width * height > max_megapixels * 1e6:
                    raise CaptureError(
                        f"{path} has {width} x {height} pixels; give one of at most {max_megapixels} million"
                    )
                return _bgr(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError as exc:
        raise CaptureError(f"{path} has too many pixels; give one of at most {max_megapixels} million") from exc
    except _UNREADABLE as exc:  # what Pillow's decoders raise on damaged files
        if isinstance(exc, UnidentifiedImageError) and _is_heic(path) and not _reads_heic():
            raise CaptureError(
                f"{path} is a HEIC photo, which needs pillow-heif; install it with: {install_command('heic')}"
            ) from exc
        raise CaptureError(f"{path} is not a readable image") from exc


def _bgr(image: Image.Image) -> UInt8:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would cut off at 255
        grey = (np.asarray(image).clip(0, 65_535) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8)[:, :, ::-1])


def _reads_heic() -> bool:
    """Whether Pillow reads HEIC, with the extra `heic`."""
    if not is_installed("pillow_heif"):
        return False
    import pillow_heif

    pillow_heif.register_heif_opener()
    return True


def _is_heic(path: Path) -> bool:
    """Whether a file begins as HEIF images do. Source: ISO/IEC 23008-12, 10.2."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1")


def _images_in(folder: Path) -> list[Path]:
    try:
        names = [entry for entry in folder.iterdir() if entry.suffix.lower() in IMAGE_SUFFIXES and entry.is_file()]
    except OSError as exc:
        raise CaptureError(
            f"{folder} cannot be read ({exc.strerror}); check its permissions, or give another folder"
        ) from exc
    paths = sorted((entry for entry in names if not entry.name.startswith(".")), key=_natural_order)
    if not paths:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        raise CaptureError(f"{folder} has no images ({kinds}); give another folder, or a video file")
    return paths


def _natural_order(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key: numbers inside names by value; the full name decides between 01 and 1."""
    parts = re.findall(r"\d+|\D+", path.name.casefold())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
