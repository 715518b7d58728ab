"""What is told of a show: to the page in full, to viewers what they need."""

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
from realtime_pose.interface.dashboard.engine.shows import Show
from realtime_pose.interface.dashboard.engine.state import PlaybackState, SinkState, StudioState

_LATEST = 600  # frames that times are taken over: twenty seconds of a camera
_RATE_NS = 2_000_000_000


class Teller:
    """Tells where a show stands; remembers what was sent when, for rates."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # each tab asks from a thread of its own
        self._sent: dict[str, deque[tuple[int, int]]] = {}  # by sink: (monotonic ns, packets sent)

    def with_show(self, state: StudioState, show: Show, last: FrameResult | None) -> StudioState:
        """The state with all that is known of what runs, whose last frame is `last`."""
        snapshot, estimator = show.runtime.snapshot(), show.pipeline.estimator
        figures, now_ns = show.runtime.statistics.figures(_LATEST), time.monotonic_ns()
        notices = dict.fromkeys((*state.notices, *snapshot.notices, *filter(None, (s.warning() for s in show.sinks))))
        return replace(
            state,
            notices=tuple(notices),
            source=show.source_text,
            kind=show.kind,
            frames=snapshot.frames,
            frames_dropped=snapshot.frames_dropped,
            fps=show.runtime.statistics.recent_fps(now_ns),
            seconds=show.runtime.statistics.seconds,
            persons=snapshot.persons,
            mean_score=mean_score(last),
            estimator=estimator.name,
            runtime=estimator.runtime,
            device=estimator.device,
            precision=estimator.precision,
            latency_ms=figures["latency_ms"],
            stages_ms=figures["stages_ms"],
            source_fps=show.run.source.fps,
            sinks=tuple(self._sink_state(sink, now_ns) for sink in show.sinks),
            packet=last_packet(last, mirror=show.config.output.mirror),
            people=tuple(person.keypoints.track_id for person in last.people) if last is not None else (),
            playback=_playback_of(show),
        )

    def _sink_state(self, sink: LiveSink, now_ns: int) -> SinkState:
        """The rate is that of the last two seconds or more, between two askings."""
        with self._lock:
            sent = sink.packets_sent
            seen = self._sent.setdefault(f"{sink.name} {sink.destination}", deque(maxlen=32))
            if seen and seen[-1][1] > sent:
                seen.clear()  # another run's
            while len(seen) > 1 and now_ns - seen[1][0] >= _RATE_NS:
                seen.popleft()
            if not seen or now_ns - seen[-1][0] > _RATE_NS / 10:
                seen.append((now_ns, sent))
            first_ns, first = seen[0]
        rate = (sent - first) * 1e9 / (now_ns - first_ns) if now_ns > first_ns else 0.0
        return SinkState(sink.name, sink.destination, sent, max(rate, 0.0), sink.lost)


def viewer_event(
    phase: str, doing: str, failure: str, show: Show | None, config: AppConfig, recording: bool
) -> dict[str, Any]:
    """What viewers are told when something changes, beside the frames."""
    return {
        "type": "state",
        "phase": phase,
        "doing": doing,
        "failure": failure,
        "source": show.source_text if show is not None else "",
        "kind": show.kind if show is not None else "",
        "threshold": config.inference.score_threshold,
        "mirror": config.output.mirror,
        "browser_camera": show is not None and show.browser_camera is not None,
        "recording": recording,
        "overlay": show is None or show.session is None or not show.session.drawn,
    }


def _playback_of(show: Show) -> PlaybackState | None:
    session = show.session
    if session is None or show.folder is None:
        return None
    times_s, row = session.times_s, session.row
    return PlaybackState(show.folder, row, session.rows, float(times_s[max(row, 0)]), float(times_s[-1]))


def mean_score(result: FrameResult | None) -> float | None:
    """The mean score of everybody's keypoints; None without a frame or people."""
    if result is None or not result.people:
        return None
    return float(np.mean(np.concatenate([person.keypoints.sane().score for person in result.people])))


def last_packet(result: FrameResult | None, *, mirror: bool) -> str:
    """The first person's PosePacket as it is sent, a line for each key; empty without one."""
    if result is None:
        return ""
    packets = PacketStream(mirror=mirror, stream=0).packets_of(result)
    pose = next((packet for packet in packets if isinstance(packet, PosePacket)), None)
    if pose is None:
        return ""
    values = json.loads(encode(pose))
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()) + "\n}"
