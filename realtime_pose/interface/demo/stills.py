"""Pose estimation in single images: each is independent, and the models are loaded once."""

import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from realtime_pose.checkpoints import Progress
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.errors import CaptureError
from realtime_pose.inference.base import Resettable
from realtime_pose.inference.detectors.table import build_detector
from realtime_pose.inference.estimators import build_estimator, describe
from realtime_pose.pipeline import assemble_pipeline, check_names
from realtime_pose.utils.arrays import UInt8

MAX_MEGAPIXELS = 50
_LEAST_PX = 32
_KINDS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


def read_image(path: Path) -> UInt8:
    """The image (H, W, 3) BGR in a file, rotated by its EXIF orientation; the first one of several.

    Raises:
        CaptureError: It is not an image, or is damaged, too large or too small; the size is checked before the
            pixels are decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes that are refused below, and about repaired faults
            with Image.open(path, formats=_KINDS) as opened:
                _check_size(*opened.size)
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except Image.DecompressionBombError as exc:
        raise CaptureError(f"This image is too large; use one of at most {MAX_MEGAPIXELS} megapixels.") from exc
    except UnidentifiedImageError as exc:
        raise CaptureError(f"This file is not a readable image; use one of {', '.join(_KINDS)}.") from exc
    except (OSError, SyntaxError, ValueError, MemoryError, ArithmeticError, LookupError, TypeError) as exc:
        # what Pillow's decoders raise on damaged files
        raise CaptureError("This image is damaged; save it again and retry.") from exc
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise CaptureError(
            f"This image has {width} x {height} pixels, more than {MAX_MEGAPIXELS} megapixels; "
            "make it smaller and retry."
        )
    if min(width, height) < _LEAST_PX:
        raise CaptureError(
            f"This image has {width} x {height} pixels, fewer than {_LEAST_PX} x {_LEAST_PX}; use a larger one."
        )


class Stills:
    """Finds people and poses in independent images.

    Safe from any thread: one image at a time, without state from the one before.

    Args:
        config: All settings.
        notify: Called with one sentence for each choice made for the user.
        progress: Called with the progress of a download of weights.

    Attributes:
        estimator: The pose model.
        finds_one: Whether it finds one person at most.
        score_threshold: Keypoints with a lower score count as occluded.

    Raises:
        UnknownChoiceError: A name is in no table.
        ConfigError: The settings contradict each other or this machine.
        CheckpointError: The weights are not available.
    """

    def __init__(
        self, config: AppConfig, notify: Callable[[str], None], progress: Progress = lambda had, total: None
    ) -> None:
        check_names(config)
        self._config = config
        self.estimator = build_estimator(config.inference, notify, progress)
        self.finds_one = self.estimator.finds_people
        self.score_threshold = config.inference.score_threshold
        self._detector = None if self.finds_one else build_detector(config.inference, notify, progress)
        self._one_at_a_time = threading.Lock()

    def people_in(self, image_bgr: UInt8) -> FrameResult:
        """The people in the image, as in the first frame of a run."""
        frame = Frame(image_bgr, 0, 0, time.monotonic_ns())
        with self._one_at_a_time:
            if isinstance(self.estimator, Resettable):
                self.estimator.reset()
            return assemble_pipeline(self._config, self.estimator, self._detector).step(frame)

    @property
    def described(self) -> str:
        """Model, runtime and device, e.g. "vitpose-s with openvino fp32 on cpu"."""
        return describe(self.estimator)

    def close(self) -> None:
        """Unload the models."""
        self.estimator.close()
        if self._detector is not None:
            self._detector.close()
