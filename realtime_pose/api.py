"""Python API: `PoseInference` finds the people in images, `read_frames` opens a source.

    with PoseInference(is_video=True) as model:
        for frame in read_frames("dance.mp4"):
            for person in model.inference(frame).people:
                print(person.pose.rotations.local_xyzw)

docs/library.md says more; examples/ has whole programs.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.body.profile import resolved
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.checkpoints import Progress
from realtime_pose.config import DEFAULTS, AppConfig
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.errors import ArrayShapeError, CaptureError, ConfigError, EndOfStream, RealtimePoseError
from realtime_pose.inference.base import PersonDetector, PoseEstimator, Resettable
from realtime_pose.inference.detectors.table import build_detector
from realtime_pose.inference.estimators import build_estimator, describe
from realtime_pose.pipeline import assemble_pipeline, check_names
from realtime_pose.utils.arrays import UInt8
from realtime_pose.utils.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_DEFAULT_PERIOD_NS = 33_333_333  # 30 frames a second
_DETECTOR_MEMBERS = ("detect", "close")
_ESTIMATOR_MEMBERS = (*PoseEstimator.__annotations__, "estimate", "close")


class PoseInference:
    """Finds people in images: their keypoints, 3D joints and joint rotations.

    It starts no thread and opens no source; use it from one thread at a time. It is a `FramePipeline`, so a `Runtime`
    accepts it.

    Args:
        config: All settings; capture, output and `look_ahead` have no effect here.
        is_video: The images are frames of one video: people keep their ids and are smoothed, until `reset`.
            Otherwise each image stands alone.
        estimator: Used in place of the one that `config` names. One that remembers people may have a method `reset()`,
            which is called when it has to forget them.
        detector: Used in place of the one that `config` names.
        notify: Callback for each choice made for the user, in one sentence.
        progress: Callback for the progress of a download of weights: (bytes so far, bytes in all).

    Attributes:
        estimator: The pose model; `close` closes it and the detector, given ones included.
        stopwatch: The time of each stage since the last `take`.

    Raises:
        UnknownChoiceError: A name in the settings is unknown.
        ConfigError: The settings contradict each other or do not fit this machine, or a given object lacks a member.
        CheckpointError: The weights are missing, damaged or cannot be downloaded.
    """

    def __init__(
        self,
        config: AppConfig = DEFAULTS,
        *,
        is_video: bool = False,
        estimator: PoseEstimator | None = None,
        detector: PersonDetector | None = None,
        notify: Callable[[str], None] = log.warning,
        progress: Progress = lambda done, total: None,
    ) -> None:
        check_names(config)
        _check_members("estimator", estimator, _ESTIMATOR_MEMBERS)
        _check_members("detector", detector, _DETECTOR_MEMBERS)
        self._config = replace(config, body=resolved(replace(config.body, look_ahead=False)))
        self._is_video, self._closed = is_video, False
        self._result: FrameResult | None = None
        self._frames, self._last_ns = 0, -_DEFAULT_PERIOD_NS
        self.stopwatch = Stopwatch()
        persons = config.inference.persons
        with ExitStack() as undo:
            if estimator is None:
                estimator = undo.enter_context(closing(build_estimator(config.inference, notify, progress)))
            if estimator.finds_people:
                if persons > 1:
                    notify(f"{estimator.name} follows one person, not {persons}; ViTPose can do more.")
            elif detector is None:
                detector = undo.enter_context(closing(build_detector(config.inference, notify, progress)))
            self.estimator: PoseEstimator = estimator
            self._detector = detector
            self._forget()
            undo.pop_all()

    def inference(self, image_bgr: npt.NDArray[Any] | Frame, time_s: float | None = None) -> FrameResult:
        """Everybody in the image; without anybody, `people` is empty.

        Args:
            image_bgr: (H, W, 3) uint8 in BGR order, as OpenCV has it; it is copied. Or a `Frame`.
            time_s: Time of the image in a video, in seconds from any start; smoothing uses it. By default 1/30 s after
                the image before. A `Frame` has its own time.

        Raises:
            CaptureError: It is not an image.
            ArrayShapeError: It is an array of another shape.
            ConfigError: `time_s` is not a finite number.
            RealtimePoseError: It is closed.
        """
        if self._closed:
            raise RealtimePoseError("this PoseInference is closed; construct another one")
        frame = image_bgr if isinstance(image_bgr, Frame) else self._frame(image_bgr, time_s)
        if not self._is_video:
            self._forget()
        self._last_ns, self._frames = frame.time_ns, self._frames + 1
        self._result = self._pipeline.step(frame)
        return self._result

    def step(self, frame: Frame) -> FrameResult:
        """The same as `inference`, for a `Runtime`."""
        return self.inference(frame)

    def draw(self, *, boxes: bool = False, ids: bool = True) -> UInt8:
        """A new image (H, W, 3) BGR: the last one with its people drawn on it.

        Args:
            boxes: Draw each person's box.
            ids: Write each person's id over their head.

        Raises:
            RealtimePoseError: There has been no image since the start or the last `reset`.
        """
        if self._result is None:
            raise RealtimePoseError("there is no image to draw on yet; call inference(image) first")
        threshold = self._config.inference.score_threshold
        image_bgr, people = self._result.frame.image_bgr, self._result.people
        return draw_skeleton_on_frame(image_bgr, people, score_threshold=threshold, boxes=boxes, ids=ids)

    def reset(self) -> None:
        """Forget everybody and start a new video; the models stay loaded."""
        self._forget()
        self._result = None
        self._frames, self._last_ns = 0, -_DEFAULT_PERIOD_NS

    @property
    def described(self) -> str:
        """The pose model with its runtime, precision and device: "vitpose-s with openvino fp32 on cpu"."""
        return describe(self.estimator)

    def close(self) -> None:
        """Release the models. Safe to repeat."""
        if not self._closed:
            self._closed = True
            self._pipeline.close()

    def __enter__(self) -> "PoseInference":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _forget(self) -> None:
        """Drop everything known of people; the models stay."""
        if isinstance(self.estimator, Resettable):
            self.estimator.reset()
        self._pipeline = assemble_pipeline(self._config, self.estimator, self._detector)
        self._pipeline.stopwatch = self.stopwatch

    def _frame(self, image_bgr: npt.NDArray[Any], time_s: float | None) -> Frame:
        if not isinstance(image_bgr, np.ndarray) or image_bgr.dtype != np.uint8:
            got = f"an array of {image_bgr.dtype}" if isinstance(image_bgr, np.ndarray) else repr(image_bgr)[:60]
            raise CaptureError(
                f"the image is {got}, wanted an array (height, width, 3) of uint8, as cv2.imread returns it "
                "(it returns None for a file that it cannot read)"
            )
        if image_bgr.ndim != 3 or image_bgr.shape[2] != 3:
            raise ArrayShapeError("the image", image_bgr.shape, (None, None, 3))
        if not image_bgr.size:
            raise CaptureError(f"the image is empty: its shape is {image_bgr.shape}; give one with pixels")
        if time_s is None:
            time_ns = self._last_ns + _DEFAULT_PERIOD_NS
        elif math.isfinite(time_s):
            time_ns = round(time_s * 1e9)
        else:
            raise ConfigError(f"time_s is {time_s}, wanted seconds; leave it out if the time is not known")
        return Frame(np.array(image_bgr, order="C"), self._frames, time_ns, time.monotonic_ns())


def read_frames(source: str | Path | int | CaptureConfig) -> Iterator[Frame]:
    """Every frame of a source, which is opened at the first one and closed after the last, or with the iterator.

    Faults that do not end it, such as a damaged part, are logged as warnings.

    Args:
        source: Camera index or name, path of a video, image or folder of images, URL, `actor` or `actor-2`; or
            the settings of a source.

    Raises:
        CaptureError: It is missing, broken, or has no frames.
        UnknownChoiceError: A name in the settings is unknown.
    """
    config = source if isinstance(source, CaptureConfig) else CaptureConfig(str(source))
    with closing(open_source(config)) as frames:
        logged = 0
        while True:
            try:
                frame = frames.read()
            except EndOfStream:
                return
            finally:
                for notice in frames.notices[logged:]:
                    log.warning(notice)
                logged = len(frames.notices)
            if frame is not None:  # None: a camera gave no frame within its timeout
                yield frame


def _check_members(role: str, given: object, wanted: tuple[str, ...]) -> None:
    """Refuse an object that lacks members which the program uses.

    Raises:
        ConfigError: The message lists them.
    """
    missing = [name for name in wanted if given is not None and not hasattr(given, name)]
    if missing:
        raise ConfigError(
            f"the {role} {type(given).__name__} has no {', '.join(missing)}; see realtime_pose/inference/base.py"
        )
