"""Base class of the sinks over UDP: refused datagrams, warnings, closing, and selection of one person."""

import socket

from support.people import make_clip, make_person, make_result

from realtime_pose.communication.datagrams import only_person
from realtime_pose.communication.udp import UdpSink
from realtime_pose.skeletons import COCO17


class RefusingSocket:
    """A network that is down, then full."""

    def __init__(self):
        self.closed = False
        self.errors = [OSError(101, "Network is unreachable"), BlockingIOError(), ConnectionRefusedError()]

    def sendto(self, datagram, address):
        raise self.errors[len(datagram) % 3]

    def close(self):
        self.closed = True


def test_a_missing_listener_is_no_error():
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    taken.close()
    sink = UdpSink(f"127.0.0.1:{port}")
    for result in make_clip(50):
        sink.send(result)
    sink.close()
    assert sink.packets_sent == 50


def test_more_than_any_buffer_holds_is_sent_or_counted_as_lost():
    sink = UdpSink("127.0.0.1:9")
    result = make_result([make_person(i, track_id=i, layout=COCO17) for i in range(8)])
    for _ in range(100):
        sink.send(result)
    sink.close()
    assert sink.datagrams_sent + sink.lost == 802


def test_refused_datagrams_are_counted_and_never_raised():
    sink = UdpSink("127.0.0.1:9")
    sink._socket.close()
    sink._socket = refusing = RefusingSocket()
    for result in make_clip(4):
        sink.send(result)
    sink.close()
    assert refusing.closed
    assert (sink.packets_sent, sink.datagrams_sent, sink.lost) == (0, 0, 14)  # 4 x (pose, feet, hands) and 2 hellos


def test_a_network_that_is_down_gives_a_warning():
    sink = UdpSink("127.0.0.1:9,person=3")
    assert sink.warning() == ""
    sink._socket.close()
    sink._socket = RefusingSocket()
    sink.send(make_result())
    sink.close()
    assert sink.warning() == (
        "2 datagrams to 127.0.0.1:9,person=3 were refused by this machine's network; "
        "check the address and the connection"
    )


def test_after_close_nothing_is_sent(ear):
    sink = UdpSink(ear.address)
    sink.close()
    sink.close()
    sink.send(make_result([make_person(1)]))
    assert sink.datagrams_sent == 0
    assert ear.is_empty()


def test_only_person_keeps_the_others_out():
    result = make_result([make_person(1, track_id=1), make_person(2, track_id=2)])
    assert only_person(result, None) is result
    assert [person.keypoints.track_id for person in only_person(result, 2).people] == [2]
    assert only_person(result, 3).people == ()
