"""Files that the page names or uploads: videos, images, and files in the allowed folders; everything else is refused.

A video or image is recognised by its suffix and its first bytes, and must yield a frame in the program's own reader.
FFmpeg also opens play lists (HLS, DASH, concat), which are text that names other files: none of the containers below
is one.
"""

import re
import secrets
import shutil
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.images import read_image
from realtime_pose.capture.sources import IMAGE_SUFFIXES, VIDEO_SUFFIXES, open_source
from realtime_pose.errors import CaptureError, ConfigError

MEDIA_SUFFIXES = tuple(sorted(VIDEO_SUFFIXES | IMAGE_SUFFIXES))
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".onnx")
MODEL_CONFIG_SUFFIXES = (".py",)
MAX_UPLOAD_MB = 100
_MAX_IMAGE_MEGAPIXELS = 50
_KEPT_UPLOADS = 5
_KEPT_S = 24 * 3600
_HEAD_BYTES = 4096

_MOV_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_VIDEO_MAGIC = (b"\x1a\x45\xdf\xa3", b"OggS", b"FLV\x01", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"GIF8",
                b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")  # fmt: skip
_IMAGE_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")
_PLAY_LISTS = (b"#extm3u", b"ffconcat", b"<mpd", b"<smil", b"v=0\r\n", b"v=0\n")


def checked_media(text: str) -> Path:
    """The full path of the video or image that `text` names.

    Raises:
        CaptureError: It is anything else, or yields no frame; the message does not reveal other files.
    """
    given = text.strip()
    if not given or "\0" in given or not given.isprintable():
        raise CaptureError("no path is given; give the path of a video or image")
    path = _resolved(given)
    if path.suffix.lower() not in MEDIA_SUFFIXES or Path(given).suffix.lower() not in MEDIA_SUFFIXES:
        raise CaptureError(
            f"{given} is not a video or image by its name; give one that ends in {_listed(MEDIA_SUFFIXES)}"
        )
    if not path.is_file():  # also refuses pipes and devices, which would block the page
        raise CaptureError(f"{given} does not exist or is not a file; check the path")
    _check_container(path, given)
    _check_frame(path, given)
    return path


def keep_upload(name: str, data: BinaryIO, folder: Path, in_use: str = "") -> Path:
    """The path of the uploaded file, stored in `folder` under a new name and checked to be a video or image.

    Args:
        name: The file's name in the browser; only its suffix and a few plain letters are used.
        data: Its bytes.
        folder: The folder of uploads; older ones are deleted.
        in_use: The current source, which is kept.

    Raises:
        CaptureError: It is too large, not a video or image, or cannot be stored; nothing is kept then.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in MEDIA_SUFFIXES:
        raise CaptureError(
            f"{name!r} is not a video or image by its name; give one that ends in {_listed(MEDIA_SUFFIXES)}"
        )
    plain = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-")[:40] or "video"
    path = folder.resolve() / f"{plain}-{secrets.token_hex(4)}{suffix}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        clean_uploads(folder, in_use)
        with path.open("xb") as file:
            shutil.copyfileobj(_Limited(data, name), file)
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise CaptureError(f"{name!r} cannot be stored ({exc.strerror}); free some disk space and try again") from exc
    except CaptureError:
        path.unlink(missing_ok=True)
        raise
    try:
        return checked_media(str(path))
    except CaptureError as exc:
        path.unlink(missing_ok=True)
        raise CaptureError(str(exc).replace(str(path), repr(name)).replace(path.name, repr(name))) from exc


class _Limited:
    """Reads `data` up to the size limit of an upload."""

    def __init__(self, data: BinaryIO, name: str) -> None:
        self._data, self._name, self._left = data, name, MAX_UPLOAD_MB * 1_000_000

    def read(self, size: int = -1) -> bytes:
        chunk = self._data.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise CaptureError(
                f"{self._name!r} is larger than {MAX_UPLOAD_MB} MB; give its path on this computer instead"
            )
        return chunk


def clean_uploads(folder: Path, in_use: str = "", now_s: float | None = None) -> None:
    """Delete uploads older than a day, and all but the newest few; never the current source."""
    now_s = time.time() if now_s is None else now_s
    with suppress(OSError):  # files that cannot be listed or deleted stay
        files = [p for p in folder.iterdir() if p.is_file() and not p.is_symlink() and str(p.resolve()) != in_use]
        files.sort(key=lambda p: p.stat().st_mtime, reverse=True)
        for place, path in enumerate(files):
            if place >= _KEPT_UPLOADS - 1 or now_s - path.stat().st_mtime > _KEPT_S:
                path.unlink(missing_ok=True)


def allowed_file(text: str, suffixes: Sequence[str], allowed: Sequence[Path], what: str) -> Path:
    """The full path of the file that `text` names, which must be in one of the allowed folders, links resolved.

    Args:
        text: A full path, or one relative to an allowed folder or to the working folder.
        suffixes: The suffixes that it may have.
        allowed: Folders.
        what: Its name in messages, e.g. "weights".

    Raises:
        ConfigError: It is elsewhere, does not exist, or has another suffix; the message does not reveal other folders.
    """
    given = text.strip()
    if not given.isprintable():
        raise ConfigError(f"{what} {given!r} is not a path; give that of a file in {_places(allowed)}")
    folders = [folder.resolve() for folder in allowed]
    candidates = [_resolved(given), *(_resolved(str(folder / given)) for folder in folders)]
    inside = [path for path in candidates if any(path.is_relative_to(folder) for folder in folders)]
    if not inside:
        raise ConfigError(
            f"{what} {given!r} is outside of the allowed folders ({_places(allowed)}); "
            "put it there, or allow its folder with: realtime-pose ui --allow FOLDER"
        )
    found = next((path for path in inside if path.is_file()), None)
    if found is None:
        raise ConfigError(f"{what} {given!r} is not in {_places(allowed)}; check the name")
    if found.suffix.lower() not in suffixes:
        raise ConfigError(f"{what} {given!r} does not end in {_listed(suffixes)}; give a file that does")
    return found


def listed_files(allowed: Iterable[Path], suffixes: Sequence[str]) -> list[str]:
    """The files with these suffixes in the allowed folders and one level below, as full paths."""
    found: set[str] = set()
    for folder in allowed:
        with suppress(OSError):
            root = folder.resolve()
            for path in (*root.glob("*"), *root.glob("*/*")):
                real = path.resolve()
                if real.suffix.lower() in suffixes and real.is_relative_to(root) and real.is_file():
                    found.add(str(real))
    return sorted(found)


def _resolved(text: str) -> Path:
    try:
        return Path(text).expanduser().resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, an unknown home, a name too long
        return Path("/nowhere")


def _listed(suffixes: Iterable[str]) -> str:
    return ", ".join(sorted(suffixes))


def _places(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders)) or "no folder"


def _check_container(path: Path, name: str) -> None:
    """Refuse files that do not start as a video or image does, above all play lists."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as exc:
        raise CaptureError(f"{name} cannot be read ({exc.strerror}); give a file that you may open") from exc
    if path.suffix.lower() in IMAGE_SUFFIXES:
        boxes = head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"heic", b"heix", b"mif1")
        known = head.startswith(_IMAGE_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or boxes
    else:
        known = _is_video(head) and not any(mark in head.lower() for mark in _PLAY_LISTS)
    if not known:
        raise CaptureError(f"{name} is not a video or an image; give another file")


def _is_video(head: bytes) -> bool:
    transport = any(
        len(head) > start + 2 * step and all(head[start + i * step] == 0x47 for i in range(3))
        for start, step in ((0, 188), (4, 192))
    )
    return (
        head.startswith(_VIDEO_MAGIC)
        or head[4:8] in _MOV_ATOMS
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or transport
    )


def _check_frame(path: Path, name: str) -> None:
    """Refuse files from which the program's own reader gets no frame."""
    if path.suffix.lower() in IMAGE_SUFFIXES:
        read_image(path, _MAX_IMAGE_MEGAPIXELS)
        return
    source = open_source(CaptureConfig(source=str(path)))
    try:
        if source.read() is None:
            raise CaptureError(f"{name} contains no frame; give another file")
    finally:
        source.close()
