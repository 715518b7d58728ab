"""How well it runs: rates, delays, and where the time goes."""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.interface.dashboard.engine.state import Percentiles, StudioState
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.hints import hint
from realtime_pose.interface.dashboard.page.sections.settings import estimator_words
from realtime_pose.interface.dashboard.page.style import STAGE_COLOURS
from realtime_pose.report import STAGES

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

_NONE = "–"
STAGE_WORDS = {
    "capture": "Picture", "detect": "Find people", "estimate": "Find points", "lift": "To 3D", "solve": "To joints",
    "send": "Send",
}  # fmt: skip
STAGE_HELP = {
    "capture": "Reading the picture from its source.",
    "detect": "Looking where people are.",
    "estimate": "Finding the points of each body: the pose model.",
    "lift": "Placing the points in space.",
    "solve": "Turning points into the joints' rotations, smoothed, with feet held.",
    "send": "Handing the result to outputs, the recording and this page.",
}


def _shown(studio: "Studio") -> tuple[list[tuple[str, str, str]], str]:
    """The figures, and the bar with its hint as HTML."""
    state = studio.state()
    below = stages_html(state.stages_ms) + f'<div class="pg-hint pg-warn">{escape(hint(state, studio.config))}</div>'
    return figures(state), below


@fragment(1.0, lambda studio: repr(_shown(studio)))
def figures_section(studio: "Studio") -> None:
    """The row of figures, the bar by stage, and a hint."""
    row, below = _shown(studio)
    with st.container(key="figures"):
        for label, value, why in row:
            st.metric(label, value, help=why, border=True)
    st.html(below)


def figures(state: StudioState) -> list[tuple[str, str, str]]:
    """Label, value and explanation of each figure."""
    on = state.phase in ("opening", "running", "paused")
    latency = state.latency_ms or {}
    return [
        ("Pictures/s", f"{state.fps:.1f}" if on else _NONE, "How many are worked on now (fps)."),
        ("Left out", f"{state.frames_dropped:,}" if on else _NONE,
         "Pictures of a camera that came while the one before was being worked on (dropped frames)."),
        ("Delay", _ms(latency.get("p50")), "From the picture to the pose sent, usually (latency, median)."),
        ("Worst delay", _ms(latency.get("p95")), "95 of 100 poses come sooner (latency, 95th percentile)."),
        ("People", str(state.persons) if on else _NONE, "How many are followed in this picture."),
        ("Confidence", _NONE if state.mean_score is None or not on else f"{state.mean_score:.0%}",
         "How sure the model is of the points, on average."),
        ("Engine", state.runtime or _NONE,
         f"What runs the pose model {estimator_words(state.estimator)}, {state.device} {state.precision}".rstrip(", ")),
    ]  # fmt: skip


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.0f} ms"


def stages_html(stages_ms: Mapping[str, Percentiles]) -> str:
    """A bar of each stage's median time, as long as the whole takes, and its legend; of the same height when empty."""
    medians = {stage: stages_ms.get(stage, {}).get("p50") or 0.0 for stage in STAGES}
    whole = sum(medians.values())
    pieces = "".join(
        f'<i style="width:{100 * ms / whole:.1f}%;background:{STAGE_COLOURS[stage]}" title="{STAGE_WORDS[stage]}"></i>'
        for stage, ms in medians.items()
        if whole and ms
    )
    legend = "".join(
        f'<span title="{escape(STAGE_HELP[stage])}"><b style="background:{STAGE_COLOURS[stage]}"></b>'
        f"{STAGE_WORDS[stage]} {f'{ms:.1f} ms' if whole else ''}</span>"
        for stage, ms in medians.items()
    )
    bar = f'<div class="pg-stages" role="img" aria-label="Time by stage">{pieces}</div>'
    return f'{bar}<div class="pg-legend">{legend}</div>'


def _details(studio: "Studio") -> tuple[str, str]:
    """The table of stages, and a line below it."""
    state = studio.state()
    rows = "\n".join(
        f"| {STAGE_WORDS[stage]} | {_exact_ms(state.stages_ms, stage, 'p50')} "
        f"| {_exact_ms(state.stages_ms, stage, 'p95')} | {STAGE_HELP[stage]} |"
        for stage in STAGES
    )
    return (
        f"| Stage | Usual | At worst | What it is |\n|---|--:|--:|---|\n{rows}",
        f"{state.frames:,} pictures in {state.seconds:.0f} s; the source gives "
        f"{f'{state.source_fps:.0f} a second' if state.source_fps else 'them at a rate it does not tell'}; "
        f"{state.watchers} browser {'tab watches' if state.watchers == 1 else 'tabs watch'}.",
    )


@fragment(2.0, _details)
def details_section(studio: "Studio") -> None:
    """The stages as a table, with what the row above has no room for."""
    table, line = _details(studio)
    st.markdown(table)
    st.caption(line)


def _exact_ms(stages_ms: Mapping[str, Percentiles], stage: str, which: str) -> str:
    value = stages_ms.get(stage, {}).get(which)
    return _NONE if value is None else f"{value:.1f} ms"


@fragment(2.0, lambda studio: studio.state().packet)
def packet_section(studio: "Studio") -> None:
    """The last packet, as receivers get it."""
    packet = studio.state().packet
    st.caption("The pose of one person, as UDP and WebSocket send it (a PosePacket). docs/feeds.md explains each part.")
    with st.container(height=360, border=False):
        st.code(packet or "No pose yet: press Start.", language="json" if packet else None, wrap_lines=True)
