"""Runs: what is refused before a file is touched, and the contents of the report."""

import shutil

import pytest
from pygltflib import GLTF2

from realtime_pose.app.run import open_run, take_info
from realtime_pose.app.take import open_session
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator
from realtime_pose.utils.paths import data_path


def settings(**sections):
    return AppConfig().with_values({"inference": {"estimator": "blazepose"}}, "test").with_values(sections, "test")


def played(config, told):
    with open_run(config, told.append, paced=False, max_frames=2) as run:
        assert run.runtime.wait(60.0)
    run.runtime.raise_if_failed()
    return run


def test_a_take_never_replaces_the_clip_it_is_made_from(tmp_path):
    clip = tmp_path / "overlay.mp4"
    shutil.copyfile(data_path("resources/videos/default.mp4"), clip)
    before = clip.read_bytes()
    config = settings(capture={"source": str(clip)}, output={"record": str(tmp_path / "." / "")})
    with pytest.raises(ConfigError, match="would be replaced"), open_run(config, print, paced=False):
        pass
    assert clip.read_bytes() == before
    assert list(tmp_path.iterdir()) == [clip]


def test_the_clip_of_an_earlier_take_may_go_into_another_folder(tmp_path):
    clip = tmp_path / "overlay.mp4"
    shutil.copyfile(data_path("resources/videos/default.mp4"), clip)
    played(settings(capture={"source": str(clip)}, output={"record": str(tmp_path / "new")}), [])
    assert (tmp_path / "new" / "overlay.mp4").is_file()


def test_more_people_than_the_estimator_can_follow_are_reported(monkeypatch):
    told = []
    monkeypatch.setattr(BlazePoseEstimator, "finds_people", True)
    run = played(settings(capture={"source": "actor"}, inference={"persons": 2}), told)
    assert told == ["blazepose follows one person, not 2; ViTPose can do more."]
    assert run.report()["warnings"] == told


def test_datagrams_that_this_machine_refuses_are_reported():
    run = played(settings(capture={"source": "actor"}, output={"udp": "127.0.0.1:5005"}), [])
    assert run.report()["warnings"] == []
    run.sinks[0].lost = 7
    (warning,) = run.report()["warnings"]
    assert warning.startswith("7 datagrams to 127.0.0.1:5005 were refused")


def test_each_sink_has_figures_of_its_own():
    output = {"udp": "127.0.0.1:5005 127.0.0.1:5006,person=99", "vmc": "127.0.0.1"}
    report = played(settings(capture={"source": "actor"}, output=output), []).report()
    assert report["sinks"] == [
        {"sink": "udp", "target": "127.0.0.1:5005", "packets_sent": 2, "lost": 0},
        {"sink": "udp", "target": "127.0.0.1:5006,person=99", "packets_sent": 0, "lost": 0},
        {"sink": "vmc", "target": "127.0.0.1", "packets_sent": 2, "lost": 0},
    ]
    assert report["packets_sent"] == 4


def test_the_report_and_every_file_have_the_camera_of_the_run(tmp_path):
    body = {"camera_pitch_deg": 3.0, "camera_height_m": 1.2}
    output = {"record": str(tmp_path / "take"), "formats": "glb"}
    report = played(settings(capture={"source": "actor"}, body=body, output=output), []).report()
    camera = report["camera"]
    assert (camera["pitch_deg"], camera["position_m"][1], camera["source"]) == (3, 1.2, "given")
    assert [r.camera.to_dict() for r in open_session(tmp_path / "take").frames()][-1] == camera
    assert [camera.name for camera in GLTF2().load(tmp_path / "take" / "motion.glb").cameras] == ["camera"]


def test_the_overlay_draws_what_the_run_counts_as_seen():
    own = settings(inference={"score_threshold": 0.55})
    assert take_info(own, {}).score_threshold == 0.55
    recorded = {"config": {"inference": {"score_threshold": 0.2}}}  # an export draws as its session was made
    assert take_info(own, recorded).score_threshold == 0.2
