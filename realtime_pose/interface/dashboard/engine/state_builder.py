"""The studio's state, built from the active run: in full for the page, in short for the live view."""

import json
import threading
import time
from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np

from realtime_pose.communication.base import LiveSink
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import PosePacket, encode
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import FrameResult
from realtime_pose.interface.dashboard.engine.active_run import ActiveRun
from realtime_pose.interface.dashboard.engine.state import Phase, PlaybackState, SinkState, StudioState

_LATEST = 600  # frames that times are measured over: twenty seconds of a camera
_RATE_NS = 2_000_000_000


class StateBuilder:
    """Builds `StudioState`; keeps earlier packet counts, for rates."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # each tab calls from a thread of its own
        self._sent: dict[str, deque[tuple[int, int]]] = {}  # by sink: (monotonic ns, packets sent)

    def with_run(self, state: StudioState, run: ActiveRun, last: FrameResult | None) -> StudioState:
        """The state with what is known of the run; `last` is its last frame."""
        snapshot, estimator = run.runtime.snapshot(), run.pipeline.estimator
        figures, now_ns = run.runtime.statistics.figures(_LATEST), time.monotonic_ns()
        notices = dict.fromkeys((*state.notices, *snapshot.notices, *filter(None, (s.warning() for s in run.sinks))))
        return replace(
            state,
            notices=tuple(notices),
            source=run.source_text,
            kind=run.kind,
            frames=snapshot.frames,
            frames_dropped=snapshot.frames_dropped,
            fps=run.runtime.statistics.recent_fps(now_ns),
            seconds=run.runtime.statistics.seconds,
            persons=snapshot.persons,
            mean_score=mean_score(last),
            estimator=estimator.name,
            runtime=estimator.runtime,
            device=estimator.device,
            precision=estimator.precision,
            latency_ms=figures["latency_ms"],
            stages_ms=figures["stages_ms"],
            source_fps=run.run.source.fps,
            sinks=tuple(self._sink_state(sink, now_ns) for sink in run.sinks),
            packet=last_packet(last, mirror=run.config.output.mirror),
            people=tuple(person.keypoints.track_id for person in last.people) if last is not None else (),
            playback=_playback_of(run),
        )

    def _sink_state(self, sink: LiveSink, now_ns: int) -> SinkState:
        """The rate is measured over the last two seconds or more, between two calls."""
        with self._lock:
            sent = sink.packets_sent
            seen = self._sent.setdefault(f"{sink.name} {sink.destination}", deque(maxlen=32))
            if seen and seen[-1][1] > sent:
                seen.clear()  # from an earlier run
            while len(seen) > 1 and now_ns - seen[1][0] >= _RATE_NS:
                seen.popleft()
            if not seen or now_ns - seen[-1][0] > _RATE_NS / 10:
                seen.append((now_ns, sent))
            first_ns, first = seen[0]
        rate = (sent - first) * 1e9 / (now_ns - first_ns) if now_ns > first_ns else 0.0
        return SinkState(sink.name, sink.destination, sent, max(rate, 0.0), sink.lost)


def viewer_event(
    phase: Phase, doing: str, failure: str, run: ActiveRun | None, config: AppConfig, *, recording: bool
) -> dict[str, Any]:
    """The event that the live view gets when the state changes, beside the frames."""
    return {
        "type": "state",
        "phase": phase.value,
        "doing": doing,
        "failure": failure,
        "source": run.source_text if run is not None else "",
        "kind": run.kind if run is not None else "",
        "threshold": config.inference.score_threshold,
        "mirror": config.output.mirror,
        "browser_camera": run is not None and run.browser_camera is not None,
        "recording": recording,
        "overlay": run is None or run.playback_source is None or not run.playback_source.drawn,
    }


def _playback_of(run: ActiveRun) -> PlaybackState | None:
    source = run.playback_source
    if source is None or run.folder is None:
        return None
    times_s, row = source.times_s, source.row
    return PlaybackState(run.folder, row, source.rows, float(times_s[max(row, 0)]), float(times_s[-1]))


def mean_score(result: FrameResult | None) -> float | None:
    """The mean score of all people's keypoints; None without a frame or people."""
    if result is None or not result.people:
        return None
    return float(np.mean(np.concatenate([person.keypoints.sane().score for person in result.people])))


def last_packet(result: FrameResult | None, *, mirror: bool) -> str:
    """The first person's PosePacket as it is sent, one line for each key; empty without one."""
    if result is None:
        return ""
    packets = PacketStream(mirror=mirror, stream=0).packets_of(result)
    pose = next((packet for packet in packets if isinstance(packet, PosePacket)), None)
    if pose is None:
        return ""
    values = json.loads(encode(pose))
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()) + "\n}"
