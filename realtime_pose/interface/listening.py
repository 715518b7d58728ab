"""What arrives on a UDP port, as the terminal shows it: a line a second."""

import time

from rich.console import Console

from realtime_pose.communication.listen import ArrivalCounter, Arrivals
from realtime_pose.communication.packet import HelloPacket, PosePacket
from realtime_pose.communication.udp import UdpReceiver

_WAIT_S = 0.25
_STREAMS_GREETED = 64


def listen_to(bind: str, count: int | None, console: Console) -> bool:
    """Print arrivals until `count` packets came or Ctrl-C; whether it was Ctrl-C.

    Raises:
        ConfigError: The port is taken, or the address is none of this machine's.
    """
    receiver, counter = UdpReceiver(bind), ArrivalCounter()
    console.print(f"listening on {receiver.address}; Ctrl-C ends")
    taken, pose, next_line_s = 0, None, time.monotonic() + 1.0
    greeted: set[int] = set()
    hinted = False
    try:
        while count is None or taken < count:
            packet = receiver.receive(_WAIT_S)
            if packet is not None:
                taken += 1
                counter.add(packet, time.time())
            if isinstance(packet, HelloPacket) and packet.stream not in greeted and len(greeted) < _STREAMS_GREETED:
                greeted.add(packet.stream)
                width, height = packet.image
                console.print(f"stream {packet.stream}: {len(packet.joints)} joints, pictures of {width}x{height} px")
            if isinstance(packet, PosePacket):
                pose = packet
            if time.monotonic() >= next_line_s and (taken or receiver.malformed):
                next_line_s += 1.0
                console.print(_line(counter.take(), pose, receiver))
            elif time.monotonic() >= next_line_s:
                next_line_s += 1.0
                if not hinted:
                    hinted = True
                    console.print(f"nothing yet; to send: realtime-pose run --source actor --udp {receiver.address}")
    except KeyboardInterrupt:
        return True
    else:
        console.print(_line(counter.take(), pose, receiver))
        return False
    finally:
        receiver.close()


def _line(arrivals: Arrivals, pose: PosePacket | None, receiver: UdpReceiver) -> str:
    parts = [f"{arrivals.rate_hz:5.1f} frames/s", f"people {', '.join(map(str, arrivals.persons)) or 'none'}"]
    if arrivals.latency_ms is not None:
        parts.append(f"latency {arrivals.latency_ms[0]:.0f} ms (p95 {arrivals.latency_ms[1]:.0f})")
    parts.append(f"lost {arrivals.lost}")
    if receiver.malformed:
        parts.append(f"malformed {receiver.malformed}: {receiver.why_malformed}")
    if arrivals.poses and pose is not None and pose.root is not None:
        parts.append("hips at " + ", ".join(f"{value:+.2f}" for value in pose.root) + " m")
    return "   ".join(parts)
