"""What arrives, in figures: rate, loss, jitter, delay, people. No sockets, no clocks here: arrivals are handed in."""

from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np

from realtime_pose.communication.packets.packet_stream import PacketOrder
from realtime_pose.communication.packets.pose_packet import HelloPacket, Packet, PosePacket

_WINDOW = 4096
_STREAMS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Figures of one stretch of listening to one stream.

    Attributes:
        stream: The stream's number.
        hello: What it announced last; None if nothing yet.
        pose: The last pose that came; None if none did in this stretch.
        frames: Frames that poses arrived of.
        poses: `pose` packets that were news.
        rate_hz: Frames a second between the first and the last arrival; 0 if there were fewer than two.
        persons: Names of the people seen.
        latency_ms: 50th and 95th percentile from capture to arrival; None if no pose came. It needs the clocks of both
            machines to agree.
        jitter_ms: By how much the delay changes from one frame to the next, on average (the D of RFC 3550, section
            6.4.1); 0 if there were fewer than two frames. Clocks need not agree.
        late: Packets that were not news, as an equal or later one had come before.
        lost: Pose and part packets that did not arrive, counted between the stream's first and last `hello`.
        loss: The same as a part of all that were sent, in 0..1.
    """

    stream: int
    hello: HelloPacket | None
    pose: PosePacket | None
    frames: int
    poses: int
    rate_hz: float
    persons: tuple[int, ...]
    latency_ms: tuple[float, float] | None
    jitter_ms: float
    late: int
    lost: int
    loss: float


class _Stream:
    """Counts one stream's packets; the loss between its first and its last `hello`, the rest since the last `take`."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._hello: HelloPacket | None = None
        self._first: tuple[int, int] | None = None
        self._received = 0
        self._sent = 0
        self._lost = 0
        self._last_transit_s: float | None = None
        self._last_seq = -1
        self._start()

    def _start(self) -> None:
        self._pose: PosePacket | None = None
        self._frames = 0
        self._poses = 0
        self.late = 0
        self._span_s: tuple[float, float] | None = None
        self._persons: set[int] = set()
        self._latency_ms: deque[float] = deque(maxlen=_WINDOW)
        self._change_ms: deque[float] = deque(maxlen=_WINDOW)

    def add(self, packet: Packet, arrived_s: float, *, news: bool) -> None:
        if isinstance(packet, HelloPacket):
            if news:
                self._greeted(packet)
            return
        self._received += 1
        self.late += not news
        if news and isinstance(packet, PosePacket):
            self._posed(packet, arrived_s)

    def _greeted(self, hello: HelloPacket) -> None:
        self._hello = hello
        self._first = self._first or (hello.sent, self._received)
        self._sent = hello.sent - self._first[0]
        self._lost = max(0, self._sent - (self._received - self._first[1]))  # one that overtook the hello is no gain

    def _posed(self, pose: PosePacket, arrived_s: float) -> None:
        self._pose = pose
        self._poses += 1
        self._persons.add(pose.person)
        transit_s = arrived_s - pose.timestamp
        self._latency_ms.append(transit_s * 1e3)
        if pose.seq != self._last_seq:  # the next frame; its other people came with the first
            self._frames += 1
            self._span_s = (self._span_s[0] if self._span_s else arrived_s, arrived_s)
            if self._last_transit_s is not None:
                self._change_ms.append(abs(transit_s - self._last_transit_s) * 1e3)
            self._last_seq, self._last_transit_s = pose.seq, transit_s

    def take(self) -> Arrivals:
        span_s = self._span_s[1] - self._span_s[0] if self._span_s else 0.0
        p50, p95 = np.percentile(self._latency_ms, (50, 95)) if self._latency_ms else (0.0, 0.0)
        arrivals = Arrivals(
            stream=self._number,
            hello=self._hello,
            pose=self._pose,
            frames=self._frames,
            poses=self._poses,
            rate_hz=(self._frames - 1) / span_s if self._frames > 1 and span_s > 0 else 0.0,
            persons=tuple(sorted(self._persons)),
            latency_ms=(float(p50), float(p95)) if self._latency_ms else None,
            jitter_ms=float(np.mean(self._change_ms)) if self._change_ms else 0.0,
            late=self.late,
            lost=self._lost,
            loss=self._lost / self._sent if self._sent > 0 else 0.0,
        )
        self._start()
        return arrivals


class ArrivalCounter:
    """Counts packets as they arrive, each stream by itself; those heard of last are remembered.

    Frames without people send no packets, so gaps of `seq` would overstate the loss: the `sent` of `hello` is used.
    """

    def __init__(self) -> None:
        self._order = PacketOrder()
        self._streams: OrderedDict[int, _Stream] = OrderedDict()

    def add(self, packet: Packet, arrived_s: float) -> bool:
        """Count one packet that arrived at this Unix time; whether it was news."""
        stream = self._streams.setdefault(packet.stream, _Stream(packet.stream))
        self._streams.move_to_end(packet.stream)
        if len(self._streams) > _STREAMS:
            self._streams.popitem(last=False)
        news = self._order.accept(packet)
        stream.add(packet, arrived_s, news=news)
        return news

    def take(self) -> list[Arrivals]:
        """Each stream's figures since the last `take`, the one heard of last at the end."""
        return [stream.take() for stream in self._streams.values()]
