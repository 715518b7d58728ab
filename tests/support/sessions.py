"""Sessions for tests: results of every kind, recorded to a file."""

import struct

import numpy as np
from support.people import make_camera, make_person, make_result

from realtime_pose.datatypes import Person, PersonKeypoints
from realtime_pose.session import format
from realtime_pose.session.writer import SessionRecorder
from realtime_pose.skeletons import COCO17

S = 1_000_000_000
SETTINGS = {"estimator": "blazepose", "source": "Grüße.mp4", "config": {"persons": 2}}


def record_session(path, results, settings=SETTINGS):
    recorder = SessionRecorder(path, settings)
    for result in results:
        recorder.send(result)
    recorder.close()
    return path


def varied_results():
    """No people, one person, two people after a gap, and keypoints without a pose with NaN and -0.0."""
    odd = make_person(4, track_id=-1, layout=COCO17, with_pose=False, time_ns=3 * S)
    xy = odd.keypoints.xy_px.copy()
    xy[0] = np.nan, -0.0
    odd = Person(odd.box, PersonKeypoints(COCO17, xy, odd.keypoints.score, -1, 3 * S), None, None)
    return [
        make_result(),
        make_result([make_person(1, time_ns=S)], index=1, time_ns=S, camera=make_camera()),
        make_result(
            [make_person(2, time_ns=2 * S), make_person(3, track_id=2**40, time_ns=2 * S)], index=5, time_ns=2 * S
        ),
        make_result([odd], index=6, time_ns=3 * S, width=33, height=21),
    ]


def session_head(version=format.VERSION, payload=b'H{"estimator": "x"}'):
    """The start of a session file, up to its settings record."""
    return format.MAGIC + struct.pack("<H", version) + format.record(payload)
