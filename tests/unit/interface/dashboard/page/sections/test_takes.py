"""The takes tab, the player and the plots, drawn without a browser."""

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest
from support.fake_studio import FakeStudio
from support.people import make_clip

from realtime_pose.app.take import SESSION, TakeRecorder, open_session
from realtime_pose.config import AppConfig
from realtime_pose.exporters.table import EXPORTERS, TakeInfo
from realtime_pose.interface.dashboard.engine.shared import share
from realtime_pose.interface.dashboard.engine.state import Phase, PlaybackState, RecordingState, StudioState
from realtime_pose.interface.dashboard.engine.takes.pose_history import PoseHistory, TakePoses, people_in
from realtime_pose.interface.dashboard.engine.takes.take_exports import DOWNLOAD_PATH, ExportState
from realtime_pose.interface.dashboard.page.sections.takes import FORMATS, clock, link_html
from realtime_pose.interface.dashboard.web import downloads

PATIENCE_S = 20.0
TIMEOUT_S = 30.0


def record(folder, frames=31):
    take = TakeRecorder(folder, TakeInfo(30.0, {}), ())
    for result in make_clip(frames):
        take.send(result)
    take.close()
    return folder


@pytest.fixture
def studio(tmp_path):
    made = FakeStudio(tmp_path)
    share(made)
    yield made
    made.close()


def takes_page():
    from realtime_pose.interface.dashboard.engine.shared import shared_studio
    from realtime_pose.interface.dashboard.page.sections.takes import player, takes_section

    player(shared_studio())
    takes_section(shared_studio())


def still_page():
    from realtime_pose.interface.dashboard.engine.shared import shared_studio
    from realtime_pose.interface.dashboard.page.sections.still import still_section

    still_section(shared_studio())


def shown(page):
    at = AppTest.from_function(page, default_timeout=TIMEOUT_S).run()
    assert not at.exception
    return at


def words(at):
    return " ".join([*(part.body for part in at.get("html")), *(part.value for part in at.caption)])


def playing(folder, row=0, rows=31):
    return PlaybackState(folder, row, rows, row / 30, (rows - 1) / 30)


def test_without_takes_it_explains_how_to_get_one(studio):
    assert "No takes yet" in words(shown(takes_page))


def test_each_take_is_a_row_with_its_facts_and_can_be_played(studio):
    folder = record(studio.folders.takes / "2026-11-21_10-00-00")
    at = shown(takes_page)
    assert "2026-11-21_10-00-00" in words(at)
    assert "0:01.0 · 31 frames · 1 person" in words(at)
    at.button(key="takes.play.2026-11-21_10-00-00").click().run()
    assert studio.calls == [("play", folder)]


def test_the_take_that_is_recorded_is_not_in_the_list(studio):
    folder = record(studio.folders.takes / "now")
    studio.now = StudioState(Phase.RUNNING, recording=RecordingState(folder, 1.0, 31))
    assert "No takes yet" in words(shown(takes_page))


def test_names_and_damage_are_shown_as_they_are(studio):
    folder = record(studio.folders.takes / "<b>bold")
    (folder / SESSION).write_bytes((folder / SESSION).read_bytes()[:-9])
    at = shown(takes_page)
    assert "&lt;b&gt;bold" in words(at)
    assert "whole frame" in words(at)


def test_a_take_that_is_deleted_for_good_leaves_the_list(studio):
    folder = record(studio.folders.takes / "one")
    at = shown(takes_page)
    at.button(key="takes.delete.one").click().run()
    assert not folder.exists()
    assert "No takes yet" in words(at)


def delete_is_disabled(at):
    [popover] = at.get("popover")
    return popover.proto.popover.disabled


def test_a_take_in_playback_cannot_be_deleted(studio):
    folder = record(studio.folders.takes / "one")
    at = shown(takes_page)
    assert not delete_is_disabled(at)
    studio.now = StudioState(Phase.RUNNING, kind="take", playback=playing(folder))
    at.button(key="takes.delete.one").click().run()
    assert (folder / SESSION).exists()
    assert [error.value for error in at.error] == ["One is being recorded or played; stop that first."]
    assert delete_is_disabled(at)


def test_an_export_starts_when_it_is_opened_and_ends_in_a_link(studio):
    folder = record(studio.folders.takes / "one")
    at = shown(takes_page)
    at.button(key="takes.export.one").click().run()
    assert studio.exports.wait(PATIENCE_S)
    assert studio.exports.state(folder, "bvh").path.name == "motion.bvh"
    assert 'href="/dashboard/takes/one/bvh"' in words(at.run())
    at.button(key="takes.export.one").click().run()
    assert "href" not in words(at)


def test_every_format_is_offered_and_a_failed_one_names_the_cause(studio):
    record(studio.folders.takes / "one")
    assert sorted(FORMATS) == sorted(EXPORTERS)
    at = shown(takes_page)
    at.button(key="takes.export.one").click().run()
    at.selectbox(key="takes.format.one").set_value("overlay").run()
    assert studio.exports.wait(PATIENCE_S)
    at.run()
    assert "video of this take is missing" in at.error[0].value
    assert at.button(key="takes.again.one").label == "Try again"


