"""Themes of the figures: light and dark colours, and the common Plotly layout."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import plotly.graph_objects as go

FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'


@dataclass(frozen=True)
class Theme:
    """Colours of a figure, each used for one purpose, so that a page can replace one theme's by another's.

    The sides are drawn as in the overlay (`drawing.py`): left blue, right vermilion, the midline yellow, of Okabe and
    Ito's palette; on white, left and midline are darker, so that lines have a contrast of at least 3.

    Attributes:
        paper: The background.
        text: Titles and active elements.
        muted: Axes, hints, and occluded bones.
        grid: Grid lines.
        zero: The line at 0, and the floor.
        left, right, middle: The person's sides.
        second, third: Further curves of the midline.
    """

    paper: str
    text: str
    muted: str
    grid: str
    zero: str
    left: str
    right: str
    middle: str
    second: str
    third: str


LIGHT = Theme(
    paper="#ffffff",
    text="#1c2128",
    muted="#656d7a",
    grid="#e6e9ee",
    zero="#b9c0ca",
    left="#1a7fbd",
    right="#d05a00",
    middle="#857000",
    second="#00805d",
    third="#a8487e",
)
DARK = Theme(
    paper="#15181d",
    text="#e6e9ed",
    muted="#98a1ae",
    grid="#2a2f37",
    zero="#4a525e",
    left="#56b4e9",
    right="#d55e00",
    middle="#f0e442",
    second="#2bb98e",
    third="#cc79a7",
)


def colour_map(theme: Theme, other: Theme) -> Mapping[str, str]:
    """Each colour of a theme -> the corresponding colour of the other."""
    return dict(zip(asdict(theme).values(), asdict(other).values(), strict=True))


def empty_figure(theme: Theme, title: str, height_px: int, **layout: Any) -> go.Figure:  # noqa: ANN401 - Plotly's own
    """An empty figure in this theme; `layout` has further attributes of Plotly's layout."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "container", "font": {"size": 15, "color": theme.text}},
        height=height_px,
        autosize=True,
        paper_bgcolor=theme.paper,
        plot_bgcolor=theme.paper,
        font={"family": FONT, "size": 12, "color": theme.muted},
        hoverlabel={"bgcolor": theme.paper, "bordercolor": theme.zero, "font": {"color": theme.text}},
        modebar={"bgcolor": theme.paper, "color": theme.muted, "activecolor": theme.text},
        showlegend=False,
        uirevision="kept",  # keeps the viewer's zoom and camera with new data
    )
    figure.update_layout(**layout)
    return figure


def axis(theme: Theme, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - Plotly's own
    """An axis of this theme; `given` has further attributes of Plotly's axis."""
    return {
        "color": theme.muted,
        "gridcolor": theme.grid,
        "zerolinecolor": theme.zero,
        "zerolinewidth": 1,
        "ticks": "",
        "showline": False,
        "automargin": True,
    } | given


def time_axis(theme: Theme, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - Plotly's own
    """The axis of media time, in seconds."""
    return axis(theme, title="time", ticksuffix=" s", hoverformat=".2f", showgrid=False, zeroline=False) | given


def coloured(text: str, colour: str) -> str:
    """Coloured text, for titles that serve as legends."""
    return f'<span style="color:{colour}">{text}</span>'
