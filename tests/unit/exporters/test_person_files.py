"""One file per person: names, releasing, and finishing."""

import pytest
from support.people import make_pose

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.person_files import PersonFiles


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
