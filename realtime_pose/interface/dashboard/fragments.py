"""Parts of the page that rerun by themselves, each in a place of its own."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

_P = ParamSpec("_P")


def fragment(run_every: float | None = None) -> Callable[[Callable[_P, None]], Callable[_P, None]]:
    """A decorator like `st.fragment`, for fragments that stand side by side; never put one into another.

    When a fragment reruns, Streamlit drops what the script before had sent of it and the browser has not got yet. Where
    the fragment's place went with it, what stands after or in that place has nowhere to go, and the browser blanks the
    whole page ("Bad delta path index"; seen under load with Streamlit 1.67). A container around it belongs to the
    script, not to the fragment, and so stays.

    Args:
        run_every: Seconds between two reruns; None reruns for its own widgets only.
    """

    def decorate(section: Callable[_P, None]) -> Callable[_P, None]:
        inner = st.fragment(section, run_every=run_every)

        @wraps(section)
        def placed(*args: _P.args, **kwargs: _P.kwargs) -> None:
            with st.container():
                inner(*args, **kwargs)

        return placed

    return decorate
