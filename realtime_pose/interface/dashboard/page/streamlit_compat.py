"""Streamlit's private parts: every import and patch of them, with a check that they are as expected.

Two faults of Streamlit 1.67 are patched, which fragments that refresh themselves bring out on a busy machine:

- Each rerun of a fragment is a run of its own. Its messages wait in the server's event loop; if the next request comes
  first, Streamlit makes a new runner, takes the old one for stopped, and drops its messages. On two busy cores a third
  of all choices changed the settings and not the page.
- A timer's request carries the values of all widgets, as the browser knows them. If the program has just changed one
  (the settings changed in another tab), the old value is taken for the user's choice and undoes the change. Requests of
  users carry their own values, so a timer's need none.

A third patch skips timer requests for fragments that would look the same (`fragments.Freshness`).
"""

import importlib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

from realtime_pose.errors import ConfigError

WRITTEN_FOR = "1.67.0"

_APP_SESSION = "streamlit.runtime.app_session"
_SCRIPT_REQUESTS = "streamlit.runtime.scriptrunner_utils.script_requests"
_RUN_CONTEXT = "streamlit.runtime.scriptrunner_utils.script_run_context"


class RerunFilter(Protocol):
    """Decides which timer requests of a browser tab are answered."""

    def on_user_request(self) -> None:
        """Called for each request of the user."""
        ...

    def should_rerun(self, part: str) -> bool:
        """Whether the timer of this fragment is to be answered."""
        ...


@dataclass(frozen=True)
class Private:
    """A private name of Streamlit, and what it is expected to be.

    Attributes:
        module: Its module.
        name: Dotted name in the module.
        parameters: Of a function, its parameters in order; None for anything that is no function.
    """

    module: str
    name: str
    parameters: tuple[str, ...] | None = None

    def mismatch(self) -> str:
        """The difference of the installed Streamlit, as a clause; empty if there is none."""
        try:
            module: Any = importlib.import_module(self.module)
            found = reduce(getattr, self.name.split("."), module)
        except (ImportError, AttributeError):
            return f"{self.module} has no {self.name}"
        if self.parameters is None:
            return ""
        try:
            parameters = tuple(inspect.signature(found).parameters)
        except (TypeError, ValueError):
            return f"{self.name} is not a function"
        if parameters == self.parameters:
            return ""
        return f"{self.name} takes ({', '.join(parameters)}) instead of ({', '.join(self.parameters)})"


PRIVATE = (
    Private(_APP_SESSION, "AppSession._create_scriptrunner", ("self", "initial_rerun_data")),
    Private(
        _APP_SESSION,
        "AppSession._handle_scriptrunner_event_on_event_loop",
        ("self", "sender", "event", "forward_msg", "exception", "client_state", "page_script_hash",
         "fragment_ids_this_run", "pages", "run_descriptor"),
    ),
    Private(_APP_SESSION, "AppSession.request_rerun", ("self", "client_state")),
    Private("streamlit.runtime.scriptrunner", "ScriptRunnerEvent.SHUTDOWN"),
    Private("streamlit.runtime.scriptrunner", "get_script_run_ctx", ("suppress_warning",)),
    Private(_SCRIPT_REQUESTS, "_coalesce_widget_states", ("old_states", "new_states")),
    Private(_RUN_CONTEXT, "ThreadState.get", ()),
    Private("streamlit.config", "_server_mode"),
    Private("streamlit.config", "get_option", ("key",)),
    Private("streamlit.config", "set_option", ("key", "value", "where_defined")),
    Private("streamlit.file_util", "get_static_dir", ()),
)  # fmt: skip
"""Everything private that this module uses."""

_ended: WeakSet[Any] = WeakSet()  # runners that ended by themselves and were replaced before their last messages came


def check(expected: Iterable[Private] = PRIVATE) -> None:
    """Check the installed Streamlit, before anything is patched.

    Raises:
        ConfigError: A private name is missing or has another signature.
    """
    mismatches = list(filter(None, (private.mismatch() for private in expected)))
    if mismatches:
        import streamlit

        raise ConfigError(
            f"the dashboard was written for Streamlit {WRITTEN_FOR} and does not work with {streamlit.__version__} "
            f"({'; '.join(mismatches)}); install it with: pip install streamlit=={WRITTEN_FOR}"
        )


