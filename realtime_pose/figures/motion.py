"""Motion figures: path of the hips, height of the feet with contacts, joint angles over time.

A line has a gap where a joint was occluded (score 0) or the person out of view. Long motions are thinned: of each
interval a curve keeps its lowest and its highest value, so that no peak is lost, and one row of any gap.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from realtime_pose.figures.person_motion import PersonMotion, Rows
from realtime_pose.figures.theme import LIGHT, Theme, axis, coloured, empty_figure, time_axis
from realtime_pose.utils.arrays import Bool, Float64, as_float32

INTERVALS = 1000
"""A curve has at most three points for each of this many time intervals."""
_ROW_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 92, 34, 30, 40
_SIDES = ("left", "right")


class _Panel(NamedTuple):
    """One row of the angles figure: title, curves as (angle, label, theme colour), and the meaning of positive values.

    `positive` is empty where the labels already say it.
    """

    title: str
    curves: tuple[tuple[str, str, str], ...]
    positive: str = ""


def _left_right(title: str, angle: str, positive: str) -> _Panel:
    return _Panel(title, tuple((f"{angle}_{side[0]}", side, side) for side in _SIDES), positive)


def _midline(title: str, angles: tuple[str, str, str], labels: tuple[str, str, str]) -> _Panel:
    return _Panel(title, tuple(zip(angles, labels, ("middle", "second", "third"), strict=True)))


PANELS = (
    _left_right("Knee", "knee_angle", "bent"),
    _left_right("Hip flexion", "hip_flexion", "thigh to the front"),
    _left_right("Hip adduction", "hip_adduction", "to the middle"),
    _left_right("Hip rotation", "hip_rotation", "toes inward"),
    _left_right("Ankle", "ankle_angle", "toes up"),
    _left_right("Elbow", "elbow_flex", "bent"),
    _left_right("Arm flexion", "arm_flex", "to the front"),
    _left_right("Arm adduction", "arm_add", "to the middle"),
    _left_right("Arm rotation", "arm_rot", "inward"),
    _midline("Pelvis", ("pelvis_tilt", "pelvis_list", "pelvis_rotation"), ("tilted back", "right down", "turned left")),
    _midline(
        "Trunk", ("lumbar_extension", "lumbar_bending", "lumbar_rotation"), ("bent back", "bent right", "turned left")
    ),
    _midline("Neck", ("neck_extension", "neck_bending", "neck_rotation"), ("bent back", "bent right", "turned left")),
)
"""Rows of the angles figure; angles have the names of joints.csv's columns."""


def root_path_figure(motion: PersonMotion, theme: Theme = LIGHT) -> go.Figure:
    """Path of the hips from above, the camera at the bottom, equal axes; a ring at its start, a dot at its end."""
    known = motion.known[:, 0]
    x, z = (np.where(known, motion.points_m[:, 0, column], np.nan) for column in (0, 2))
    rows = thinned(np.stack((x, z), axis=1))
    figure = empty_figure(
        theme, "Path of the hips, from above", 380,
        margin={"l": 58, "r": 16, "t": 40, "b": 46},
        xaxis=axis(theme, title="x, to the image's right (m)", range=_span_m(x)),
        yaxis=axis(theme, title="z, towards the camera (m)", range=_span_m(z)[::-1], scaleanchor="x"),
        hovermode="closest",
    )  # fmt: skip
    hover = "%{customdata:.2f} s<br>x %{x:.2f} m, z %{y:.2f} m<extra></extra>"
    figure.add_scatter(
        x=as_float32(x[rows]), y=as_float32(z[rows]), customdata=as_float32(motion.time_s[rows]),
        mode="lines", line={"color": theme.middle, "width": 2}, hovertemplate=hover,
    )  # fmt: skip
    ends = np.flatnonzero(known)[[0, -1]] if known.any() else np.empty(0, np.intp)
    figure.add_scatter(
        x=x[ends], y=z[ends], customdata=motion.time_s[ends],
        mode="markers", hovertemplate=hover,
        marker={"size": 10, "color": [theme.paper, theme.middle], "line": {"color": theme.middle, "width": 2}},
    )  # fmt: skip
    return figure


