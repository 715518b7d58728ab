"""Contract of PoseSink, tested on every sink."""

import shutil
import socket

import pytest
from support.people import make_person, make_result

from realtime_pose.app.take import TakeRecorder
from realtime_pose.communication.sinks import SINKS
from realtime_pose.exporters.table import EXPORTERS, TakeInfo, open_exporters
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.choices import load_choice

FILES = {
    "session": lambda folder: SessionRecorder(folder / "session.rtpose", {}),
    "take": lambda folder: TakeRecorder(folder / "take", TakeInfo(30.0)),
}


def address_without_receiver(sink):
    """A local address without a receiver; if the system reports that, it must be no error."""
    if sink == "websocket":  # a server itself, at any free port
        return "127.0.0.1:0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


_BLENDER = [pytest.mark.blender, pytest.mark.skipif(shutil.which("blender") is None, reason="Blender is not installed")]
EXPORTED = [pytest.param(name, marks=_BLENDER if name == "fbx" else []) for name in EXPORTERS]


@pytest.fixture(params=[*SINKS, *FILES, *EXPORTED])
def sink(request, tmp_path):
    if request.param in SINKS:
        sink = load_choice("sink", request.param, SINKS)(address_without_receiver(request.param))
    elif request.param in EXPORTERS:
        (sink,) = open_exporters([request.param], tmp_path, TakeInfo())
    else:
        sink = FILES[request.param](tmp_path)
    yield sink
    sink.close()


RESULTS = {
    "nobody": [],
    "one person": [make_person(1)],
    "two people": [make_person(1), make_person(2, track_id=1)],
    "a person without a pose": [make_person(1, with_pose=False)],
    "one with and one without": [make_person(1, with_pose=False), make_person(2, track_id=1)],
}


@pytest.mark.parametrize("people", RESULTS.values(), ids=RESULTS.keys())
def test_it_takes_every_kind_of_result(sink, people):
    sink.send(make_result(people))


def test_it_takes_results_in_any_order_and_leaves_them_as_they_were(sink):
    results = [make_result(people, index=i, time_ns=i * 33_333_333) for i, people in enumerate(RESULTS.values())]
    before = [(r.frame.image_bgr.tobytes(), [p.keypoints.xy_px.tobytes() for p in r.people]) for r in results]
    for result in [*results, *results[::-1]]:
        sink.send(result)
    assert before == [(r.frame.image_bgr.tobytes(), [p.keypoints.xy_px.tobytes() for p in r.people]) for r in results]


def test_it_may_be_closed_before_anything_was_sent_and_again(sink):
    sink.close()
    sink.close()


def test_it_may_be_closed_again_and_again(sink):
    sink.send(make_result([make_person(1)]))
    sink.close()
    sink.close()


def test_after_close_nothing_happens(sink):
    sink.send(make_result([make_person(1)]))
    sink.close()
    sink.send(make_result([make_person(1)], index=1, time_ns=33_333_333))


@pytest.mark.parametrize("name", SINKS)
def test_a_live_sink_never_blocks(name):
    """Sends more than any socket buffer holds, without a receiver; a blocking socket would hang."""
    sink = load_choice("sink", name, SINKS)(address_without_receiver(name))
    result = make_result([make_person(i, track_id=i, layout=COCO17) for i in range(8)])
    for _ in range(100):
        sink.send(result)
    sink.close()


@pytest.mark.parametrize("name", SINKS)
def test_a_live_sink_is_built_from_a_destination_and_counts_what_it_sent(name):
    destination = f"{address_without_receiver(name)},person=3"
    sink = load_choice("sink", name, SINKS)(destination, mirror=True)
    sink.send(make_result([make_person(1)]))
    assert (sink.name, sink.destination) == (name, destination)
    assert (sink.packets_sent, sink.lost, sink.warning()) == (0, 0, "")
    sink.close()