def install(filter_of: Callable[[Any], RerunFilter | None]) -> None:
    """Apply the patches. Safe to repeat.

    Args:
        filter_of: The rerun filter of a tab's session state; None if it has none yet.
    """
    from streamlit.runtime.app_session import AppSession

    if not hasattr(AppSession, "patched_by_realtime_pose"):
        AppSession.patched_by_realtime_pose = True  # type: ignore[attr-defined]
        _deliver_messages_of_ended_runs()
        _drop_values_of_timers(filter_of)


def current_fragment() -> str | None:
    """The id of the fragment that is being drawn; None outside of a run, or of a fragment."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

    return None if get_script_run_ctx() is None else ThreadState.get().fragment_id


def is_streamlit_run() -> bool:
    """Whether `streamlit run` serves the app, which has then bound its socket already."""
    from streamlit import config

    return config._server_mode == "starlette-app"


def option(name: str) -> Any:  # noqa: ANN401 - options differ in type
    """The value of an option, e.g. "server.address"."""
    from streamlit import config

    return config.get_option(name)


def set_option(name: str, value: object) -> None:
    """Set an option, also one that Streamlit allows in files and flags only."""
    from streamlit import config

    config.set_option(name, value)


def index_html() -> str:
    """Streamlit's page, into which the browser loads everything else."""
    from streamlit import file_util

    return (Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8")


def _deliver_messages_of_ended_runs() -> None:
    """Deliver the messages of a run that ended by itself; those of a run that was stopped are still dropped."""
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner import ScriptRunnerEvent

    create, handle = AppSession._create_scriptrunner, AppSession._handle_scriptrunner_event_on_event_loop

    def create_and_note(session: Any, *args: Any) -> None:  # noqa: ANN401 - Streamlit's own, passed through
        if session._scriptrunner is not None:  # a runner that was told to stop has been removed before
            _ended.add(session._scriptrunner)
        create(session, *args)

    def handle_all(session: Any, sender: Any, event: Any, *args: Any) -> None:  # noqa: ANN401 - as above
        current = session._scriptrunner
        if sender is current or sender not in _ended or event is ScriptRunnerEvent.SHUTDOWN:
            handle(session, sender, event, *args)  # a runner's shutdown matters only while there is no other
            return
        session._scriptrunner = sender
        try:
            handle(session, sender, event, *args)
        finally:
            session._scriptrunner = current

    AppSession._create_scriptrunner = create_and_note  # type: ignore[method-assign, assignment]
    AppSession._handle_scriptrunner_event_on_event_loop = handle_all  # type: ignore[method-assign, assignment]


def _drop_values_of_timers(filter_of: Callable[[Any], RerunFilter | None]) -> None:
    """Remove widget values from timer requests, and skip those of fragments that would look the same."""
    from streamlit.runtime.app_session import AppSession
    from streamlit.runtime.scriptrunner_utils import script_requests

    request, coalesce = AppSession.request_rerun, script_requests._coalesce_widget_states

    def request_filtered(session: Any, client_state: Any) -> None:  # noqa: ANN401 - as above
        by_timer = client_state is not None and client_state.is_auto_rerun
        if by_timer:
            client_state.ClearField("widget_states")
        if (rerun_filter := filter_of(session._session_state)) is not None:
            if not by_timer:
                rerun_filter.on_user_request()
            elif not rerun_filter.should_rerun(client_state.fragment_id):
                return
        request(session, client_state)

    def coalesce_filtered(old: Any, new: Any) -> Any:  # noqa: ANN401 - as above
        """Keep a user's values when a timer's request without any comes after them."""
        return old if new is not None and not new.widgets else coalesce(old, new)

    AppSession.request_rerun = request_filtered  # type: ignore[method-assign, assignment]
    script_requests._coalesce_widget_states = coalesce_filtered  # type: ignore[assignment]
