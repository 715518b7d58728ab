"""Performance figures: rates, latency, and time by stage; and the last packet."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.interface.dashboard.engine.state import Percentiles, StudioState
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.hints import hint
from realtime_pose.interface.dashboard.page.sections.settings import estimator_name
from realtime_pose.interface.dashboard.page.stages import listed_stages, stage

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_NONE = "–"


def _shown(studio: "StudioApi") -> tuple[list[tuple[str, str, str]], str]:
    """The figures, and the bar with its hint as HTML."""
    state = studio.state()
    below = stages_html(state.stages_ms) + f'<div class="pg-hint pg-warn">{escape(hint(state, studio.config))}</div>'
    return figures(state), below


@fragment(1.0, lambda studio: repr(_shown(studio)))
def figures_section(studio: "StudioApi") -> None:
    """The row of figures, the bar by stage, and a hint."""
    row, below = _shown(studio)
    with st.container(key="figures"):
        for label, value, why in row:
            st.metric(label, value, help=why, border=True)
    st.html(below)


def figures(state: StudioState) -> list[tuple[str, str, str]]:
    """Label, value and explanation of each figure."""
    busy = state.phase.busy
    latency = state.latency_ms or {}
    return [
        ("Frames/s", f"{state.fps:.1f}" if busy else _NONE, "Frames processed a second, over the last two seconds."),
        ("Dropped", f"{state.frames_dropped:,}" if busy else _NONE,
         "Camera frames that were skipped because the one before was still being processed."),
        ("Latency", _ms(latency.get("p50")), "From the camera frame to the pose sent; median."),
        ("Slowest 5 %", _ms(latency.get("p95")), "One pose in twenty takes longer than this; 95th percentile."),
        ("People", str(state.persons) if busy else _NONE, "People in the current frame."),
        ("Score", _NONE if state.mean_score is None or not busy else f"{state.mean_score:.0%}",
         "How certain the model is of the keypoints, on average."),
        ("Engine", state.runtime or _NONE,
         f"Runs the pose model {estimator_name(state.estimator)}, {state.device} {state.precision}".rstrip(", ")),
    ]  # fmt: skip


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f} ms"


def stages_html(stages_ms: Mapping[str, Percentiles]) -> str:
    """A bar of each stage's median time, and its legend; of the same height when empty."""
    medians = {name: stages_ms.get(name, {}).get("p50") or 0.0 for name in listed_stages(stages_ms)}
    total = sum(medians.values())
    pieces = "".join(
        f'<i style="width:{100 * ms / total:.1f}%;background:{stage(name).colour}" '
        f'title="{escape(stage(name).name)}"></i>'
        for name, ms in medians.items()
        if total and ms
    )
    legend = "".join(
        f'<span title="{escape(stage(name).why)}"><b style="background:{stage(name).colour}"></b>'
        f"{escape(stage(name).name)} {f'{ms:.1f} ms' if total else ''}</span>"
        for name, ms in medians.items()
    )
    bar = f'<div class="pg-stages" role="img" aria-label="Time by stage">{pieces}</div>'
    return f'{bar}<div class="pg-legend">{legend}</div>'


def _details(studio: "StudioApi") -> tuple[str, str]:
    """The table of stages, and a line below it."""
    state = studio.state()
    rows = "\n".join(
        f"| {stage(name).name} | {_exact_ms(state.stages_ms, name, 'p50')} "
        f"| {_exact_ms(state.stages_ms, name, 'p95')} | {stage(name).why} |"
        for name in listed_stages(state.stages_ms)
    )
    rate = f"{state.source_fps:.0f} frames/s" if state.source_fps else "unknown rate"
    return (
        f"| Stage | Median | Slowest 5 % | Meaning |\n|---|--:|--:|---|\n{rows}",
        f"{state.frames:,} frames in {state.seconds:.0f} s; source: {rate}; open in {state.watchers} browser "
        f"{'tab' if state.watchers == 1 else 'tabs'}.",
    )


@fragment(2.0, _details)
def details_section(studio: "StudioApi") -> None:
    """The stages as a table, with counts that the row above has no room for."""
    table, line = _details(studio)
    st.markdown(table)
    st.caption(line)


def _exact_ms(stages_ms: Mapping[str, Percentiles], name: str, which: str) -> str:
    value = stages_ms.get(name, {}).get(which)
    return _NONE if value is None else f"{value:.1f} ms"


@fragment(2.0, lambda studio: studio.state().packet)
def packet_section(studio: "StudioApi") -> None:
    """The last packet, as receivers get it."""
    packet = studio.state().packet
    st.caption("The last pose packet, as sent over UDP and WebSocket. docs/feeds.md explains its fields.")
    with st.container(height=360, border=False):
        st.code(packet or "No pose yet: press Start.", language="json" if packet else None, wrap_lines=True)
