"""The synthetic actor: the clip that comes with the program, so that everything runs without a camera."""

from dataclasses import replace

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.video import VideoFile, open_video
from realtime_pose.errors import CaptureError
from realtime_pose.utils.paths import data_path

CLIP = "resources/videos/default.mp4"


def open_actor(config: CaptureConfig) -> VideoFile:
    """Every frame of the packaged clip.

    Raises:
        CaptureError: The clip is missing or damaged.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """
    path = data_path(CLIP)
    if not path.is_file():
        raise CaptureError(f"the actor's clip {path} is missing; make it with: python -m realtime_pose.model3d.actor")
    return open_video(replace(config, source=str(path)))
