"""Settled bone lengths: files with one set of lengths get those that stayed the longest."""

import numpy as np
from support.people import make_clip, make_person, make_result

from realtime_pose.exporters.bvh import BvhRecorder
from realtime_pose.exporters.pose_spool import PoseSpool
from realtime_pose.exporters.settled_bones import SettledBones
from realtime_pose.skeletons import HUMANOID

ONES = np.ones(17)


def settled(*lengths):
    bones = SettledBones(ONES * lengths[0])
    for length in lengths:
        bones.add(ONES * length)
    return float(bones.bone_m[3])


def test_the_lengths_kept_the_longest_are_used():
    assert settled(1.0) == 1.0
    assert settled(1.0, 1.1, 1.2, 1.3, 1.3, 1.3) == 1.3
    assert settled(1.0, 1.0, 1.1, 1.2, 1.2, 1.2, 1.2, 1.0, 1.01, 1.02) == 1.2  # out of view, then estimated again
    assert settled(1.0, 1.1, 1.2) == 1.2  # a take that ended before the lengths were fixed
    assert settled(1.0, 1.0, 1.2, 1.2) == 1.2


def learning(first=0.9, frames=40, after=20):
    """Frames of a person whose bones grow to their size, and then stay constant."""
    for result in make_clip(frames):
        (person,) = result.people
        share = first + (1 - first) * min(result.frame.index / after, 1.0)
        pose = person.pose.__class__(
            person.pose.rotations,
            person.pose.root_m,
            (HUMANOID.rest_bone_m * share).astype(np.float32),
            person.pose.score,
            0,
            person.pose.time_ns,
        )
        yield make_result([make_person(0, pose=pose)], index=result.frame.index, time_ns=result.frame.time_ns)


def test_a_take_that_begins_with_learning_has_the_settled_skeleton(tmp_path):
    bvh, spool = BvhRecorder(tmp_path / "motion.bvh"), PoseSpool(tmp_path)
    for result in learning():
        bvh.send(result)
        spool.add(result)
    bvh.close()
    np.testing.assert_allclose(spool.bone_m(0), HUMANOID.rest_bone_m, atol=1e-7)
    spool.close()
    lines = (tmp_path / "motion.bvh").read_text().splitlines()
    thigh = lines[next(i for i, line in enumerate(lines) if "JOINT leftLowerLeg" in line) + 2].split()
    assert float(thigh[2]) == -41.5
