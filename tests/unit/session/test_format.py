"""Session format: the bytes of a file are those that docs/takes.md describes."""

import json
import struct
import zlib

import numpy as np
from support.people import make_camera, make_person, make_result
from support.sessions import S, record_session

from realtime_pose.session.writer import mark_finished


def test_the_page_on_takes_describes_the_bytes(tmp_path):
    """docs/takes.md is enough to read a file: this reader uses nothing else."""
    path = record_session(
        tmp_path / "a", [make_result([make_person(1, track_id=7)], index=4, time_ns=S, camera=make_camera())]
    )
    mark_finished(path, 1)
    data, at = path.read_bytes(), 10
    assert data[:8] == b"RTPOSE\r\n"
    assert struct.unpack_from("<H", data, 8) == (1,)
    payloads = []
    while at < len(data):
        size, crc = struct.unpack_from("<II", data, at)
        payloads.append(data[at + 8 : at + 8 + size])
        assert zlib.crc32(payloads[-1]) == crc
        at += 8 + size
    assert [p[:1] for p in payloads] == [b"H", b"C", b"L", b"S", b"F", b"E"]
    camera, layout, skeleton = (json.loads(payload[1:]) for payload in payloads[1:4])
    assert (camera["width"], camera["position_m"], camera["source"]) == (640, [-0.1234, 1.6543, 3.2109], "estimated")
    k, j = len(layout["names"]), len(skeleton["joints"])
    frame = payloads[4][1:]
    assert struct.unpack_from("<qqqIIH", frame) == (4, S, 2 * S, 640, 480, 1)
    person = frame[34:]
    assert struct.unpack_from("<qBB", person) == (7, 3, 0)
    sizes = [10, 16, 8, 8 * k, 4 * k, 1, 12 * k, 12, 4 * k, 1, 16 * j, 12, 4 * j, 4 * j]
    assert len(person) == sum(sizes)
    sent = make_person(1, track_id=7)
    turns = np.frombuffer(person, "<f4", 4 * j, sum(sizes[:10])).reshape(j, 4)
    assert np.array_equal(turns, sent.pose.rotations.local_xyzw)
    assert struct.unpack("<cQ", payloads[5]) == (b"E", 1)
