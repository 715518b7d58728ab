"""Single pictures in, results out: each stands alone, and the models are loaded once."""

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
from realtime_pose.inference.base import PoseEstimator
from realtime_pose.inference.detectors.table import build_detector
from realtime_pose.inference.estimators import build_estimator
from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator
from realtime_pose.pipeline import assemble_pipeline, check_names
from realtime_pose.utils.arrays import UInt8

MAX_MEGAPIXELS = 50
_LEAST_PX = 32
_KINDS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


def read_picture(path: Path) -> UInt8:
    """The picture (H, W, 3) BGR in a file, turned as its camera was held; of several pictures the first.

    Raises:
        CaptureError: It is no picture, a damaged one, or one too large or too small; the size is told before the
            pixels are decoded.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a size that is refused below, and of faults that are survived
            with Image.open(path, formats=_KINDS) as opened:
                _check_size(*opened.size)
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except Image.DecompressionBombError as exc:
        raise CaptureError(f"This picture is too large; at most {MAX_MEGAPIXELS} megapixels are taken.") from exc
    except UnidentifiedImageError as exc:
        raise CaptureError(f"This file is not a picture that can be read; give one of {', '.join(_KINDS)}.") from exc
    except (OSError, SyntaxError, ValueError, MemoryError, ArithmeticError, LookupError, TypeError) as exc:
        # what Pillow's decoders raise on damaged files
        raise CaptureError("This picture is damaged and cannot be read; save it anew and try again.") from exc
    return np.ascontiguousarray(np.asarray(upright, dtype=np.uint8)[:, :, ::-1])


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_MEGAPIXELS * 1e6:
        raise CaptureError(
            f"This picture has {width} x {height} pixels; at most {MAX_MEGAPIXELS} megapixels are taken, "
            "so make it smaller and try again."
        )
    if min(width, height) < _LEAST_PX:
        raise CaptureError(
            f"This picture has {width} x {height} pixels; wanted are at least {_LEAST_PX} x {_LEAST_PX}, "
            "so take a larger one."
        )


class Stills:
    """People and poses in pictures that have nothing to do with each other.

    Safe from any thread: one picture at a time, and nothing of it is left when the next one comes.

    Args:
        config: All settings.
        notify: Is told, in one plain sentence, of everything that was chosen for the user.
        progress: Is told how far a download of weights has come.

    Attributes:
        estimator: What finds the keypoints.
        finds_one: Whether it never finds more than one person.
        score_threshold: Below it a keypoint counts as not seen.

    Raises:
        UnknownChoiceError: A name is in no table.
        ConfigError: The settings do not fit together, or not this machine.
        CheckpointError: The weights cannot be had.
    """

    def __init__(
        self, config: AppConfig, notify: Callable[[str], None], progress: Progress = lambda had, total: None
    ) -> None:
        check_names(config)
        self._config = config
        self.estimator = _for_stills(build_estimator(config.inference, notify, progress), config)
        self.finds_one = self.estimator.finds_people
        self.score_threshold = config.inference.score_threshold
        self._detector = None if self.finds_one else build_detector(config.inference, notify, progress)
        self._one_at_a_time = threading.Lock()

    def people_in(self, image_bgr: UInt8) -> FrameResult:
        """Everybody in the picture, as if it were the first one of a run."""
        frame = Frame(image_bgr, 0, 0, time.monotonic_ns())
        with self._one_at_a_time:
            return assemble_pipeline(self._config, self.estimator, self._detector).step(frame)

    @property
    def described(self) -> str:
        """What runs, e.g. "vitpose-s with openvino fp32 on cpu"."""
        model = self.estimator
        return f"{model.name} with {model.runtime} {model.precision} on {model.device}"

    def close(self) -> None:
        """Give the models back."""
        self.estimator.close()
        if self._detector is not None:
            self._detector.close()


def _for_stills(estimator: PoseEstimator, config: AppConfig) -> PoseEstimator:
    """The estimator without a memory of the picture before."""
    if not isinstance(estimator, BlazePoseEstimator):
        return estimator
    estimator.close()
    return BlazePoseEstimator(config.inference, video=False)
