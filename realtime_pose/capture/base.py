"""Protocol and settings of the frame sources."""

from dataclasses import dataclass
from typing import Protocol

from realtime_pose.datatypes import Frame
from realtime_pose.utils.settings import check_settings, setting

BACKENDS = ("auto", "v4l2", "dshow", "msmf", "avfoundation", "gstreamer")
"""Names of OpenCV's camera interfaces; `capture.cameras` has their numbers."""
MAX_MEGAPIXELS = 100
"""Limit of an image or a video's frame, checked before it is decoded: a small file can unpack to gigabytes."""
_CAMERA = "Camera"


@dataclass(frozen=True)
class CaptureConfig:
    """Settings of the source; each field says what it is."""

    source: str = setting(
        "0",
        help="Camera index or name, file, folder of images, URL, actor or actor-2.",
        more="The actors are packaged clips.",
        option="--source",
        metavar="SOURCE",
    )
    width: int = setting(
        0,
        help="Camera width to ask for; 0 leaves the camera's own.",
        option="--size",
        option_help="Camera resolution to ask for, e.g. 1280x720.",
        panel=_CAMERA,
        metavar="WIDTHxHEIGHT",
        unit="px",
        low=0,
        high=65_535,
    )
    height: int = setting(
        0, help="Camera height to ask for; 0 leaves the camera's own.", option="--size", unit="px", low=0, high=65_535
    )
    fps: float = setting(
        0.0,
        help="Frame rate in Hz: asked of a camera, or that of a file's frames; 0 takes the source's own.",
        more="Of videos only the motion files of a fixed rate (BVH, TRC, FBX) take it; frames keep their times.",
        option="--fps",
        panel=_CAMERA,
        metavar="HZ",
        unit="Hz",
        low=0,
        high=1000,
    )
    backend: str = setting(
        "auto",
        help="OpenCV's camera interface: {choices}.",
        option="--backend",
        panel=_CAMERA,
        metavar="NAME",
        choices=BACKENDS,
    )
    mjpg: bool = setting(
        True,
        help="Ask the camera for compressed frames (MJPG).",
        more="USB 2 cameras need it above 640x480.",
        option="--mjpg/--no-mjpg",
        panel=_CAMERA,
    )
    rotate_deg: int = setting(
        0,
        help="Rotate the frames clockwise by {choices} degrees.",
        option="--rotate",
        panel=_CAMERA,
        metavar="DEGREES",
        unit="deg",
        choices=(0, 90, 180, 270),
    )

    def __post_init__(self) -> None:
        check_settings("capture", self)


class FrameSource(Protocol):
    """A source of frames: a camera, stream or file.

    Attributes:
        live: Whether frames arrive by themselves and are dropped if not read in time.
        fps: Nominal rate in Hz; 0 if unknown.
        frame_count: Total number of frames; None if unknown or endless.
        dropped: Frames lost so far because the reader was late.
        notices: Sentences for the user on faults that the source survived, oldest first.
    """

    live: bool
    fps: float
    frame_count: int | None
    notices: list[str]

    @property
    def dropped(self) -> int: ...  # a property, so that a live source may compute it

    def read(self) -> Frame | None:
        """The next frame (of a live source, the newest); None if none arrived within the source's timeout.

        Raises:
            EndOfStream: There are no more frames.
            CaptureError: The source failed.
        """
        ...

    def close(self) -> None:
        """Release the device or file. Safe to repeat, and from any thread."""
        ...
