"""The synthetic actors: the clips that come with the program, so that everything runs without a camera."""

from dataclasses import replace
from pathlib import Path

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.video import VideoFile, open_video
from realtime_pose.errors import CaptureError
from realtime_pose.utils.paths import data_path

CLIP = "resources/videos/default.mp4"
SECOND_CLIP = "resources/videos/second_actor.mp4"
_CLIPS = {"actor": CLIP, "actor-2": SECOND_CLIP}


def clip_of(actor: str) -> Path:
    """The file of the clip that a name of ACTORS means."""
    return data_path(_CLIPS[actor])


def open_actor(config: CaptureConfig) -> VideoFile:
    """Every frame of the packaged clip.

    Raises:
        CaptureError: The clip is missing or damaged.
        UnknownChoiceError: `config.rotate_deg` is not a right angle.
    """
    return _open(CLIP, config)


def open_second_actor(config: CaptureConfig) -> VideoFile:
    """Every frame of the clip that nobody tunes to: another body, camera and motion; raises as `open_actor`."""
    return _open(SECOND_CLIP, config)


def _open(clip: str, config: CaptureConfig) -> VideoFile:
    path = data_path(clip)
    if not path.is_file():
        raise CaptureError(f"the actor's clip {path} is missing; make it with: python -m tools.actor")
    return open_video(replace(config, source=str(path)))
