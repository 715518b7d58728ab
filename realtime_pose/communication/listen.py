"""What arrives, in figures: rate, loss, persons, delay. No sockets and no clocks here: arrivals are handed in."""

from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np

from realtime_pose.communication.packet import HelloPacket, Packet, PosePacket
from realtime_pose.communication.stream import PacketOrder

_WINDOW = 4096
_STREAMS = 16


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Figures of one stretch of listening.

    Attributes:
        frames: Frames that poses arrived of.
        poses: `pose` packets that were news.
        rate_hz: Frames a second between the first and the last arrival; 0 if there were fewer than two.
        persons: Names of the people seen.
        latency_ms: 50th and 95th percentile from capture to arrival; None if no pose came. It needs the clocks of both
            machines to agree.
        late: Packets that were not news, as an equal or later one had come before.
        lost: Pose and part packets that did not arrive, counted between each stream's first and last `hello`.
    """

    frames: int
    poses: int
    rate_hz: float
    persons: tuple[int, ...]
    latency_ms: tuple[float, float] | None
    late: int
    lost: int


class _Stream:
    """Counts one stream's packets between its first and its last `hello`."""

    def __init__(self) -> None:
        self.received = 0
        self._first: tuple[int, int] | None = None
        self.lost = 0

    def hello(self, sent: int) -> None:
        self._first = self._first or (sent, self.received)
        # a packet that overtook the hello is no gain
        self.lost = max(0, sent - self._first[0] - (self.received - self._first[1]))


class ArrivalCounter:
    """Counts packets as they arrive.

    Frames without people send no packets, so gaps of `seq` would overstate the loss: the `sent` of `hello` is used.
    """

    def __init__(self) -> None:
        self._order = PacketOrder()
        self._streams: OrderedDict[int, _Stream] = OrderedDict()
        self._start()

    def _start(self) -> None:
        self._frames: set[tuple[int, int]] = set()
        self._poses = 0
        self._late = 0
        self._span_s: tuple[float, float] | None = None
        self._persons: set[int] = set()
        self._latency_ms: deque[float] = deque(maxlen=_WINDOW)

    def add(self, packet: Packet, arrived_s: float) -> bool:
        """Count one packet that arrived at this Unix time; whether it was news."""
        stream = self._streams.setdefault(packet.stream, _Stream())
        self._streams.move_to_end(packet.stream)
        if len(self._streams) > _STREAMS:
            self._streams.popitem(last=False)
        stream.received += not isinstance(packet, HelloPacket)
        if not self._order.accept(packet):
            self._late += 1
            return False
        if isinstance(packet, HelloPacket):
            stream.hello(packet.sent)
        elif isinstance(packet, PosePacket):
            self._frames.add((packet.stream, packet.seq))
            self._poses += 1
            self._persons.add(packet.person)
            self._latency_ms.append((arrived_s - packet.timestamp) * 1e3)
            self._span_s = (self._span_s[0] if self._span_s else arrived_s, arrived_s)
        return True

    def take(self) -> Arrivals:
        """Figures since the last `take`; `lost` alone counts from the beginning."""
        frames, span_s = len(self._frames), self._span_s[1] - self._span_s[0] if self._span_s else 0.0
        p50, p95 = np.percentile(self._latency_ms, (50, 95)) if self._latency_ms else (0.0, 0.0)
        arrivals = Arrivals(
            frames=frames,
            poses=self._poses,
            rate_hz=(frames - 1) / span_s if frames > 1 and span_s > 0 else 0.0,
            persons=tuple(sorted(self._persons)),
            latency_ms=(float(p50), float(p95)) if self._latency_ms else None,
            late=self._late,
            lost=sum(stream.lost for stream in self._streams.values()),
        )
        self._start()
        return arrivals
