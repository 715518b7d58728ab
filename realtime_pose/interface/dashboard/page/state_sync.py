"""Synchronisation of widgets, the studio's settings and the page's URL, also between browser tabs.

The studio's settings are authoritative. A widget's change is applied at once; after any other change (by another tab,
or the program itself) the widgets are set again before they are drawn. The URL has the settings that differ from the
defaults and are safe in a link from someone else: never a source, an output, or a file.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from realtime_pose.checkpoints import find_local, read_manifest
from realtime_pose.config import DEFAULTS, AppConfig
from realtime_pose.config import SETTINGS as KNOWN_SETTINGS
from realtime_pose.errors import RealtimePoseError

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

LINKED = (
    "inference.estimator", "inference.device", "inference.runtime", "inference.precision", "inference.score_threshold",
    "inference.persons", "inference.detect_every", "body.smoothing", "body.feet", "body.fov_deg", "body.height_m",
    "body.camera_pitch_deg", "output.mirror",
)  # fmt: skip
"""Settings in the URL, each under its key without the section."""
SETTINGS = (*LINKED, "inference.checkpoint", "inference.model_config")
"""Settings whose widget has the setting's name as its key and shows the value unchanged."""
_SEEN = "seen_revision"
_LINK_READ = "link_was_read"
_PROBLEMS = "problems"
PROBLEM = "page"
"""The name for problems that belong to no field."""


def value_of(config: AppConfig, name: str) -> Any:  # noqa: ANN401 - settings differ in type
    """The value of the setting "section.key"."""
    section, _, key = name.partition(".")
    return getattr(getattr(config, section), key)


def problem(name: str) -> str:
    """The problem with the last change of this field; empty if none."""
    problems: dict[str, str] = st.session_state.get(_PROBLEMS, {})
    return problems.get(name, "")


def set_problem(name: str, sentence: str) -> None:
    """Set this field's problem; an empty sentence clears it."""
    st.session_state.setdefault(_PROBLEMS, {})[name] = sentence


def show_problem(name: str) -> None:
    """Draw the field's problem right below it, or an empty element.

    An element that a fragment's run leaves out may stay on the page when another fragment's run follows right after.
    """
    if sentence := problem(name):
        st.error(sentence, icon=":material/error:")
    else:
        st.empty()


def update_widgets(studio: "StudioApi") -> AppConfig | None:
    """The settings if they changed elsewhere since this tab drew its widgets, which are set again; else None."""
    _read_link(studio)
    revision = studio.revision  # before the settings: a change in between is seen at the next run
    if st.session_state.get(_SEEN) == revision:
        return None
    config = studio.config
    for name in SETTINGS:
        st.session_state[name] = value_of(config, name)
    st.session_state[_SEEN] = revision
    _write_link(config)
    return config


def is_behind(studio: "StudioApi") -> bool:
    """Whether settings changed elsewhere since the widgets were drawn."""
    return bool(st.session_state.get(_SEEN) != studio.revision)


def apply_widget(studio: "StudioApi", name: str) -> None:
    """A widget changed: apply its value, or show the problem and set the widget back."""
    if not change(studio, {name: st.session_state[name]}, field=name):
        st.session_state[name] = value_of(studio.config, name)


def change(studio: "StudioApi", values: dict[str, Any], field: str) -> bool:
    """Apply settings ("section.key" -> value); whether they were accepted. If not, `problem(field)` has the reason."""
    nested: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        section, _, key = name.partition(".")
        nested.setdefault(section, {})[key] = value
    before = studio.revision
    try:
        studio.apply(nested)
    except RealtimePoseError as exc:
        set_problem(field, sentence_of(exc))
        return False
    set_problem(field, "")
    after = studio.revision
    if st.session_state.get(_SEEN) == before and after - before <= 1:  # no other tab in between
        st.session_state[_SEEN] = after
    _write_link(studio.config)
    return True


def attempt(action: Callable[[], object]) -> None:
    """Run a button's action; an error is shown in the status line."""
    try:
        action()
    except RealtimePoseError as exc:
        set_problem(PROBLEM, sentence_of(exc))
    else:
        set_problem(PROBLEM, "")


def sentence_of(error: RealtimePoseError) -> str:
    """The error with a capital letter and a full stop."""
    text = str(error).strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _read_link(studio: "StudioApi") -> None:
    """Once per tab: apply the settings in its URL, if they are safe in a link."""
    if _LINK_READ in st.session_state:
        return
    st.session_state[_LINK_READ] = True
    asked, refused = st.query_params.to_dict(), []  # a copy: each change rewrites the URL
    for name in LINKED:
        text = asked.get(_short(name))
        if text is None:
            continue
        try:
            value = _parsed(text, KNOWN_SETTINGS[name].kind)
        except ValueError:
            refused.append(f"{_short(name)}={text[:40]!r}")
            continue
        if value == value_of(studio.config, name):
            continue
        if not _is_safe_in_link(name, value) or not change(studio, {name: value}, field=PROBLEM):
            refused.append(f"{_short(name)}={text[:40]!r}")
    if refused:
        set_problem(PROBLEM, f"Settings in the link were ignored: {', '.join(refused)}.")
        _write_link(studio.config)


def _is_safe_in_link(name: str, value: object) -> bool:
    """Whether a link may set this: no model that would have to be downloaded, or that is code."""
    if name != "inference.estimator" or value in ("auto", "blazepose"):
        return True
    return value in read_manifest() and find_local(str(value)) is not None


def _write_link(config: AppConfig) -> None:
    """Put the settings that differ from the defaults into the URL."""
    wanted = {_short(n): _text(value_of(config, n)) for n in LINKED if value_of(config, n) != value_of(DEFAULTS, n)}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _short(name: str) -> str:
    return name.partition(".")[2]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(text: str, kind: type) -> object:
    """The text as a value of that type; ValueError if it is none."""
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return kind(text)
