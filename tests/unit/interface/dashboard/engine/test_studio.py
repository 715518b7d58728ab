"""The studio: runs, settings, recordings and calibration, without cameras or models."""

import threading

import numpy as np
import pytest
from support.studio_parts import (
    PATIENCE_S,
    FakeLiveSource,
    StandingEstimator,
    pipeline_of,
    replace_source_and_pipeline,
    until,
)

from realtime_pose.app.take import open_session
from realtime_pose.config import AppConfig
from realtime_pose.errors import CheckpointError, ConfigError, RecordingError, UnknownChoiceError
from realtime_pose.interface.dashboard.engine.studio import Folders, Studio


class Feed:
    """Keeps frames and events."""

    def __init__(self):
        self.frames, self.events, self.watchers = [], [], 0

    def publish(self, result, *, run, mirror):
        self.frames.append((result, run, mirror))

    def end(self, run):
        self.over = run

    def announce(self, event):
        self.events.append(event)

    @property
    def root_m(self):
        return self.frames[-1][0].people[0].pose.root_m


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_pose.interface.dashboard.engine.context.Feed", Feed)
    made = Studio(AppConfig(), Folders(tmp_path / "takes", tmp_path / "uploads"))
    yield made
    made.close()


def shown(studio, more=3):
    """Wait until so many frames more were shown."""
    begin = len(studio.feed.frames)
    until(lambda: len(studio.feed.frames) >= begin + more, "frames")
    return studio.state()


def phase(studio, wanted):
    return until(lambda: studio.state().phase == wanted and studio.state(), wanted)


def test_it_shows_a_source_from_start_to_stop_and_reports_its_state(studio, monkeypatch):
    opened = replace_source_and_pipeline(monkeypatch)
    assert studio.state().phase == "idle"
    studio.start()
    state = phase(studio, "running")
    state = shown(studio, 30)
    assert (state.kind, state.source, state.estimator, state.people) == ("live", "0", "auto", (1,))
    assert state.frames >= 30
    assert state.fps > 0
    assert state.mean_score == pytest.approx(0.9, abs=0.01)
    assert '"type": "pose"' in state.packet
    assert state.latency_ms["p50"] is not None
    studio.stop()
    assert studio.state().phase == "idle"  # at once, without waiting for a driver
    until(opened[0].closed.is_set, "the source's end")
    told = [event["phase"] for event in studio.feed.events]
    assert told[0] == "idle"
    assert told[-1] == "idle"
    assert list(dict.fromkeys(told)) == ["idle", "opening", "running"]


def test_every_start_is_another_run_for_those_who_watch(studio, monkeypatch):
    opened = replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio)
    studio.start()
    until(lambda: len(opened) == 2, "the second source")
    phase(studio, "running")
    shown(studio)
    assert opened[0].closed.is_set()
    assert len({run for _, run, _ in studio.feed.frames}) == 2


def test_a_source_that_cannot_be_opened_names_cause_and_fix_and_can_be_retried(studio, monkeypatch):
    studio.apply({"capture": {"source": "/nowhere/clip.mp4"}})
    studio.start()
    state = phase(studio, "failed")
    assert "/nowhere/clip.mp4" in state.failure
    assert studio.feed.events[-1]["failure"] == state.failure
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    assert phase(studio, "running").failure == ""


def test_a_source_that_breaks_leaves_its_cause(studio, monkeypatch):
    class Breaks(FakeLiveSource):
        def read(self):
            if self._next > 5:
                raise ConfigError("the camera was unplugged; plug it in again")
            return super().read()

    replace_source_and_pipeline(monkeypatch, Breaks)
    studio.start()
    assert "plug it in again" in phase(studio, "failed").failure


def test_unexpected_errors_are_reported_too(studio, monkeypatch):
    def breaks():
        raise ZeroDivisionError("oh")

    replace_source_and_pipeline(monkeypatch, breaks)
    studio.start()
    assert "ZeroDivisionError" in phase(studio, "failed").failure


