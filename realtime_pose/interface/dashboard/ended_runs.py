"""What a run of the page has still to say when the next one begins: Streamlit would drop it.

Each rerun of a fragment is a run of its own. The messages of one that has just ended wait in the server's event loop;
when the next request comes before them, Streamlit 1.67 makes a new runner and takes what the old one said for the words
of one that it has stopped. On a busy machine a third of all choices then changed the settings but not the page. What a
run that ended by itself said is delivered here; what one said that was told to stop is dropped, as it should be.
"""

from typing import Any
from weakref import WeakSet

_ended: WeakSet[Any] = WeakSet()  # runners that ended by themselves and were replaced before all was heard


def hear_ended_runs() -> None:
    """Have Streamlit deliver all that a run said which was not stopped. Safe to repeat; reaches into its privates."""
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import ScriptRunnerEvent

    create, handle = AppSession._create_scriptrunner, AppSession._handle_scriptrunner_event_on_event_loop
    if getattr(handle, "hears_ended_runs", False):
        return

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

    handle_all.hears_ended_runs = True  # type: ignore[attr-defined]
    AppSession._create_scriptrunner = create_noting  # type: ignore[method-assign, assignment]
    AppSession._handle_scriptrunner_event_on_event_loop = handle_all  # type: ignore[method-assign, assignment]
