"""Statistics of a UDP port on the terminal: a table that is updated, or a line a second for pipes and logs."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from realtime_pose.communication.receive_statistics import ArrivalCounter, Arrivals
from realtime_pose.communication.udp_receiver import UdpReceiver

_WAIT_S = 0.25
_LINE_S = 1.0
_STREAMS_ANNOUNCED = 64


@dataclass(frozen=True)
class ListenResult:
    """Result of `listen_to`.

    Attributes:
        interrupted: Whether Ctrl-C ended it.
        datagrams: Datagrams received.
        malformed: Those that were not valid packets.
        why_malformed: The problem of the last of those, in a sentence.
    """

    interrupted: bool
    datagrams: int
    malformed: int
    why_malformed: str


def listen_to(
    bind: str, count: int | None, console: Console, check: Callable[[bytes], object] | None = None
) -> ListenResult:
    """Show what arrives, until `count` datagrams or Ctrl-C.

    Returns:
        The counts, and whether Ctrl-C ended it.

    Raises:
        ConfigError: The port is in use, or the address is not one of this machine's.
    """
    receiver, counter = UdpReceiver(bind, check), ArrivalCounter()
    console.print(f"listening on {receiver.address}; Ctrl-C stops")
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    interrupted = False
    try:
        with live or nullcontext():
            _listen(receiver, counter, count, _Table(live, receiver) if live else _Lines(console, receiver))
    except KeyboardInterrupt:
        interrupted = True
    finally:
        receiver.close()
    return ListenResult(interrupted, receiver.datagrams, receiver.malformed, receiver.why_malformed)


def _listen(receiver: UdpReceiver, counter: ArrivalCounter, count: int | None, shown: "_Table | _Lines") -> None:
    next_s = time.monotonic() + _LINE_S
    while count is None or receiver.datagrams < count:
        packet = receiver.receive(_WAIT_S)
        if packet is not None:
            counter.add(packet, time.time())
        if time.monotonic() >= next_s:
            next_s += _LINE_S
            shown.show(counter.take())
    shown.show(counter.take())


class _Table:
    """A table that is redrawn every second."""

    def __init__(self, live: Live, receiver: UdpReceiver) -> None:
        self._live, self._receiver = live, receiver

    def show(self, streams: Sequence[Arrivals]) -> None:
        if not self._receiver.datagrams:
            self._live.update(_hint(self._receiver), refresh=True)
            return
        names = ("stream", "people", "frames/s", "lost", "jitter", "latency, p95", "hips (m)", "frame (px)")
        table = Table(*names, caption=escape(_malformed(self._receiver)), caption_justify="left")
        for arrivals in reversed(streams):
            table.add_row(*_cells(arrivals))
        self._live.update(table, refresh=True)


def _cells(arrivals: Arrivals) -> list[str]:
    late = f" +{arrivals.late} late" if arrivals.late else ""
    latency = "{:.1f}, {:.1f} ms".format(*arrivals.latency_ms) if arrivals.latency_ms else "-"
    return [
        str(arrivals.stream),
        _people(arrivals),
        f"{arrivals.rate_hz:.1f}",
        f"{arrivals.lost} ({arrivals.loss:.1%}){late}",
        f"{arrivals.jitter_ms:.1f} ms" if arrivals.frames > 1 else "-",
        latency,
        _hips(arrivals) or "-",
        _frame_size(arrivals) or "-",
    ]


class _Lines:
    """A line a second for each stream, for pipes and logs."""

    def __init__(self, console: Console, receiver: UdpReceiver) -> None:
        self._console, self._receiver = console, receiver
        self._announced: set[int] = set()
        self._hinted = False

    def show(self, streams: Sequence[Arrivals]) -> None:
        if not self._receiver.datagrams:
            if not self._hinted:
                self._hinted = True
                self._console.print(_hint(self._receiver))
            return
        for arrivals in streams:
            if (
                _frame_size(arrivals)
                and arrivals.stream not in self._announced
                and len(self._announced) < _STREAMS_ANNOUNCED
            ):
                self._announced.add(arrivals.stream)
                self._console.print(f"stream {arrivals.stream}: frames of {_frame_size(arrivals)} px")
        active = [arrivals for arrivals in streams if arrivals.frames] or streams[-1:]
        for arrivals in active:
            name = f"stream {arrivals.stream}   " if len(active) > 1 else ""
            self._console.print(escape(name + _line(arrivals)))
        if self._receiver.malformed:
            self._console.print(escape(_malformed(self._receiver)))


def _line(arrivals: Arrivals) -> str:
    parts = [f"{arrivals.rate_hz:5.1f} frames/s", f"people {_people(arrivals)}"]
    if arrivals.latency_ms is not None:
        p50, p95 = arrivals.latency_ms
        parts.append(f"latency {p50:.1f} ms (p95 {p95:.1f}, jitter {arrivals.jitter_ms:.1f})")
    parts.append(f"lost {arrivals.lost} ({arrivals.loss:.1%})")
    if hips := _hips(arrivals):
        parts.append(f"hips at {hips} m")
    return "   ".join(parts)


def _people(arrivals: Arrivals) -> str:
    return ", ".join(map(str, arrivals.persons)) or "none"


def _hips(arrivals: Arrivals) -> str:
    root = arrivals.pose.root if arrivals.pose is not None else None
    return "" if root is None else ", ".join(f"{value:+.2f}" for value in root)


def _frame_size(arrivals: Arrivals) -> str:
    return "" if arrivals.hello is None else "x".join(map(str, arrivals.hello.image))


def _malformed(receiver: UdpReceiver) -> str:
    return f"malformed {receiver.malformed}: {receiver.why_malformed}" if receiver.malformed else ""


def _hint(receiver: UdpReceiver) -> str:
    return f"nothing received yet; to send something: realtime-pose run --source actor --udp {receiver.address}"