def test_the_end_of_a_clip_is_reported(studio, monkeypatch):
    class Clip(FakeLiveSource):
        live = False

        def __init__(self):
            super().__init__(ends_after=8)

    replace_source_and_pipeline(monkeypatch, Clip)
    studio.start()
    until(lambda: "The clip is over." in studio.state().notices, "the end")
    assert studio.state().phase == "idle"


def test_stop_while_it_opens_closes_what_was_opened(studio, monkeypatch):
    go_on, entered = threading.Event(), threading.Event()
    opened = []

    def slow():
        entered.set()
        assert go_on.wait(20)
        opened.append(FakeLiveSource())
        return opened[-1]

    replace_source_and_pipeline(monkeypatch, slow)
    studio.start()
    assert entered.wait(20)
    studio.stop()
    assert studio.state().phase == "idle"
    go_on.set()
    until(lambda: opened and opened[0].closed.is_set(), "the source's end")
    assert studio.state().phase == "idle"
    assert studio.feed.frames == []


def test_it_pauses_steps_and_resumes(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio)
    studio.pause()
    assert studio.state().phase == "paused"
    still = until(lambda: studio.state().frames if studio._context.run.runtime.between_frames(lambda: None) else 0)
    studio.step()
    until(lambda: studio.state().frames >= still + 1, "one frame")
    studio.resume()
    assert shown(studio).phase == "running"


def test_numbers_change_while_it_runs_and_wrong_ones_change_nothing(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio)
    before, revision = studio.feed.frames[-1][0].people[0].pose, studio.revision
    studio.apply({"body": {"height_m": 1.9}})
    assert studio.revision == revision + 1
    shown(studio, 10)
    after = studio.feed.frames[-1][0].people[0].pose
    assert after.bone_m.sum() > 1.05 * before.bone_m.sum()
    for wrong, error in (
        ({"body": {"height_m": 9.0}}, ConfigError),
        ({"body": {"smoothing": "silky"}}, UnknownChoiceError),
        ({"output": {"udp": "nowhere"}}, ConfigError),
    ):
        with pytest.raises(error):
            studio.apply(wrong)
    assert (studio.revision, studio.config.body.height_m) == (revision + 1, 1.9)
    assert shown(studio).phase == "running"


def test_another_model_is_loaded_while_the_run_continues(studio, monkeypatch):
    go_on, pipelines = threading.Event(), []

    def build(config, notify, progress):
        if pipelines:
            assert go_on.wait(20)
        pipelines.append(pipeline_of(config))
        return pipelines[-1]

    opened = replace_source_and_pipeline(monkeypatch, pipeline=build)
    studio.apply({"inference": {"estimator": "blazepose"}})
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-s"}})
    state = shown(studio, 5)
    assert (state.estimator, state.phase) == ("blazepose", "running")
    assert "model" in state.doing
    studio.apply({"body": {"height_m": 1.5}})  # meanwhile
    go_on.set()
    until(lambda: studio.state().estimator == "vitpose-s", "the other model")
    until(lambda: studio.state().doing == "", "the end of loading")
    until(lambda: pipelines[0].estimator.closed, "the end of the first model")
    assert len(opened) == 1
    shown(studio, 5)
    assert studio.feed.frames[-1][0].people[0].pose.bone_m.sum() == pytest.approx(
        np.sum(pipelines[1].body.solver.solve(studio.feed.frames[-1][0].people[0].joints).bone_m), rel=0.02
    )
    assert studio._context.run.config.body.height_m == 1.5


def test_an_unavailable_model_leaves_the_run_unchanged(studio, monkeypatch):
    def build(config, notify, progress):
        if config.inference.estimator == "vitpose-b":
            raise CheckpointError("there are no weights; fetch them with: models download")
        return pipeline_of(config)

    replace_source_and_pipeline(monkeypatch, pipeline=build)
    studio.apply({"inference": {"estimator": "blazepose"}})
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-b"}})
    state = until(lambda: studio.state().trouble and studio.state(), "trouble")
    assert "there are no weights" in state.trouble
    assert (state.phase, state.estimator) == ("running", "blazepose")
    assert studio.config.inference.estimator == "blazepose"  # so that the page shows the model in use
    assert shown(studio).phase == "running"


