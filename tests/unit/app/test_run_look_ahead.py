"""Look-ahead smoothing in runs over files, not live; a session records which, and recomputing repeats it."""

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.app.replay import recorded_settings
from realtime_pose.app.run import open_run
from realtime_pose.app.take import SESSION
from realtime_pose.config import AppConfig
from realtime_pose.session.reader import read_session
from realtime_pose.two_passes import poses_of_clip


def config(**body):
    return AppConfig().with_values({"body": body}, "test")


def test_recomputing_uses_look_ahead_where_the_settings_do():
    clip = make_clip(20)
    runs = [list(poses_of_clip(lambda: clip, config(look_ahead=flag))) for flag in (True, True, False)]
    poses = [np.array([r.people[0].pose.rotations.local_xyzw for r in run]) for run in runs]
    assert [len(run) for run in runs] == [20, 20, 20]
    assert np.array_equal(poses[0], poses[1])
    assert not np.array_equal(poses[0], poses[2])


@pytest.mark.parametrize(("paced", "looks"), [(False, True), (True, False)])
def test_a_session_records_whether_its_poses_used_look_ahead(tmp_path, paced, looks):
    settings = AppConfig().with_values(
        {
            "capture": {"source": "actor"},
            "inference": {"estimator": "blazepose"},
            "body": {"look_ahead": True},
            "output": {"record": str(tmp_path), "formats": ""},
        },
        "test",
    )
    with open_run(settings, print, paced=paced, max_frames=12) as run:
        assert run.runtime.wait(60)
    session = read_session(tmp_path / SESSION)
    assert session.settings["config"]["body"]["look_ahead"] is looks
    recorded = list(session.frames())
    assert len(recorded) == 12
    again = list(poses_of_clip(lambda: recorded, recorded_settings(session)))
    for one, other in zip(recorded, again, strict=True):
        for a, b in zip(one.people, other.people, strict=True):
            assert np.array_equal(a.pose.rotations.local_xyzw, b.pose.rotations.local_xyzw)
            assert np.array_equal(a.pose.root_m, b.pose.root_m)
