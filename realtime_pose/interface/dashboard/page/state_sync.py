"""Widgets, the Studio's settings and the page's address, kept in step; also between browser tabs.

The Studio's settings are the truth. A widget's change goes there at once; when they changed another way (by another
tab, or the program itself), the widgets are set anew before they are drawn. The address has what differs from the
defaults and can do no harm when somebody sends it: never a source, an output, or a file.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from realtime_pose.checkpoints import find_local, read_manifest
from realtime_pose.config import DEFAULTS, AppConfig
from realtime_pose.errors import RealtimePoseError

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

LINKED = (
    "inference.estimator", "inference.device", "inference.runtime", "inference.precision", "inference.score_threshold",
    "inference.persons", "inference.detect_every", "body.smoothing", "body.feet", "body.fov_deg", "body.height_m",
    "output.mirror",
)  # fmt: skip
"""Settings that the address has, each under its last word."""
SETTINGS = (*LINKED, "inference.checkpoint", "inference.model_config")
"""Settings whose widget has the setting's name as its key, and shows its value as it is."""
_SEEN = "seen_revision"
_GREETED = "link_was_read"
_PROBLEMS = "problems"
PROBLEM = "page"
"""The name under which `problem` keeps what concerns no field."""


def value_of(config: AppConfig, name: str) -> Any:  # noqa: ANN401 - settings differ in type
    """The value of the setting "section.key"."""
    section, _, key = name.partition(".")
    return getattr(getattr(config, section), key)


def problem(name: str) -> str:
    """What was wrong with the last change of this field; empty if nothing."""
    problems: dict[str, str] = st.session_state.get(_PROBLEMS, {})
    return problems.get(name, "")


def set_problem(name: str, sentence: str) -> None:
    """Keep `sentence` for this field; an empty one clears it."""
    st.session_state.setdefault(_PROBLEMS, {})[name] = sentence


def show_problem(name: str) -> None:
    """Draw what was wrong with the last change, right below the field; its place is drawn when nothing was, too.

    What a fragment's run leaves out may stay on the page for ever when another fragment's run comes right after it.
    """
    if sentence := problem(name):
        st.error(sentence, icon=":material/error:")
    else:
        st.empty()


def pull(studio: "Studio") -> AppConfig | None:
    """The settings if they changed elsewhere since this tab drew its widgets, which are then set anew; else None."""
    _read_link(studio)
    revision = studio.revision  # before the settings: what changes in between is seen at the next run
    if st.session_state.get(_SEEN) == revision:
        return None
    config = studio.config
    for name in SETTINGS:
        st.session_state[name] = value_of(config, name)
    st.session_state[_SEEN] = revision
    _write_link(config)
    return config


def is_behind(studio: "Studio") -> bool:
    """Whether settings changed elsewhere since the widgets were drawn."""
    return bool(st.session_state.get(_SEEN) != studio.revision)


def push(studio: "Studio", name: str) -> None:
    """A widget changed: apply its value, or say what is wrong with it and put the widget back."""
    if not change(studio, {name: st.session_state[name]}, field=name):
        st.session_state[name] = value_of(studio.config, name)


def change(studio: "Studio", values: dict[str, Any], field: str) -> bool:
    """Apply settings ("section.key" -> value); whether they were taken. If not, `problem(field)` says why."""
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
    if st.session_state.get(_SEEN) == before and after - before <= 1:  # nobody else came in between
        st.session_state[_SEEN] = after
    _write_link(studio.config)
    return True


def attempt(action: Callable[[], object]) -> None:
    """Do what a button stands for; what goes wrong is kept for the status line."""
    try:
        action()
    except RealtimePoseError as exc:
        set_problem(PROBLEM, sentence_of(exc))
    else:
        set_problem(PROBLEM, "")


def sentence_of(error: RealtimePoseError) -> str:
    """The error as a sentence that begins and ends like one."""
    text = str(error).strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _read_link(studio: "Studio") -> None:
    """Once a tab: apply what its address asks for, as far as that is harmless."""
    if _GREETED in st.session_state:
        return
    st.session_state[_GREETED] = True
    asked, refused = st.query_params.to_dict(), []  # a copy: each change writes the address anew
    for name in LINKED:
        text = asked.get(_short(name))
        if text is None:
            continue
        try:
            value = _parsed(text, value_of(DEFAULTS, name))
        except ValueError:
            refused.append(f"{_short(name)}={text[:40]!r}")
            continue
        if value == value_of(studio.config, name):
            continue
        if not _harmless(name, value) or not change(studio, {name: value}, field=PROBLEM):
            refused.append(f"{_short(name)}={text[:40]!r}")
    if refused:
        set_problem(PROBLEM, f"The address of this page asks for {', '.join(refused)}, which was not taken.")
        _write_link(studio.config)


def _harmless(name: str, value: object) -> bool:
    """Whether a link may ask for this: not for a model that would have to be fetched first, or that is code."""
    if name != "inference.estimator" or value in ("auto", "blazepose"):
        return True
    return value in read_manifest() and find_local(str(value)) is not None


def _write_link(config: AppConfig) -> None:
    """Put what differs from the defaults into the address, and nothing else."""
    wanted = {_short(n): _text(value_of(config, n)) for n in LINKED if value_of(config, n) != value_of(DEFAULTS, n)}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def _short(name: str) -> str:
    return name.partition(".")[2]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parsed(text: str, default: object) -> object:
    """The value of the default's type that `text` says; ValueError if it says none."""
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    if isinstance(default, (int, float)):
        return type(default)(text)
    return text
