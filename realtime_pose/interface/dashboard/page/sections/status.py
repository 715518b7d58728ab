"""The status line and the transport buttons."""

from collections.abc import Hashable
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.interface.dashboard.engine.state import CalibrationState, Phase, StudioState
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.sections.settings import estimator_name
from realtime_pose.interface.dashboard.page.state_sync import PROBLEM, attempt, is_behind, problem

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_PHASES = {
    Phase.IDLE: "Ready", Phase.OPENING: "Starting", Phase.RUNNING: "Running", Phase.PAUSED: "Paused",
    Phase.FAILED: "Stopped",
}  # fmt: skip
_LAST_RECORDING = "status.last_recording"


def _depends_on(studio: "StudioApi") -> Hashable:
    state = studio.state()
    recording = state.recording and (state.recording.folder, state.recording.finishing)
    return studio.revision, status_html(state), state.phase, state.kind, recording


@fragment(0.5, _depends_on)
def status_section(studio: "StudioApi") -> None:
    """The status line and the buttons; reruns the page when another tab has changed the settings."""
    if is_behind(studio):
        st.rerun()
    state = studio.state()
    _announce_take(state)
    st.html(status_html(state, problem(PROBLEM)))
    _buttons(studio, state)


def _buttons(studio: "StudioApi", state: StudioState) -> None:
    busy, recording = state.phase.busy, state.recording is not None
    with st.container(horizontal=True, gap="small", key="transport"):
        if busy:
            st.button(
                "Stop", key="stop", icon=":material/stop:", type="primary", on_click=attempt, args=(studio.stop,),
            )  # fmt: skip
        else:
            st.button(
                "Retry" if state.phase is Phase.FAILED else "Start", key="start", type="primary",
                icon=":material/refresh:" if state.phase is Phase.FAILED else ":material/play_arrow:",
                on_click=attempt, args=(studio.start,),
            )  # fmt: skip
        paused = state.phase is Phase.PAUSED
        st.button(
            "Resume" if paused else "Pause", key="pause", disabled=not state.phase.active,
            icon=":material/play_arrow:" if paused else ":material/pause:",
            on_click=attempt, args=(studio.resume if paused else studio.pause,),
        )  # fmt: skip
        st.button(
            "Step", key="step", icon=":material/skip_next:", disabled=not paused, on_click=attempt, args=(studio.step,),
            help="Next frame, while paused.",
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
                disabled=not state.phase.active or state.kind == "take",
                on_click=attempt, args=(studio.record,),
                help="Save video and poses as a take, to play back and to export.",
            )  # fmt: skip


def _announce_take(state: StudioState) -> None:
    """Show once where a finished recording is."""
    before = st.session_state.get(_LAST_RECORDING)
    now = None if state.recording is None else state.recording.folder.name
    if before is not None and now is None and not state.trouble:
        st.toast(f"Recorded {before}; it is in the Takes tab.", icon=":material/check_circle:")
    st.session_state[_LAST_RECORDING] = now


def status_html(state: StudioState, page_problem: str = "") -> str:
    """The status line as HTML: source and model, and below them the most important message."""
    busy = state.phase.busy
    parts = [f'<span class="pg-phase pg-{escape(state.phase)}">{_phase_text(state)}</span>']
    if busy and state.source:
        parts.append(f"<span>{escape(_source_text(state))}</span>")
    if state.estimator and busy and state.kind != "take":
        where = ", ".join(filter(None, (state.device, state.precision)))
        parts.append(
            f'<span class="pg-soft">{escape(estimator_name(state.estimator))} with {escape(state.runtime)}'
            f"{escape(f' ({where})' if where else '')}</span>"
        )
    if state.recording is not None:
        parts.append(f'<span class="pg-rec">Recording {_clock(state.recording.seconds)}</span>')
    message = _message(state, page_problem)
    return f'<div class="pg-status" role="status"><div class="pg-line">{"".join(parts)}</div>{message}</div>'


def _phase_text(state: StudioState) -> str:
    if state.playback is not None and state.phase is Phase.RUNNING and state.playback.at_end:
        return "Finished"
    return _PHASES[state.phase]


def _source_text(state: StudioState) -> str:
    names = {"actor": "Demo", "actor-2": "Demo, second actor", "browser": "Browser camera"}
    if state.playback is not None:
        return f"Take {state.source}, {_clock(state.playback.time_s)} of {_clock(state.playback.duration_s)}"
    return f"Camera {state.source}" if state.source.isdigit() else names.get(state.source, state.source)


def _message(state: StudioState, page_problem: str) -> str:
    """The most important message: calibration, failure, step under way, warning, notice, or what to do next."""
    if state.calibration is not None and (text := _calibration_html(state.calibration)):
        return text
    if state.phase is Phase.FAILED:
        return _line("pg-bad", state.failure.replace("try --source actor", "choose the demo as the source"))
    if state.doing:
        return _line("", state.doing) + _progress(state.progress)
    if page_problem or state.trouble:
        return _line("pg-warn", page_problem or state.trouble)
    if state.notices:
        return _line("pg-soft", state.notices[-1])
    return _line("pg-soft", _next_step(state))


def _next_step(state: StudioState) -> str:
    if state.phase is Phase.IDLE:
        return "Press Start. The demo needs no camera; other sources are in the sidebar."
    return "Paused. Step frame by frame, or resume." if state.phase is Phase.PAUSED else ""


def _calibration_html(calibration: CalibrationState) -> str:
    if calibration.measuring:
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
