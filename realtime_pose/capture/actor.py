"""The packaged clips of synthetic actors, a source that needs no camera."""

from dataclasses import replace
from pathlib import Path

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.video import VideoFile, open_video
from realtime_pose.errors import CaptureError
from realtime_pose.utils.paths import data_path

CLIP = "resources/videos/default.mp4"
SECOND_CLIP = "resources/videos/second_actor.mp4"
_CLIPS = {"actor": CLIP, "actor-2": SECOND_CLIP}


def clip_path(actor: str) -> Path:
    """The clip's file for a name in ACTORS."""
    return data_path(_CLIPS[actor])


def open_actor(config: CaptureConfig) -> VideoFile:
    """Every frame of the packaged clip.

    Raises:
        CaptureError: The clip is missing or damaged.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """
    return _open(CLIP, config)


def open_second_actor(config: CaptureConfig) -> VideoFile:
    """Every frame of the held-out clip, with another body, camera and motion; raises like `open_actor`."""
    return _open(SECOND_CLIP, config)


def _open(clip: str, config: CaptureConfig) -> VideoFile:
    path = data_path(clip)
    if not path.is_file():
        raise CaptureError(f"the actor's clip {path} is missing; make it with: python -m tools.actor")
    return open_video(replace(config, source=str(path)))
