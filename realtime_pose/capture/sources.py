"""Table of the frame sources, and the choice of one from `config.source`."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from realtime_pose.capture.base import CaptureConfig, FrameSource
from realtime_pose.errors import CaptureError
from realtime_pose.utils.choices import load_choice

SOURCES: Mapping[str, str] = {
    "actor": "realtime_pose.capture.actor:open_actor",
    "actor-2": "realtime_pose.capture.actor:open_second_actor",
    "camera": "realtime_pose.capture.webcam:WebcamStream",
    "images": "realtime_pose.capture.images:ImageFiles",
    "network": "realtime_pose.capture.network:open_network",
    "video": "realtime_pose.capture.video:open_video",
}
"""Kind of source -> what opens it from a CaptureConfig."""

ACTORS = ("actor", "actor-2")
"""The packaged clips; `model3d.actor_truth.load_truth` has their ground truth."""

BROWSER = "browser"
"""The browser's camera, which only the dashboard can open."""

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif"})
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".wmv", ".flv", ".ogv",
     ".3gp", ".gif"}
)  # fmt: skip
SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp")


def open_source(config: CaptureConfig) -> FrameSource:
    """Opens the source given by `config.source`.

    Raises:
        CaptureError: It is missing, or delivers no frames.
        UnknownChoiceError: Another setting has an unknown choice.
    """
    kind = source_kind(config.source)
    if kind == BROWSER:
        raise CaptureError("the source browser is the camera of the dashboard's page; start it with: realtime-pose ui")
    return load_choice("capture.source", kind, SOURCES)(config)


def source_kind(source: str) -> str:
    """The key of SOURCES for a camera's number or name, a path, a URL, `actor` or `actor-2`; BROWSER for `browser`.

    Raises:
        CaptureError: It is none of these; the message lists the cameras.
    """
    if not source.strip():
        raise CaptureError("no source is given; give a path, a URL, a camera's number, actor or actor-2")
    if source in ACTORS or source == BROWSER:
        return source
    if (source.isascii() and source.isdigit()) or camera_device(source):
        return "camera"
    scheme = re.match(r"([a-z][a-z0-9+.-]+)://", source.lower())
    if scheme:
        if scheme[1] not in SCHEMES:
            raise CaptureError(
                f"{without_credentials(source)} is not a source; URLs may begin with {', '.join(SCHEMES)}"
            )
        return "network"
    path = local_path(source)
    if os.path.isdir(path):  # unlike Path.is_dir, False instead of an error for an invalid name
        return "images"
    if os.path.exists(path):
        if not os.path.isfile(path):  # a file is read more than once: for its rate, its sound, its images again
            raise CaptureError(
                f"{source} is a pipe or a device, which can be read only once; save what it gives as a file first"
            )
        return "images" if path.suffix.lower() in IMAGE_SUFFIXES else "video"
    return _camera_or_nothing(source)


def can_be_read_again(source: str) -> bool:
    """Whether a second reading gives the same frames: of files, folders and actors, not of cameras and pipes."""
    path = local_path(source)
    return source in ACTORS or os.path.isfile(path) or os.path.isdir(path)


def camera_device(source: str) -> str:
    """The /dev/videoN of a path, also through links such as /dev/v4l/by-id/...; empty for everything else."""
    try:
        real = os.path.realpath(local_path(source))
    except (OSError, ValueError):  # a loop of links, an invalid name
        return ""
    return next((path for path in (source, real) if path.startswith("/dev/video")), "")


def local_path(source: str) -> Path:
    """`source` as a path, with ~ expanded."""
    return Path(os.path.expanduser(source))


def _camera_or_nothing(source: str) -> str:
    from realtime_pose.capture.cameras import camera_index, camera_names  # imports OpenCV

    names = camera_names()
    if camera_index(source, names) is not None:
        return "camera"
    known = ", ".join(f"{index} ({name})" for index, name in names.items()) or "none by name"
    raise CaptureError(
        f"there is no file, folder or camera {source!r}; cameras here: {known}; "
        "give a path, a URL, a camera's number, actor or actor-2"
    )


def without_credentials(source: str) -> str:
    """The source for display: a URL without user, password and query, as cameras take passwords in queries too."""
    try:
        parts = urlsplit(source)
    except ValueError:
        return source.split("://")[0] + "://..."
    if not parts.netloc:
        return source
    path = "/..." if "=" in parts.path else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
