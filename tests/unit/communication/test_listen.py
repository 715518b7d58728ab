"""Figures of what arrives."""

import pytest
from support.people import make_person, make_result

from realtime_pose.communication.listen import ArrivalCounter
from realtime_pose.communication.packet import HelloPacket, PosePacket
from realtime_pose.communication.stream import PacketStream

S = 1_000_000_000


def sent(frames, people=(0,), fps=30, stream=1, empty=()):
    """Packets of a clip, frame by frame, captured at Unix time 1 s + frame / fps."""
    packets = PacketStream(stream=stream, wall_offset_ns=0)
    for i in range(frames):
        seen = [] if i in empty else [make_person(p, track_id=p) for p in people]
        yield packets.packets_of(make_result(seen, index=i, time_ns=i * S // fps))
    yield packets.last_words()


def test_rate_latency_and_persons_of_an_even_stream():
    counter = ArrivalCounter()
    for packets in sent(31, people=(0, 4)):
        for packet in packets:
            counter.add(packet, packet.timestamp + 0.010)
    arrivals = counter.take()
    assert (arrivals.frames, arrivals.poses, arrivals.persons) == (31, 62, (0, 4))
    assert arrivals.rate_hz == pytest.approx(30)
    assert arrivals.latency_ms == pytest.approx((10, 10), abs=0.1)
    assert (arrivals.lost, arrivals.late) == (0, 0)


def test_lost_packets_are_counted_and_empty_frames_are_not_lost():
    counter = ArrivalCounter()
    lost = 0
    for i, packets in enumerate(sent(90, empty=range(20, 50))):
        for packet in packets:
            if i in (5, 6, 70) and isinstance(packet, PosePacket):
                lost += 1
            else:
                counter.add(packet, packet.timestamp)
    assert counter.take().lost == lost == 3


def test_a_listener_that_comes_late_counts_from_its_first_hello():
    counter = ArrivalCounter()
    heard = [packet for packets in list(sent(90))[29:] for packet in packets]
    assert isinstance(heard[0], PosePacket)
    for packet in heard:
        counter.add(packet, packet.timestamp)
    assert counter.take().lost == 0


def test_late_packets_are_no_poses():
    counter = ArrivalCounter()
    packets = [packet for packets in sent(4) for packet in packets if isinstance(packet, PosePacket)]
    news = [counter.add(packets[i], 2.0) for i in (0, 2, 1, 2, 3)]
    assert news == [True, True, False, False, True]
    arrivals = counter.take()
    assert (arrivals.poses, arrivals.late) == (3, 2)


def test_each_take_starts_anew_but_for_the_loss():
    counter = ArrivalCounter()
    for packets in sent(40):
        for packet in packets:
            if isinstance(packet, HelloPacket) or packet.seq != 3:
                counter.add(packet, packet.timestamp)
    assert counter.take().lost == 3  # pose, feet and hands
    empty = counter.take()
    assert (empty.frames, empty.poses, empty.rate_hz, empty.persons, empty.latency_ms) == (0, 0, 0.0, (), None)
    assert empty.lost == 3


def test_one_pose_has_no_rate():
    counter = ArrivalCounter()
    for packet in next(iter(sent(1))):
        counter.add(packet, 2.0)
    assert counter.take().rate_hz == 0.0


def test_made_up_streams_fill_no_memory():
    counter = ArrivalCounter()
    for stream in range(500):
        for packet in next(iter(sent(1, people=(), stream=stream))):
            counter.add(packet, 2.0)
    assert len(counter._streams) <= 16
