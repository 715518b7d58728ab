"""Fragments of the page that refresh themselves, and only when they would look different.

A timer in the browser requests each rerun, about ten a second for all fragments. On a slow computer the browser needs
50 ms of its only thread for each answer, changed or not: with nothing running that was half a core, and a live view
showed 15 frames a second instead of 22. So a fragment declares what it depends on, and while that is unchanged its
timer is not answered.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ParamSpec

import streamlit as st

from realtime_pose.interface.dashboard.page.streamlit_compat import current_fragment

_P = ParamSpec("_P")
_FRESHNESS = "fragments.freshness"


@dataclass
class _Drawn:
    """The value a fragment depended on when it was last drawn, and the number of user requests before that."""

    depends_on: Callable[[], Hashable]
    value: Hashable
    requests: int

    def is_fresh(self) -> bool:
        """Whether it would look the same again."""
        try:
            return self.depends_on() == self.value
        except Exception:  # noqa: BLE001 - raised in the server's loop it would end the page; a rerun shows it
            return False


@dataclass
class Freshness:
    """Freshness of one browser tab's fragments: fresh if they would look the same drawn again; a `RerunFilter`.

    A user's request may change any fragment, through the session state, at the start of a later run. So only a fragment
    that was drawn for a timer request after the last user request counts as fresh.
    """

    _user_requests: int = 0
    _answered: dict[str, int] = field(default_factory=dict)  # by fragment: user requests before its timer's
    _drawn: dict[str, _Drawn] = field(default_factory=dict)

    def on_user_request(self) -> None:
        """The user did something: every fragment is drawn again when its timer asks."""
        self._user_requests += 1

    def should_rerun(self, part: str) -> bool:
        """Whether the fragment's timer is to be answered."""
        if (drawn := self._drawn.get(part)) is not None and drawn.requests == self._user_requests and drawn.is_fresh():
            return False
        self._answered[part] = self._user_requests
        return True

    def on_draw(self, part: str, depends_on: Callable[[], Hashable]) -> None:
        """The fragment is drawn now."""
        self._drawn[part] = _Drawn(depends_on, depends_on(), self._answered.get(part, -1))

    def invalidate(self, part: str) -> None:
        """Draw the fragment again at its next timer request in any case."""
        self._drawn.pop(part, None)


def freshness_of(session_state: Any) -> Freshness | None:  # noqa: ANN401 - Streamlit's, the script's or the server's own
    """The freshness of a tab's fragments; None before its page was first drawn."""
    try:
        found = session_state[_FRESHNESS]
    except KeyError:
        return None
    return found if isinstance(found, Freshness) else None


def draw_again() -> None:
    """Draw the current fragment again soon, though nothing that it depends on may have changed."""
    part, freshness = current_fragment(), freshness_of(st.session_state)
    if part is not None and freshness is not None:
        freshness.invalidate(part)


def fragment(
    run_every: float | None = None, depends_on: Callable[..., Hashable] | None = None
) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """A decorator like `st.fragment`, for fragments side by side; never nest them.

    When a fragment reruns, Streamlit drops messages of the script before it that the browser has not got yet. If the
    fragment's own container is among them, the elements in and after it have no place, and the browser blanks the whole
    page ("Bad delta path index"; seen under load with Streamlit 1.67). A container around the fragment belongs to the
    script and stays.

    Args:
        run_every: Seconds between reruns; None reruns for its own widgets only.
        depends_on: Takes the section's arguments and returns everything that decides what it draws, except the session
            state. Called in the server's event loop, so it must be quick. None draws it at every request.
    """

    def decorate(section: Callable[_P, None]) -> Callable[_P, None]:
        @wraps(section)
        def tracked(*args: _P.args, **kwargs: _P.kwargs) -> None:
            part = current_fragment()
            if depends_on is not None and part is not None:
                freshness = freshness_of(st.session_state)
                if freshness is None:
                    freshness = st.session_state[_FRESHNESS] = Freshness()
                freshness.on_draw(part, partial(depends_on, *args, **kwargs))
            try:
                section(*args, **kwargs)
            except BaseException:  # also Streamlit's own, which end or restart a run
                draw_again()
                raise

        inner = st.fragment(tracked, run_every=run_every)

        @wraps(section)
        def placed(*args: _P.args, **kwargs: _P.kwargs) -> None:
            with st.container():
                inner(*args, **kwargs)

        return placed

    return decorate
