"""Session records: contents that this program does not know."""

import struct
import zlib

import numpy as np
from support.people import make_person, make_result
from support.sessions import record_session, session_head, varied_results

from realtime_pose.datatypes import JointRotations, Person, PersonKeypoints, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.session import format
from realtime_pose.session.reader import read_session
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import as_float32


def test_records_that_make_no_sense_give_recording_errors_only(tmp_path):
    """Whole records by their checksums, but with contents of a later or another program."""
    good = record_session(tmp_path / "good", varied_results()).read_bytes()
    rng = np.random.default_rng(5)
    at, payloads = len(format.MAGIC) + 2, []
    while at < len(good):
        size = struct.unpack_from("<I", good, at)[0]
        payloads.append(good[at + 8 : at + 8 + size])
        assert zlib.crc32(payloads[-1]) == struct.unpack_from("<I", good, at + 4)[0]
        at += 8 + size
    refused = 0
    for _ in range(300):
        changed = bytearray(payloads[rng.integers(1, len(payloads))])
        for _ in range(rng.integers(1, 4)):
            changed[rng.integers(min(60, len(changed)))] = rng.integers(256)
        changed = bytes(changed[: rng.integers(1, len(changed) + 1)])
        (tmp_path / "bad").write_bytes(session_head() + format.record(payloads[1]) + format.record(changed))
        try:
            list(read_session(tmp_path / "bad").frames())
        except RecordingError:
            refused += 1
    assert refused > 150


def test_layouts_and_skeletons_that_the_program_does_not_know_are_rebuilt_from_the_file(tmp_path):
    layout = KeypointLayout("later", ("a", "b"), ((0, 1),))
    skeleton = Skeleton("later", ("root", "tip"), (-1, 0), np.array([[0, 1.0, 0], [0, 0.5, 0]]), {"tip": (0, 0.1, 0)})
    pose = SkeletonPose(
        JointRotations(skeleton, as_float32([[0, 0, 0, 1]] * 2)),
        as_float32([0, 1, 0]),
        as_float32([0, 0.5]),
        as_float32([1, 1]),
        0,
        0,
    )
    keypoints = PersonKeypoints(layout, as_float32([[1, 2], [3, 4]]), as_float32([0.5, 0.6]), 0, 0)
    person = Person(make_person(1).box, keypoints, None, pose)
    path = record_session(tmp_path / "a", [make_result([person]), make_result([make_person(1)])])
    first, second = read_session(path).frames()
    assert first.people[0].keypoints.layout == layout
    got = first.people[0].pose.rotations.skeleton
    assert (got.joints, got.parents, got.tip_offset_m) == (skeleton.joints, skeleton.parents, {"tip": (0.0, 0.1, 0.0)})
    np.testing.assert_array_equal(got.rest_offset_m, skeleton.rest_offset_m)
    assert second.people[0].pose.rotations.skeleton is HUMANOID
    assert second.people[0].keypoints.layout is COCO17_FEET_HANDS
