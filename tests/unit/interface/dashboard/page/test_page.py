"""The page, run by Streamlit's AppTest with a fake studio."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.fake_studio import FakeStudio

from realtime_pose.communication.sinks import SINKS
from realtime_pose.interface.dashboard.engine import shared
from realtime_pose.interface.dashboard.engine.state import (
    CalibrationState,
    Phase,
    PlaybackState,
    RecordingState,
    SinkState,
    StudioState,
)
from realtime_pose.interface.dashboard.page import fragments
from realtime_pose.interface.dashboard.page.sections import settings as settings_section
from realtime_pose.interface.dashboard.page.sections import source as source_section
from realtime_pose.interface.dashboard.page.sections.status import status_html

testing = pytest.importorskip("streamlit.testing.v1", reason="needs Streamlit")

PAGE = Path(shared.__file__).parents[1] / "page" / "page.py"
PATIENCE_S = 60  # bounds a test that hangs; a passing one never waits it out
RUNNING = StudioState(
    phase=Phase.RUNNING, source="actor", kind="file", fps=29.7, seconds=9, persons=1, mean_score=0.87, people=(3,),
    estimator="vitpose-s", runtime="openvino", device="cpu", precision="bf16", source_fps=30,
    latency_ms={"p50": 21.0, "p95": 40.0}, stages_ms={"estimate": {"p50": 15.0, "p95": 20.0}}, packet='{"seq":77}',
)  # fmt: skip


@pytest.fixture
def studio(tmp_path):
    return FakeStudio(tmp_path)


@pytest.fixture
def page(studio, monkeypatch):
    monkeypatch.setattr(shared, "_shared", [studio])
    return testing.AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S)


def drawn(page):
    """The page after a run without exceptions."""
    page.run()
    assert not page.exception, page.exception
    return page


def texts(page):
    """All texts outside of widgets."""
    return " ".join(
        str(part.value) for kind in ("html", "caption", "error", "warning", "info") for part in page.get(kind)
    )


def settings(studio):
    return [values for name, values in (c for c in studio.calls if isinstance(c, tuple)) if name == "apply"]


def test_it_draws_in_every_phase(page, studio):
    for phase in Phase:
        studio.now = replace(RUNNING, phase=phase)
        drawn(page)


def test_without_a_server_it_explains_how_to_start(monkeypatch):
    monkeypatch.setattr(shared, "_shared", [])
    page = testing.AppTest.from_file(str(PAGE), default_timeout=PATIENCE_S).run()
    assert "realtime-pose ui" in page.exception[0].message


def test_buttons_do_what_their_labels_promise(page, studio):
    for phase, key, call in (
        (Phase.IDLE, "start", "start"),
        (Phase.FAILED, "start", "start"),
        (Phase.OPENING, "stop", "stop"),
        (Phase.RUNNING, "pause", "pause"),
        (Phase.PAUSED, "pause", "resume"),
        (Phase.PAUSED, "step", "step"),
        (Phase.RUNNING, "record", "record"),
        (Phase.RUNNING, "recentre", "recentre"),
        (Phase.RUNNING, "calibrate", "calibrate"),
    ):
        studio.now, studio.calls = replace(RUNNING, phase=phase), []
        drawn(page).button(key=key).click().run()
        assert studio.calls == [call]


def test_buttons_that_do_not_apply_are_disabled(page, studio):
    studio.now = StudioState(phase=Phase.OPENING)
    drawn(page)
    assert all(page.button(key=key).disabled for key in ("pause", "step", "record", "recentre", "calibrate"))


def test_a_take_that_is_played_is_not_recorded_again(page, studio):
    studio.now = replace(RUNNING, kind="take")
    assert drawn(page).button(key="record").disabled


def test_a_failure_shows_its_cause_and_a_retry(page, studio):
    studio.now = StudioState(phase=Phase.FAILED, failure="The camera is gone; plug it in.")
    assert "The camera is gone" in texts(drawn(page))
    assert page.button(key="start").label == "Retry"


def test_a_setting_applies_at_once_and_goes_into_the_address(page, studio):
    drawn(page).selectbox(key="body.smoothing").select("crisp").run()
    page.toggle(key="output.mirror").set_value(True).run()
    assert settings(studio) == [{"body": {"smoothing": "crisp"}}, {"output": {"mirror": True}}]
    assert dict(page.query_params) == {"smoothing": "crisp", "mirror": "true"}
    page.selectbox(key="body.smoothing").select("balanced").run()
    assert dict(page.query_params) == {"mirror": "true"}


def test_a_refused_setting_names_the_cause_and_is_reset(page, studio):
    drawn(page)
    studio.refusals["apply"] = "body.height_m is 1.9, wanted something else"
    page.number_input(key="body.height_m").set_value(1.9).run()
    assert page.error[0].value == "Body.height_m is 1.9, wanted something else."
    assert page.number_input(key="body.height_m").value == 1.7
    studio.refusals.clear()
    page.number_input(key="body.height_m").set_value(1.8).run()
    assert not page.error
    assert studio.config.body.height_m == 1.8


def test_changes_of_another_tab_are_shown(page, studio):
    drawn(page)
    studio.apply({"inference": {"persons": 4}, "output": {"vmc": "10.0.0.9:39539"}, "capture": {"source": "actor-2"}})
    drawn(page)
    assert page.number_input(key="inference.persons").value == 4
    assert page.toggle(key="output.vmc.on").value
    assert page.text_input(key="output.vmc.to").value == "10.0.0.9:39539"
    assert page.selectbox(key="source.actor").value == "actor-2"
    assert dict(page.query_params) == {"persons": "4"}


def test_a_link_sets_what_is_harmless(page, studio):
    page.query_params.update({"smoothing": "smooth", "persons": "2", "mirror": "true", "estimator": "blazepose"})
    drawn(page)
    assert studio.config.body.smoothing == "smooth"
    assert studio.config.inference.persons == 2
    assert studio.config.output.mirror
    assert page.number_input(key="inference.persons").value == 2


def test_a_link_opens_and_sends_nothing(page, studio):
    page.query_params.update(
        {
            "source": "http://example.org/x.m3u8", "udp": "10.0.0.9:5005", "vmc": "10.0.0.9:39539", "bones": "/x",
            "websocket": "0.0.0.0:8765", "livelink": "10.0.0.9:1", "osc_trackers": "10.0.0.9:1", "checkpoint": "/x.pth",
            "model_config": "/x.py", "record": "/x", "character": "/x", "profile": "/x", "detector_checkpoint": "/",
            "capture.source": "/x.mp4", "output.udp": "10.0.0.9:5005",
        }
    )  # fmt: skip
    drawn(page)
    assert studio.calls == []


def test_a_link_with_wrong_values_is_reported_and_not_applied(page, studio):
    before = studio.config
    page.query_params.update({"persons": "many", "detect_every": "0", "mirror": "maybe", "estimator": "mmpose"})
    drawn(page)
    assert studio.config == before
    assert all(f"{key}=" in texts(page) for key in ("persons", "detect_every", "mirror", "estimator"))
    assert not dict(page.query_params)


def test_a_link_fetches_no_model(page, studio, monkeypatch):
    monkeypatch.setattr("realtime_pose.interface.dashboard.page.state_sync.find_local", lambda name: None)
    page.query_params["estimator"] = "vitpose-h"
    drawn(page)
    assert studio.config.inference.estimator == "auto"


def test_outputs_are_off_until_they_are_switched_on(page, studio):
    drawn(page)
    assert not any(page.toggle(key=f"output.{name}.on").value for name in SINKS)
    page.toggle(key="output.udp.on").set_value(True).run()
    assert settings(studio) == [{"output": {"udp": "127.0.0.1:5005"}}]
    page.toggle(key="output.udp.on").set_value(False).run()
    assert studio.config.output.udp == ""
    assert page.text_input(key="output.udp.to").value == "127.0.0.1:5005"


def test_a_wrong_address_is_reported_in_place_and_reset(page, studio):
    drawn(page).toggle(key="output.udp.on").set_value(True).run()
    for bad in ("127.0.0.1:99999", "http://x:1", "", "a:1,person=x"):
        page.text_input(key="output.udp.to").set_value(bad).run()
        assert page.error
        assert page.text_input(key="output.udp.to").value == "127.0.0.1:5005"
        assert studio.config.output.udp == "127.0.0.1:5005"


@pytest.mark.parametrize("name", SINKS)
def test_every_output_of_the_command_line_can_be_switched_on_with_the_address_that_is_shown(page, studio, name):
    drawn(page).toggle(key=f"output.{name}.on").set_value(True).run()
    assert not page.error
    assert studio.config.output.destinations[name] == page.text_input(key=f"output.{name}.to").value != ""


def test_the_protocols_own_port_may_be_left_out(page, studio):
    drawn(page).toggle(key="output.udp.on").set_value(True).run()
    page.text_input(key="output.udp.to").set_value("10.0.0.7").run()
    assert not page.error
    assert studio.config.output.udp == "10.0.0.7"


def test_sent_packets_are_counted(page, studio):
    studio.now = replace(RUNNING, sinks=(SinkState("udp", "127.0.0.1:5005", 1812, 29.6, 3),))
    assert "udp to 127.0.0.1:5005: **30** packets/s, 1,812 sent, 3 lost" in texts(drawn(page))


def test_the_last_packet_is_shown(page, studio):
    studio.now = RUNNING
    assert '{"seq":77}' in [code.value for code in drawn(page).code]


def test_figures_are_shown(page, studio):
    studio.now = replace(RUNNING, frames_dropped=1203)
    shown = {metric.label: metric.value for metric in drawn(page).metric}
    assert shown == {
        "Frames/s": "29.7", "Dropped": "1,203", "Latency": "21 ms", "Slowest 5 %": "40 ms", "People": "1",
        "Score": "87%", "Engine": "openvino",
    }  # fmt: skip
    assert all(metric.help for metric in page.metric)
    assert "ViTPose small" in texts(page)


def test_a_hint_is_below_the_figures_when_it_cannot_keep_up(page, studio):
    studio.now = replace(RUNNING, fps=9.0)
    assert "Only 9 of 30" in texts(drawn(page))


def test_one_person_can_be_followed(page, studio):
    studio.now = RUNNING
    drawn(page).selectbox(key="lock.on").select(3).run()
    page.selectbox(key="lock.on").select(-1).run()
    assert studio.calls == [("lock_on", 3), ("lock_on", None)]


def test_people_who_left_stay_in_the_list_until_the_run_ends(page, studio):
    """A list that is open must not shrink under the pointer."""
    studio.now = replace(RUNNING, people=(3, 7))
    drawn(page)
    studio.now = replace(RUNNING, people=(7,))
    assert drawn(page).selectbox(key="lock.on").options == ["Everyone", "Only person 3", "Only person 7"]
    studio.now = replace(RUNNING, phase=Phase.IDLE, people=())
    assert drawn(page).selectbox(key="lock.on").options == ["Everyone"]


def test_a_label_without_a_person_selects_no_one(monkeypatch, studio):
    """Streamlit returns a label instead of a value if the chosen option has left the list."""
    monkeypatch.setattr(settings_section.st, "session_state", {"lock.on": "Only person 3"})
    settings_section._follow(studio)
    assert studio.calls == []


def test_a_path_that_is_no_video_is_refused_in_place(page, studio):
    drawn(page).selectbox(key="source.kind").select(source_section.FILE).run()
    page.text_input(key="source.path").set_value("/etc/passwd").run()
    assert "not a video or image by its name" in page.error[0].value
    assert studio.config.capture.source == "actor"


def test_a_video_becomes_the_source_also_of_what_runs(page, studio, tmp_path, monkeypatch):
    monkeypatch.setattr(source_section, "checked_media", lambda text: tmp_path / "dance.mp4")
    drawn(page).selectbox(key="source.kind").select(source_section.FILE).run()
    page.text_input(key="source.path").set_value("dance.mp4").run()
    assert studio.config.capture.source == str(tmp_path / "dance.mp4")
    assert "start" not in studio.calls
    studio.now = RUNNING
    drawn(page).selectbox(key="source.kind").select(source_section.DEMO).run()
    assert studio.calls[-1] == "start"


def test_an_address_of_another_kind_is_refused_in_place(page, studio):
    drawn(page).selectbox(key="source.kind").select(source_section.URL).run()
    for bad in ("file:///etc/passwd", "concat:a|b", "rtsp://", "http://a b"):
        page.text_input(key="source.url").set_value(bad).run()
        assert "is not a stream address" in page.error[0].value
        assert studio.config.capture.source == "actor"


def test_another_tab_does_not_see_a_password(page, studio):
    studio.apply({"capture": {"source": "rtsp://me:secret@cam/live"}})
    assert drawn(page).text_input(key="source.url").value == "rtsp://cam/live"


def test_the_browsers_camera_explains_what_it_needs(page, studio):
    drawn(page).selectbox(key="source.kind").select(source_section.BROWSER_CAMERA).run()
    assert studio.config.capture.source == "browser"
    assert "localhost or over HTTPS" in texts(page)


def test_weights_outside_of_the_allowed_folders_are_refused(page, studio, tmp_path, monkeypatch):
    evil, mine = tmp_path / "evil.pth", tmp_path / "allowed" / "mine.pth"
    mine.parent.mkdir()
    for path in (evil, mine):
        path.write_bytes(b"x")
    # AppTest cannot type a new choice, so both are in the list
    monkeypatch.setattr(settings_section, "listed_files", lambda folders, suffixes: [str(evil), str(mine)])
    drawn(page).selectbox(key="inference.checkpoint").select(str(evil)).run()
    assert "outside of the allowed folders" in page.error[0].value
    assert studio.config.inference.checkpoint == ""
    page.selectbox(key="inference.checkpoint").select(str(mine)).run()
    assert not page.error
    assert studio.config.inference.checkpoint == str(mine.resolve())


def test_the_status_line_has_the_most_important_message():
    def line(**changes):
        return status_html(replace(RUNNING, **changes))

    assert "Demo" in line()
    assert "ViTPose small with openvino (cpu, bf16)" in line()
    assert 'aria-valuenow="42"' in line(phase=Phase.OPENING, doing="Fetching the model", progress=0.42)
    assert "Recording 1:12" in line(recording=RecordingState(Path("x"), 72.3, 9))
    assert ">3<" in line(calibration=CalibrationState("countdown", 2.4, "Stand still."))
    assert "Measured" in line(calibration=CalibrationState("done", 0, "", "Measured 1.80 m."))
    assert "Running" in line(playback=PlaybackState(Path("x"), 4, 60, 0.1, 2.0))
    assert "Finished" in line(playback=PlaybackState(Path("x"), 59, 60, 2.0, 2.0))
    assert "no room" in line(trouble="no room", notices=("old news",))
    assert "old news" in line(notices=("old news",))


def test_the_status_line_takes_no_markup_from_outside():
    evil = "<script>alert(1)</script>"
    html = status_html(replace(RUNNING, source=evil, trouble=evil, estimator=evil, device=evil))
    assert "<script" not in html


def test_every_widget_without_a_plain_name_explains_itself(page, studio):
    studio.now = RUNNING
    drawn(page)
    for kind in ("selectbox", "slider", "number_input", "toggle"):
        assert all(widget.help for widget in page.get(kind)), kind


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({}, 0),
        ({"packet": "{}"}, 1),
        ({"sinks": (SinkState("udp", "127.0.0.1:5005", 90, 30.0, 0),)}, 1),
        ({"stages_ms": {"solve": {"p50": 2.0, "p95": 3.0}}}, 2),  # the bar, the table
        ({"frames": 12}, 1),  # the line below the table
        ({"watchers": 2}, 1),
        ({"persons": 2}, 1),
        ({"people": (3, 4)}, 1),
        ({"locked": 3}, 1),
        ({"runtime": "torch"}, 3),  # status, active model, figure
        ({"trouble": "No."}, 1),
        ({"recording": RecordingState(Path("takes/a"), 1.0, 30)}, 2),  # status, list
        ({"calibration": CalibrationState("measuring", 3.0, "Stand still.")}, 2),  # status, the button
        (
            {"playback": PlaybackState(Path("takes/a"), 4, 9, 0.1, 0.3)},
            4,
        ),  # status, player, plots, list
        ({"phase": Phase.PAUSED}, 4),  # status, player, plots, people
    ],
)
def test_each_part_that_shows_a_change_is_drawn_for_it(page, studio, monkeypatch, change, parts):
    """Timers of parts whose `depends_on` has not changed are not answered."""
    told = []
    monkeypatch.setattr(fragments.Freshness, "on_draw", lambda _, part, depends_on: told.append(depends_on))
    studio.now = RUNNING
    drawn(page)
    before = [depends_on() for depends_on in told]
    studio.now = replace(RUNNING, **change)
    assert sum(depends_on() != value for depends_on, value in zip(told, before, strict=True)) == parts


def test_a_change_of_settings_in_another_tab_is_news(page, studio, monkeypatch):
    told = []
    monkeypatch.setattr(fragments.Freshness, "on_draw", lambda _, part, depends_on: told.append(depends_on))
    drawn(page)
    before = [depends_on() for depends_on in told]
    studio.apply({"body": {"height_m": 1.9}})
    assert [depends_on() for depends_on in told] != before
