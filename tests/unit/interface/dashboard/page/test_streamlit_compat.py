"""Patches of Streamlit: messages of ended runs, requests of timers; and the check of its private parts."""

import asyncio
import re
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs Streamlit")

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import app_session
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.scriptrunner import RerunData, ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequests

from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.page.fragments import Freshness, draw_again, fragment, freshness_of
from realtime_pose.interface.dashboard.page.streamlit_compat import PRIVATE, WRITTEN_FOR, Private, check, install
from realtime_pose.interface.dashboard.web.server import app_options


class Runner:
    """A runner whose script has just ended, so it accepts no request."""

    def __init__(self, initial_rerun_data, **_):
        self.on_event = self
        self.asked = initial_rerun_data

    def connect(self, _):
        pass

    def start(self):
        pass

    def request_stop(self):
        pass

    def request_rerun(self, _):
        return False


class Session(AppSession):
    """A session whose messages are kept instead of sent."""

    def __init__(self):
        self.heard = []
        self._scriptrunner = None
        self._state = AppSessionState.APP_NOT_RUNNING
        self._event_loop = self._script_event_loop = asyncio.get_running_loop()
        self._script_data = type("Script", (), {"main_script_path": "page.py"})
        self.id = "session"
        self._session_state = {}
        for name in ("uploaded_file_mgr", "script_cache", "user_info", "fragment_storage",
                     "pages_manager", "local_sources_watcher", "on_script_error"):  # fmt: skip
            setattr(self, f"_{name}", None)

    def __del__(self):
        """Nothing was opened."""

    def _unsettle(self):
        pass

    def _enqueue_forward_msg(self, msg):
        self.heard.append(msg)

    def say(self, sender, event=ScriptRunnerEvent.ENQUEUE_FORWARD_MSG):
        """Handle a message as from a runner's thread; returns the message."""
        message = ForwardMsg()
        said = message if event is ScriptRunnerEvent.ENQUEUE_FORWARD_MSG else None
        self._handle_scriptrunner_event_on_event_loop(sender, event, said)
        return message


@pytest.fixture
def session_of(monkeypatch):
    """A function that calls `act` with a session in an event loop."""
    for name in ("_create_scriptrunner", "_handle_scriptrunner_event_on_event_loop", "request_rerun"):
        monkeypatch.setattr(AppSession, name, getattr(AppSession, name))  # restored afterwards
    monkeypatch.setattr(script_requests, "_coalesce_widget_states", script_requests._coalesce_widget_states)
    monkeypatch.delattr(AppSession, "patched_by_realtime_pose", raising=False)
    monkeypatch.setattr(app_session, "ScriptRunner", Runner)
    install(freshness_of)
    install(freshness_of)  # safe to repeat

    def session_of(act):
        async def run():
            return act(Session())

        return asyncio.run(run())

    return session_of


def test_messages_of_a_run_replaced_after_its_end_are_accepted(session_of):
    def act(session):
        session.request_rerun(None)
        first = session._scriptrunner
        session._create_scriptrunner(RerunData())  # as for a fragment's request that the first one refuses
        second = session._scriptrunner
        message = session.say(first)
        assert first is not second
        assert session._scriptrunner is second
        assert any(heard is message for heard in session.heard)
        session.say(first, ScriptRunnerEvent.SHUTDOWN)
        assert session._scriptrunner is second

    session_of(act)


def test_messages_of_a_stopped_script_run_are_dropped(session_of):
    def act(session):
        session.request_rerun(None)
        first = session._scriptrunner
        session.request_rerun(None)  # of the whole page: messages of the first are outdated
        assert session._scriptrunner is not first
        session.say(first)
        assert session.heard == []

    session_of(act)


def test_messages_of_the_running_script_are_accepted(session_of):
    def act(session):
        session.request_rerun(None)
        assert session.say(session._scriptrunner) is session.heard[-1]

    session_of(act)


def request(value, *, timer, fragment=""):
    """A browser's request with the value of one widget."""
    asked = ClientState(fragment_id=fragment, is_auto_rerun=timer)
    asked.widget_states.widgets.add(id="height", double_value=value)
    return asked


@pytest.mark.parametrize("timer", [True, False])
def test_only_a_users_request_brings_values(session_of, timer):
    def act(session):
        session.request_rerun(request(1.7, timer=timer))
        values = [widget.double_value for widget in session._scriptrunner.asked.widget_states.widgets]
        assert values == ([] if timer else [1.7])

    session_of(act)


