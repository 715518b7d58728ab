"""Latency figure: time by pipeline stage as bars with p50 and p95."""

from collections.abc import Mapping

import plotly.graph_objects as go

from realtime_pose.figures.theme import LIGHT, Theme, axis, coloured, empty_figure

_ROW_PX = 26
Percentiles = Mapping[str, float | None]
"""Milliseconds under "p50" and "p95"."""


def latency_figure(
    stages_ms: Mapping[str, Percentiles], latency_ms: Percentiles | None = None, theme: Theme = LIGHT
) -> go.Figure:
    """A bar for each stage with its p50, and a whisker up to its p95.

    Args:
        stages_ms: Percentiles by stage in pipeline order, as in a report; stages without values are left out.
        latency_ms: From capture to sending; None for a run that was not live.
        theme: Colours.
    """
    measured = {name: (p["p50"], p["p95"]) for name, p in stages_ms.items()} | (
        {"<b>capture to sent</b>": (latency_ms["p50"], latency_ms["p95"])} if latency_ms is not None else {}
    )
    bars = [(name, low, high) for name, (low, high) in measured.items() if low is not None and high is not None]
    names, p50, p95 = [bar[0] for bar in bars], [bar[1] for bar in bars], [bar[2] for bar in bars]
    hint = coloured("bar: p50, whisker: p95", theme.muted)
    figure = empty_figure(
        theme, f"Time by stage   {hint}", 92 + _ROW_PX * len(bars),
        margin={"l": 58, "r": 16, "t": 40, "b": 46},
        xaxis=axis(theme, title="time per frame (ms)", zeroline=True, rangemode="tozero"),
        yaxis=axis(theme, autorange="reversed", showgrid=False, ticklabelstandoff=6),
        bargap=0.45,
    )  # fmt: skip
    figure.add_bar(
        x=p50, y=names, orientation="h", marker={"color": theme.left},
        error_x={
            "type": "data", "symmetric": False, "array": [b - a for a, b in zip(p50, p95, strict=True)],
            "arrayminus": [0.0] * len(bars), "color": theme.muted, "thickness": 1.5, "width": 4,
        },
        customdata=p95, hovertemplate="%{y}: p50 %{x:.2f} ms, p95 %{customdata:.2f} ms<extra></extra>",
    )  # fmt: skip
    return figure
