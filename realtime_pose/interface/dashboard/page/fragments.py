"""Parts of the page that rerun by themselves, each in a place of its own, and only when there is something new to draw.

A timer in the browser asks for each rerun, some ten in a second for all parts. On a slow computer the browser needs
50 ms of its only thread for what comes back, changed or not: of a page on which nothing ran that was half of a core,
and a live view showed 15 pictures a second instead of 22. So a part says what it shows depends on, and as long
as that stays the same its timer is not answered.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState

_P = ParamSpec("_P")
_NEWS = "fragments.news"


@dataclass
class _Drawn:
    """What a part showed when it was drawn last: `answers` as many of the user's requests as had come in before."""

    depends_on: Callable[[], Hashable]
    value: Hashable
    answers: int

    def still_true(self) -> bool:
        """Whether it would look the same again."""
        try:
            return self.depends_on() == self.value
        except Exception:  # noqa: BLE001 - raised in the server's loop it would end the page; drawn, the part says it
            return False


@dataclass
class News:
    """Of one browser tab: which parts would look the same if they were drawn again.

    Whatever a user does may change any part, by what is kept in the session's state. What they asked for is done at
    the beginning of a run that comes after it, so only a part that was drawn by a timer's request of later is settled.
    """

    _asked: int = 0  # by the user, so far
    _let: dict[str, int] = field(default_factory=dict)
    _drawn: dict[str, _Drawn] = field(default_factory=dict)

    def user_asks(self) -> None:
        """Something is done by hand: every part is drawn again when its timer asks."""
        self._asked += 1

    def timer_asks(self, part: str) -> bool:
        """Whether the part's timer is to be answered."""
        if (drawn := self._drawn.get(part)) is not None and drawn.answers == self._asked and drawn.still_true():
            return False
        self._let[part] = self._asked
        return True

    def draws(self, part: str, depends_on: Callable[[], Hashable]) -> None:
        """The part is drawn now."""
        self._drawn[part] = _Drawn(depends_on, depends_on(), self._let.get(part, -1))

    def unsettle(self, part: str) -> None:
        """The part is to be drawn again when its timer asks, come what may."""
        self._drawn.pop(part, None)


def news_of(session_state: Any) -> News | None:  # noqa: ANN401 - Streamlit's, the script's or the server's own
    """The news of a tab; None before its page was drawn first."""
    try:
        found = session_state[_NEWS]
    except KeyError:
        return None
    return found if isinstance(found, News) else None


def draw_again() -> None:
    """Have the part that is being drawn drawn again soon, though nothing that it depends on may have changed."""
    part, news = _part(), news_of(st.session_state)
    if part is not None and news is not None:
        news.unsettle(part)


def _part() -> str | None:
    return None if get_script_run_ctx() is None else ThreadState.get().fragment_id


def fragment(
    run_every: float | None = None, depends_on: Callable[..., Hashable] | None = None
) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """A decorator like `st.fragment`, for fragments that stand side by side; never put one into another.

    When a fragment reruns, Streamlit drops what the script before had sent of it and the browser has not got yet. Where
    the fragment's place went with it, what stands after or in that place has nowhere to go, and the browser blanks the
    whole page ("Bad delta path index"; seen under load with Streamlit 1.67). A container around it belongs to the
    script, not to the fragment, and so stays.

    Args:
        run_every: Seconds between two reruns; None reruns for its own widgets only.
        depends_on: Of the same arguments as the section: everything but the session's state that decides what it
            draws. Called in the server's event loop, so quick. None draws it anew each time.
    """

    def decorate(section: Callable[_P, None]) -> Callable[_P, None]:
        @wraps(section)
        def noted(*args: _P.args, **kwargs: _P.kwargs) -> None:
            part = _part()
            if depends_on is not None and part is not None:
                news = news_of(st.session_state)
                if news is None:
                    news = st.session_state[_NEWS] = News()
                news.draws(part, partial(depends_on, *args, **kwargs))
            try:
                section(*args, **kwargs)
            except BaseException:  # also Streamlit's own, by which it ends or begins runs
                draw_again()
                raise

        inner = st.fragment(noted, run_every=run_every)

        @wraps(section)
        def placed(*args: _P.args, **kwargs: _P.kwargs) -> None:
            with st.container():
                inner(*args, **kwargs)

        return placed

    return decorate