def test_a_download_reports_progress_and_ends_with_stop(studio, monkeypatch):
    at, go_on = threading.Event(), threading.Event()

    def build(config, notify, progress):
        progress(30, 120)
        at.set()
        assert go_on.wait(20)
        progress(60, 120)
        return pytest.fail("the download went on")

    replace_source_and_pipeline(monkeypatch, pipeline=build)
    studio.start()
    assert at.wait(20)
    state = studio.state()
    assert (state.phase, state.progress) == ("opening", 0.25)
    assert "Downloading" in state.doing
    studio.stop()
    go_on.set()
    assert studio.state().phase == "idle"
    assert studio._background.wait(PATIENCE_S)
    assert studio.state().failure == ""


def test_auto_fetches_nothing_and_a_model_that_is_named_may_be_fetched(studio, monkeypatch):
    asked = []

    def build(config, notify, progress):
        asked.append((config.inference.estimator, config.inference.download))
        return pipeline_of(config)

    replace_source_and_pipeline(monkeypatch, pipeline=build)
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-s"}})
    until(lambda: studio.state().estimator == "vitpose-s", "the other model")
    assert asked == [("auto", False), ("vitpose-s", True)]
    assert studio.config.inference.download


def test_outputs_come_and_go_while_it_runs(studio, monkeypatch):
    import socket

    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(20)
    port = receiver.getsockname()[1]
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.apply({"output": {"udp": f"127.0.0.1:{port}"}})
    assert receiver.recv(4096)
    (sink,) = until(lambda: studio.state().sinks, "a sink")
    assert (sink.name, sink.target) == ("udp", f"127.0.0.1:{port}")
    until(lambda: studio.state().sinks[0].packets_sent > 5, "packets")
    studio.apply({"output": {"vmc": f"127.0.0.1:{port}"}})
    until(lambda: len(studio.state().sinks) == 2, "two sinks")
    assert studio.state().sinks[0].packets_sent > 5  # the first went on
    studio.apply({"output": {"udp": "", "vmc": ""}})
    until(lambda: not studio.state().sinks, "no sinks")
    receiver.close()