@pytest.mark.parametrize("user_first", [True, False])
def test_a_timer_beside_it_takes_nothing_from_a_users_request(session_of, user_first):
    def act(_):
        user = RerunData(widget_states=request(1.7, timer=False).widget_states, fragment_id="settings")
        timer = RerunData(widget_states=ClientState().widget_states, fragment_id="figures", is_auto_rerun=True)
        pending = ScriptRequests()
        for asked in (user, timer) if user_first else (timer, user):
            pending.request_rerun(asked)
        run = pending.on_scriptrunner_ready().rerun_data
        assert [widget.double_value for widget in run.widget_states.widgets] == [1.7]
        assert set(run.fragment_id_queue) == {"settings", "figures"}

    session_of(act)


def test_a_timer_is_not_answered_while_there_is_nothing_new(session_of):
    shown = {"fps": 30}

    def act(session):
        freshness = session._session_state["fragments.freshness"] = Freshness()
        asked = []
        session._create_scriptrunner = lambda data: asked.append(data.fragment_id)
        session.has_fragment = lambda _: True

        def tick():
            session._scriptrunner = None
            session.request_rerun(request(1.7, timer=True, fragment="figures"))
            if came := bool(asked):
                asked.clear()
                freshness.on_draw("figures", lambda: shown["fps"])
            return came

        assert tick()  # it has not been drawn yet
        assert not tick()
        shown["fps"] = 29
        assert tick()
        assert not tick()
        session.request_rerun(request(1.8, timer=False, fragment="settings"))
        assert asked == ["settings"]
        asked.clear()
        freshness.on_draw("figures", lambda: shown["fps"])  # in a run from before the user's request
        assert tick()
        assert not tick()
        freshness.invalidate("figures")
        assert tick()
        assert not tick()

    session_of(act)


def test_a_part_that_asks_for_it_is_drawn_again(monkeypatch):
    state = {"fragments.freshness": (freshness := Freshness())}
    monkeypatch.setattr("realtime_pose.interface.dashboard.page.fragments.st.session_state", state)
    monkeypatch.setattr("realtime_pose.interface.dashboard.page.fragments.current_fragment", lambda: "player")
    freshness.should_rerun("player")
    freshness.on_draw("player", lambda: 0)
    assert not freshness.should_rerun("player")
    draw_again()
    assert freshness.should_rerun("player")


def test_a_section_that_failed_is_drawn_again(monkeypatch):
    state = {"fragments.freshness": (freshness := Freshness())}
    monkeypatch.setattr("realtime_pose.interface.dashboard.page.fragments.st.session_state", state)
    monkeypatch.setattr("realtime_pose.interface.dashboard.page.fragments.current_fragment", lambda: "list")
    monkeypatch.setattr(
        "realtime_pose.interface.dashboard.page.fragments.st.fragment", lambda section, run_every: section
    )
    faults = [KeyError("gone"), None]

    @fragment(1.0, lambda: 0)
    def section():
        if fault := faults.pop(0):
            raise fault

    freshness.should_rerun("list")
    with pytest.raises(KeyError):
        section()
    assert freshness.should_rerun("list")
    section()
    assert not freshness.should_rerun("list")
    freshness._drawn["list"].depends_on = lambda: 1 / 0
    assert freshness.should_rerun("list")


# --- the check at start -----------------------------------------------------------------------------------------------


def test_the_installed_streamlit_is_as_expected():
    check()


@pytest.mark.parametrize(
    ("private", "message"),
    [
        (Private("streamlit.runtime.app_session", "AppSession.request_rerun", ("self", "state")),
         r"AppSession.request_rerun takes \(self, client_state\) instead of \(self, state\)"),
        (Private("streamlit.runtime.app_session", "AppSession._gone", ()), "app_session has no AppSession._gone"),
        (Private("streamlit.runtime.gone", "anything"), "streamlit.runtime.gone has no anything"),
        (Private("streamlit.config", "_server_mode", ()), "_server_mode is not a function"),
    ],
)  # fmt: skip
def test_another_streamlit_is_refused_with_the_version_to_install(private, message):
    with pytest.raises(ConfigError, match=message) as caught:
        check([*PRIVATE, private])
    assert f"written for Streamlit {WRITTEN_FOR}" in str(caught.value)
    assert f"pip install streamlit=={WRITTEN_FOR}" in str(caught.value)


def test_a_changed_signature_is_noticed_before_anything_is_patched(monkeypatch):
    monkeypatch.setattr(AppSession, "_create_scriptrunner", lambda self, data, more: None)
    with pytest.raises(ConfigError, match="_create_scriptrunner takes"):
        app_options()


def test_it_was_written_for_the_version_that_is_pinned():
    requirements = (Path(__file__).parents[5] / "requirements.txt").read_text(encoding="utf-8")
    assert f"streamlit=={WRITTEN_FOR}" in requirements


def test_nothing_else_imports_what_is_private():
    import realtime_pose

    for path in Path(realtime_pose.__file__).parent.rglob("*.py"):
        if path.name != "streamlit_compat.py":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(from|import) streamlit[. ](runtime|web|config|file_util|components|proto)", text), (
                path
            )
