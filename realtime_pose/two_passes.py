"""Two passes over a clip: first its camera, floor and bone lengths from all frames, then everyone's poses with them.

Live, all of these are learnt while the poses are made; a file can be read to its end first.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from realtime_pose.body_pipeline import BodyPipeline, build_body
from realtime_pose.capture.base import FrameSource
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, Person
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.filters.clip_evidence import ClipEvidence
from realtime_pose.filters.look_ahead import build_look_ahead
from realtime_pose.inference.tracking.lifetimes import Lifetimes
from realtime_pose.utils.arrays import black_image
from realtime_pose.utils.stopwatch import Stopwatch


def poses_of_clip(
    results: Callable[[], Iterable[FrameResult]],
    config: AppConfig,
    progress: Callable[[], None] = lambda: None,
    lost: Callable[[Frame], Collection[int]] | None = None,
) -> Iterator[FrameResult]:
    """Everyone's keypoints, lifted and solved: in two passes with `body.look_ahead`, else in live order.

    The same keypoints and settings give the same bytes.

    Args:
        results: Called for each pass; the frames with everyone's keypoints, in order of time.
        config: All settings.
        progress: Called after each frame of each pass.
        lost: Who is gone for good after a frame; by default whoever is missing for two seconds.
    """
    known = None
    if config.body.look_ahead:
        first = build_body(config)
        for _ in _one_pass(first, results(), config, progress, lost):
            pass
        known = first.evidence()
    yield from _one_pass(build_body(config, known), results(), config, progress, lost)


def _one_pass(
    body: BodyPipeline,
    results: Iterable[FrameResult],
    config: AppConfig,
    progress: Callable[[], None] = lambda: None,
    lost: Callable[[Frame], Collection[int]] | None = None,
) -> Iterator[FrameResult]:
    stopwatch, lifetimes = Stopwatch(), Lifetimes(single=config.inference.persons == 1)
    ahead = build_look_ahead(config.body, body.finish, body.camera)
    for result in results:
        found = [body.person_of(person.keypoints.sane(), result.frame, stopwatch) for person in result.people]
        people = tuple(person for person in found if person is not None)
        answer = FrameResult(result.frame, people, body.camera(result.frame))
        visible = [person.keypoints.track_id for person in answer.people]
        gone = lifetimes.update(visible, result.frame.time_ns)
        body.forget(gone if lost is None else lost(result.frame))
        progress()
        yield from [answer] if ahead is None else ahead.feed(answer)
    if ahead is not None:
        yield from ahead.flush()


class SecondPass:
    """The stage of a run over a file: holds every result back until the end, and then makes its poses again.

    Images are not kept: the source is read a second time, if somebody needs them.

    Args:
        body: The pipeline's, which learns in the first pass; `body.look_ahead` is set.
        config: All settings.
        open_again: Opens the source once more; None if nobody needs the images.
    """

    def __init__(self, body: BodyPipeline, config: AppConfig, open_again: Callable[[], FrameSource] | None) -> None:
        self._body, self._config, self._open_again = body, config, open_again
        self._ahead = build_look_ahead(config.body, body.finish, body.camera)
        self._kept: list[FrameResult] = []

    def feed(self, result: FrameResult) -> Iterator[FrameResult]:
        """Keep the result without its image; nothing is complete before the end."""
        people = tuple(Person(person.box, person.keypoints, None, None) for person in result.people)
        self._kept.append(FrameResult(without_image(result.frame), people))
        if self._ahead is not None:
            for _ in self._ahead.feed(result):  # so that the filters that follow the smoothing learn
                pass
        yield from ()

    def flush(self) -> Iterator[FrameResult]:
        """The results of all frames, in order.

        Raises:
            CaptureError: The file has changed since the first pass.
        """
        if self._ahead is not None:
            for _ in self._ahead.flush():
                pass
        known, kept = self._body.evidence(), self._kept
        self._kept = []
        if self._open_again is None:
            yield from self._poses(kept, known)
            return
        with closing(self._open_again()) as source:
            yield from self._poses(_with_images(kept, source), known)

    def _poses(self, results: Iterable[FrameResult], known: ClipEvidence) -> Iterator[FrameResult]:
        return _one_pass(build_body(self._config, known), results, self._config)


def without_image(frame: Frame) -> Frame:
    """The frame with a black image of the same size, which takes no memory."""
    return replace(frame, image_bgr=black_image(frame.width, frame.height))


def _with_images(kept: Iterable[FrameResult], source: FrameSource) -> Iterator[FrameResult]:
    for result in kept:
        try:
            again = source.read()
            while again is not None and again.index < result.frame.index:
                again = source.read()
        except EndOfStream:
            again = None
        size = result.frame.image_bgr.shape
        if again is None or again.time_ns != result.frame.time_ns or again.image_bgr.shape != size:
            raise CaptureError(
                f"the source changed between its first and its second reading, at {result.frame.time_ns / 1e9:.2f} s; "
                "process it again once it is complete"
            )
        yield replace(result, frame=replace(result.frame, image_bgr=again.image_bgr))
