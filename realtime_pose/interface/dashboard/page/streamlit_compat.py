"""Two faults of Streamlit 1.67 mended, which parts of a page that refresh themselves bring out on a busy machine.
And what has nothing new to draw is not run (`fragments.News`).

Each rerun of a fragment is a run of its own, also those that a timer asks for. What a run says waits in the server's
event loop; when the next request comes before it, Streamlit makes a new runner, takes what the old one said for the
words of one that it has stopped, and drops it: on two full cores a third of all choices changed the settings and not
the page.

A timer's request brings the values of all widgets, as the browser knows them. Where the program has just set one anew
(the settings changed in another tab), that value is old, and Streamlit takes it for the user's wish: one tab undid what
was chosen in the other. What users change comes with a request of its own, so a timer's need bring nothing.
"""

from typing import Any
from weakref import WeakSet

from realtime_pose.interface.dashboard.page.fragments import news_of

_ended: WeakSet[Any] = WeakSet()  # runners that ended by themselves and were replaced before all was heard


def mend_page_runs() -> None:
    """Mend both. Safe to repeat; reaches into Streamlit's privates, so its version is pinned."""
    from streamlit.runtime.app_session import AppSession

    if not getattr(AppSession, "page_runs_mended", False):
        AppSession.page_runs_mended = True  # type: ignore[attr-defined]
        _hear_ended_runs()
        _let_timers_bring_no_values()


def _hear_ended_runs() -> None:
    """Deliver what a run said that ended by itself; what one said that was told to stop is dropped, as it should be."""
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import ScriptRunnerEvent

    create, handle = AppSession._create_scriptrunner, AppSession._handle_scriptrunner_event_on_event_loop

    def create_noting(session: Any, *args: Any) -> None:  # noqa: ANN401 - Streamlit's own, handed on as they came
        if session._scriptrunner is not None:  # one that was told to stop has been taken away by now
            _ended.add(session._scriptrunner)
        create(session, *args)

    def handle_all(session: Any, sender: Any, event: Any, *args: Any) -> None:  # noqa: ANN401 - as above
        current = session._scriptrunner
        if sender is current or sender not in _ended or event is ScriptRunnerEvent.SHUTDOWN:
            handle(session, sender, event, *args)  # the end of a runner matters only while there is no other
            return
        session._scriptrunner = sender
        try:
            handle(session, sender, event, *args)
        finally:
            session._scriptrunner = current

    AppSession._create_scriptrunner = create_noting  # type: ignore[method-assign, assignment]
    AppSession._handle_scriptrunner_event_on_event_loop = handle_all  # type: ignore[method-assign, assignment]


def _let_timers_bring_no_values() -> None:
    """Take the widgets' values out of the requests that timers make, and answer those only that there is news for."""
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner_utils import script_requests

    request, coalesce = AppSession.request_rerun, script_requests._coalesce_widget_states

    def request_bare(session: Any, client_state: Any) -> None:  # noqa: ANN401 - as above
        by_timer = client_state is not None and client_state.is_auto_rerun
        if by_timer:
            client_state.ClearField("widget_states")
        if (news := news_of(session._session_state)) is not None:
            if not by_timer:
                news.user_asks()
            elif not news.timer_asks(client_state.fragment_id):
                return
        request(session, client_state)

    def coalesce_all(old: Any, new: Any) -> Any:  # noqa: ANN401 - as above
        """A timer's request that comes after a user's must not stand for it."""
        return old if new is not None and not new.widgets else coalesce(old, new)

    AppSession.request_rerun = request_bare  # type: ignore[method-assign, assignment]
    script_requests._coalesce_widget_states = coalesce_all  # type: ignore[assignment]