def test_a_slow_name_service_holds_no_frame_back(studio, monkeypatch):
    import socket

    answer, asked, look_up = threading.Event(), threading.Event(), socket.getaddrinfo

    def slow(host, *args, **more):
        if host != "slow.example":
            return look_up(host, *args, **more)
        asked.set()
        assert answer.wait(20)
        return look_up("127.0.0.1", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.apply({"output": {"udp": "slow.example:5005"}})
    assert asked.wait(20)
    runtime = studio._context.run.runtime
    before = runtime.snapshot().frames
    until(lambda: runtime.snapshot().frames > before + 3, "frames while the name is looked up")
    answer.set()
    (sink,) = until(lambda: studio.state().sinks, "a sink")
    assert sink.target == "slow.example:5005"


def test_an_unavailable_output_is_reported_and_the_run_continues(studio, monkeypatch):
    import socket

    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.apply({"output": {"websocket": f"127.0.0.1:{taken.getsockname()[1]}"}})
    assert "cannot serve" in until(lambda: studio.state().trouble, "trouble")
    assert shown(studio).phase == "running"
    taken.close()


def test_a_take_is_recorded_in_the_middle_of_a_run(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.record()  # does nothing while nothing runs
    studio.start()
    phase(studio, "running")
    shown(studio)
    studio.record()
    recording = until(lambda: (r := studio.state().recording) and r.frames > 20 and r, "a recording")
    assert studio.feed.events[-1]["recording"]
    studio.stop_recording()
    until(lambda: studio.state().recording is None, "its end")
    assert studio.state().phase == "running"
    session = open_session(recording.folder)
    frames = [result.frame.index for result in session.frames()]
    assert len(frames) > 20
    assert frames == list(range(frames[0], frames[0] + len(frames)))
    assert frames[0] > 0
    import json

    assert json.loads((recording.folder / "report.json").read_text())["frames"] == len(frames)
    assert (recording.folder / "frames.mp4").stat().st_size > 0


def test_stop_finishes_the_take(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.record()
    recording = until(lambda: (r := studio.state().recording) and r.frames > 5 and r, "a recording")
    studio.stop()
    until(lambda: studio.state().recording is None, "its end")
    assert len(list(open_session(recording.folder).frames())) > 5


def test_takes_that_cannot_be_written_are_reported(studio, monkeypatch, tmp_path):
    (tmp_path / "takes").write_text("a file in the way")
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.record()
    assert "cannot write" in studio.state().trouble
    assert studio.state().recording is None


def test_recentring_moves_the_character_to_the_origin(studio, monkeypatch):
    estimator = StandingEstimator()
    replace_source_and_pipeline(
        monkeypatch, pipeline=lambda config, notify, progress: pipeline_of(config, estimator=estimator)
    )
    estimator.people = (2,)
    studio.start()
    phase(studio, "running")
    shown(studio)
    estimator.people = (1,)  # 0.8 m further to the side
    estimator_moved = studio.feed.root_m.copy()
    shown(studio, 40)
    assert abs(studio.feed.root_m[0] - estimator_moved[0]) > 0.4
    studio.recentre()
    shown(studio, 10)
    assert np.abs(studio.feed.root_m[[0, 2]]).max() < 0.05


def test_a_calibration_counts_down_measures_and_is_used_and_kept(studio, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "own"))
    monkeypatch.setattr("realtime_pose.interface.dashboard.engine.guided_calibration.COUNTDOWN_S", 0.05)
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.calibrate()
    assert studio.state().calibration.phase in ("countdown", "measuring")
    done = until(lambda: (c := studio.state().calibration).phase == "done" and c, "a result")
    assert "1.70 m" in done.result
    assert studio.config.body.profile.startswith("{")
    assert (tmp_path / "own" / "realtime_pose" / "profiles" / "dashboard.json").is_file()
    assert shown(studio).phase == "running"


def test_a_calibration_can_be_given_up(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.calibrate()
    studio.cancel_calibration()
    assert studio.state().calibration.phase == "failed"
    assert studio.config.body.profile == ""


def test_the_last_seconds_are_kept_for_figures_and_cleared_at_each_start(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio, 20)
    before = studio.history.poses()
    assert len(before) >= 20
    assert list(before[-1].poses) == [1]
    studio.start()
    until(lambda: (now := studio.history.poses()) and now[-1].time_s < before[-1].time_s, "a new history")


def test_closing_ends_everything_and_may_be_repeated(studio, monkeypatch):
    opened = replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.record()
    studio.close()
    studio.close()
    assert opened[0].closed.is_set()
    assert studio.state().recording is None


def test_mirror_is_sent_with_every_frame(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio)
    studio.apply({"output": {"mirror": True}})
    shown(studio, 5)
    assert studio.feed.frames[-1][2] is True
    assert studio.feed.events[-1]["mirror"] is True


class Builder:
    """Builds stand-in pipelines; those after the first wait for `go_on`."""

    def __init__(self):
        self.go_on, self.loading, self.built = threading.Event(), threading.Event(), []

    def __call__(self, config, notify, progress):
        if self.built:
            self.loading.set()
            assert self.go_on.wait(2 * PATIENCE_S)
        self.built.append(pipeline_of(config))
        return self.built[-1]

    @property
    def names(self):
        return [pipeline.estimator.name for pipeline in self.built]


@pytest.fixture
def loading(studio, monkeypatch):
    """A run with BlazePose, and ViTPose being loaded until `go_on`."""
    builder = Builder()
    replace_source_and_pipeline(monkeypatch, pipeline=builder)
    studio.apply({"inference": {"estimator": "blazepose"}})
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-s"}})
    assert builder.loading.wait(20)
    yield builder
    builder.go_on.set()


def test_other_changes_during_a_model_load_do_not_restart_it(studio, loading):
    for height_m in (1.5, 1.6, 1.9):
        studio.apply({"body": {"height_m": height_m}})
    studio.lock_on(1)
    until(lambda: shown(studio) and studio.feed.frames[-1][0].people[0].pose.bone_m.sum() > 4.5, "the height, at once")
    loading.go_on.set()
    until(lambda: studio.state().estimator == "vitpose-s", "the other model")
    assert studio._background.wait(PATIENCE_S)
    assert studio.state().doing == ""
    assert loading.names == ["blazepose", "vitpose-s"]
    assert studio._context.run.config.body.height_m == 1.9


def test_a_change_undone_while_a_model_loads_keeps_the_running_one(studio, loading):
    studio.apply({"inference": {"estimator": "blazepose"}})
    loading.go_on.set()
    until(lambda: loading.built[-1].estimator.closed, "the end of the model that nobody wants any more")
    assert shown(studio).estimator == "blazepose"
    assert studio._context.run.config.inference.estimator == "blazepose"
    assert not loading.built[0].estimator.closed


def test_stop_while_a_model_is_fetched_forgets_no_choice(studio, monkeypatch):
    at, go_on = threading.Event(), threading.Event()

    def build(config, notify, progress):
        if config.inference.estimator == "vitpose-s":
            progress(1, 2)
            at.set()
            assert go_on.wait(20)
            progress(2, 2)
        return pipeline_of(config)

    replace_source_and_pipeline(monkeypatch, pipeline=build)
    studio.apply({"inference": {"estimator": "blazepose"}})
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-s"}})
    assert at.wait(20)
    studio.stop()
    go_on.set()
    assert studio._background.wait(PATIENCE_S)
    assert studio.config.inference.estimator == "vitpose-s"
    assert studio.state().trouble == ""


def test_no_take_waits_for_a_model_to_be_loaded(studio, loading):
    studio.record()
    folder = until(lambda: (r := studio.state().recording) and r.frames > 3 and r.folder, "a recording")
    studio.stop_recording()
    until(lambda: studio.state().recording is None, "its end")
    assert len(list(open_session(folder).frames())) > 3


def test_no_frame_is_shown_after_stop(tmp_path, monkeypatch):
    made = Studio(AppConfig(), Folders(tmp_path / "takes", tmp_path / "uploads"))
    replace_source_and_pipeline(monkeypatch)
    made.start()
    result = until(lambda: made._last, "a frame")
    run = made._context.generation
    made.stop()
    made.feed.publish(result, run=run, mirror=False)  # a frame that was under way
    assert made.feed._last is None
    assert made.feed.after(0) is None
    made.close()


def test_outputs_that_change_as_the_run_ends_leave_nothing_open(studio, monkeypatch):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    show, held, entered = studio._context.run, threading.Event(), threading.Event()
    show.runtime.between_frames(lambda: (entered.set(), held.wait(20)))
    assert entered.wait(20)
    studio.apply({"output": {"websocket": f"127.0.0.1:{port}"}})
    studio.stop()
    held.set()
    assert show.runtime.wait(20)
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_a_run_that_fails_as_it_is_stopped_does_not_fail_the_next(studio, monkeypatch):
    class Breaks(FakeLiveSource):
        def close(self):
            super().close()
            raise ConfigError("the driver broke")

    opened = []

    def source():
        opened.append(FakeLiveSource() if opened else Breaks())
        return opened[-1]

    replace_source_and_pipeline(monkeypatch, source)
    studio.start()
    phase(studio, "running")
    studio.stop()
    until(lambda: studio._context.run is None, "the end")
    assert "the driver broke" in studio.state().trouble
    assert studio.state().phase == "idle"
    studio.start()
    assert phase(studio, "running").failure == ""


def test_calibrating_resumes_a_paused_run(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.pause()
    studio.calibrate()
    assert studio.state().phase == "running"
    assert not studio._context.run.runtime.paused


def test_a_run_in_the_dashboard_never_uses_look_ahead(tmp_path):
    config = AppConfig().with_values({"body": {"look_ahead": True}}, "test")
    made = Studio(config, Folders(tmp_path / "takes", tmp_path / "uploads"))
    assert not made.config.body.look_ahead  # it would delay the live view
    made.close()


def test_a_take_that_cannot_be_written_any_more_ends_and_is_reported(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.record()
    until(lambda: (r := studio.state().recording) and r.frames > 3, "a recording")

    def full(result):
        raise RecordingError("cannot write the take: no space left; free some space there")

    monkeypatch.setattr(studio._recording._take._worker._sink, "send", full)
    until(lambda: studio.state().recording is None, "its end")
    assert "free some space" in studio.state().trouble
    assert shown(studio).phase == "running"


def test_a_take_whose_folder_is_deleted_is_reported_and_not_recreated(studio, monkeypatch):
    import shutil

    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    studio.record()
    folder = until(lambda: (r := studio.state().recording) and r.frames > 3 and r.folder, "a recording")
    shutil.rmtree(folder)
    studio.stop_recording()
    until(lambda: studio.state().recording is None, "its end")
    assert "was deleted" in studio.state().trouble
    assert not folder.exists()


def test_a_recording_without_a_frame_leaves_no_take(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    studio.start()
    phase(studio, "running")
    shown(studio)
    studio.pause()
    ran = threading.Event()
    studio._context.run.runtime.between_frames(ran.set)
    assert ran.wait(20)  # the frame that was under way is done
    studio.record()
    folder = studio.state().recording.folder
    studio.stop_recording()
    until(lambda: studio.state().recording is None, "its end")
    assert "Nothing was recorded" in studio.state().trouble
    assert not folder.exists()


def test_a_takes_report_names_the_model_that_ran_and_its_own_length(studio, monkeypatch):
    import json

    replace_source_and_pipeline(monkeypatch)
    studio.apply({"inference": {"estimator": "blazepose"}})
    studio.start()
    phase(studio, "running")
    studio.apply({"inference": {"estimator": "vitpose-s"}})
    until(lambda: studio.state().estimator == "vitpose-s", "the other model")
    shown(studio, 40)
    studio.record()
    folder = until(lambda: (r := studio.state().recording) and r.frames > 3 and r.folder, "a recording")
    studio.stop_recording()
    until(lambda: studio.state().recording is None, "its end")
    report = json.loads((folder / "report.json").read_text())
    assert report["estimator"] == "vitpose-s"
    assert report["frames"] == len(list(open_session(folder).frames()))
    assert report["seconds"] < studio.state().seconds


def test_several_tabs_may_start_at_the_same_time(studio, monkeypatch):
    replace_source_and_pipeline(monkeypatch)
    for _ in range(5):
        together, faults = threading.Barrier(4), []

        def start(together=together, faults=faults):
            together.wait(PATIENCE_S)
            try:
                studio.start()
            except Exception as exc:  # noqa: BLE001 - whatever it is fails the test
                faults.append(exc)

        tabs = [threading.Thread(target=start) for _ in range(4)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join(PATIENCE_S)
        assert faults == []
        phase(studio, "running")


def test_a_fault_of_another_thread_does_not_break_what_is_opening(studio, monkeypatch):
    go_on = threading.Event()

    def slow_pipeline(*arguments, **options):
        assert go_on.wait(PATIENCE_S)
        return pipeline_of(*arguments, **options)

    replace_source_and_pipeline(monkeypatch, pipeline=slow_pipeline)
    studio.start()
    phase(studio, "opening")
    studio._context.report_fault(ValueError("the view of the run before"))
    go_on.set()
    phase(studio, "running")
    shown(studio)
