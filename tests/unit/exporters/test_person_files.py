"""One file per person: names, releasing, and finishing."""

from contextlib import closing, suppress
from dataclasses import replace

import numpy as np
import pytest
from support.people import make_person, make_pose, make_result

from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.person_files import PersonFiles
from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.skeletons import HUMANOID, Skeleton
from realtime_pose.utils.arrays import as_float32


class File:
    def __init__(self, path, pose):
        self.path, self.released, self.finished = path, 0, False

    def release(self):
        self.released += 1


def test_the_first_person_has_the_name_and_each_other_one_an_id(tmp_path):
    files = PersonFiles(tmp_path / "motion.bvh", File)
    opened = files.of({7: make_pose(1), 3: make_pose(2)})
    assert {track_id: file.path.name for track_id, file in opened.items()} == {7: "motion.bvh", 3: "motion_3.bvh"}
    assert files.of({3: make_pose(3)})[3] is opened[3]
    assert (opened[7].released, opened[3].released) == (1, 0)
    files.of({3: make_pose(4)})
    assert opened[7].released == 1  # once for each absence


def test_every_file_is_finished_though_one_fails(tmp_path):
    files = PersonFiles(tmp_path / "motion.bvh", File)
    opened = files.of({track_id: make_pose(track_id) for track_id in range(3)})

    def finish(file):
        if file is opened[1]:
            raise RecordingError("disk is full")
        file.finished = True

    with pytest.raises(RecordingError, match="disk is full"):
        files.close(finish)
    assert [file.finished for file in opened.values()] == [True, False, True]
    files.close(finish)  # nothing is left to finish


def other_skeleton(joints):
    """A pose of a skeleton with this many joints, named as HUMANOID's first ones and then by numbers."""
    names = (*HUMANOID.joints, "tail")[:joints]
    skeleton = Skeleton("other", names, tuple(range(-1, joints - 1)), np.full((joints, 3), 0.1), {})
    numbers = as_float32(np.full(joints, 0.5))
    return SkeletonPose(
        JointRotations(skeleton, as_float32([[0, 0, 0, 1]] * joints)),
        as_float32([0, 1, 0]),
        numbers,
        numbers.copy(),
        0,
        0,
    )


@pytest.mark.parametrize("joints", [[2, 2], [2, 17], [17, 2], [18, 18], [17, 18], [18, 17]])
@pytest.mark.parametrize("name", ["bvh", "csv", "parquet", "trc", "mot", "glb", "vrma", "overlay"])
def test_another_skeleton_in_a_session_is_written_or_refused_in_a_sentence(tmp_path, name, joints):
    (sink,) = open_exporters([name], tmp_path, TakeInfo(30.0))
    with suppress(RecordingError), closing(sink):
        for row, count in enumerate(joints):
            person = replace(make_person(1), pose=make_pose(1) if count == 17 else other_skeleton(count))
            sink.send(make_result([person], index=row, time_ns=row * 33_000_000))
