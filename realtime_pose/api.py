"""The program as a library: pictures in, the people in them out; draw them, send them on, begin anew.

    with PoseInference(is_video=True) as model:
        for frame in read_frames("dance.mp4"):
            for person in model.inference(frame).people:
                print(person.pose.rotations.local_xyzw)

docs/library.md has more, and examples/ whole programs.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from realtime_pose.body.profile import resolved
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.checkpoints import Progress
from realtime_pose.config import DEFAULTS, AppConfig
from realtime_pose.datatypes import Frame, FrameResult
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.errors import CaptureError, ConfigError, EndOfStream, RealtimePoseError
from realtime_pose.inference.base import PersonDetector, PoseEstimator
from realtime_pose.inference.detectors.table import build_detector
from realtime_pose.inference.estimators import build_estimator
from realtime_pose.pipeline import assemble_pipeline, check_names
from realtime_pose.utils.arrays import UInt8, check_array
from realtime_pose.utils.stopwatch import Stopwatch

log = logging.getLogger(__name__)

_USUAL_NS = 33_333_333
_DETECTOR_HAS = ("detect", "close")
_ESTIMATOR_HAS = (*PoseEstimator.__annotations__, "estimate", "close")


@runtime_checkable
class _Follows(Protocol):
    """An estimator that follows somebody by itself, and can forget them."""

    def reset(self) -> None: ...


class PoseInference:
    """People, their keypoints, 3D joints and joint rotations, in pictures that you hand over.

    It starts no thread and opens nothing; one thread at a time may use it. It is a `FramePipeline`, so a `Runtime`
    takes it too.

    Args:
        config: All settings; those of capture, output and `look_ahead` are not read, as there is nothing behind them.
        is_video: The pictures follow each other in time: people keep their names and are smoothed, until `reset`.
            Otherwise each picture stands alone.
        estimator: Finds keypoints in place of the one that `config` names. One that follows somebody by itself
            (`finds_people`) may have a method `reset()`, which is called when it is to forget them.
        detector: Finds people in place of the one that `config` names.
        notify: Is told, in one plain sentence, of everything that was chosen for the user.
        progress: Is told how far a download of weights has come.

    Attributes:
        estimator: What finds the keypoints; `close` closes it, and the detector, also those that were given.
        stopwatch: The time that each stage took since its last `take`.

    Raises:
        UnknownChoiceError: A name in the settings is in no table.
        ConfigError: The settings do not fit together or not this machine, or an object given lacks what it needs.
        CheckpointError: The weights cannot be had.
    """

    def __init__(
        self,
        config: AppConfig = DEFAULTS,
        *,
        is_video: bool = False,
        estimator: PoseEstimator | None = None,
        detector: PersonDetector | None = None,
        notify: Callable[[str], None] = log.warning,
        progress: Progress = lambda had, total: None,
    ) -> None:
        check_names(config)
        _check_has("estimator", estimator, _ESTIMATOR_HAS)
        _check_has("detector", detector, _DETECTOR_HAS)
        self._config = replace(config, body=resolved(replace(config.body, look_ahead=False)))
        self._is_video, self._closed = is_video, False
        self._result: FrameResult | None = None
        self._frames, self._last_ns = 0, -_USUAL_NS
        self.stopwatch = Stopwatch()
        persons = config.inference.persons
        with ExitStack() as undo:
            if estimator is None:
                estimator = build_estimator(config.inference, notify, progress)
                estimator = undo.enter_context(closing(estimator if is_video else _for_stills(estimator, config)))
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
        """Everybody in the picture; nobody is an empty `people`.

        Args:
            image_bgr: (H, W, 3) uint8, blue first as OpenCV has it; it is copied. Or a `Frame`.
            time_s: When it was taken, in seconds from any beginning, for a video; smoothing goes by it. Without one it
                is 1/30 s after the picture before. A `Frame` has a time of its own.

        Raises:
            CaptureError: It is no picture; or an ArrayShapeError, if it is an array of another shape.
            ConfigError: `time_s` is no number.
            RealtimePoseError: This was closed.
        """
        if self._closed:
            raise RealtimePoseError("this PoseInference was closed; construct another one")
        frame = image_bgr if isinstance(image_bgr, Frame) else self._frame(image_bgr, time_s)
        if not self._is_video:
            self._forget()
        self._last_ns, self._frames = frame.time_ns, self._frames + 1
        self._result = self._pipeline.step(frame)
        return self._result

    def step(self, frame: Frame) -> FrameResult:
        """The same, as a `Runtime` calls it."""
        return self.inference(frame)

    def draw(self, *, boxes: bool = False, ids: bool = True) -> UInt8:
        """A new picture (H, W, 3) BGR: the last one, with the people in it drawn on it.

        Args:
            boxes: Draw each person's box.
            ids: Write each person's name over their head.

        Raises:
            RealtimePoseError: There was no picture since the beginning or the last `reset`.
        """
        if self._result is None:
            raise RealtimePoseError("there is no picture to draw on yet; call inference(image) first")
        threshold = self._config.inference.score_threshold
        image_bgr, people = self._result.frame.image_bgr, self._result.people
        return draw_skeleton_on_frame(image_bgr, people, score_threshold=threshold, boxes=boxes, ids=ids)

    def reset(self) -> None:
        """Forget everybody and begin a new video; the models stay loaded."""
        self._forget()
        self._result = None
        self._frames, self._last_ns = 0, -_USUAL_NS

    @property
    def described(self) -> str:
        """What runs, e.g. "vitpose-s with openvino fp32 on cpu"."""
        model = self.estimator
        return f"{model.name} with {model.runtime} {model.precision} on {model.device}"

    def close(self) -> None:
        """Give the models back. Safe to repeat."""
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
        """Begin with nobody known; the models stay."""
        if self.estimator.finds_people and isinstance(self.estimator, _Follows):
            self.estimator.reset()
        self._pipeline = assemble_pipeline(self._config, self.estimator, self._detector)
        self._pipeline.stopwatch = self.stopwatch

    def _frame(self, image_bgr: npt.NDArray[Any], time_s: float | None) -> Frame:
        if not isinstance(image_bgr, np.ndarray) or image_bgr.dtype != np.uint8:
            got = f"an array of {image_bgr.dtype}" if isinstance(image_bgr, np.ndarray) else repr(image_bgr)[:60]
            raise CaptureError(
                f"the picture is {got}, wanted an array (height, width, 3) of uint8, as cv2.imread gives it "
                "(it gives None for a file that it cannot read)"
            )
        check_array("the picture", image_bgr[:0, :0] if image_bgr.ndim == 3 else image_bgr, (None, None, 3), np.uint8)
        if not image_bgr.size:
            raise CaptureError(f"the picture is empty: its shape is {image_bgr.shape}; give one with pixels")
        if time_s is None:
            time_ns = self._last_ns + _USUAL_NS
        elif math.isfinite(time_s):
            time_ns = round(time_s * 1e9)
        else:
            raise ConfigError(f"time_s is {time_s}, wanted seconds; leave it out where the time is not known")
        return Frame(np.array(image_bgr, order="C"), self._frames, time_ns, time.monotonic_ns())


def read_frames(source: str | Path | int | CaptureConfig) -> Iterator[Frame]:
    """Every frame of a source, which is opened with the first one and closed after the last, or with the iterator.

    What goes wrong and is survived, such as a damaged end, is logged as a warning.

    Args:
        source: Camera index or name, path of a video, image or folder of images, URL, `actor` or `actor-2`; or
            all settings of a source.

    Raises:
        CaptureError: It is not there, is broken, or gives no picture.
        UnknownChoiceError: A setting names a choice that does not exist.
    """
    config = source if isinstance(source, CaptureConfig) else CaptureConfig(str(source))
    with closing(open_source(config)) as frames:
        told = 0
        while True:
            try:
                frame = frames.read()
            except EndOfStream:
                return
            finally:
                for notice in frames.notices[told:]:
                    log.warning(notice)
                told = len(frames.notices)
            if frame is not None:  # None is a camera that was silent for a while
                yield frame


def _for_stills(estimator: PoseEstimator, config: AppConfig) -> PoseEstimator:
    """The estimator without a memory of the picture before."""
    from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator  # OpenCV is not needed before

    if not isinstance(estimator, BlazePoseEstimator):
        return estimator
    estimator.close()
    return BlazePoseEstimator(config.inference, video=False)


def _check_has(role: str, given: object, wanted: tuple[str, ...]) -> None:
    """Refuse an object that somebody made and that lacks what the program will ask of it."""
    missing = [name for name in wanted if given is not None and not hasattr(given, name)]
    if missing:
        raise ConfigError(
            f"the {role} {type(given).__name__} has no {', '.join(missing)}; "
            "realtime_pose/inference/base.py says what each is"
        )
