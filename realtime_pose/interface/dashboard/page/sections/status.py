"""What runs, how it goes, and the buttons that steer it."""

from collections.abc import Hashable
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.interface.dashboard.engine.state import CalibrationState, StudioState
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.sections.settings import estimator_words
from realtime_pose.interface.dashboard.page.state_sync import PROBLEM, attempt, is_behind, problem

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

_PHASES = {"idle": "Ready", "opening": "Starting", "running": "Running", "paused": "Paused", "failed": "Stopped"}
_BUSY = ("opening", "running", "paused")
_ANNOUNCED = "recording_was"


def _depends_on(studio: "Studio") -> Hashable:
    state = studio.state()
    recording = state.recording and (state.recording.folder, state.recording.finishing)
    return studio.revision, status_html(state), state.phase, state.kind, recording


@fragment(0.5, _depends_on)
def status_section(studio: "Studio") -> None:
    """The status line and the buttons; also notices when another tab changed the settings."""
    if is_behind(studio):
        st.rerun()
    state = studio.state()
    _announce_take(state)
    st.html(status_html(state, problem(PROBLEM)))
    _buttons(studio, state)


def _buttons(studio: "Studio", state: StudioState) -> None:
    busy, recording = state.phase in _BUSY, state.recording is not None
    with st.container(horizontal=True, gap="small", key="transport"):
        if busy:
            st.button(
                "Stop", key="stop", icon=":material/stop:", type="primary", on_click=attempt, args=(studio.stop,),
            )  # fmt: skip
        else:
            st.button(
                "Retry" if state.phase == "failed" else "Start", key="start", type="primary",
                icon=":material/refresh:" if state.phase == "failed" else ":material/play_arrow:",
                on_click=attempt, args=(studio.start,),
            )  # fmt: skip
        paused = state.phase == "paused"
        st.button(
            "Go on" if paused else "Pause", key="pause", disabled=state.phase not in ("running", "paused"),
            icon=":material/play_arrow:" if paused else ":material/pause:",
            on_click=attempt, args=(studio.resume if paused else studio.pause,),
        )  # fmt: skip
        st.button(
            "Step", key="step", icon=":material/skip_next:", disabled=not paused, on_click=attempt, args=(studio.step,),
            help="One picture further, while paused.",
        )  # fmt: skip
        if recording:
            finishing = state.recording is not None and state.recording.finishing
            st.button(
                "Saving ..." if finishing else "Stop recording", key="record_stop", icon=":material/stop_circle:",
                disabled=finishing, on_click=attempt, args=(studio.stop_recording,),
            )  # fmt: skip
        else:
            st.button(
                "Record", key="record", icon=":material/fiber_manual_record:",
                disabled=state.phase not in ("running", "paused") or state.kind == "take",
                on_click=attempt, args=(studio.record,),
                help="Keep what is seen and every pose as a take, to play back and to export.",
            )  # fmt: skip


def _announce_take(state: StudioState) -> None:
    """Say once where a finished recording is."""
    before = st.session_state.get(_ANNOUNCED)
    now = None if state.recording is None else state.recording.folder.name
    if before is not None and now is None and not state.trouble:
        st.toast(f"Recorded {before}: see the tab Takes.", icon=":material/check_circle:")
    st.session_state[_ANNOUNCED] = now


def status_html(state: StudioState, page_problem: str = "") -> str:
    """The status line as HTML: what runs on what, and below it the one thing one should know now."""
    parts = [f'<span class="pg-phase pg-{escape(state.phase)}">{_phase_words(state)}</span>']
    if state.phase in _BUSY and state.source:
        parts.append(f"<span>{escape(_source_words(state))}</span>")
    if state.estimator and state.phase in _BUSY and state.kind != "take":
        where = ", ".join(filter(None, (state.device, state.precision)))
        parts.append(
            f'<span class="pg-soft">{escape(estimator_words(state.estimator))} with {escape(state.runtime)}'
            f"{escape(f' ({where})' if where else '')}</span>"
        )
    if state.recording is not None:
        parts.append(f'<span class="pg-rec">Recording {_clock(state.recording.seconds)}</span>')
    message = _message(state, page_problem)
    return f'<div class="pg-status" role="status"><div class="pg-line">{"".join(parts)}</div>{message}</div>'


def _phase_words(state: StudioState) -> str:
    if state.playback is not None and state.phase == "running" and state.playback.row >= state.playback.rows - 1:
        return "At its end"
    return _PHASES.get(state.phase, escape(state.phase))


def _source_words(state: StudioState) -> str:
    names = {"actor": "Demo", "actor-2": "Demo, second actor", "browser": "Browser camera"}
    if state.playback is not None:
        return f"Take {state.source}, {_clock(state.playback.time_s)} of {_clock(state.playback.duration_s)}"
    return f"Camera {state.source}" if state.source.isdigit() else names.get(state.source, state.source)


def _message(state: StudioState, page_problem: str) -> str:
    """What matters most now: a calibration, a failure, what is being waited for, a trouble, a notice; or what to do."""
    if state.calibration is not None and (text := _calibration_html(state.calibration)):
        return text
    if state.phase == "failed":
        return _line("pg-bad", state.failure.replace("try --source actor", "choose the demo as the source"))
    if state.doing:
        return _line("", state.doing) + _progress(state.progress)
    if page_problem or state.trouble:
        return _line("pg-warn", page_problem or state.trouble)
    if state.notices:
        return _line("pg-soft", state.notices[-1])
    return _line("pg-soft", _next_step(state))


def _next_step(state: StudioState) -> str:
    if state.phase == "idle":
        return "Press Start. The demo needs no camera; other sources are in the side panel."
    return "Paused: step picture by picture, or go on." if state.phase == "paused" else ""


def _calibration_html(calibration: CalibrationState) -> str:
    if calibration.phase in ("countdown", "measuring"):
        seconds = f'<span class="pg-count">{max(0, round(calibration.seconds_left + 0.49))}</span>'
        return f'<div class="pg-line">{seconds}<span>{escape(calibration.hint)}</span></div>'
    if calibration.phase == "failed":
        return _line("pg-bad", calibration.result)
    return _line("", calibration.result)


def _line(style: str, text: str) -> str:
    return f'<div class="{style}">{escape(text)}</div>'


def _progress(progress: float | None) -> str:
    if progress is None:
        return ""
    percent = round(100 * min(max(progress, 0.0), 1.0))
    return (
        f'<div class="pg-bar" role="progressbar" aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        f'<i style="width:{percent}%"></i></div>'
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
