"""Pose spool: chunks, increasing times, and full disks."""

from dataclasses import replace

import numpy as np
import pytest
from support.full_disk import FullDisk
from support.gltf_player import Player
from support.people import make_clip, make_person, make_result

from realtime_pose.errors import RecordingError
from realtime_pose.exporters import pose_spool
from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.exporters.pose_spool import PoseSpool


def spool_of(folder, results):
    spool = PoseSpool(folder)
    for result in results:
        spool.add(result)
    return spool


def test_poses_come_back_in_chunks_that_fit_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(pose_spool, "_CHUNK", 16)
    clip = make_clip(100)
    spool = spool_of(tmp_path, clip)
    (track_id,) = spool.finish()
    chunks = list(spool.keys(track_id))
    assert [len(chunk.time_s) for chunk in chunks] == [16] * 6 + [4]
    assert spool.count(track_id) == 100
    got = np.concatenate([chunk.local_xyzw for chunk in chunks])
    assert np.array_equal(got, np.array([result.people[0].pose.rotations.local_xyzw for result in clip]))
    spool.close()


def test_contacts_come_back_and_are_none_where_they_are_unknown(tmp_path):
    person = make_person(1)
    flags = [None, np.array([True, False]), np.array([False, True])]
    poses = [replace(person.pose, foot_contact=contact) for contact in flags]
    frames = [make_result([replace(person, pose=pose)], index=i, time_ns=i * 10**8) for i, pose in enumerate(poses)]
    spool = spool_of(tmp_path, frames)
    (track_id,) = spool.finish()
    (keys,) = spool.keys(track_id)
    assert keys.foot_contact.tolist() == [[False, False], [True, False], [False, True]]
    assert spool.knows_contact(track_id)
    spool.close()
    spool = spool_of(tmp_path, frames[:1])
    assert not spool.knows_contact(track_id)
    spool.close()


def test_times_that_are_equal_in_float32_make_one_key(tmp_path):
    start_ns = 10 * 3600 * 10**9
    nobody = [make_result(time_ns=t, width=8, height=8) for t in range(0, start_ns, 2 * 10**9)]  # no gap is cut
    seen = [make_result([make_person(1)], time_ns=t) for t in (0, start_ns, start_ns + 1000, start_ns + 10**9)]
    frames = sorted([*nobody, *seen], key=lambda result: result.frame.time_ns)
    spool = spool_of(tmp_path, frames)
    (track_id,) = spool.finish()
    (keys,) = spool.keys(track_id)
    assert np.all(np.diff(keys.time_s) > 0)
    np.testing.assert_allclose(keys.time_s, [0, 35998, 36000, 36001])
    assert spool.ends_s(track_id) == (0, 36001)
    spool.close()


def test_a_disk_that_fills_up_during_the_take_is_reported(tmp_path, monkeypatch):
    made = pose_spool.tempfile.TemporaryFile
    monkeypatch.setattr(pose_spool.tempfile, "TemporaryFile", lambda **more: FullDisk(made(**more), 1000))
    recorder = GlbRecorder(tmp_path / "motion.glb")
    clip = make_clip(10)
    recorder.send(clip[0])
    recorder.send(clip[1])
    recorder.send(clip[2])
    with pytest.raises(RecordingError, match="No space left on device"):
        recorder.send(clip[3])
    recorder.close()  # earlier poses are still written
    assert len(Player(tmp_path / "motion.glb").times) == 3