def test_the_slider_is_where_the_playback_is_and_seeks(studio):
    folder = record(studio.folders.takes / "one")
    studio.now = StudioState(Phase.PAUSED, kind="take", playback=playing(folder, row=7))
    at = shown(takes_page)
    assert at.slider(key="takes.row").value == 7
    assert "0:00.2 of 0:01.0 · frame 8 of 31" in words(at)
    at.slider(key="takes.row").set_value(20).run()
    assert studio.calls == [("seek", 20)]
    assert at.slider(key="takes.row").value == 20  # kept, though the playback is not there yet
    studio.now = replace(studio.now, playback=playing(folder, row=21))
    at.session_state["takes.held_until"] = 0.0
    assert at.run().slider(key="takes.row").value == 21


def test_the_player_pauses_resumes_and_closes(studio):
    folder = record(studio.folders.takes / "one")
    studio.now = StudioState(Phase.RUNNING, kind="take", playback=playing(folder, row=7))
    at = shown(takes_page)
    at.button(key="player.Pause").click().run()
    at.button(key="player.Play").click().run()
    at.button(key="player.close").click().run()
    assert studio.calls == ["pause", "resume", "stop"]
    studio.now = StudioState(Phase.RUNNING, kind="take", playback=playing(folder, row=30))
    assert at.run().button(key="player.Play").label == "Play"  # it has ended


def test_a_shorter_take_after_a_longer_one_fits_its_slider(studio):
    folder = record(studio.folders.takes / "one")
    studio.now = StudioState(Phase.PAUSED, kind="take", playback=playing(folder, row=30))
    at = shown(takes_page)
    studio.now = StudioState(Phase.PAUSED, kind="take", playback=PlaybackState(folder.parent / "two", 0, 3, 0.0, 0.1))
    at.session_state["takes.held_until"] = 1e12
    assert at.run().slider(key="takes.row").value == 0
    assert not at.exception


def test_times_and_links():
    assert [clock(s) for s in (0, 9.96, 61.25, 3600)] == ["0:00.0", "0:09.9", "1:01.2", "60:00.0"]


def test_a_link_is_escaped(tmp_path):
    path = tmp_path / "motion.bvh"
    path.write_text("x")
    html = link_html('a"b&/c', "bvh", ExportState(1.0, path))
    assert 'href="/dashboard/takes/a%22b%26%2Fc/bvh"' in html
    assert 'download="a&quot;b&amp;/c_motion.bvh"' in html


def test_only_finished_exports_can_be_downloaded(studio):
    folder = record(studio.folders.takes / "one")
    client = TestClient(Starlette(routes=[Route(DOWNLOAD_PATH, downloads.download)]))
    assert client.get("/dashboard/takes/one/bvh").status_code == 404
    studio.exports.request(folder, "bvh", AppConfig())
    assert studio.exports.wait(PATIENCE_S)
    answer = client.get("/dashboard/takes/one/bvh")
    assert answer.status_code == 200
    assert answer.text.startswith("HIERARCHY")
    assert 'attachment; filename="one_motion.bvh"' in answer.headers["content-disposition"]
    for address in ("two/bvh", "one/csv", "..%2Fone/bvh", "%2Fetc/passwd", "../one/bvh"):
        assert client.get(f"/dashboard/takes/{address}").status_code == 404, address


# --- what stands still ------------------------------------------------------------------------------------------------


def charts(at):
    return [part.proto.id or part.proto.figure.spec for part in at.get("plotly_chart")]


def test_nothing_is_drawn_while_a_run_continues(studio):
    studio.now = StudioState(Phase.RUNNING, kind="live")
    at = shown(still_page)
    assert charts(at) == []
    assert "Pause, or play a take" in words(at)


def test_a_paused_run_shows_moment_angles_and_delays(studio):
    studio.history = PoseHistory()
    for result in make_clip(20):
        studio.history.add(result)
    stages = {"estimate": {"p50": 5.0, "p95": 9.0}}
    studio.now = StudioState(
        Phase.PAUSED, kind="live", frames=20, stages_ms=stages, latency_ms={"p50": 9.0, "p95": 12.0}
    )
    assert len(charts(shown(still_page))) == 3


def test_a_take_shows_moment_and_angles_with_the_delays_of_its_report(studio):
    folder = record(studio.folders.takes / "one")
    studio.now = StudioState(Phase.RUNNING, kind="take", playback=playing(folder, row=15))
    at = shown(still_page)
    assert len(charts(at)) == 2
    assert "The pose at 0.50 s." in words(at)
    assert "no times by stage" in words(at)


def test_a_deleted_take_is_reported_in_place(studio):
    folder = record(studio.folders.takes / "one")
    studio.now = StudioState(Phase.PAUSED, kind="take", playback=playing(folder, row=99, rows=200))
    assert shown(still_page).error[0].value == "The take has no frame 99."
    (folder / SESSION).unlink()
    assert shown(still_page).error[0].value.startswith("Cannot read")


def test_a_history_keeps_half_a_minute_of_one_source():
    history = PoseHistory()
    clip = make_clip(40, fps=1.0)
    for result in clip:
        history.add(result)
    assert [m.frame for m in history.poses()] == list(range(9, 40))
    history.add(clip[3])
    assert [m.frame for m in history.poses()] == [3]
    history.clear()
    assert history.poses() == []
    assert people_in(history.poses()) == []


def test_a_long_takes_curves_are_of_frames_evenly_spaced(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime_pose.interface.dashboard.engine.takes.pose_history._MOST", 11)
    take = TakePoses(open_session(record(tmp_path / "one", 101)))
    assert [m.frame for m in take.poses] == list(range(0, 101, 10))
    assert take.at(37).frame == 37
