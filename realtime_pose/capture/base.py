"""What every frame source promises, and its settings."""

from dataclasses import dataclass
from typing import Protocol

from realtime_pose.datatypes import Frame
from realtime_pose.utils.checks import check_range


@dataclass(frozen=True)
class CaptureConfig:
    """Settings of the source.

    Attributes:
        source: Camera index or name, path of a video, image or folder of images, URL, `actor` or `actor-2`.
        width, height: Wanted camera resolution in px; 0 leaves the camera's own.
        fps: Wanted camera rate; 0 leaves the camera's own.
        backend: OpenCV's camera interface: auto, v4l2, dshow, msmf, avfoundation or gstreamer.
        mjpg: Ask the camera for compressed pictures (USB 2 cameras need it above 640x480).
        rotate_deg: Turn the picture clockwise by 0, 90, 180 or 270 degrees.
    """

    source: str = "0"
    width: int = 0
    height: int = 0
    fps: float = 0.0
    backend: str = "auto"
    mjpg: bool = True
    rotate_deg: int = 0

    def __post_init__(self) -> None:
        check_range("capture.width", self.width, 0, 65_535)
        check_range("capture.height", self.height, 0, 65_535)
        check_range("capture.fps", self.fps, 0, 1000)


class FrameSource(Protocol):
    """Where frames come from.

    Attributes:
        live: Whether frames come by themselves and are lost when nobody takes them.
        fps: Nominal rate in Hz; 0 when unknown.
        frame_count: Frames in all; None when unknown or endless.
        dropped: Frames lost so far because the reader was late.
        notices: Plain sentences on what went wrong and was survived, oldest first.
    """

    live: bool
    fps: float
    frame_count: int | None
    notices: list[str]

    @property
    def dropped(self) -> int: ...  # read-only, so that a live source may count on asking

    def read(self) -> Frame | None:
        """The next frame (a live source: the newest); None if none came within the source's timeout.

        Raises:
            EndOfStream: There are no more frames.
            CaptureError: The source is broken; the message says what to do.
        """
        ...

    def close(self) -> None:
        """Give the device or file back. Safe to repeat, and from any thread."""
        ...
