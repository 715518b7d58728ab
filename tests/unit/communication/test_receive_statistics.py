"""Receive statistics: rate, latency, jitter and loss of each stream, late and duplicate packets."""

import numpy as np
import pytest
from support.people import make_person, make_result

from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import HelloPacket, PartPacket, PosePacket
from realtime_pose.communication.receive_statistics import ArrivalCounter, PacketOrder

S = 1_000_000_000


def sent(frames, people=(0,), fps=30, stream=1, empty=()):
    """The packets of each frame of a clip, captured at Unix time 1 s + frame / fps."""
    packets = PacketStream(stream=stream, wall_offset_ns=0)
    for i in range(frames):
        seen = [] if i in empty else [make_person(p, track_id=p) for p in people]
        yield packets.packets_of(make_result(seen, index=i, time_ns=i * S // fps))
    yield packets.closing_packets()


def only_stream(counter):
    (arrivals,) = counter.take()
    return arrivals


def test_rate_latency_and_persons_of_an_even_stream():
    counter = ArrivalCounter()
    for packets in sent(31, people=(0, 4)):
        for packet in packets:
            counter.add(packet, packet.timestamp + 0.010)
    arrivals = only_stream(counter)
    assert (arrivals.stream, arrivals.frames, arrivals.poses, arrivals.persons) == (1, 31, 62, (0, 4))
    assert arrivals.rate_hz == pytest.approx(30)
    assert arrivals.latency_ms == pytest.approx((10, 10), abs=0.1)
    assert arrivals.jitter_ms == pytest.approx(0, abs=0.1)
    assert (arrivals.lost, arrivals.loss, arrivals.late) == (0, 0, 0)
    assert arrivals.hello.image == (640, 480)
    assert arrivals.pose.seq == 30


def test_jitter_is_the_mean_change_of_latency_and_independent_of_clock_offset():
    counter = ArrivalCounter()
    for i, packets in enumerate(sent(31, people=(0, 4))):
        for packet in packets:  # the second person comes 1 ms after the first, in every frame
            late = 0.001 * (isinstance(packet, PosePacket) and packet.person == 4)
            counter.add(packet, packet.timestamp - 3600 + (0.004 if i % 2 else 0) + late)
    assert only_stream(counter).jitter_ms == pytest.approx(4, abs=0.1)


def test_lost_packets_are_counted_and_empty_frames_are_not_lost():
    counter = ArrivalCounter()
    lost = 0
    for i, packets in enumerate(sent(90, empty=range(20, 50))):
        for packet in packets:
            if i in (5, 6, 70) and isinstance(packet, PosePacket):
                lost += 1
            else:
                counter.add(packet, packet.timestamp)
    arrivals = only_stream(counter)
    assert arrivals.lost == lost == 3
    assert arrivals.loss == pytest.approx(3 / (60 * 3))


def test_each_sender_is_counted_separately():
    counter = ArrivalCounter()
    for stream in (5, 6):
        for i, packets in enumerate(sent(10, people=(stream,), stream=stream)):
            for packet in packets:
                if stream == 5 or i != 3:
                    counter.add(packet, packet.timestamp)
    five, six = counter.take()
    assert [(a.stream, a.persons, a.frames, a.lost) for a in (five, six)] == [(5, (5,), 10, 0), (6, (6,), 9, 3)]


def test_the_sender_heard_last_comes_last():
    counter = ArrivalCounter()
    packets = {stream: next(iter(sent(1, stream=stream))) for stream in (1, 2)}
    for stream in (1, 2, 1):
        counter.add(packets[stream][0], 2.0)
    assert [arrivals.stream for arrivals in counter.take()] == [2, 1]


def test_a_listener_that_comes_late_counts_from_its_first_hello():
    counter = ArrivalCounter()
    heard = [packet for packets in list(sent(90))[29:] for packet in packets]
    assert isinstance(heard[0], PosePacket)
    for packet in heard:
        counter.add(packet, packet.timestamp)
    assert only_stream(counter).lost == 0


def test_late_packets_are_not_counted_as_poses():
    counter = ArrivalCounter()
    packets = [packet for packets in sent(4) for packet in packets if isinstance(packet, PosePacket)]
    in_order = [counter.add(packets[i], 2.0) for i in (0, 2, 1, 2, 3)]
    assert in_order == [True, True, False, False, True]
    arrivals = only_stream(counter)
    assert (arrivals.poses, arrivals.late) == (3, 2)


def test_take_resets_everything_but_the_loss():
    counter = ArrivalCounter()
    for packets in sent(40):
        for packet in packets:
            if isinstance(packet, HelloPacket) or packet.seq != 3:
                counter.add(packet, packet.timestamp)
    assert only_stream(counter).lost == 3  # pose, feet and hands
    empty = only_stream(counter)
    assert (empty.frames, empty.poses, empty.rate_hz, empty.persons, empty.latency_ms) == (0, 0, 0.0, (), None)
    assert (empty.jitter_ms, empty.pose, empty.lost) == (0.0, None, 3)
    assert empty.hello is not None


def test_one_pose_has_no_rate():
    counter = ArrivalCounter()
    for packet in next(iter(sent(1))):
        counter.add(packet, 2.0)
    assert only_stream(counter).rate_hz == 0.0


def test_only_the_last_streams_are_kept():
    counter = ArrivalCounter()
    for stream in range(500):
        for packet in next(iter(sent(1, people=(), stream=stream))):
            counter.add(packet, 2.0)
    assert [arrivals.stream for arrivals in counter.take()] == list(range(484, 500))


# --- PacketOrder ------------------------------------------------------------------------------------------------------


def packet(seq=0, stream=1, person=0, part=None):
    keypoints, scores = np.zeros((17, 2)), np.zeros(17)
    if part is not None:
        return PartPacket(part, stream, seq, person, 0.0, keypoints, scores, None)
    return PosePacket(stream, seq, person, 0.0, keypoints, scores, None, None, None)


def test_only_equal_or_later_packets_of_the_same_kind_make_one_old():
    order = PacketOrder()
    arrivals = [
        (packet(5), True),
        (packet(5), False),
        (packet(4), False),
        (packet(6), True),
        (packet(9), True),  # a gap is accepted
        (packet(8), False),
        (packet(4, person=1), True),
        (packet(4, part="feet"), True),
        (packet(4, part="hands"), True),
        (packet(4, part="feet"), False),
        (packet(0, stream=2), True),  # the sender restarted
        (packet(10), True),
    ]
    assert [order.accept(p) for p, _ in arrivals] == [news for _, news in arrivals]


def test_a_hello_does_not_make_a_pose_old():
    order, stream = PacketOrder(), PacketStream()
    assert all(order.accept(p) for p in stream.packets_of(make_result([make_person(1), make_person(2, track_id=1)])))


def test_a_flood_of_streams_is_forgotten_oldest_first():
    order = PacketOrder()
    assert order.accept(packet(seq=0, stream=5000))
    for stream in range(1000):
        assert order.accept(packet(stream=stream))
        assert not order.accept(packet(seq=stream, stream=5000))  # heard all the time, so still known
        assert order.accept(packet(seq=stream + 1, stream=5000))
    assert len(order._last_seq) <= 256
