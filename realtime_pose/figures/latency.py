"""How long each stage of the pipeline takes, as a Plotly figure."""

from collections.abc import Mapping

import plotly.graph_objects as go

from realtime_pose.figures.theme import LIGHT, Theme, axis, coloured, empty_figure

_ROW_PX = 26
Percentiles = Mapping[str, float | None]
"""Milliseconds under "p50" and "p95"."""


def latency_figure(
    stages_ms: Mapping[str, Percentiles], latency_ms: Percentiles | None = None, theme: Theme = LIGHT
) -> go.Figure:
    """A bar for each stage: half of the frames take less than the bar, 95 of 100 less than its whisker.

    Args:
        stages_ms: By stage, in the order of the pipeline, as a report has them; stages without figures are left out.
        latency_ms: From capture to sending; None if the run was not live.
        theme: Colours.
    """
    measured = {name: (p["p50"], p["p95"]) for name, p in stages_ms.items()} | (
        {"<b>capture to sent</b>": (latency_ms["p50"], latency_ms["p95"])} if latency_ms is not None else {}
    )
    bars = [(name, p50, p95) for name, (p50, p95) in measured.items() if p50 is not None and p95 is not None]
    names, half, most = [bar[0] for bar in bars], [bar[1] for bar in bars], [bar[2] for bar in bars]
    hint = coloured("bar: p50, whisker: p95", theme.muted)
    figure = empty_figure(
        theme, f"Time by stage   {hint}", 92 + _ROW_PX * len(bars),
        margin={"l": 58, "r": 16, "t": 40, "b": 46},
        xaxis=axis(theme, title="time for a frame (ms)", zeroline=True, rangemode="tozero"),
        yaxis=axis(theme, autorange="reversed", showgrid=False, ticklabelstandoff=6),
        bargap=0.45,
    )  # fmt: skip
    figure.add_bar(
        x=half, y=names, orientation="h", marker={"color": theme.left},
        error_x={
            "type": "data", "symmetric": False, "array": [b - a for a, b in zip(half, most, strict=True)],
            "arrayminus": [0.0] * len(bars), "color": theme.muted, "thickness": 1.5, "width": 4,
        },
        customdata=most, hovertemplate="%{y}: p50 %{x:.2f} ms, p95 %{customdata:.2f} ms<extra></extra>",
    )  # fmt: skip
    return figure