def foot_height_figure(motion: PersonMotion, contacts: Bool | None = None, theme: Theme = LIGHT) -> go.Figure | None:
    """Height of each ankle above the floor; None for a skeleton without feet.

    Args:
        motion: The person's motion.
        contacts: (T, 2) whether the left and the right foot are on the floor; drawn as bars under the curves.
        theme: Colours.
    """
    row_of = motion.figure.skeleton.index
    if not all(f"{side}Foot" in row_of for side in _SIDES):
        return None
    sides = "   ".join(coloured(side, getattr(theme, side)) for side in _SIDES)
    bars = "" if contacts is None else f"   {coloured('bars: foot contact', theme.muted)}"
    figure = empty_figure(
        theme, f"Ankle height   {sides}{bars}", 240 if contacts is None else 260,
        margin={"l": 58, "r": 16, "t": 40, "b": _BOTTOM_PX},
        xaxis=time_axis(theme, anchor="free", position=0),
        yaxis=axis(
            theme, title="above the floor (cm)", rangemode="tozero", domain=[0 if contacts is None else 0.16, 1]
        ),
        hovermode="x",
    )  # fmt: skip
    for side in _SIDES:
        row = row_of[f"{side}Foot"]
        height_cm = np.where(motion.known[:, row], motion.points_m[:, row, 1] * 100, np.nan)
        rows = thinned(height_cm[:, None])
        figure.add_scatter(
            x=as_float32(motion.time_s[rows]), y=as_float32(height_cm[rows]), mode="lines",
            line={"color": getattr(theme, side), "width": 1.6}, hovertemplate=f"{side} %{{y:.1f}} cm<extra></extra>",
        )  # fmt: skip
    if contacts is not None:
        figure.update_layout(yaxis2={"domain": [0, 0.12], "range": [1.5, -0.5], "visible": False, "fixedrange": True})
        for column, side in enumerate(_SIDES):
            times = _intervals_s(motion.time_s, contacts[:, column])
            figure.add_scatter(
                x=times, y=np.full(len(times), column), yaxis="y2", mode="lines", hoverinfo="skip",
                line={"color": getattr(theme, side), "width": 5}, connectgaps=False,
            )  # fmt: skip
    return figure


def angles_figure(time_s: Float64, angles_deg: Mapping[str, Float64], theme: Theme = LIGHT) -> go.Figure:
    """Joint angles over time, one row per kind, left and right together.

    Args:
        time_s: (T,) media time.
        angles_deg: Angles (T,) by their names in PANELS, NaN where unknown; a row without any is left out.
        theme: Colours.
    """
    panels = [panel for panel in PANELS if any(name in angles_deg for name, _, _ in panel.curves)]
    plot_px = max(len(panels), 1) * (_ROW_PX + _GAP_PX)
    figure = empty_figure(
        theme, "", plot_px + _TOP_PX + _BOTTOM_PX - _GAP_PX,
        margin={"l": 58, "r": 16, "t": _TOP_PX, "b": _BOTTOM_PX},
        xaxis=time_axis(theme, anchor=f"y{len(panels) or 1}"),
        hovermode="x",
    )  # fmt: skip
    of_px = 1 / max(plot_px - _GAP_PX, 1)
    for number, panel in enumerate(panels, 1):
        top = 1 - (number - 1) * (_ROW_PX + _GAP_PX) * of_px
        name = f"y{number if number > 1 else ''}"
        rows = axis(theme, domain=[max(top - _ROW_PX * of_px, 0), top], ticksuffix="°", nticks=4, zeroline=True)
        figure.update_layout({f"yaxis{name[1:]}": rows | {"anchor": "x"}})
        labels = "   ".join(coloured(label, getattr(theme, colour)) for _, label, colour in panel.curves)
        title = f"<b>{coloured(panel.title, theme.text)}</b>   {labels}"
        place = {"xref": "paper", "yref": "paper", "y": top, "yanchor": "bottom", "yshift": 3, "showarrow": False}
        figure.add_annotation(text=title, x=0, xanchor="left", **place)
        if panel.positive:
            figure.add_annotation(text=f"+ {panel.positive}", x=1, xanchor="right", font={"size": 11}, **place)
        for angle, label, colour in panel.curves:
            if angle not in angles_deg:
                continue
            kept = thinned(angles_deg[angle][:, None])
            figure.add_scatter(
                x=as_float32(time_s[kept]), y=as_float32(angles_deg[angle][kept]), yaxis=name, mode="lines",
                line={"color": getattr(theme, colour), "width": 1.4},
                hovertemplate=f"{label} %{{y:.1f}}°<extra></extra>",
            )  # fmt: skip
    return figure


def thinned(values: Float64, intervals: int = INTERVALS) -> Rows:
    """The rows of values (T, C) to draw: each column's lowest and highest value of each interval, and one NaN.

    Up to 2 rows per interval and column, all are kept. The first and the last row are always kept.
    """
    count, columns = values.shape
    if count <= intervals * 2 * columns:
        return np.arange(count)
    edges = np.linspace(0, count, intervals + 1).astype(np.intp)
    kept = {0, count - 1}
    for start, end in pairwise(edges.tolist()):
        part = values[start:end]
        for column in part.T:
            known = np.flatnonzero(np.isfinite(column))
            if len(known):
                kept.add(int(start + known[column[known].argmin()]))
                kept.add(int(start + known[column[known].argmax()]))
            if len(known) < len(column):
                kept.add(int(start + np.flatnonzero(~np.isfinite(column))[0]))
    return np.array(sorted(kept), dtype=np.intp)


def _span_m(values: Float64) -> list[float]:
    """Lowest and highest with a margin, at least 1 m apart, so that the sway of standing still stays small."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    half = max((high - low) * 0.55, 0.5)
    return [(low + high) / 2 - half, (low + high) / 2 + half]


def _intervals_s(time_s: Float64, on: Bool) -> Float64:
    """Start and end of each run of True, as one line's times with a gap (NaN) after each."""
    change = np.diff(np.concatenate(([0], on.astype(np.int8), [0])))
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    last = np.minimum(ends, len(time_s) - 1)  # a frame lasts until the next
    return np.stack((time_s[starts], time_s[last], np.full(len(starts), np.nan)), axis=1).ravel()
