"""Replay: a session sent again, in real time or at another speed, step by step, or with recomputed poses."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from realtime_pose import __version__
from realtime_pose.app.run import check_not_replaced, take_info
from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.communication.base import LiveSink, PoseSink
from realtime_pose.communication.sinks import open_sinks
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult, SceneCamera
from realtime_pose.errors import ConfigError
from realtime_pose.exporters.table import EXPORTERS, parse_formats
from realtime_pose.pipeline import check_names
from realtime_pose.session.reader import Session
from realtime_pose.session.writer import mark_finished
from realtime_pose.two_passes import poses_of_clip
from realtime_pose.utils.paths import is_on_network
from realtime_pose.utils.settings import check_range


def recorded_settings(session: Session) -> AppConfig:
    """The session's settings of lifting, IK and filters; all others are defaults.

    Raises:
        ConfigError: This program does not know them, or they name a file on another computer.
    """
    config = session.settings.get("config") or {}
    body, inference = config.get("body") or {}, config.get("inference") or {}
    profile = body.get("profile")
    if isinstance(profile, str) and is_on_network(profile):
        raise ConfigError(f"{session.path} names the body profile {profile}, which is not opened; record it again")
    sections = {
        "body": body,
        "inference": {key: inference[key] for key in ("score_threshold", "persons") if key in inference},
    }
    return AppConfig().with_values(sections, str(session.path))


def recomputed_settings(session: Session, config: AppConfig) -> dict[str, Any]:
    """The settings of a session after `poses_of_clip`: those of before, with the newly used ones."""
    before = session.settings.get("config") or {}
    inference = (before.get("inference") or {}) | {"score_threshold": config.inference.score_threshold}
    used = before | {"body": asdict(config.body), "inference": inference}
    settings = session.settings | {"program": f"realtime-pose {__version__}", "config": used}
    if settings != session.settings:
        settings.pop("job", None)  # `process` did not make it with these settings
    return settings


def _paced(results: Iterable[FrameResult], speed: float) -> Iterator[FrameResult]:
    """Each result when it is due by its media time, `speed` times as fast."""
    start_s: float | None = None
    first_ns = 0
    for result in results:
        if start_s is None:
            start_s, first_ns = time.monotonic(), result.frame.time_ns
        due_s = start_s + (result.frame.time_ns - first_ns) / 1e9 / speed
        time.sleep(max(0.0, due_s - time.monotonic()))
        yield result


def _send(
    results: Iterable[FrameResult], sinks: Sequence[PoseSink], recorder: PoseSink | None
) -> Iterator[FrameResult]:
    """Send each result to the sinks with the time of now, and to the recorder unchanged; then yield it."""
    for result in results:
        live = replace(result, frame=replace(result.frame, captured_ns=time.monotonic_ns()))
        for sink in sinks:
            sink.send(live)
        if recorder is not None:
            recorder.send(result)
        yield result


class Replay:
    """A running replay; made by `open_replay`."""

    def __init__(
        self,
        session: Session,
        frames: Iterable[FrameResult],
        sinks: Sequence[LiveSink],
        recorder: TakeRecorder | None,
        speed: float | None,
    ) -> None:
        self._session, self._sinks, self._recorder = session, sinks, recorder
        self._frames, self._speed = frames, speed
        self._count, self._start_s, self._end_s = 0, 0.0, 0.0
        self._camera: SceneCamera | None = None
        self.complete = False

    def results(self, go_on: Callable[[FrameResult], bool] | None = None) -> Iterator[FrameResult]:
        """Each result after it was sent and recorded.

        Args:
            go_on: Called after each result; returns whether to send another one. None always goes on.

        Raises:
            RecordingError: The session is damaged, or the disk is full.
        """
        self._start_s = time.monotonic()
        frames = self._frames
        if self._speed is not None and self._sinks:
            frames = _paced(frames, self._speed)
        for result in _send(frames, self._sinks, self._recorder):
            self._count += 1
            self._camera = result.camera or self._camera
            self._end_s = time.monotonic()
            yield result
            if go_on is not None and not go_on(result):
                return
        self.complete = True

    def report(self) -> dict[str, Any]:
        """The report of the replay so far."""
        warnings = [sentence for sink in self._sinks if (sentence := sink.warning())]
        if self._recorder is not None:
            warnings += self._recorder.notes
        if self._session.truncated:
            warnings.append(f"The end of {self._session.path} is missing; it was played up to its last whole frame.")
        return {
            "source": str(self._session.path),
            "frames": self._count,
            "seconds": round(max(self._end_s - self._start_s, 0.0), 3),
            "camera": None if self._camera is None else self._camera.to_dict(),
            "packets_sent": sum(sink.packets_sent for sink in self._sinks),
            "sinks": [
                {"sink": sink.name, "target": sink.destination, "packets_sent": sink.packets_sent, "lost": sink.lost}
                for sink in self._sinks
            ],
            "warnings": warnings,
        }


@contextmanager
def open_replay(
    session: Session,
    config: AppConfig,
    *,
    recompute: bool,
    speed: float | None,
    max_frames: int | None = None,
    force: bool = False,
) -> Iterator[Replay]:
    """A session ready to be sent to the outputs of the settings; sinks and files are closed afterwards.

    Args:
        session: The session.
        config: Live sinks, `output.record` and its formats; with `recompute` also the settings of lifting and IK.
        recompute: Recompute joints and poses from the keypoints.
        speed: Playback speed, 1 = real time; None sends as fast as possible.
        max_frames: End after this many frames.
        force: Replace an earlier take in the folder.

    Raises:
        ConfigError: A setting is wrong.
        RecordingError: The folder cannot be written, or has another take.
    """
    check_range("speed", 1.0 if speed is None else speed, 0.01, 1000)
    output = config.output
    formats = parse_formats(output.formats)
    settings = recomputed_settings(session, config) if recompute else session.settings
    frames: Iterable[FrameResult] = islice(session.frames(), max_frames)
    if recompute:
        check_names(config)
        frames = poses_of_clip(lambda: islice(session.frames(), max_frames), config)
    with ExitStack() as undo:
        sinks = open_sinks(output.destinations, mirror=output.mirror, udp_format=output.udp_format)
        for sink in sinks:
            undo.callback(sink.close)
        recorder, folder = None, Path(output.record)
        if output.record:
            check_not_replaced(folder, session.path)
            chosen = [name for name in formats if not EXPORTERS[name].needs_images]  # a session has no images
            recorder = TakeRecorder(folder, take_info(config, settings), chosen, force=force)
            undo.callback(recorder.close)
        replay = Replay(session, frames, sinks, recorder, speed)
        yield replay
    if replay.complete and recorder is not None and session.finished and max_frames is None:
        mark_finished(folder / SESSION, replay.report()["frames"])
