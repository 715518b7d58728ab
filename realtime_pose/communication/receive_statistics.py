"""Receive statistics per stream: rate, loss, jitter, latency, people. Arrival times are arguments; no sockets here."""

from collections import OrderedDict, deque
from dataclasses import dataclass

import numpy as np

from realtime_pose.communication.packets.pose_packet import HelloPacket, Packet, PartPacket, PosePacket

_WINDOW = 4096  # latencies kept for the percentiles
_STREAMS = 16  # the streams heard last are kept


class PacketOrder:
    """Rejects a packet if one with an equal or later `seq` of the same stream, type, part and person came before.

    A restarted sender has a new stream, so its `seq` starts from 0 again. Only the 256 combinations heard last are
    kept, so that a flood of invented streams does not fill the memory.
    """

    _REMEMBERED = 256

    def __init__(self) -> None:
        self._last_seq: OrderedDict[tuple[int, str, str, int], int] = OrderedDict()

    def accept(self, packet: Packet) -> bool:
        """Whether the packet is in order: neither late nor a duplicate."""
        part = packet.part if isinstance(packet, PartPacket) else ""
        person = -1 if isinstance(packet, HelloPacket) else packet.person
        kind = (packet.stream, packet.type, part, person)
        if packet.seq <= self._last_seq.get(kind, -1):
            return False
        self._last_seq[kind] = packet.seq
        self._last_seq.move_to_end(kind)
        if len(self._last_seq) > self._REMEMBERED:
            self._last_seq.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Statistics of one stream since the last `take`.

    Attributes:
        stream: The stream's number.
        hello: The last `hello`; None before the first.
        pose: The last pose; None if none arrived.
        frames: Frames of which a pose arrived.
        poses: `pose` packets, without late ones.
        rate_hz: Frames per second between the first and the last arrival; 0 for fewer than two frames.
        persons: Ids of the people, sorted.
        latency_ms: 50th and 95th percentile from capture to arrival; None without a pose. The clocks of both machines
            must agree.
        jitter_ms: Mean change of the latency from one frame to the next (the D of RFC 3550, section 6.4.1); 0 for fewer
            than two frames. Clocks need not agree.
        late: Packets that came after an equal or later one.
        lost: Pose and part packets that did not arrive, counted between the stream's first and last `hello`.
        loss: `lost` as a share of all that were sent, in 0..1.
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
    """Counters of one stream: the loss since its first `hello`, the rest since the last `take`."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._hello: HelloPacket | None = None
        self._first: tuple[int, int] | None = None
        self._received = 0
        self._sent = 0
        self._lost = 0
        self._last_transit_s: float | None = None
        self._last_seq = -1
        self._reset()

    def _reset(self) -> None:
        self._pose: PosePacket | None = None
        self._frames = 0
        self._poses = 0
        self.late = 0
        self._span_s: tuple[float, float] | None = None
        self._persons: set[int] = set()
        self._latency_ms: deque[float] = deque(maxlen=_WINDOW)
        self._change_ms: deque[float] = deque(maxlen=_WINDOW)

    def add(self, packet: Packet, arrived_s: float, *, in_order: bool) -> None:
        if isinstance(packet, HelloPacket):
            if in_order:
                self._add_hello(packet)
            return
        self._received += 1
        self.late += not in_order
        if in_order and isinstance(packet, PosePacket):
            self._add_pose(packet, arrived_s)

    def _add_hello(self, hello: HelloPacket) -> None:
        self._hello = hello
        self._first = self._first or (hello.sent, self._received)
        self._sent = hello.sent - self._first[0]
        self._lost = max(0, self._sent - (self._received - self._first[1]))  # packets may overtake a hello

    def _add_pose(self, pose: PosePacket, arrived_s: float) -> None:
        self._pose = pose
        self._poses += 1
        self._persons.add(pose.person)
        transit_s = arrived_s - pose.timestamp
        self._latency_ms.append(transit_s * 1e3)
        if pose.seq != self._last_seq:  # a new frame, not another person of the same one
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
        self._reset()
        return arrivals


class ArrivalCounter:
    """Counts packets as they arrive, per stream; only the streams heard last are kept.

    Frames without people send no packets, so gaps in `seq` would overstate the loss; it comes from `sent` in `hello`.
    """

    def __init__(self) -> None:
        self._order = PacketOrder()
        self._streams: OrderedDict[int, _Stream] = OrderedDict()

    def add(self, packet: Packet, arrived_s: float) -> bool:
        """Count one packet that arrived at this Unix time; returns whether it was in order, not late."""
        stream = self._streams.setdefault(packet.stream, _Stream(packet.stream))
        self._streams.move_to_end(packet.stream)
        if len(self._streams) > _STREAMS:
            self._streams.popitem(last=False)
        in_order = self._order.accept(packet)
        stream.add(packet, arrived_s, in_order=in_order)
        return in_order

    def take(self) -> list[Arrivals]:
        """Each stream's statistics since the last `take`; the stream heard last comes last."""
        return [stream.take() for stream in self._streams.values()]
